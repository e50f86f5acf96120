from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffbench.flow import write_flow
from ffbench.visual import panel
from ffbench.visual.panel import PanelRow
from tests.commands import run_command
from tests.flow.commands import FACIAL, install, save_image

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _methods(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        save_image(Path(f"{number}.png"), number)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[PanelRow]:
    """The rows that were drawn."""
    rows: list[PanelRow] = []
    draw = panel.draw_panel

    def draw_panel(panel_rows, max_magnitude=None, *, flows_only=False):  # type: ignore[no-untyped-def]
        rows.extend(panel_rows)
        return draw(panel_rows, max_magnitude, flows_only=flows_only)

    monkeypatch.setattr(panel, "draw_panel", draw_panel)
    return rows


def test_flows_only(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    sizes = []
    for more in ([], ["--flows-only"]):
        assert run_command(monkeypatch, "show", "0.png", "1.png", "-m", "plain", "--out", "p.png", *more) == 0
        with Image.open("p.png") as picture:
            sizes.append(picture.width)
    assert sizes[1] < 0.6 * sizes[0]


def test_methods_stand_below_one_another(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, drawn: list[PanelRow]
) -> None:
    for name in ("a.flo", "b.flo"):
        write_flow(name, np.full((24, 32, 2), FACIAL, np.float32))
    methods = ["-m", "plain", "-m", "decomposing"]
    images = ["0.png", "1.png", "2.png", "3.png"]
    code = run_command(monkeypatch, "show", *images, *methods, "--truth", "a.flo", "--truth", "b.flo", "--out", "p.png")
    assert code == 0
    assert capsys.readouterr().out == "p.png\n"
    assert [(row.method, row.pair) for row in drawn] == [
        ("plain", "0.png - 1.png"),
        ("decomposing", "0.png - 1.png"),
        ("plain", "2.png - 3.png"),
        ("decomposing", "2.png - 3.png"),
    ]
    for row in drawn:
        np.testing.assert_array_equal(row.flows.facial, row.truth)
    assert Image.open("p.png").size[0] == 8 + 6 * (320 + 8)  # 32 x 24 images are scaled to fill 320 px


def test_no_reference(monkeypatch: pytest.MonkeyPatch, drawn: list[PanelRow]) -> None:
    assert run_command(monkeypatch, "show", "0.png", "1.png", "-m", "plain", "--out", "new/p.png", "--scale", "9") == 0
    assert [row.truth for row in drawn] == [None]
    assert Path("new/p.png").is_file()


def test_errors_are_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    save_image(Path("tall.png"), 5, (32, 24))
    write_flow("tall.flo", np.zeros((32, 24, 2), np.float32))
    two = ["0.png", "1.png"]
    for arguments, code, message in (
        ([*two, "2.png"], 2, "3 images: expected two for each pair"),
        (
            [*two, "--truth", "a.flo", "--truth", "b.flo"],
            2,
            "--truth is given 2 times, expected once for each of the 1",
        ),
        ([*two, "-m", "decomposing", "--weights", "w.pt"], 2, "--weights is of one method"),
        ([*two, "--out", "p.jpg"], 2, "--out p.jpg: expected a name that ends in .png"),
        (["0.png", "tall.png"], 3, "tall.png: is 24 x 32 pixels, expected 32 x 24 as 0.png"),
        ([*two, "--truth", "tall.flo"], 3, "tall.flo: flow is 24 x 32 (width x height), expected 32 x 24: transposed?"),
        ([*two, "--truth", "none.flo"], 3, "none.flo: no such file"),
    ):
        assert run_command(monkeypatch, "show", "--out", "p.png", "-m", "plain", *arguments) == code
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(f"ffbench: {message}")
        assert captured.err.count("\n") == 1
    assert not Path("p.png").exists()
