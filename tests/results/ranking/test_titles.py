"""Rows of one title are told apart by what differs in their cards, and by no more than that."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffbench.method import MethodCard, WeightsCard
from ffbench.results.ranking.compare import compare
from ffbench.results.ranking.titles import disambiguate_titles
from ffbench.results.record.row import Row
from ffbench.results.report.compare_text import comparison_lines
from ffbench.results.report.leaderboard import leaderboard
from ffbench.results.report.leaderboard_formats import FORMATS, format_boards
from tests.results.made_runs import make_run, row


def net(name: str, digit: str, **fields: object) -> MethodCard:
    weights = WeightsCard(name=name, source="file", sha256=digit * 64)
    return MethodCard(id="net", title="Net").model_copy(update={"weights": weights, **fields})


def rows_of(tmp_path: Path, *cards: MethodCard) -> list[Row]:
    return [
        row(make_run(tmp_path, f"run{number}", [1.0 + number, 2.0, 3.5], method=card))
        for number, card in enumerate(cards)
    ]


@pytest.mark.parametrize(
    ("cards", "titles"),
    [
        ([net("a", "1"), net("b", "2")], ["Net · a", "Net · b"]),
        ([net("best", "1"), net("best", "2")], ["Net · 11111111", "Net · 22222222"]),
        (
            [net("a", "1"), net("a", "2"), net("b", "3")],
            ["Net · a · 11111111", "Net · a · 22222222", "Net · b · 33333333"],
        ),
        ([net("a", "1", id="net+face512"), net("a", "1")], ["Net · net+face512", "Net · net"]),
        ([net("a", "1"), net("a", "1", precision="bf16")], ["Net · fp32", "Net · bf16"]),
        ([net("a", "1", options={"lib": 1}), net("a", "1", options={"lib": 2})], ["Net · lib 1", "Net · lib 2"]),
        ([net("a", "1"), net("a", "1")], ["Net", "Net"]),
        ([net("a", "1"), MethodCard(id="other", title="Other")], ["Net", "Other"]),
    ],
)
def test_only_what_differs_is_said(tmp_path: Path, cards: list[MethodCard], titles: list[str]) -> None:
    rows = rows_of(tmp_path, *cards)
    assert [disambiguate_titles(rows)[one.path] for one in rows] == titles


@pytest.mark.parametrize("file_format", sorted(FORMATS))
def test_every_format_of_a_board_tells_two_checkpoints_of_one_name_apart(tmp_path: Path, file_format: str) -> None:
    tables = leaderboard(rows_of(tmp_path, net("best.pth", "1"), net("best.pth", "2")))
    board = format_boards(tables, file_format)
    assert "11111111" in board
    assert "22222222" in board


def test_a_comparison_names_the_checkpoints(tmp_path: Path) -> None:
    lines = comparison_lines(compare(*rows_of(tmp_path, net("best.pth", "1"), net("best.pth", "2"))))
    assert lines[:2] == ["A: Net · 11111111 (net)", "B: Net · 22222222 (net)"]
