"""From a folder or archive of predictions to a run record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ffbench.cards import MethodCard
from ffbench.errors import DataError, UsageError
from ffbench.evaluation.runner import evaluate
from ffbench.io.locks import writing_file_alone
from ffbench.protocol import Progress, Protocol
from ffbench.results.record.run_record import RunRecord, Sampling, Submission
from ffbench.submissions.bundle import DEFAULT_STEP, MAX_CHALLENGE, SUFFIX, Header, write_bundle
from ffbench.submissions.checking.conventions import look
from ffbench.submissions.checking.validation import Report, validate
from ffbench.submissions.containers.entries import SubmissionFiles
from ffbench.submissions.files import open_files
from ffbench.submissions.manifest import build_manifest
from ffbench.submissions.sampling import MAX_STEP
from ffbench.submissions.source import PredictionSource

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


def silent(title: str, unit: str) -> AbstractContextManager[Progress | None]:
    """Show no progress."""
    return nullcontext()


def validate_submission(
    predictions: Path | str, protocol: Protocol[Any], progress_bar: ProgressBar = silent, *, advise: bool = False
) -> Report:
    """Check a folder or archive of predictions against what `protocol` wants.

    With `advise`, also look at a sample of the flows for another convention
    (`ffbench.submissions.checking.conventions`).

    Raises:
        DataError: it cannot be read as a whole, or is refused; faults of single files are in the report instead.
    """
    with progress_bar("reading sizes", "pairs") as progress:
        manifest = build_manifest(protocol, progress)
    with open_files(predictions, manifest) as files:
        with progress_bar("validating", "files") as progress:
            report = validate(files, manifest, progress)
        if not advise:
            return report
        return replace(report, hints=report.hints + tuple(_advice(files, report, protocol, progress_bar)))


def _advice(files: SubmissionFiles, report: Report, protocol: Protocol[Any], progress_bar: ProgressBar) -> list[str]:
    """Return what the flows look like; nothing of a bundle, which lacks most of their pixels."""
    if files.sampling is not None:
        return []
    facial = report.files.get("facial", {})
    with progress_bar("looking at the flows", "pairs") as progress:
        seen = look(lambda key, size: files.read(facial[key], size), list(facial), protocol, progress)
    return seen.lines() if seen is not None else []


def bundle(
    predictions: Path | str,
    protocol: Protocol[Any],
    out: Path | str,
    *,
    step: int = DEFAULT_STEP,
    challenge: str = "",
    progress_bar: ProgressBar = silent,
) -> Header:
    """Validate predictions and pack every step-th pixel of them, in half precision, into one small file.

    Args:
        predictions: a folder or archive of whole flows.
        protocol: what they are for; the labels are not made use of.
        out: the bundle, named `.bundle`.
        step: distance between the pixels that are kept, in both directions.
        challenge: what the place of each pair's first pixel is hashed from.
        progress_bar: opens a display of progress for each step.

    Raises:
        InvalidSubmission: files are missing, too many, damaged or of a wrong size.
        DataError: the predictions are refused as a whole, or the bundle cannot be written.
        UsageError: a step or challenge that a bundle cannot have, another suffix, predictions that are a bundle, or
            another process is writing `out`.
    """
    out = Path(out)
    if out.suffix != SUFFIX:
        raise UsageError(f"{out}: a bundle must be named {SUFFIX}")
    if not 1 <= step <= MAX_STEP or len(challenge) > MAX_CHALLENGE:
        raise UsageError(f"expected a step of 1 to {MAX_STEP} and a challenge of at most {MAX_CHALLENGE} characters")
    with progress_bar("reading sizes", "pairs") as progress:
        manifest = build_manifest(protocol, progress)
    with open_files(predictions, manifest) as files:
        if files.sampling is not None:
            raise UsageError(f"{predictions}: is a bundle already; make one of the whole predictions")
        with progress_bar("validating", "files") as progress:
            report = validate(files, manifest, progress)
        if not report.sound:
            raise InvalidSubmission(predictions, report)
        with writing_file_alone(out), progress_bar("packing", "files") as progress:
            return write_bundle(out, files, report, manifest, step=step, challenge=challenge, progress=progress)


def submit(
    predictions: Path | str,
    protocol: Protocol[Any],
    submitter: Submitter,
    *,
    out: Path | str = "runs",
    challenge: str | None = None,
    progress_bar: ProgressBar = silent,
    hints: list[str] | None = None,
) -> RunRecord:
    """Validate predictions, score them on the very path that `evaluate` takes, and write the record.

    Args:
        predictions: a folder, a `.zip`, `.tar`, `.tar.gz` or `.tgz` archive, or a `.bundle`.
        protocol: what to score on.
        submitter: goes into the record.
        out: folder of runs.
        challenge: what a bundle must have been made with; None takes any predictions, but what a bundle scores is then
            a preview that is not ranked, since its maker chose which pixels count (unless it holds all of them).
        progress_bar: opens a display of progress for each step.
        hints: takes what the flows look like, where that is another convention or worse than zero flow.

    Raises:
        InvalidSubmission: files are missing, too many, damaged or of a wrong size.
        DataError: the submission as a whole is refused or cannot be read.
        UsageError: predictions that do not answer the challenge, or a name, text or number in `submitter` that a
            record cannot hold.
    """
    with progress_bar("reading sizes", "pairs") as progress:
        manifest = build_manifest(protocol, progress)
    with open_files(predictions, manifest) as files:
        _check_challenge(predictions, files.sampling, challenge)
        with progress_bar("validating", "files") as progress:
            report = validate(files, manifest, progress)
        if hints is not None:
            hints += _advice(files, report, protocol, progress_bar)
            report = replace(report, hints=(*report.hints, *hints))
        if not report.sound:
            raise InvalidSubmission(predictions, report)
        sampling = files.sampling
        if sampling is not None:
            sampling = sampling.model_copy(update={"asked": challenge is not None})
        submission = _submission(submitter, report, sampling)
        card = MethodCard(
            id=submission.method_id,
            title=submission.method_title,
            paper=submitter.paper,
            decomposes="head" in report.files,
        )
        source = PredictionSource(card, submission, files, report)
        with progress_bar("scoring", "pairs") as progress:
            return evaluate(source, protocol, out=out, progress=progress)


def _check_challenge(predictions: Path | str, sampling: Sampling | None, challenge: str | None) -> None:
    if challenge is None:
        return
    if sampling is None:
        raise UsageError(f"{predictions}: is no bundle, so it answers no challenge")
    if sampling.challenge != challenge:
        raise UsageError(f"{predictions}: was made with the challenge '{sampling.challenge}', not '{challenge}'")


def _submission(submitter: Submitter, report: Report, sampling: Sampling | None) -> Submission:
    files = sum(map(len, report.files.values()))
    try:
        return Submission(**vars(submitter), files=files, sha256=report.sha256, sampling=sampling)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"--{first['loc'][0]}: {first['msg']}, got {first['input']!r}") from error
