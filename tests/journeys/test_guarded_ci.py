"""Journey: a maintainer wants CI to fail when a score changes: baseline, scores, check, and a change that it finds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.shell import Shell

pytestmark = [pytest.mark.slow, pytest.mark.assets]


def test_guarded_ci(tmp_path: Path) -> None:
    ffbench = Shell(tmp_path)
    baseline = tmp_path / "baseline.json"
    baseline.write_text('{"cases": [{"method": "zero", "protocol": "ck_landmarks", "limit": 2}]}')
    ffbench("ffbench check --baseline baseline.json", code=1)  # a new baseline: nothing was compared
    ffbench("ffbench check --baseline baseline.json --update")
    ffbench("ffbench check --baseline baseline.json --junit out.xml")
    assert 'failures="0"' in (tmp_path / "out.xml").read_text()

    # A score that the committed file does not have, as after a change that makes the method worse.
    saved = baseline.read_text()
    score = json.loads(saved)["cases"][0]["scores"]["epe"]
    baseline.write_text(saved.replace(str(score), str(score * 0.9)))
    assert baseline.read_text() != saved
    ffbench("ffbench check --baseline baseline.json --junit out.xml", code=1)
    assert 'failures="0"' not in (tmp_path / "out.xml").read_text()
    assert ffbench.commands == 4
