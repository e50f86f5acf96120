"""From a folder or archive of predictions to a run record."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ffbench.errors import DataError, UsageError
from ffbench.evaluation.runner import evaluate
from ffbench.method import MethodCard
from ffbench.protocol import Progress, Protocol
from ffbench.results.record import RunRecord, Submission
from ffbench.submissions.files import open_files
from ffbench.submissions.manifest import build_manifest
from ffbench.submissions.source import PredictionSource
from ffbench.submissions.validation import Report, validate

ProgressBar = Callable[[str, str], AbstractContextManager[Progress | None]]
"""Opens a display of progress, given a title and a unit."""


class InvalidSubmission(DataError):
    """A submission that may not be scored; `report` says all that is wrong with it."""

    def __init__(self, path: Path | str, report: Report) -> None:
        self.report = report
        faults = ", ".join(f"{found.count} {fault}" for fault, found in report.problems.items())
        super().__init__(f"{path}: is not a valid submission: {faults}; nothing was scored")


@dataclass(frozen=True)
class Submitter:
    """Who submits what. `claimed` is the submitter's own value of the primary metric."""

    name: str
    paper: str | None = None
    code: str | None = None
    contact: str | None = None
    claimed: float | None = None


def _silent(title: str, unit: str) -> AbstractContextManager[Progress | None]:
    return nullcontext()


def validate_submission(
    predictions: Path | str, protocol: Protocol[Any], progress_bar: ProgressBar = _silent
) -> Report:
    """Check a folder or archive of predictions against what `protocol` wants.

    Raises:
        DataError: it cannot be read as a whole, or is refused; faults of single files are in the report instead.
    """
    with progress_bar("reading sizes", "pairs") as progress:
        manifest = build_manifest(protocol, progress)
    with open_files(predictions, manifest) as files, progress_bar("validating", "files") as progress:
        return validate(files, manifest, progress)


def submit(
    predictions: Path | str,
    protocol: Protocol[Any],
    submitter: Submitter,
    *,
    out: Path | str = "runs",
    progress_bar: ProgressBar = _silent,
) -> RunRecord:
    """Validate predictions, score them on the very path that `evaluate` takes, and write the record.

    Args:
        predictions: a folder, or a `.zip`, `.tar`, `.tar.gz` or `.tgz` archive.
        protocol: what to score on.
        submitter: goes into the record.
        out: folder of runs.
        progress_bar: opens a display of progress for each step.

    Raises:
        InvalidSubmission: files are missing, too many, damaged or of a wrong size.
        DataError: the submission as a whole is refused or cannot be read.
        UsageError: a name, text or number in `submitter` that a record cannot hold.
    """
    with progress_bar("reading sizes", "pairs") as progress:
        manifest = build_manifest(protocol, progress)
    with open_files(predictions, manifest) as files:
        with progress_bar("validating", "files") as progress:
            report = validate(files, manifest, progress)
        if not report.sound:
            raise InvalidSubmission(predictions, report)
        submission = _submission(submitter, report)
        card = MethodCard(
            id=re.sub(r"[^a-z0-9._-]+", "-", submitter.name.lower()).strip("-.") or "submission",
            title=submitter.name,
            paper=submitter.paper,
            decomposes="head" in report.files,
        )
        source = PredictionSource(card, submission, files, report)
        with progress_bar("scoring", "pairs") as progress:
            return evaluate(source, protocol, out=out, progress=progress)


def _submission(submitter: Submitter, report: Report) -> Submission:
    try:
        return Submission(**vars(submitter), files=sum(map(len, report.files.values())), sha256=report.sha256)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"--{first['loc'][0]}: {first['msg']}, got {first['input']!r}") from error
