"""From a portrait to a whole skin texture of the head."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.facemesh.network import FaceMeshNetwork
from ffbench.facemesh.tracker import find_faces
from ffbench.synth.appearance import sample_look
from ffbench.synth.bake import FloatImage, region_maps
from ffbench.synth.chart import chart
from ffbench.synth.head import Region
from ffbench.synth.makehuman import MakeHumanHead
from ffbench.synth.painting import paint_bare_skin
from ffbench.synth.photo import to_srgb
from ffbench.texturing.fill import blend
from ffbench.texturing.fit import fit_head
from ffbench.texturing.light import shading
from ffbench.texturing.unwrap import face_area, unwrap

SMALLEST_FACE = 64
"""Px from side to side of the network's points: less has no skin to speak of."""
LARGEST_RESIDUAL = 0.05
"""Of the face's width: worse fits are refused."""

# Natural logarithm of the ratio of colours that are another thing than skin; linear RGB is at least `_DARKEST`.
_UNLIKE, _DARKEST = 0.35, 2e-3


@dataclass(frozen=True)
class Extracted:
    """A texture, and how it came about.

    Attributes:
        texture: (N, N, 3) uint8 sRGB.
        weight: (N, N), how much of each texel is the photograph's own.
        as_seen: (N, N, 3) linear RGB, the photograph in the texture before the light is evened.
        residual: of the fit, root mean square, px.
        face_width: px.
        coverage: share of the face's area that the photograph shows.
        faces: how many were found; the largest was taken.
        centre: (2,) px, middle of the one that was taken.
    """

    texture: npt.NDArray[np.uint8]
    weight: FloatImage
    as_seen: FloatImage
    residual: float
    face_width: float
    coverage: float
    faces: int
    centre: npt.NDArray[np.float64]


def extract(
    head: MakeHumanHead, photo: npt.NDArray[np.uint8], size: int = 1024, network: FaceMeshNetwork | None = None
) -> Extracted:
    """Make a skin texture (size, size) of the largest face in a photograph (H, W, 3) uint8 RGB.

    Raises:
        DataError: there is no face, it is too small, or the head does not fit it.
    """
    faces = find_faces(photo, network)
    if not faces:
        raise DataError("no face was found; expected a portrait, upright and from the front")
    points = faces[0]
    width = float(np.ptp(points[:, 0]))
    if width < SMALLEST_FACE:
        raise DataError(f"the face is {width:.0f} px wide; expected at least {SMALLEST_FACE} px")
    fit = fit_head(head, points, *photo.shape[:2])
    if fit.residual > LARGEST_RESIDUAL * width:
        raise DataError(
            f"the head fits the face with a residual of {fit.residual:.1f} px, {100 * fit.residual / width:.1f} % of "
            f"its width; at most {100 * LARGEST_RESIDUAL:.0f} % is taken: use a portrait nearer to the front"
        )
    seen = unwrap(head, fit, photo, size)
    area = face_area(head, size)
    skin = _plain_skin(head, size)
    light = shading(seen.colour, seen.normals, seen.weight * skin)
    even = np.asarray(np.clip(seen.colour / light, 0, 1), np.float32)
    weight = seen.weight * _without_fringe(head, even, seen.weight * skin)
    return Extracted(
        texture=to_srgb(_complete(head, even, weight, skin)),
        weight=weight,
        as_seen=seen.colour,
        residual=fit.residual,
        face_width=width,
        coverage=float(weight.sum() / area.sum()),
        faces=len(faces),
        centre=points.mean(axis=0),
    )


def _complete(head: MakeHumanHead, colour: FloatImage, weight: FloatImage, skin: FloatImage) -> FloatImage:
    """Fill what is not seen: from the other side of the face, and the rest with painted skin of its colour."""
    size = len(colour)
    # u = 0.5 is the middle of the face, so the sheet's columns mirror one another.
    mirrored, other = colour[:, ::-1], weight[:, ::-1]
    both = blend(colour, weight, np.ascontiguousarray(mirrored), weight * other * skin)
    known = np.maximum(weight, other)
    tone = _tone(colour, weight * skin)
    red, green, blue = np.sqrt(np.clip(tone, 0.002, 1)).tolist()
    look = replace(
        sample_look(np.random.default_rng(0)), skin=(red, green, blue), freckles=0.0, moles=0, eye_shadow=0.0
    )
    look = replace(look, lips=(red * 0.88, green * 0.68, blue * 0.7), redness=0.2)
    painted = paint_bare_skin(head, look, size) ** 2
    # Hair and shade at the border of the face must not be taken for skin.
    return blend(both, known, painted, np.asarray(known * skin * _likeness(both, tone), np.float32))


def _tone(colour: FloatImage, weight: FloatImage) -> npt.NDArray[np.float32]:
    """Median linear RGB (3,) of what has weight."""
    return np.asarray(np.maximum(np.median(colour[weight > 0.5], axis=0), _DARKEST), np.float32)


def _likeness(colour: FloatImage, tone: npt.NDArray[np.float32]) -> FloatImage:
    """How like skin of a tone colours are, (N, N) from 0 to 1; by their ratio, which shade changes less than colour."""
    away = np.log(np.maximum(colour, _DARKEST) / tone)
    return np.asarray(np.exp(-(away**2).sum(axis=2) / (2 * _UNLIKE**2)), np.float32)


def _without_fringe(head: MakeHumanHead, colour: FloatImage, weight: FloatImage) -> FloatImage:
    """Give 0 where hair hangs over forehead and temples, 1 elsewhere, (N, N): the engine paints hair of its own."""
    import cv2

    size = len(colour)
    like = _likeness(colour, _tone(colour, weight))
    wide = max(size // 64, 1)
    eroded = cv2.erode(cv2.GaussianBlur(like, (0, 0), size / 400), np.ones((wide, wide), np.uint8))
    like = np.asarray(cv2.GaussianBlur(np.clip(eroded * 2 - 0.4, 0, 1), (0, 0), size / 160), np.float32)
    scale = chart(head)
    points = scale.points
    u, v = ((np.arange(size, dtype=np.float32) + 0.5) / size for _ in range(2))
    # Above the brows, and beside them as far down as the eyes.
    beside = np.clip((np.abs(u - 0.5) - np.abs(points[[17, 26], 0] - 0.5).mean()) / (0.1 * scale.wide), 0, 1)
    edge = (1 - beside) * (points[[19, 24], 1].mean() - 0.06 * scale.high) + beside * points[[36, 45], 1].mean()
    hairy = np.clip((edge[None, :] - v[:, None]) / (0.05 * scale.high), 0, 1)
    return np.asarray(1 - hairy * (1 - like), np.float32)


def _plain_skin(head: MakeHumanHead, size: int) -> FloatImage:
    """Give where there is skin and nothing else, (size, size): no lips, brows and eyes."""
    import cv2

    area = np.ones((size, size), np.uint8)
    points = chart(head).points * size
    for loop in (points[[17, 18, 19, 20, 21, 39, 40, 41, 36]], points[[22, 23, 24, 25, 26, 45, 46, 47, 42]]):
        cv2.fillConvexPoly(area, cv2.convexHull(np.rint(loop).astype(np.int32)), 0)
    plain = cv2.erode(area, np.ones((size // 64, size // 64), np.uint8))
    maps = region_maps(head, size)
    return np.asarray(plain * (np.maximum(maps[Region.LIPS], maps[Region.MOUTH]) < 0.1), np.float32)
