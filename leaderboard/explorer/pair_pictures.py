"""What can be seen of one pair: flows in color, error, arrows, regions, points; each with its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from ffbench.flow.sampling import sample_flow
from ffbench.method import Flows
from ffbench.protocol import FLOW_PARTS, Annotation, FlowPart, NumpyFlows, Pair
from ffbench.typing import FlowField, Mask, Points
from ffbench.visual.errors import FlowError, flow_error
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

Layer = Literal["error", "arrows", "warp", "regions", "landmarks"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
_ARROWS = 22  # along the longer side of an image
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


def part_of(flows: NumpyFlows | None, part: FlowPart) -> FlowField | None:
    """Return the facial, head or expression flow, where there is one."""
    if flows is None:
        return None
    return {"facial": flows.facial, "head": flows.head, "expression": flows.expression}[part]


def known_part(flows: NumpyFlows | None, part: FlowPart, mask: Mask | None, *, fitted: bool) -> FlowField | None:
    """Return a part of a flow as it is to be shown, where there is one.

    Args:
        flows: as the protocol scores them.
        part: facial, head or expression.
        mask: (H, W), what the protocol scores; None: everything.
        fitted: whether the protocol made the part by a fit to what it scores: elsewhere it is unknown.
    """
    field = part_of(flows, part)
    if field is None or mask is None or not fitted:
        return field
    return np.where(mask[..., None], field, np.float32(np.nan))


def scales(several: Sequence[NumpyFlows], mask: Mask | None, *, one: bool = False) -> Mapping[FlowPart, float]:
    """Choose for each part the length of flow, in px, that is fully saturated in all pictures of a pair.

    Where a mask says what counts, the rest has no say: what a method makes up for an empty background can be long.

    Args:
        several: all flows that are shown.
        mask: (H, W), what counts.
        one: take one length for all parts, so that they can be compared with each other.
    """
    fields = {part: [field for flows in several if (field := part_of(flows, part)) is not None] for part in FLOW_PARTS}
    counted = {part: [field if mask is None else field[mask] for field in own] for part, own in fields.items()}
    if one:
        return dict.fromkeys(FLOW_PARTS, flow_scale(*(field for own in counted.values() for field in own)))
    return {part: flow_scale(*own) for part, own in counted.items() if own}


def layers_of(annotation: Annotation) -> list[Layer]:
    """Return the layers that have something to show."""
    missing = {"regions": annotation.regions is None, "landmarks": annotation.first is None}
    return [layer for layer in LAYERS if not missing.get(layer, False)]


def parts_of(layer: Layer, annotation: Annotation, several: Sequence[NumpyFlows]) -> list[FlowPart]:
    """Return the parts of the flow that a layer can show; none for a layer that shows no part."""
    if layer in ("regions", "landmarks"):
        return []
    truth = true_flows(annotation)
    found = [part for part in FLOW_PARTS if any(part_of(flows, part) is not None for flows in several)]
    if layer == "error":
        # Where the true flow of a part is unknown, only facial flow can be checked, by warping image 2 to image 1.
        return [part for part in found if part == "facial" or part_of(truth, part) is not None]
    return found


def layer(
    of: Layer, part: FlowPart, pair: Pair[Any], annotation: Annotation, several: Sequence[NumpyFlows]
) -> list[Shown | str]:
    """Show one layer of each of some flows over image 1, all on one scale; or say why there is nothing to show."""
    if of == "regions":
        return [_regions(pair, annotation)]
    if of == "landmarks":
        return [_landmarks(pair, annotation, flows) for flows in several]
    fields = [part_of(flows, part) for flows in several]
    missing = f"This flow is not decomposed: there is no {part} flow."
    known = [field for field in fields if field is not None]
    if of == "error":
        errors = [_error(pair, annotation, field, part) for field in known]
        full = scale([error.values[error.valid] for error in errors])
        shown = iter([_error_shown(error, full, part, annotation) for error in errors])
    elif of == "warp":
        raise ValueError("warp is an animation: explorer.warp makes it")
    else:
        fields = [
            field if annotation.mask is None or field is None else _masked(field, annotation.mask) for field in fields
        ]
        known = [field for field in fields if field is not None]
        step = max(4, max(pair.image1.shape[:2]) // _ARROWS)
        stretch = min((arrow_stretch(field, step) for field in known), default=1.0)
        shown = iter([_arrows(pair, field, part, step, stretch) for field in known])
    return [missing if field is None else next(shown) for field in fields]


def _masked(field: FlowField, mask: Mask) -> FlowField:
    return np.where(mask[:, :, None], field, np.float32(np.nan))


def _error(pair: Pair[Any], annotation: Annotation, field: FlowField, part: FlowPart) -> FlowError:
    error = flow_error(field, pair.image1, pair.image2, part_of(true_flows(annotation), part))
    return error if annotation.mask is None else replace(error, valid=error.valid & annotation.mask)


def _error_shown(error: FlowError, full: float, part: FlowPart, annotation: Annotation) -> Shown:
    where = "" if annotation.mask is None else ", inside the mask"
    picture = error_picture(error.values, error.valid, full)
    if error.is_endpoint:
        words = f"Endpoint error of the {part} flow{where}"
        return Shown(picture, words, error_legend(full, "px", error.mean))
    words = f"No true flow is known: the color difference between image 1 and image 2 brought back by the flow{where}"
    return Shown(picture, words, error_legend(full, "of 255", error.mean))


def _arrows(pair: Pair[Any], field: FlowField, part: FlowPart, step: int, stretch: float) -> Shown:
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
