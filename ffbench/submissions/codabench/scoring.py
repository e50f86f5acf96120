"""The scoring program of a competition on Codabench, as its worker calls it: it reads flows and writes `scores.json`.

input/ref    the reference data: `task.json` and the dataset in `data`
input/res    what the participant sent in, unpacked, with a file `metadata` of the worker's own
output       `scores.json`, a number by the key of each column; `detailed_results.html`
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ffbench.errors import DataError, FfbenchError, UsageError, writing
from ffbench.io import atomic
from ffbench.io.escape import plain, terminal
from ffbench.registry import load_protocol
from ffbench.results.numbers import format_interval, format_value
from ffbench.results.record.run_record import RunRecord
from ffbench.results.tables import Table, as_html
from ffbench.submissions.codabench.task import DATA, TASK, read_task
from ffbench.submissions.submit import InvalidSubmission, Submitter, submit

SCORES, DETAILS = "scores.json", "detailed_results.html"
_WORKERS_OWN = "metadata"
_WHOLE = "all"
_DIGITS = 10
"""As many decimal places as Codabench keeps."""


def main(arguments: Sequence[str]) -> int:
    """Score a submission, as `score.py INPUT OUTPUT`; an error is a line on stderr and an exit code that is not 0."""
    try:
        if len(arguments) != 2:
            raise UsageError("expected two folders, input and output")
        score(Path(arguments[0]), Path(arguments[1]))
    except FfbenchError as error:
        print(f"ffbench: {plain(error, 4000)}", file=sys.stderr)
        if isinstance(error, InvalidSubmission):
            print(*map(terminal, error.report.lines()), sep="\n", file=sys.stderr)
        return error.exit_code
    return 0


def score(given: Path, output: Path) -> dict[str, float]:
    """Score a submission and write `scores.json` and `detailed_results.html`.

    Args:
        given: the folder `input`.
        output: the folder of results.

    Returns:
        The value over all pairs by metric; a metric without a value is left out.

    Raises:
        DataError: there is no reference data or another than the competition was made with, or the submission is not
            valid; nothing is written then.
        UsageError: the protocol is not installed here, or has another version than the competition was made with.
    """
    reference = given / "ref"
    task = read_task(reference)
    data = reference / DATA
    if not data.is_dir():
        raise DataError(data, "is not there: the organizer must add the dataset to the reference data")
    protocol = load_protocol(task.protocol, data=data, variant=task.variant, options=task.options)
    if protocol.card.version != task.version:
        raise UsageError(
            f"{task.protocol} is version {protocol.card.version} here, and the competition was made with version "
            f"{task.version}; run it in an image with ffbench {task.ffbench}"
        )
    if task.manifest_sha256 not in (None, protocol.dataset.manifest_sha256):
        raise DataError(data, f"is another dataset than the competition was made with ({TASK} has its hash)")
    predictions = given / "res"
    with writing(predictions):
        # The worker leaves a note of its own among the files that were sent in.
        (predictions / _WORKERS_OWN).unlink(missing_ok=True)
    hints: list[str] = []
    with tempfile.TemporaryDirectory(prefix="ffbench-codabench-") as runs:
        record = submit(predictions, protocol, Submitter("submission"), out=runs, hints=hints)
    if not record.complete or not math.isfinite(record.primary.value):
        raise DataError(data, f"cannot be scored as a whole: {'; '.join(record.dataset.problems) or 'no value'}")
    values = {
        found.metric: round(found.value, _DIGITS)
        for found in record.scores
        if found.group == _WHOLE and math.isfinite(found.value)
    }
    atomic.write_text(output / DETAILS, as_html(_table(record, hints)))
    atomic.write_text(output / SCORES, json.dumps(values) + "\n")
    return values


def _table(record: RunRecord, hints: Sequence[str]) -> Table:
    """Return every value with its 95 % interval, and below it what the flows look like."""
    metrics = record.protocol.metrics
    rows = tuple(
        (
            metrics[found.metric].title if found.metric in metrics else found.metric,
            found.group,
            format_value(found.value),
            format_interval(found.ci_low, found.ci_high),
            metrics[found.metric].unit if found.metric in metrics else "",
            str(found.pairs),
        )
        for found in record.scores
    )
    note = f"{record.dataset.name}: {record.dataset.origin} data, {record.dataset.reference} reference"
    header = ("metric", "group", "value", "95 % interval", "unit", "pairs")
    title = f"{record.protocol.title} {record.protocol.version} ({record.protocol.variant})"
    return Table(title, header, rows, frozenset({0, 1, 4}), (note, *hints))
