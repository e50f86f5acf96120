"""Finds where the points of the face mesh network lie on the head.

`python -m ffbench.cli.datasets.calibrate OUT.json` runs it.

The network looks at many rendered people. Each of its points is followed back to the place on the surface that the
pixel shows, and that place to the template, which all people share. The geometric median of the places, put back onto
the template's surface, is the point. It is what the *network* means by its points, on these heads, with whatever habits
it has; that is what a fit to its points wants.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ffbench.datasets.tracks.plain import LANDMARKS
from ffbench.facemesh.groups import IBUG68
from ffbench.facemesh.tracker import track
from ffbench.synth.heads.head import FloatArray, HeadModel, Part, Pose, Region, Topology
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.motion.expressions import Frame, sample_target
from ffbench.synth.scenes.scene import RenderedFrame, render_frame, sample_person, sample_scene

PEOPLE = 200
SIZE = 448
# Pixels from a point to the nearest skin, as a share of the face's width: the oval lies on the silhouette.
FARTHEST = 0.03
# A place that lies farther from the median than this multiple of the median distance is another thing.
OUTLIER = 4.0


def calibrate(
    head: MakeHumanHead, people: int = PEOPLE, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[dict[str, list[int] | list[float] | float]]:
    """Find the points: for each three vertices of base.obj, their weights, and the spread in dm.

    The spread is the root of the mean squared distance of the places from their median, outliers left out.
    """
    places: list[list[FloatArray]] = [[] for _ in range(LANDMARKS)]
    for seed in range(people):
        progress(seed, people)
        frame = _render(head, seed)
        points = next(track([frame.image])).points
        if points is None or _astray(points, frame.landmarks):
            continue
        for number, place in see_through(head, frame, points).items():
            places[number].append(place)
    result: list[dict[str, list[int] | list[float] | float]] = []
    corners, skin = _skin(head)
    for found in places:
        all_places = np.array(found)
        middle = geometric_median(all_places)
        distance = np.linalg.norm(all_places - middle, axis=1)
        inside = distance <= OUTLIER * np.median(distance)
        middle = geometric_median(all_places[inside])
        spread = np.sqrt((np.linalg.norm(all_places[inside] - middle, axis=1) ** 2).mean())
        triangle, weights = nearest_on_surface(middle, corners)
        result.append(
            {
                "triangle": [int(head.base_index[v]) for v in head.topology.triangles[skin[triangle]]],
                "weights": [round(float(w), 4) for w in weights],
                "spread": round(float(spread), 4),
            }
        )
    return result


def _render(head: MakeHumanHead, seed: int) -> RenderedFrame:
    """Film a person with a weak expression, turned a little; the mouth is open in half of them, to part the lips."""
    rng = np.random.default_rng([seed, 468])
    person = sample_person(head, 1_000_000 + seed)
    scene = sample_scene(person, 1_000_000 + seed, SIZE, SIZE)
    expression = sample_target(rng, head.expression_names, "none", person.style, 0.3)
    if seed % 2:
        expression = np.maximum(expression, head.expression({"jawOpen": float(rng.uniform(0.1, 0.35))}))
    turn = rng.normal(0, [0.1, 0.18, 0.05])
    return render_frame(scene, Frame(expression, Pose(neck=turn)))


def _astray(points: npt.NDArray[np.float64], landmarks: FloatArray) -> bool:
    """Whether the network found something else than the face: its 68 points are far from the engine's."""
    width = np.ptp(landmarks[:, 0])
    return bool(np.linalg.norm(points[list(IBUG68)] - landmarks, axis=1).mean() > 0.12 * width)


def see_through(head: HeadModel, frame: RenderedFrame, points: npt.NDArray[np.float64]) -> dict[int, FloatArray]:
    """Follow points (468, 2) of the image back to places (3,) on the template, those that hit no skin left out."""
    import cv2

    topology = head.topology
    ids = frame.seen.ids[1::2, 1::2]
    away = np.where(ids >= 0, ~_is_skin(topology)[ids], True).astype(np.uint8)
    distance, label = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(away == 0)
    pixel_of_label = np.zeros((label.max() + 1, 2), np.int64)
    pixel_of_label[label[rows, columns]] = np.stack([columns, rows], axis=1)
    farthest = FARTHEST * np.ptp(points[:, 0])
    found = {}
    for number, point in enumerate(points):
        column, row = np.rint(point).astype(int)
        if not (0 <= row < ids.shape[0] and 0 <= column < ids.shape[1]) or distance[row, column] > farthest:
            continue
        nearest = pixel_of_label[label[row, column]]
        # Where the point itself is on skin it is taken exactly; else the nearest pixel that is.
        at = point if distance[row, column] == 0 else nearest.astype(np.float64)
        triangle = topology.triangles[ids[nearest[1], nearest[0]]]
        corners = frame.projected.xy[triangle] - at
        weights = np.array([_cross(corners[1], corners[2]), _cross(corners[2], corners[0]), _cross(*corners[:2])])
        weights = weights / frame.projected.depth[triangle]
        weights = np.clip(weights / weights.sum(), 0, 1)
        found[number] = weights @ head.template[triangle] / weights.sum()
    return found


def _cross(a: FloatArray, b: FloatArray) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def geometric_median(points: FloatArray, rounds: int = 60) -> FloatArray:
    """Find the point (D,) of least mean distance to points (N, D), by Weiszfeld's iteration."""
    middle = np.median(points, axis=0)
    for _ in range(rounds):
        share = 1 / np.maximum(np.linalg.norm(points - middle, axis=1), 1e-9)
        middle = share @ points / share.sum()
    return np.asarray(middle)


def _skin(head: MakeHumanHead) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Corners (N, 3, 3) on the template of the triangles of outer skin, and their numbers (N,)."""
    numbers = np.flatnonzero(_is_skin(head.topology))
    return head.template[head.topology.triangles[numbers]], numbers


def _is_skin(topology: Topology) -> npt.NDArray[np.bool_]:
    """Whether each triangle (N,) is outer skin: not the inside of the mouth."""
    return np.asarray((topology.part == Part.SKIN) & (topology.triangle_region() != Region.MOUTH))


def nearest_on_surface(point: FloatArray, corners: FloatArray) -> tuple[int, FloatArray]:
    """Find the triangle of (N, 3, 3) nearest to a point (3,), and barycentric coordinates (3,) of its nearest place.

    The plane of the triangle, and its three edges, each clamped to the triangle, are tried for all at once.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    area = np.maximum((normal**2).sum(axis=1), 1e-18)
    v = (np.cross(point - a, c - a) * normal).sum(axis=1) / area
    w = (np.cross(b - a, point - a) * normal).sum(axis=1) / area
    candidates = [np.stack([1 - v - w, v, w], axis=1)]
    for first, second in ((0, 1), (1, 2), (2, 0)):
        start, way = corners[:, first], corners[:, second] - corners[:, first]
        along = np.clip(((point - start) * way).sum(axis=1) / np.maximum((way**2).sum(axis=1), 1e-18), 0, 1)
        weights = np.zeros((len(corners), 3))
        weights[:, first], weights[:, second] = 1 - along, along
        candidates.append(weights)
    tried = np.stack(candidates)
    distance = np.linalg.norm(np.einsum("knj,njd->knd", tried, corners) - point, axis=2)
    distance[0, (tried[0] < 0).any(axis=1)] = np.inf
    kind, triangle = np.unravel_index(int(distance.argmin()), distance.shape)
    return int(triangle), tried[kind, triangle]
