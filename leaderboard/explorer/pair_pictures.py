"""What can be seen of one pair: flows in colour, error, arrows, regions, points; each with its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from ffbench.flow.color import flow_to_color
from ffbench.flow.sampling import sample_flow
from ffbench.method import Flows
from ffbench.protocol import Annotation, NumpyFlows, Pair
from ffbench.typing import FlowField, Mask, Points
from ffbench.visual.errors import flow_error
from ffbench.visual.overlay import (
    FLOW_END,
    POINT,
    TRUE_END,
    arrow_stretch,
    draw_arrows,
    draw_points,
    draw_regions,
    region_colors,
)
from ffbench.visual.picture import Picture, error_picture, flow_scale, scale

from ..look.legends import color_legend, error_legend

Part = Literal["facial", "head", "expression"]
PARTS: tuple[Part, ...] = get_args(Part)
Layer = Literal["error", "arrows", "regions", "landmarks"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
_ARROWS = 22  # along the longer side of an image
_FRAME = 190  # grey
_ZOOMED = 900  # px; smaller pictures are enlarged before anything is drawn on them


@dataclass(frozen=True)
class Shown:
    """A picture, the words under it, and its key as HTML of ours."""

    picture: Picture
    words: str
    legend: str = ""


def true_flows(annotation: Annotation) -> NumpyFlows | None:
    """Return the true flows of a pair, where they are known."""
    return None if annotation.facial is None else Flows(annotation.facial, annotation.head)


def part_of(flows: NumpyFlows | None, part: Part) -> FlowField | None:
    """Return the facial, head or expression flow, where there is one."""
    if flows is None:
        return None
    return {"facial": flows.facial, "head": flows.head, "expression": flows.expression}[part]


def shared_scale(several: Sequence[NumpyFlows], mask: Mask | None) -> float:
    """Choose the length of flow, in px, that is fully saturated in all pictures of a pair.

    Where a mask says what counts, the rest has no say: what a method makes up for an empty background can be long.
    """
    fields = [part_of(flows, part) for flows in several for part in PARTS]
    return flow_scale(*(field if mask is None else field[mask] for field in fields if field is not None))


def flow_pictures(flows: NumpyFlows, full: float) -> dict[Part, Picture]:
    """Show the flows that are there in Middlebury colours."""
    fields = {part: part_of(flows, part) for part in PARTS}
    return {part: _framed(flow_to_color(field, full)) for part, field in fields.items() if field is not None}


def _framed(picture: Picture) -> Picture:
    """Return a picture a frame, without which no motion, which is white, would not show on a white page."""
    picture[[0, -1], :] = picture[:, [0, -1]] = _FRAME
    return picture


def layer(of: Layer, part: Part, pair: Pair[Any], annotation: Annotation, flows: NumpyFlows) -> Shown | str:
    """Show one layer over image 1; or say why there is nothing to show."""
    if of == "regions":
        return _regions(pair, annotation)
    if of == "landmarks":
        return _landmarks(pair, annotation, flows)
    field = part_of(flows, part)
    if field is None:
        return f"This flow is not decomposed: there is no {part} flow."
    return _arrows(pair, annotation, field, part) if of == "arrows" else _error(pair, annotation, field, part)


def _error(pair: Pair[Any], annotation: Annotation, field: FlowField, part: Part) -> Shown | str:
    truth = part_of(true_flows(annotation), part)
    if truth is None and part != "facial":
        return f"The true {part} flow is not known here, so its error cannot be shown."
    error = flow_error(field, pair.image1, pair.image2, truth)
    where = ""
    if annotation.mask is not None:
        error, where = replace(error, valid=error.valid & annotation.mask), ", inside the mask"
    full = scale([error.values[error.valid]])
    picture = error_picture(error.values, error.valid, full)
    if error.is_endpoint:
        words = f"Endpoint error of the {part} flow{where}"
        return Shown(picture, words, error_legend(full, "px", error.mean))
    words = f"No true flow is known: the colour difference between image 1 and image 2 brought back by the flow{where}"
    return Shown(picture, words, error_legend(full, "of 255", error.mean))


def _arrows(pair: Pair[Any], annotation: Annotation, field: FlowField, part: Part) -> Shown:
    if annotation.mask is not None:
        field = np.where(annotation.mask[:, :, None], field, np.float32(np.nan))
    step = max(4, max(field.shape[:2]) // _ARROWS)
    stretch = arrow_stretch(field, step)
    picture = draw_arrows(pair.image1, field, step=step, stretch=stretch, zoom=_zoom(pair.image1))
    longer = "in the image's own scale" if stretch == 1 else f"{stretch:g} times as long as the flow"
    return Shown(picture, f"The {part} flow every {step} px; arrows are {longer}")


def _regions(pair: Pair[Any], annotation: Annotation) -> Shown | str:
    if annotation.regions is None:
        return "This dataset does not say which region of the face a pixel belongs to."
    colors = region_colors(annotation.region_names)
    there = set(np.unique(annotation.regions).tolist())
    names = {annotation.region_names[number]: color for number, color in colors.items() if number in there}
    picture = draw_regions(pair.image1, annotation.regions, colors)
    return Shown(picture, "Regions that errors are told apart by", color_legend(names))


def _landmarks(pair: Pair[Any], annotation: Annotation, flows: NumpyFlows) -> Shown | str:
    points = annotation.first
    if points is None:
        return "This dataset has no landmarks."
    ends: list[tuple[Points, tuple[int, int, int]]] = [(_ends_of_flow(flows.facial, points), FLOW_END)]
    key = {"point in image 1": POINT, "where the flow takes it": FLOW_END}
    if annotation.second is not None:
        ends.insert(0, (annotation.second, TRUE_END))
        key["where it is in image 2"] = TRUE_END
    picture = draw_points(pair.image1, points, ends, zoom=_zoom(pair.image1))
    return Shown(picture, f"{len(points)} points of the reference", color_legend(key))


def _ends_of_flow(flow: FlowField, points: Points) -> Points:
    height, width = flow.shape[:2]
    inside = np.all((points >= 0) & (points <= (width - 1, height - 1)), axis=1)
    ends = np.full(points.shape, np.nan)
    moved, known = sample_flow(flow, points[inside])
    ends[inside] = np.where(known[:, None], points[inside] + moved, np.nan)
    return ends


def _zoom(image: Picture) -> int:
    return max(1, -(-_ZOOMED // int(max(image.shape[:2]))))
