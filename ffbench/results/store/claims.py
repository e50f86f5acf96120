"""What differs between a record that was sent in and the one that was scored here of the same thing."""

from __future__ import annotations

import math

from ffbench.results.record.run_record import RunRecord

CLAIM_TOLERANCE = 0.005
"""Relative difference from which a claimed value is named: papers print three digits."""
VERIFIED_TOLERANCE = 1e-3
"""Relative difference up to which two values are one method's: what another processor, GPU or library may make."""
SAME_DIGITS = 1e-6
"""Relative difference up to which two scores are the same: what another processor or thread count may make."""


def differences(claim: RunRecord, scored: RunRecord) -> list[str]:
    """Name what differs in the method's options and in any of the scores; empty: nothing does."""
    return [*_changed_options(claim, scored), *_changed_scores(claim, scored)]


def _changed_options(claim: RunRecord, scored: RunRecord) -> list[str]:
    """Say where the method's options differ: mostly versions of libraries."""
    then, now = claim.method.options, scored.method.options
    return [
        f"{name} {then.get(name, 'unset')} then, {now.get(name, 'unset')} now"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]


def _changed_scores(claim: RunRecord, scored: RunRecord) -> list[str]:
    """Say how many scores differ, and which of them most."""
    then = {(score.metric, score.group): score.value for score in claim.scores}
    now = {(score.metric, score.group): score.value for score in scored.scores}
    if then.keys() != now.keys():
        return ["other metrics or groups"]
    changed = [name for name in then if not math.isclose(then[name], now[name], rel_tol=SAME_DIGITS, abs_tol=1e-12)]
    if not changed:
        return []
    worst = max(changed, key=lambda name: abs(then[name] - now[name]) / max(abs(then[name]), 1e-12))
    where = f"{worst[0]} of {worst[1]}: {then[worst]:g}, now {now[worst]:g}"
    return [f"{len(changed)} of {len(then)} scores differ, most {where}"]
