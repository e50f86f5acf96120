"""Takes a photograph off the head: color and visibility of each texel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.synth.appearance.photo import to_linear
from ffbench.synth.heads.head import Part
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.heads.normals import vertex_normals
from ffbench.synth.render.bake import FloatImage, bake, openness
from ffbench.synth.render.raster import rasterize
from ffbench.texturing.areas import face_area
from ffbench.texturing.fit import Fit

# dm by which a texel may lie behind what its pixel shows; cosines between which a slant fades out.
_BIAS = 0.06
_SLANTED, _FACING = 0.2, 0.5
# Shares of the face's width, inwards from the head's outline, between which texels begin to count: the fit errs by
# one or two hundredths, and beyond the outline is the background.
_OUTLINE, _INSIDE = 0.02, 0.05


@dataclass(frozen=True)
class Unwrapped:
    """A photograph in the head's texture.

    Attributes:
        color: (N, N, 3) linear RGB.
        weight: (N, N) from 0, not seen, to 1.
        normals: (N, N, 3) of the surface in the head's axes, with its expression.
        openness: (N, N), how much of the light from all around reaches a texel.
    """

    color: FloatImage
    weight: FloatImage
    normals: FloatImage
    openness: FloatImage


def unwrap(head: MakeHumanHead, fit: Fit, photo: npt.NDArray[np.uint8], size: int) -> Unwrapped:
    """Return the color of each texel of a (size, size) texture in a photograph (H, W, 3) uint8 RGB."""
    import cv2

    topology = head.topology
    height, width = photo.shape[:2]
    normals = vertex_normals(fit.vertices, topology.triangles)
    seen_normals = vertex_normals(fit.points * [1, -1, -1], topology.triangles)
    view = -fit.points / np.linalg.norm(fit.points, axis=1, keepdims=True) * [1, -1, -1]
    facing = (seen_normals * view).sum(axis=1)
    baked = bake(head, np.column_stack([fit.xy, fit.points[:, 2], facing, normals, openness(head)]), size)
    x, y, depth = (np.ascontiguousarray(baked[..., k]) for k in range(3))
    # Lashes are thin sheets that a photograph has as pixels anyway.
    solid = topology.triangles[topology.part != Part.LASHES]
    nearest = rasterize(fit.xy, fit.points[:, 2], solid, height, width).inverse_depth
    shown = cv2.remap(1 / np.maximum(nearest, 1e-6), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    visible = (shown > depth - _BIAS) & (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    slant = np.clip((baked[..., 3] - _SLANTED) / (_FACING - _SLANTED), 0, 1)
    inside = cv2.distanceTransform((nearest > 0).astype(np.uint8), cv2.DIST_L2, 5)
    inwards = (cv2.remap(inside, x, y, cv2.INTER_LINEAR) / fit.width - _OUTLINE) / (_INSIDE - _OUTLINE)
    weight = cv2.erode(visible.astype(np.uint8), np.ones((3, 3), np.uint8)) * slant * face_area(head, size)
    weight = weight * np.clip(inwards, 0, 1)
    return Unwrapped(
        color=np.asarray(_sample(to_linear(photo), x, y), np.float32),
        weight=np.asarray(weight, np.float32),
        normals=np.asarray(baked[..., 4:7], np.float32),
        openness=np.asarray(baked[..., 7], np.float32),
    )


def _sample(light: FloatImage, x: FloatImage, y: FloatImage) -> FloatImage:
    """Read the photograph at (x, y); made smaller first where a texel covers several pixels."""
    import cv2

    middle = len(x) // 2
    pitch = float(np.median(np.hypot(np.diff(x[middle]), np.diff(y[middle]))))
    factor = 1 / max(pitch, 1.0)
    if factor < 0.8:
        height, width = light.shape[:2]
        small = cv2.resize(light, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        light = np.asarray(small, np.float32)
        x, y = (x + 0.5) * (light.shape[1] / width) - 0.5, (y + 0.5) * (light.shape[0] / height) - 0.5
    sampled = cv2.remap(light, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(sampled, 0, 1), np.float32)
