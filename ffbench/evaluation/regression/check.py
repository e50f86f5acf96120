"""The regression check: scores of methods on small data against a committed baseline."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ffbench.cards import RANDOM_WEIGHTS
from ffbench.hub.names import is_hub_name
from ffbench.io import atomic
from ffbench.io.json_models import read_model
from ffbench.results.record.run_record import RunRecord

_ABSOLUTE = 1e-6
"""Differences below this are rounding, also of values near 0."""
_MAX_BYTES = 2**24

Evaluate = Callable[["Case"], RunRecord]
"""Runs one case."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Case(_Frozen):
    """One method on one protocol, and what it scored when the baseline was made."""

    method: str
    protocol: str
    data: str | None = Field(
        default=None, description="dataset, relative to the baseline's file; None: the protocol's default"
    )
    variant: str | None = None
    options: dict[str, str] = Field(default_factory=dict)
    weights: str | None = Field(
        default=None, description="a file, relative to the baseline's, or `random`; None: the method's own"
    )
    batch_size: int = Field(default=1, ge=1)
    limit: int | None = Field(default=None, ge=1, description="only the first pairs")
    scores: dict[str, float] = Field(default_factory=dict, description="value over all pairs by metric")
    higher_is_better: tuple[str, ...] = Field(default=(), description="metrics of which more is better")
    speed: float | None = Field(default=None, description="seconds a pair, over those of the baseline's first case")
    dataset_sha256: str | None = None

    @property
    def name(self) -> str:
        """Name the case in a report."""
        return f"{self.method} on {self.protocol}"


class Baseline(_Frozen):
    """What `ffbench check` runs and compares with."""

    schema_version: Literal[1] = 1
    tolerance: float = Field(default=0.01, gt=0, lt=1, description="relative change of a score that passes")
    speed_factor: float | None = Field(
        default=None, gt=1, description="how many times its old speed ratio a case may take; None: not checked"
    )
    cases: tuple[Case, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Finding:
    """One compared number. `verdict` is `same`, or what changed; `new` is what a baseline without scores lacks."""

    case: str
    what: str
    expected: float | None
    found: float | None
    passed: bool
    verdict: str
    new: bool = False


@dataclass(frozen=True)
class CheckResult:
    """All findings, and the baseline as it would be now."""

    findings: tuple[Finding, ...]
    measured: Baseline
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every number is as expected."""
        return all(finding.passed for finding in self.findings)

    @property
    def changed(self) -> int:
        """How many numbers are not as the baseline says."""
        return sum(not finding.passed and not finding.new for finding in self.findings)

    @property
    def new(self) -> int:
        """How many numbers are of cases of which the baseline has no scores yet."""
        return sum(finding.new for finding in self.findings)


def read_baseline(path: Path | str) -> Baseline:
    """Read a baseline.

    Raises:
        DataError: the file cannot be read, or is no baseline.
    """
    return read_model(Path(path), Baseline, _MAX_BYTES, kind="a baseline", wrong="is no baseline")


def placed(case: Case, folder: Path | str, weights: Path | str | None = None) -> Case:
    """Return a case whose relative paths are taken from the folder of its baseline.

    Args:
        case: as the baseline has it.
        folder: where the baseline's file is.
        weights: a file in place of the one that the case names, if it names one.
    """
    found: dict[str, str] = {}
    folder = Path(folder)
    if case.data is not None:
        found["data"] = str(folder / case.data)
    if case.weights is not None and case.weights != RANDOM_WEIGHTS:
        own = case.weights if is_hub_name(case.weights) else str(folder / case.weights)
        found["weights"] = own if weights is None else str(weights)
    return case.model_copy(update=found)


def write_baseline(path: Path | str, baseline: Baseline) -> None:
    """Write a baseline, atomically."""
    atomic.write_text(path, baseline.model_dump_json(indent=1, exclude_defaults=True) + "\n")


def check(baseline: Baseline, run: Evaluate, *, tolerance: float | None = None) -> CheckResult:
    """Run every case anew and compare.

    A change beyond the tolerance fails in either direction: a score that is suddenly better is as suspicious, and the
    baseline is to say what is true.

    Args:
        baseline: what to run, and what came out before.
        run: runs one case, such as `ffbench.evaluation.regression.case.evaluate_case`.
        tolerance: in place of the baseline's own.
    """
    tolerance = baseline.tolerance if tolerance is None else tolerance
    findings: list[Finding] = []
    notes: list[str] = []
    measured: list[Case] = []
    first_seconds: float | None = None
    for case in baseline.cases:
        record = run(case)
        seconds = record.cost.method_seconds / record.pairs
        first_seconds = seconds if first_seconds is None else first_seconds
        now = _measured(case, record, seconds / max(first_seconds, 1e-12))
        findings += _compare_scores(case, now, tolerance)
        if baseline.speed_factor is not None and case.speed is not None and now.speed is not None:
            findings.append(_compare_speed(case, now.speed, baseline.speed_factor))
        if case.dataset_sha256 not in (None, now.dataset_sha256):
            notes.append(f"{case.name}: the files of {record.dataset.name} are others than those of the baseline")
        measured.append(now)
    return CheckResult(tuple(findings), baseline.model_copy(update={"cases": tuple(measured)}), tuple(notes))


def _measured(case: Case, record: RunRecord, speed: float) -> Case:
    whole = {score.metric: score.value for score in record.scores if score.group == "all"}
    cards = record.protocol.metrics
    return case.model_copy(
        update={
            "scores": whole,
            "higher_is_better": tuple(name for name in whole if name in cards and cards[name].higher_is_better),
            "speed": float(f"{speed:.3g}"),
            "dataset_sha256": record.dataset.manifest_sha256,
        }
    )


def _compare_scores(case: Case, now: Case, tolerance: float) -> Sequence[Finding]:
    if not case.scores:
        return [
            Finding(case.name, metric, None, found, False, "new baseline", new=True)
            for metric, found in now.scores.items()
        ]
    findings = []
    for metric, expected in case.scores.items():
        found = now.scores.get(metric)
        if found is None:
            findings.append(Finding(case.name, metric, expected, None, False, "is no longer measured"))
            continue
        change = found - expected
        passed = math.isclose(found, expected, rel_tol=tolerance, abs_tol=_ABSOLUTE)
        better = (change > 0) == (metric in now.higher_is_better)
        percent = f"{100 * change / abs(expected):+.2f} %" if expected else f"{change:+.3g}"
        verdict = "same" if passed else f"{'better' if better else 'worse'} by {percent}"
        findings.append(Finding(case.name, metric, expected, found, passed, verdict))
    findings += [
        Finding(case.name, metric, None, now.scores[metric], False, "is new; --update writes it")
        for metric in now.scores
        if metric not in case.scores
    ]
    return findings


def _compare_speed(case: Case, found: float, factor: float) -> Finding:
    assert case.speed is not None
    passed = found <= case.speed * factor
    verdict = "same" if passed else f"{found / case.speed:.2g} times as slow, at most {factor:g} times is allowed"
    return Finding(case.name, "speed ratio", case.speed, found, passed, verdict)
