"""Bundles whose maker tries challenges until one is kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffbench.errors import UsageError
from ffbench.results.record.row import row_of
from ffbench.results.record.run_record import RunRecord
from ffbench.results.report.leaderboard import leaderboard
from ffbench.submissions.submit import Submitter, bundle, submit
from tests.submissions.toys import PAIRS, make_submission
from tests.toys import Stripes

TRIES = 60


def score(challenge: str, *, asked: bool, step: int = 4) -> RunRecord:
    path = Path(f"{challenge}.bundle")
    flows = Path("flows") if Path("flows").exists() else make_submission(Path("flows"))
    bundle(flows, Stripes(PAIRS), path, step=step, challenge=challenge)
    submitter = Submitter("Net", contact="net@example.org")
    return submit(path, Stripes(PAIRS), submitter, out="runs", challenge=challenge if asked else None)


def ranked(record: RunRecord) -> bool:
    return bool(leaderboard([row_of(Path("runs/record.json"), "verified", record)]))


def test_the_luckiest_of_many_challenges_is_a_preview_without_a_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = submit(make_submission(Path("flows")), Stripes(PAIRS), Submitter("Net"), out="runs").primary.value
    records = [score(f"try{k}", asked=False) for k in range(TRIES)]
    luckiest = min(records, key=lambda record: record.primary.value)
    assert luckiest.primary.value < whole  # control: trying pays
    assert any("its maker chose which pixels count" in reason for reason in luckiest.not_rankable)
    assert not ranked(luckiest)
    asked = score("of-the-scorer", asked=True)
    assert asked.not_rankable == []
    assert ranked(asked)
    monkeypatch.setattr(RunRecord, "not_rankable", [])
    assert ranked(luckiest)  # control: but for the reason it would be


def test_another_challenge_than_the_scorers_is_refused() -> None:
    score("mine", asked=False)
    with pytest.raises(UsageError, match="made with the challenge 'mine', not 'yours'"):
        submit(Path("mine.bundle"), Stripes(PAIRS), Submitter("Net"), out="runs", challenge="yours")


def test_a_bundle_of_all_pixels_needs_no_challenge() -> None:
    """With step 1 there is nothing to choose."""
    values = {score(f"c{k}", asked=False, step=1).primary.value for k in range(5)}
    assert len(values) == 1
    assert score("c", asked=False, step=1).not_rankable == []
