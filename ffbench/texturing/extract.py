"""From a portrait to a whole skin texture of the head."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.facemesh.network import FaceMeshNetwork
from ffbench.facemesh.tracker import find_faces
from ffbench.synth.appearance.look import sample_appearance
from ffbench.synth.appearance.painting import paint_bare_skin
from ffbench.synth.appearance.photo import to_srgb
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.render.bake import FloatImage
from ffbench.texturing.areas import face_area, plain_skin
from ffbench.texturing.fill import blend
from ffbench.texturing.fit import fit_head
from ffbench.texturing.foreign import foreign
from ffbench.texturing.light import even_light, likeness, skin_tone
from ffbench.texturing.unwrap import unwrap

LONGEST_SIDE = 4096
"""Px that photographs are shrunk to: the face takes a quarter of a texture's width, which is 4096 px at most."""
SMALLEST_FACE = 64
"""Px from side to side of the network's points: less has no skin to speak of."""
LARGEST_RESIDUAL = 0.05
"""Of the face's width: worse fits are refused."""
SMALLEST_SHARE = 0.25
"""Of the face's area: less of it is not worth filling the rest from."""


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
        center: (2,) px, middle of the one that was taken.
    """

    texture: npt.NDArray[np.uint8]
    weight: FloatImage
    as_seen: FloatImage
    residual: float
    face_width: float
    coverage: float
    faces: int
    center: npt.NDArray[np.float64]


def extract(
    head: MakeHumanHead, photo: npt.NDArray[np.uint8], size: int = 1024, network: FaceMeshNetwork | None = None
) -> Extracted:
    """Make a skin texture (size, size) of the largest face in a photograph (H, W, 3) uint8 RGB.

    Raises:
        DataError: there is no face, it is too small, or the head does not fit it.
    """
    photo, scale = _smaller(photo)
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
    area, skin = face_area(head, size), plain_skin(head, size)
    shown = float((seen.weight > 0.5).sum() / (area > 0.5).sum())
    if shown < SMALLEST_SHARE:
        raise DataError(
            f"{100 * shown:.0f} % of the face is seen; expected at least {100 * SMALLEST_SHARE:.0f} %, from the front "
            "and not cut off"
        )
    even = even_light(seen.color, seen.normals, seen.openness, seen.weight * skin)
    weight = seen.weight * (1 - foreign(head, even, seen.weight))
    return Extracted(
        texture=to_srgb(_complete(head, even, weight, skin)),
        weight=weight,
        as_seen=seen.color,
        residual=fit.residual / scale,
        face_width=width / scale,
        coverage=float(weight.sum() / area.sum()),
        faces=len(faces),
        center=points.mean(axis=0) / scale,
    )


def _smaller(photo: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], float]:
    """Shrink a photograph with a side longer than `LONGEST_SIDE`; give it and the factor of its size."""
    import cv2

    scale = min(LONGEST_SIDE / max(photo.shape[:2]), 1.0)
    if scale == 1:
        return photo, 1.0
    return np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8), scale


def _complete(head: MakeHumanHead, color: FloatImage, weight: FloatImage, skin: FloatImage) -> FloatImage:
    """Fill what is not seen: from the other side of the face, and the rest with painted skin of its color."""
    tone = skin_tone(color, weight * skin)
    # Shade at the border of the face must not be taken for skin.
    trusted = np.asarray(weight * skin * likeness(color, tone), np.float32)
    # u = 0.5 is the middle of the face, so the sheet's columns mirror one another.
    mirrored, other, trusted_other = (np.ascontiguousarray(image[:, ::-1]) for image in (color, weight, trusted))
    filled = blend(mirrored, other, _painted(head, tone, len(color)), trusted_other)
    return blend(color, weight, filled, trusted)


def _painted(head: MakeHumanHead, tone: npt.NDArray[np.float32], size: int) -> FloatImage:
    """Paint skin and lips of a tone, linear RGB (3,): (size, size, 3) linear RGB."""
    red, green, blue = np.sqrt(np.clip(tone, 0.002, 1)).tolist()
    look = replace(
        sample_appearance(np.random.default_rng(0)),
        skin=(red, green, blue),
        lips=(red * 0.88, green * 0.68, blue * 0.7),
        redness=0.2,
        freckles=0.0,
        moles=0,
        eye_shadow=0.0,
    )
    return np.asarray(paint_bare_skin(head, look, size) ** 2, np.float32)
