"""Which board an address means, what boards are called, and in which order they are read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ffbench.leaderboard.boards.board_naming import (
    board_names,
    find,
    in_reading_order,
    protocol_title,
    task_of,
)
from ffbench.leaderboard.look import theme
from ffbench.registry import protocol_entry, protocol_names
from ffbench.results.groups import natural_key
from ffbench.results.record.row import Board

CK = Board("ck_landmarks", "1.0", "paper", "{}", "CK+", "real", "annotation", "a" * 64)
CK_MINI = replace(CK, dataset="CK+ mini", origin="synthetic", reference="ground truth", manifest_sha256="b" * 64)
CLIPS = replace(
    CK, protocol="clip_landmarks", variant="standard", version="1.1", dataset="two clips", reference="pseudo"
)
EARLIER_CLIPS = replace(CLIPS, version="1.0")
HEAD = replace(CK_MINI, protocol="ffn_head", dataset="FFN mini")
MADE_UP = replace(CK, protocol="made_up", dataset="elsewhere")
BOARDS = (HEAD, EARLIER_CLIPS, CLIPS, MADE_UP, CK_MINI, CK)


def test_all_protocols_say_their_title_and_their_task() -> None:
    for name in protocol_names():
        assert protocol_title(name) != name
        assert task_of(name) != "other", name
    assert task_of("clip_robustness") == "robustness"
    assert (protocol_title("made_up"), task_of("made_up")) == ("made_up", "other")


def test_real_data_come_first_then_tasks_then_the_newest_version() -> None:
    assert in_reading_order(BOARDS) == [CK, CLIPS, EARLIER_CLIPS, MADE_UP, HEAD, CK_MINI]


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ({"wanted": "CK+ landmarks 1.0 paper · CK+"}, CK),  # the whole name
        ({"wanted": "ck_landmarks 1.0 paper · CK+ mini"}, CK_MINI),  # the name that it had before
        ({"wanted": "ck_landmarks"}, CK),
        ({"wanted": "CK_landmarks", "origin": "synthetic"}, CK_MINI),
        ({"wanted": "ck_landmarks", "origin": "synthetic (mini)"}, CK_MINI),  # as `data` was before
        ({"wanted": "clip_landmarks"}, CLIPS),  # the newest version
        ({"wanted": "clip_landmarks 1.0"}, EARLIER_CLIPS),  # the start of a name
        ({"wanted": "ffn_head", "origin": "real"}, HEAD),  # there is none of real data
        ({"origin": "synthetic"}, HEAD),
        ({"task": "Real-face protocols", "origin": "synthetic (mini)"}, CK_MINI),
        ({"task": "head and expression flow"}, HEAD),
        ({"wanted": "nothing like it"}, None),
        ({}, None),
    ],
)
def test_whole_partial_and_earlier_addresses_are_understood(address: dict[str, str], meant: Board | None) -> None:
    assert find(BOARDS, **address) == meant


@pytest.mark.parametrize("name", [name for name in protocol_names() if protocol_entry(name).variants])
def test_a_protocols_id_means_its_default_variant_even_where_another_has_a_newer_version(name: str) -> None:
    variants = protocol_entry(name).variants
    boards = [replace(CK_MINI, protocol=name, variant=of, version=f"1.{place}") for place, of in enumerate(variants)]
    for several in (boards, boards[::-1]):
        assert find(several, name) == boards[0]
        assert in_reading_order(several) == boards
    earlier = replace(boards[0], version="0.9")
    assert in_reading_order([*boards, earlier])[:2] == [boards[0], earlier]


def test_default_options_come_before_others() -> None:
    usual = replace(CK_MINI, protocol="casme2_5", variant="clean", options='{"flow": "facial", "seeds": 1}')
    others = [replace(usual, options='{"flow": "expression", "seeds": 1}'), replace(usual, options='{"seeds": 9}')]
    assert find([*others, usual], "casme2_5") == usual
    many = replace(CK_MINI, protocol="reanimated_faces", variant="surface", options='{"draws": 12}')
    four = replace(many, options='{"draws": 4}')
    assert in_reading_order([many, four]) == [four, many]


def test_boards_of_one_name_are_told_apart_and_each_name_is_found() -> None:
    others = [replace(CK, options='{"flow": "head"}'), replace(CK, manifest_sha256="c" * 64)]
    named = board_names([CK, *others])
    assert len(named) == 3
    assert all(find([CK, *others], name) == board for name, board in named.items())


def test_boards_of_one_name_say_in_what_they_differ_and_the_longer_name_is_still_understood() -> None:
    usual = replace(CK_MINI, protocol="casme2_5", variant="clean", options='{"flow": "facial", "seeds": 1}')
    other = replace(usual, options='{"flow": "expression", "seeds": 1}')
    name = f"{protocol_title('casme2_5')} 1.0 clean · CK+ mini"
    assert board_names([other, usual]) == {name: usual, f"{name} · flow expression": other}
    assert find([usual, other], f"{name} · flow expression, seeds 1") == other


def test_bins_stand_in_their_natural_order() -> None:
    shuffled = [
        "scale=turn",
        "gap=10",
        "lips",
        "5-10 px",
        "all",
        "gap=2",
        "0-0.5 px",
        "scale=micro",
        "cheeks",
        "15 px+",
    ]
    wanted = ["all", "0-0.5 px", "5-10 px", "15 px+", "cheeks", "lips", "gap=2", "gap=10", "scale=micro", "scale=turn"]
    assert sorted(shuffled, key=natural_key) == wanted


def _luminance(color: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_cells_in_color_can_be_read(dark: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theme, "dark", lambda: dark)
    colors = [theme.heat(share / 10) for share in range(11)] + [theme.win(better=True), theme.win(better=False)]
    for ground, ink in [*colors, (theme.ground(), theme.link())]:
        light, deep = sorted((_luminance(ground), _luminance(ink)), reverse=True)
        assert (light + 0.05) / (deep + 0.05) >= 4.5, (ground, ink)
