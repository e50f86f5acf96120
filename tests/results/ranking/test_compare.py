"""Comparisons: the numbers, the groups, the pairs; text, JSON and picture."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffbench.errors import DataError, UsageError
from ffbench.results.ranking.compare import compare, pair_values
from ffbench.results.ranking.comparison import Comparison
from tests.commands import run_command
from tests.results.made_runs import make_run, row

N = 60
HARD = np.random.default_rng(0).gamma(2.0, 2.0, N)
NOISE = np.random.default_rng(1).normal(size=(4, N)) * 0.2
LABELS = [{"mood": "glad" if index % 3 else "sad"} for index in range(N)]


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """A is 1 px better on glad pairs and equal on sad ones but for noise; on the left half they are the same."""
    glad = np.array([labels["mood"] == "glad" for labels in LABELS])
    first = HARD + NOISE[0]
    second = HARD + NOISE[1] + glad
    return (
        make_run(tmp_path, "alpha", list(first), left=list(HARD), labels=LABELS),
        make_run(tmp_path, "beta", list(second), left=list(HARD), labels=LABELS),
    )


def test_difference_in_every_group(runs: tuple[Path, Path]) -> None:
    a, b = map(row, runs)
    found = compare(a, b, ["mood"])
    groups = {group.group: group for group in found.groups}
    assert list(groups) == ["all", "left", "mood=glad", "mood=sad"]
    assert math.isclose(groups["all"].difference, a.value - b.value)
    glad, sad, left = groups["mood=glad"], groups["mood=sad"], groups["left"]
    assert (glad.pairs, sad.pairs) == (40, 20)
    values = [np.array(list(pair_values(one).values())) for one in (a, b)]
    mask = np.array([labels["mood"] == "glad" for labels in LABELS])
    assert math.isclose(glad.difference, values[0][mask].mean() - values[1][mask].mean())
    assert glad.ci_high is not None
    assert glad.ci_high < -0.8
    assert glad.p_holm is not None
    assert glad.p_holm < 1e-6
    assert sad.p_holm is not None
    assert sad.p_holm > 0.05
    assert (left.difference, left.ci_low, left.ci_high, left.p_value) == (0, 0, 0, 1)
    assert found.win_rate == float((values[0] < values[1]).mean())


def test_worst_pairs_are_those_with_the_largest_difference(runs: tuple[Path, Path]) -> None:
    a, b = map(row, runs)
    found = compare(a, b)
    values = {key: value - pair_values(b)[key] for key, value in pair_values(a).items()}
    expected = sorted(values, key=lambda key: values[key])
    assert [pair.key for pair in found.worst_for_b] == expected[:10]
    assert [pair.key for pair in found.worst_for_a] == [key for key in expected[::-1] if values[key] > 0][:10]
    assert all(pair.difference > 0 for pair in found.worst_for_a)


def test_swapped_sides_are_the_mirror(runs: tuple[Path, Path]) -> None:
    a, b = map(row, runs)
    there, back = compare(a, b, ["mood"]), compare(b, a, ["mood"])
    assert math.isclose(there.win_rate, 1 - back.win_rate)
    for one, other in zip(there.groups, back.groups, strict=True):
        assert one.difference == -other.difference
        assert one.p_value == other.p_value
    assert [pair.key for pair in there.worst_for_a] == [pair.key for pair in back.worst_for_b]


def test_higher_is_better_turns_the_sides(tmp_path: Path) -> None:
    a, b = (
        row(make_run(tmp_path, name, values, higher_is_better=True))
        for name, values in (("a", [0.5, 0.6, 0.9]), ("b", [0.1, 0.7, 0.2]))
    )
    found = compare(a, b)
    assert math.isclose(found.win_rate, 2 / 3)
    assert [pair.key for pair in found.worst_for_a] == ["00001"]
    assert [pair.key for pair in found.worst_for_b] == ["00002", "00000"]


def test_one_unit_gives_no_p_value(tmp_path: Path) -> None:
    labels = [{"subject": "S1"}] * 3
    a, b = (
        row(make_run(tmp_path, name, [value] * 3, labels=labels, resample_by="subject"))
        for name, value in (("a", 1.0), ("b", 2.0))
    )
    whole = compare(a, b).groups[0]
    assert (whole.difference, whole.units, whole.ci_low, whole.p_value) == (-1.0, 1, None, None)


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    a = row(make_run(tmp_path, "a", [1.0, 2.0]))
    with pytest.raises(UsageError, match="is of another board"):
        compare(a, row(make_run(tmp_path, "b", [1.0, 2.0], dataset={"origin": "real"})))
    with pytest.raises(UsageError, match="is of another board"):
        compare(a, row(make_run(tmp_path, "b", [1.0, 2.0], card={"options": {"split": "val"}})))
    with pytest.raises(DataError, match="1 pairs are in only one of the two records, the first is 00002"):
        compare(a, row(make_run(tmp_path, "c", [1.0, 2.0, 3.0])))


def test_options_may_differ_if_that_is_asked_for(tmp_path: Path) -> None:
    a = row(make_run(tmp_path, "a", [1.0, 2.0], card={"options": {"flow": "facial", "seeds": 1}}))
    b = row(make_run(tmp_path, "b", [1.5, 3.0], card={"options": {"flow": "head", "seeds": 1, "derive_head": "rigid"}}))
    found = compare(a, b, across_options=True)
    assert found.groups[0].difference == -0.75
    assert "seeds=1)" in found.board
    assert "flow" not in found.board
    assert found.a.title.endswith(", flow=facial")
    assert found.b.title.endswith(", derive_head=rigid, flow=head")
    with pytest.raises(UsageError, match="is of another board"):
        compare(a, row(make_run(tmp_path, "c", [1.0, 2.0], dataset={"origin": "real"})), across_options=True)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    return run_command(monkeypatch, "compare", *arguments)


def test_command(
    runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, runs[0], runs[1].parent, "--png", tmp_path / "c.png") == 0
    out = capsys.readouterr().out
    assert "A is better (p < 0.0001)" in out
    assert "mood=glad" in out
    assert "synthetic data" in out
    assert "pairs on which A falls behind most:" in out
    with Image.open(tmp_path / "c.png") as picture:
        assert picture.size[0] > 1000
        assert len(picture.convert("RGB").getcolors(2**24) or []) > 50
    assert run(monkeypatch, *runs, "--json") == 0
    found = Comparison.model_validate(json.loads(capsys.readouterr().out))
    assert found.groups[0].group == "all"
    assert run(monkeypatch, runs[0], tmp_path / "nowhere") == 3
    assert "no such record" in capsys.readouterr().err


def test_verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    same = [make_run(tmp_path, name, list(HARD + NOISE[k])) for k, name in enumerate("ab")]
    run(monkeypatch, *same)
    assert "not separable" in capsys.readouterr().out
    few = [make_run(tmp_path, name, [value]) for name, value in (("c", 1.0), ("d", 2.0))]
    run(monkeypatch, *few)
    assert "too few units" in capsys.readouterr().out
