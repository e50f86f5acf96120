"""A method's records as a model card of Hugging Face, and as its `.eval_results` files.

The card's front matter holds a `model-index`; a file of `.eval_results` holds one value of one benchmark dataset. What
was measured on synthetic data is called synthetic in both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from ffbench.cards import MethodCard, Origin
from ffbench.errors import UsageError
from ffbench.io.escape import markdown, plain
from ffbench.io.yaml_text import yaml_lines
from ffbench.results.numbers import format_interval, format_value
from ffbench.results.record.run_record import RunRecord
from ffbench.results.tables import Table, as_markdown

_TASK = {"type": "optical-flow", "name": "facial optical flow"}
_SOURCE = "ffbench"


README = "README.md"
EVAL_RESULTS = ".eval_results"


def card_files(
    records: Sequence[RunRecord], dataset_id: str | None = None, url: str | None = None, more: Sequence[str] = ()
) -> dict[str, str]:
    """Return the text of a model's `README.md`, and with `dataset_id` a file of `.eval_results` for each record.

    Args:
        records, more: as of `model_card`.
        dataset_id, url: as of `eval_results`.

    Returns:
        The texts, by their paths in the model's folder.

    Raises:
        UsageError: as `model_card` and `eval_results` raise it.
    """
    files = {README: model_card(records, more)}
    for record in records if dataset_id is not None else ():
        name = f"{record.protocol.id}-{record.protocol.variant}-{record.fingerprint[:16]}.yaml"
        files[f"{EVAL_RESULTS}/{name}"] = eval_results(record, str(dataset_id), url)
    return files


def model_card(records: Sequence[RunRecord], more: Sequence[str] = ()) -> str:
    """Return `README.md` of a model: YAML front matter with a `model-index`, and a table of the same values.

    Args:
        records: whole runs of one method with one set of weights, at least one; a row each.
        more: what else stands in the list of facts, in Markdown.

    Raises:
        UsageError: there is no record, one is not whole, or they are of several methods or weights.
    """
    method = _one_method(records)
    front: dict[str, Any] = {
        "license": plain(method.licence or "unknown").lower(),
        "library_name": "ffbench",
        "tags": ["optical-flow", "facial-optical-flow"],
        "model-index": [{"name": plain(method.id), "results": [_result(record) for record in records]}],
    }
    facts = [
        ("paper", method.paper),
        ("weights", None if method.weights is None else f"{method.weights.name}, SHA-256 {method.weights.sha256}"),
        ("parameters", None if method.parameters is None else f"{method.parameters:,}"),
        ("precision", method.precision),
    ]
    lines = [f"- {name}: {markdown(value)}" for name, value in facts if value is not None]
    lines += [f"- {line}" for line in more]
    return "\n".join(
        [
            "---", *yaml_lines(front), "---", "",
            f"# {markdown(method.title)}", "",
            *lines, "",
            f"Measured with ffbench {markdown(records[0].environment.ffbench)}:", "",
            *_tables(records),
        ]
    )  # fmt: skip


def eval_results(record: RunRecord, dataset_id: str, url: str | None = None) -> str:
    """Return a file of `.eval_results`: the primary value of a record, on a benchmark dataset of the hub.

    Args:
        record: a whole run.
        dataset_id: the benchmark dataset, `owner/name`; the task is the protocol's id.
        url: where the record can be seen.

    Raises:
        UsageError: the record is not whole, or `dataset_id` is not of that form.
    """
    _one_method([record])
    owner, _, name = dataset_id.partition("/")
    if not owner or not name or "/" in name or len(dataset_id.split()) != 1:
        raise UsageError(f"'{plain(dataset_id)}' is no dataset of the hub, expected owner/name")
    interval = format_interval(record.primary.ci_low, record.primary.ci_high)
    entry: dict[str, Any] = {
        "dataset": {"id": dataset_id, "task_id": record.protocol.id},
        "value": record.primary.value,
        "date": record.cost.started.isoformat().replace("+00:00", "Z"),
        "notes": f"{_metric(record)}, 95 % interval {interval}; {_dataset(record)}; protocol version "
        f"{record.protocol.version}, {_reading(record)}; "
        f"dataset sha256 {record.dataset.manifest_sha256}",
    }
    if url is not None:
        entry["source"] = {"url": url, "name": _SOURCE}
    return "\n".join([*yaml_lines([entry]), ""])


def _one_method(records: Sequence[RunRecord]) -> MethodCard:
    """Return the method that all records are of."""
    if not records:
        raise UsageError("there is no record to write a card of")
    for record in records:
        if not record.complete or not math.isfinite(record.primary.value):
            raise UsageError(
                f"the record of {record.method.id} on {record.protocol.id} is not whole (--limit, problems of the "
                "data, or no value), so it is not published; run it over all pairs"
            )
    method, *others = (record.method for record in records)
    for other in others:
        if (other.id, other.weights) != (method.id, method.weights):
            raise UsageError(
                f"the records are of {method.id} and {other.id}, or of other weights; a card is of one model"
            )
    return method


def _tables(records: Sequence[RunRecord]) -> Iterator[str]:
    """Return a table for each origin of data, real first: results on two origins never share one."""
    header = ("protocol", "dataset", "metric", "value", "95 % interval", "pairs")
    for origin in get_args(Origin):
        rows = tuple(_row(record) for record in records if record.dataset.origin == origin)
        if rows:
            yield f"### {origin.capitalize()} data\n"
            yield f"{as_markdown(Table('', header, rows, frozenset({0, 1, 2})))}\n"


def _row(record: RunRecord) -> tuple[str, ...]:
    return (
        f"{record.protocol.title} {record.protocol.version} ({_reading(record)})",
        _dataset(record),
        f"{record.protocol.metrics[record.primary.metric].title} [{record.primary.unit}]",
        format_value(record.primary.value),
        format_interval(record.primary.ci_low, record.primary.ci_high),
        str(record.pairs),
    )


def _result(record: RunRecord) -> dict[str, Any]:
    return {
        "task": _TASK,
        "dataset": {
            "name": _dataset(record),
            "type": record.protocol.id,
            "config": _reading(record),
            "revision": record.dataset.manifest_sha256,
        },
        "metrics": [{"type": record.primary.metric, "value": record.primary.value, "name": _metric(record)}],
    }


def _reading(record: RunRecord) -> str:
    """Say how a protocol was run: its variant, and its options where it has some."""
    options = (f"{name} {value}" for name, value in record.protocol.options.items())
    return plain(", ".join([record.protocol.variant, *options]))


def _metric(record: RunRecord) -> str:
    better = "higher" if record.primary.higher_is_better else "lower"
    return f"{record.protocol.metrics[record.primary.metric].title} [{record.primary.unit}], {better} is better"


def _dataset(record: RunRecord) -> str:
    """Name a dataset with what its numbers must not be read without: its origin, and a reference that is inexact."""
    marks: list[str] = [] if record.dataset.origin == "real" else [record.dataset.origin]
    marks += ["pseudo reference"] if record.dataset.reference == "pseudo" else []
    return plain(f"{record.dataset.name} ({', '.join(marks)})" if marks else record.dataset.name)
