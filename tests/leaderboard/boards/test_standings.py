"""Positions over protocols and their mean, what methods cost and which are on the front, and wins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.leaderboard.boards.cost_points import COSTS, front_line, series_of
from ffbench.leaderboard.boards.method_facts import facts_of
from ffbench.leaderboard.boards.standings import main_boards, sections, standings
from ffbench.leaderboard.tables.wins import gap, tally
from ffbench.method import MethodCard
from ffbench.results.ranking.order import in_order, rank
from ffbench.results.record.row import Row
from ffbench.results.report.leaderboard import leaderboard
from tests.results.made_runs import make_run, row

HARD = np.random.default_rng(0).gamma(1.0, 2.0, 30)


def made(folder: Path, name: str, worse: float, **changes: Any) -> Row:
    noise = np.random.default_rng(len(name)).normal(0, 0.1, len(HARD))
    return row(make_run(folder, name, list(HARD + worse + noise), **changes))


def on(protocol: str) -> dict[str, Any]:
    return {"card": {"id": protocol, "version": "0.9", "options": {}}}


def rows_of_three_protocols(folder: Path) -> list[Row]:
    """`best` is first on two boards and `other` on one; `absent` is first on the only board that it is on."""
    order = {"a": ("best", "other"), "b": ("best", "other"), "c": ("absent", "other", "best")}
    return [
        made(folder / protocol, name, number, method=MethodCard(id=name, title=name), **on(protocol))
        for protocol, names in order.items()
        for number, name in enumerate(names)
    ]


def test_the_mean_position_is_of_the_boards_that_a_method_is_on(tmp_path: Path) -> None:
    rows = rows_of_three_protocols(tmp_path)
    tables = leaderboard(rows, in_order)
    assert len(tables) == 3
    found = standings([replace(t, lines=_with_positions(t.lines)) for t in tables], rows)
    means = {method.title: (round(method.mean, 3), len(method.on)) for method in found}
    assert means == {"best": (1.667, 3), "other": (2.0, 3), "absent": (1.0, 1)}
    # Who is missing on boards stands below those that are on all, however good.
    assert [method.title for method in found] == ["best", "other", "absent"]
    shares = [standing.share for standing in found[1].on.values()]
    assert sorted(shares) == [0.5, 1.0, 1.0]


def test_robustness_is_in_no_mean_with_accuracy(tmp_path: Path) -> None:
    made_on = [("clip_robustness", "real"), ("clip_landmarks", "real"), ("ck_landmarks", "synthetic")]
    rows = [made(tmp_path / p, "a", 0, dataset={"origin": origin}, **on(p)) for p, origin in made_on]
    found = [(s.origin, s.robustness, [b.protocol for b in s.boards]) for s in sections(main_boards(rows))]
    assert found == [
        ("real", False, ["clip_landmarks"]),
        ("synthetic", False, ["ck_landmarks"]),
        ("real", True, ["clip_robustness"]),
    ]


def _with_positions(lines: Any) -> Any:
    return tuple(replace(line, position=number) for number, line in enumerate(lines, start=1))


def test_the_main_board_of_a_protocol_is_that_with_most_methods(tmp_path: Path) -> None:
    few = [made(tmp_path / "few", "a", 0, card={"id": "p", "version": "2.0", "options": {}})]
    many = [made(tmp_path / "many", name, 0, card={"id": "p", "version": "1.0", "options": {}}) for name in "ab"]
    real = [made(tmp_path / "real", "a", 0, card={"id": "p", "options": {}}, dataset={"origin": "real"})]
    boards = main_boards([*few, *many, *real])
    assert [(board.origin, board.version) for board in boards] == [
        ("real", real[0].board.version),
        ("synthetic", "1.0"),
    ]


def test_facts_are_those_of_the_card(tmp_path: Path) -> None:
    weights = {"name": "things", "source": "https://weights.example/a", "sha256": "1" * 64}
    card = MethodCard(id="net", title="Net", parameters=5_000_000, weights=weights)
    assert facts_of(made(tmp_path, "net", 0, method=card)).__dict__ == {
        "kind": "network", "training": "things", "size": "1 to 10 M", "available": True,
    }  # fmt: skip
    told = card.model_copy(update={"id": "told", "options": {"training/data": "rendered faces"}})
    assert facts_of(made(tmp_path, "told", 0, method=told)).training == "rendered faces"
    mine = card.model_copy(update={"id": "mine", "weights": card.weights.model_copy(update={"source": "file"})})
    assert not facts_of(made(tmp_path, "mine", 0, method=mine)).available
    plain = facts_of(made(tmp_path, "plain", 0))
    assert (plain.kind, plain.training, plain.size, plain.available) == ("without training", "none", "none", True)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Row:
    return made(tmp_path_factory.mktemp("run"), "a", 0)


def with_costs(template: Row, values: list[tuple[float, float]], **changes: Any) -> list[Row]:
    return [
        replace(template, path=str(n), value=value, pairs_per_second=speed, memory_mb=speed, **changes)
        for n, (value, speed) in enumerate(values)
    ]


def test_threads_and_devices_are_apart(template: Row) -> None:
    values = [(1.0, 1.0), (2.0, 2.0), (3.0, 0.5)]
    rows = with_costs(template, values)
    rows = [replace(r, device=d) for r, d in zip(rows, ["CPU, 1 thread", "CPU, 2 threads", "GPU"], strict=True)]
    found = series_of(rows, COSTS["speed"])
    assert {(some.device, some.threads) for some in found} == {("CPU", "1 thread"), ("CPU", "2 threads"), ("GPU", "")}
    assert all(some.points[0].on_front for some in found)  # even of one method, a front is drawn
    assert [p.number for some in sorted(found, key=lambda s: s.points[0].row.value) for p in some.points] == [1, 2, 3]
    # Parameters are the same on every machine.
    assert len(series_of([replace(r, parameters=10) for r in rows], COSTS["parameters"])) == 1


@given(
    values=st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.01, 100)), min_size=1, max_size=8),
    cost=st.sampled_from(["speed", "memory"]),
    higher=st.booleans(),
)
def test_no_method_lies_on_the_better_side_of_the_front(
    template: Row, values: list[tuple[float, float]], cost: str, higher: bool
) -> None:
    rows = with_costs(template, values, higher_is_better=higher, device_memory_mb=None)
    (series,) = series_of(rows, COSTS[cost])
    costs = [point.cost for point in series.points]
    worst = 0.0 if higher else 20.0
    corners = front_line(series, COSTS[cost], (min(costs) / 2, max(costs) * 2), worst)
    more, sign = COSTS[cost].more_is_better, -1.0 if higher else 1.0
    assert len(corners) >= 3  # always drawn
    for point in series.points:
        # Some method of the front is at least as good in both; it is a corner of the line.
        as_good = [
            (x, y)
            for x, y in corners
            if (x >= point.cost if more else x <= point.cost) and sign * y <= sign * point.row.value
        ]
        assert as_good
        beaten = any(
            (p.cost > point.cost if more else p.cost < point.cost) and sign * p.row.value < sign * point.row.value
            for p in series.points
        )
        assert not (point.on_front and beaten)


def test_wins_are_what_the_ranking_tells_apart(tmp_path: Path) -> None:
    rows = [made(tmp_path, name, worse) for name, worse in [("best", 0.0), ("same", 0.0), ("worst", 5.0)]]
    found = rank(rows)
    tallies = {r.method: tally(found, index, 3) for index, r in enumerate(found.compared)}
    assert tallies["worst"] == (0, 2)
    assert tallies["best"] == tallies["same"] == (1, 0)
    assert gap(replace(rows[0], value=0.9, unit="px"), replace(rows[1], value=1.0, unit="px")) == "−10 %"
    assert gap(replace(rows[0], value=90.0, unit="%"), replace(rows[1], value=80.0, unit="%")) == "+10.0 points"
    assert gap(rows[0], replace(rows[1], value=0.0)) == ""
