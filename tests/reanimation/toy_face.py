"""A made-up face: 468 points where the mesh has them, roughly, on a bulging surface; and a photograph of it."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import Delaunay

from ffbench.facemesh.groups import LIPS, NOSE, OVAL
from ffbench.reanimation.portraits.mesh import EYE_LOOPS, MOUTH_LOOP

OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
LEFT_BROW = (46, 53, 52, 65, 55, 70, 63, 105, 66, 107)
RIGHT_BROW = (276, 283, 282, 295, 285, 300, 293, 334, 296, 336)
SIZE = 150


def toy_mesh(gap: float = 0.03) -> tuple[np.ndarray, np.ndarray]:
    """Points (468, 2), x in [-0.5, 0.5] and y in [-0.6, 0.6], and depth in the same unit; `gap` between the lips."""
    rng = np.random.default_rng(5)
    points = np.full((468, 2), np.nan)
    turn = 2 * np.pi * np.arange(36) / 36
    points[list(OVAL)] = np.stack([0.5 * np.sin(turn), -0.6 * np.cos(turn)], axis=1)

    def ring(indices: tuple[int, ...], x: float, y: float, wide: float, high: float, side: float) -> None:
        turn = 2 * np.pi * np.arange(len(indices)) / len(indices)
        points[list(indices)] = np.stack([x - side * wide * np.cos(turn), y + high * np.sin(turn)], axis=1)

    ring(EYE_LOOPS[0], -0.2, -0.12, 0.09, 0.035, 1)
    ring(EYE_LOOPS[1], 0.2, -0.12, 0.09, 0.035, -1)
    ring(MOUTH_LOOP, 0, 0.3, 0.13, gap / 2, 1)
    ring(OUTER_LIPS, 0, 0.3, 0.17, 0.06, 1)
    for brow, side in ((LEFT_BROW, -1), (RIGHT_BROW, 1)):
        x = np.tile(np.linspace(0.32, 0.09, 5), 2) * side
        points[list(brow)] = np.stack([x, np.repeat([-0.24, -0.28], 5)], axis=1)
    for index, place in {
        50: (-0.28, 0.08), 101: (-0.2, 0.05), 280: (0.28, 0.08), 330: (0.2, 0.05), 205: (-0.3, 0.2), 425: (0.3, 0.2),
        129: (-0.08, 0.1), 64: (-0.07, 0.13), 358: (0.08, 0.1), 294: (0.07, 0.13), 199: (0, 0.47), 1: (0, 0.1),
    }.items():  # fmt: skip
        points[index] = place
    for index in np.flatnonzero(np.isnan(points[:, 0])).tolist():
        if index in NOSE:
            points[index] = rng.uniform((-0.07, -0.15), (0.07, 0.14))
        elif index in LIPS:
            angle = rng.uniform(0, 2 * np.pi)
            points[index] = (0.15 * np.cos(angle), 0.3 + (0.035 + gap / 4) * np.sin(angle))
        else:
            angle, away = rng.uniform(0, 2 * np.pi), 0.94 * np.sqrt(rng.uniform(0.3, 1))
            points[index] = (0.5 * away * np.sin(angle), -0.6 * away * np.cos(angle))
    x, y = points.T
    depth = (
        0.9 * (x / 0.5) ** 2 * 0.35 + 0.12 * (y / 0.6) ** 2 - 0.26 * np.exp(-(x**2 / 0.006 + (y - 0.06) ** 2 / 0.02))
    )
    return points, depth


def toy_triangles() -> np.ndarray:
    """Triangles of the toy mesh, (T, 3), counter-clockwise in the image as those of the real one."""
    points, _ = toy_mesh()
    triangles = Delaunay(points).simplices.astype(np.int32)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    turned = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) > 0
    triangles[turned] = triangles[turned][:, ::-1]
    return triangles


def toy_photo(
    size: int = SIZE, width: float = 64, at: tuple[float, float] = (0.5, 0.42), gap: float = 0.03
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photograph (size, size, 3) uint8 of a textured person before a wall; points and depth in px."""
    rng = np.random.default_rng(3)
    mesh, depth = toy_mesh(gap)
    points = mesh * width + np.array(at) * size
    noise = rng.normal(0, 1, (size, size, 3)).astype(np.float32)
    texture = 18 * cv2.GaussianBlur(noise, (0, 0), 1.2) / 0.25 + 6 * noise
    image = np.empty((size, size, 3), np.float32)
    image[:] = (70, 90, 150)
    cv2.ellipse(image, (int(at[0] * size), int(at[1] * size)), (int(0.62 * width), int(0.75 * width)), 0, 0, 360,
                (200, 150, 120), -1)  # fmt: skip
    cv2.rectangle(image, (int(at[0] * size - 0.25 * width), int(at[1] * size)),
                  (int(at[0] * size + 0.25 * width), size), (200, 150, 120), -1)  # fmt: skip
    person = image[..., :1] > 100
    return np.clip(image + texture * np.where(person, 1.0, 0.3), 0, 255).astype(np.uint8), points, depth * width
