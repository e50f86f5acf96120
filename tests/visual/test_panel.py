from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageDraw

from ffbench.flow import UNKNOWN, flow_to_color
from ffbench.method import Flows
from ffbench.visual import panel
from ffbench.visual.panel import PanelRow, draw_panel
from ffbench.visual.picture import error_picture

SIZE = (256, 320)  # fills a cell, so that nothing is scaled
GAP, LINE = panel._GAP, panel._LINE
IMAGES = np.random.default_rng(0).integers(0, 256, (2, *SIZE, 3), np.uint8)


def constant(u: float, v: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.full((*size, 2), (u, v), np.float32)


def row(method: str = "m", pair: str = "p", u: float = 4, head: float | None = None, **more: object) -> PanelRow:
    flows = Flows(constant(u, 0), None if head is None else constant(head, 0))
    return PanelRow(method, pair, IMAGES[0], IMAGES[1], flows, **more)  # type: ignore[arg-type]


def cell(picture: np.ndarray, line: int, column: int) -> np.ndarray:
    top = LINE + line * (SIZE[0] + LINE + GAP) + LINE
    left = GAP + column * (SIZE[1] + GAP)
    return picture[top : top + SIZE[0], left : left + SIZE[1]]


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is drawn."""
    drawn: list[str] = []
    draw = ImageDraw.ImageDraw.text

    def text(self, xy, text, *more, **options):  # type: ignore[no-untyped-def]
        drawn.append(text)
        return draw(self, xy, text, *more, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    return drawn


def test_cells_of_a_method_that_decomposes(texts: list[str]) -> None:
    truth = constant(4, 3)
    truth[0, :10] = UNKNOWN
    picture = draw_panel([row(head=1, truth=truth)])
    np.testing.assert_array_equal(cell(picture, 0, 0), IMAGES[0])
    np.testing.assert_array_equal(cell(picture, 0, 1), IMAGES[1])
    for column, u, full in ((2, 4, 4), (3, 1, 4), (4, 3, 3)):
        np.testing.assert_array_equal(cell(picture, 0, column), flow_to_color(constant(u, 0), full))
    error = np.full(SIZE, 3, np.float32)
    measured = np.ones(SIZE, bool)
    measured[0, :10] = False
    np.testing.assert_array_equal(cell(picture, 0, 5), error_picture(error, measured, 3))
    assert texts[:6] == ["I1", "I2", "facial flow", "head flow", "expression flow", "endpoint error"]
    assert texts[6:9] == ["m   p", "rim of the wheel: 4 px, expression: 3 px", "endpoint: mean 3, bright 3 px"]
    assert "not decomposed" not in texts


def test_one_flow_is_said_to_be_not_decomposed(texts: list[str]) -> None:
    picture = draw_panel([row()])
    assert texts.count("not decomposed") == 2
    for column in (3, 4):
        colors, counts = np.unique(cell(picture, 0, column).reshape(-1, 3), axis=0, return_counts=True)
        assert tuple(colors[counts.argmax()]) == (240, 240, 240)


def test_without_a_reference_the_error_is_photometric(texts: list[str]) -> None:
    shifted = np.roll(IMAGES[0], 4, axis=1)
    shifted[:, 100] ^= 8
    flows = Flows(constant(4, 0))
    picture = draw_panel([PanelRow("m", "p", IMAGES[0], shifted, flows)])
    assert texts[5] == "photometric error"
    assert texts[8] == f"photometric: mean {8 / 316:.3g}, bright 8 of 255"
    shown = cell(picture, 0, 5)
    assert (shown[:, -4:] == 128).all()  # what left the image is not measured
    assert (shown[:, 96].sum(axis=1) > 500).all()
    assert (shown[:, :96].sum(axis=2) < 15).all()


def test_flows_only_show_nothing_of_the_face(texts: list[str]) -> None:
    picture = draw_panel([row(head=1), row("n")], flows_only=True)
    for column, u, full in ((0, 4, 4), (1, 1, 4), (2, 3, 3)):
        np.testing.assert_array_equal(cell(picture, 0, column), flow_to_color(constant(u, 0), full))
    assert texts[:3] == ["facial flow", "head flow", "expression flow"]
    assert texts[3:5] == ["m   p", "rim of the wheel: 4 px, expression: 3 px"]
    assert texts.count("not decomposed") == 2
    assert not any("photometric" in text or "error" in text for text in texts)


def test_rows_of_one_pair_share_their_scales(texts: list[str]) -> None:
    truth = constant(0, 0)
    rows = [row("a", "p", 4, truth=truth), row("b", "p", 2, truth=truth), row("a", "q", 1, truth=truth)]
    picture = draw_panel(rows)
    assert [text for text in texts if text.startswith("rim")] == [
        "rim of the wheel: 4 px",
        "rim of the wheel: 4 px",
        "rim of the wheel: 1 px",
    ]
    np.testing.assert_array_equal(cell(picture, 1, 2), flow_to_color(constant(2, 0), 4))
    np.testing.assert_array_equal(cell(picture, 2, 2), flow_to_color(constant(1, 0), 1))
    assert [text for text in texts if text.startswith("endpoint:")] == [
        "endpoint: mean 4, bright 4 px",
        "endpoint: mean 2, bright 4 px",
        "endpoint: mean 1, bright 1 px",
    ]
    draw_panel(rows, max_magnitude=8)
    assert texts.count("rim of the wheel: 8 px") == 3


def test_hardly_any_expression_is_shown_as_hardly_any(texts: list[str]) -> None:
    picture = draw_panel([row(head=3.99)], flows_only=True)
    assert "rim of the wheel: 4 px, expression: 0.25 px" in texts
    np.testing.assert_array_equal(cell(picture, 0, 2), flow_to_color(constant(4, 0) - constant(3.99, 0), 0.25))


def test_rows_with_and_without_reference(texts: list[str]) -> None:
    draw_panel([row("a"), row("b", truth=constant(4, 1))])
    assert texts[5] == "error"
    assert [text.partition(":")[0] for text in (texts[8], texts[13])] == ["photometric", "endpoint"]


def test_nothing_measured(texts: list[str]) -> None:
    draw_panel([row(truth=np.full((*SIZE, 2), UNKNOWN, np.float32))])
    assert "endpoint: mean -, bright 1 px" in texts


@pytest.mark.parametrize("size", [(20, 30), (900, 500), (500, 2000), (1, 1)])
def test_images_of_any_size_fit_the_cells(size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    small = PanelRow("m" * 99, "p" * 99, image, image, Flows(constant(1, 2, size)))
    picture = draw_panel([small, row()])
    factor = min(320 / size[1], 256 / size[0])
    height = round(size[0] * factor)
    assert picture.shape == (LINE + (LINE + height + GAP) + (LINE + 256 + GAP) + 80, GAP + 6 * (320 + GAP), 3)
    shown = (picture[2 * LINE : 2 * LINE + height, : 320 + 2 * GAP] == 0).all(axis=2)
    np.testing.assert_array_equal(shown.sum(axis=1), round(size[1] * factor))


def test_sizes_must_agree() -> None:
    small = np.zeros((5, 6, 3), np.uint8)
    for bad in (
        row(truth=constant(0, 0, (320, 256))),
        PanelRow("m", "p", small, IMAGES[1], Flows(constant(0, 0))),
        PanelRow("m", "p", IMAGES[0], small, Flows(constant(0, 0))),
        PanelRow("m", "p", IMAGES[0], IMAGES[1], Flows(constant(0, 0), constant(0, 0, (5, 6)))),
    ):
        with pytest.raises(ValueError, match="must all be of one size"):
            draw_panel([bad])
    with pytest.raises(ValueError, match="at least one row"):
        draw_panel([])
