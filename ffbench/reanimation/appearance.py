"""What changes between two frames beside motion: the light on the face, exposure, noise and JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.reanimation.motion import FaceState
from ffbench.reanimation.portraits.portrait import Portrait
from ffbench.synth.heads.skinning import rotation_matrix

FloatImage = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]
_GAMMA = 2.2
"""Photographs hold about this root of the light."""
_FADES = 1.0
"""How far below the middle of the eyes, in heights of the face, a change of light fades out."""


@dataclass(frozen=True)
class Appearance:
    """How two frames are lit and recorded.

    Attributes:
        lamps: (2, 3) unit vectors from the head to the lamp in the camera's axes, for the first and the second frame.
        lamp: share of the lamp in all light, 0 to 1.
        balance: (2, 3) factors of red, green and blue of each frame.
        noise: standard deviation of the noise, grey levels.
        jpeg: quality of both frames; None: they are not compressed.
    """

    lamps: FloatArray
    lamp: float
    balance: FloatArray
    noise: float
    jpeg: int | None


UNCHANGED = Appearance(np.array([[0.0, 0.0, -1.0]] * 2), 0.0, np.ones((2, 3)), 0.0, None)
"""No change at all: what is left is motion."""


def draw_appearance(rng: np.random.Generator) -> Appearance:
    """Draw how two frames are taken."""
    first = np.array([rng.normal(0, 0.7), rng.normal(-0.5, 0.4), -1.0])
    second = first + rng.normal(0, 0.15, 3)
    exposure = np.exp(rng.normal(0, 0.02, (2, 1)))
    return Appearance(
        lamps=np.stack([lamp / np.linalg.norm(lamp) for lamp in (first, second)]),
        lamp=float(rng.uniform(0.1, 0.6)),
        balance=exposure * np.exp(rng.normal(0, 0.006, (2, 3))),
        noise=float(rng.uniform(0.5, 2.5)),
        jpeg=int(rng.integers(75, 97)),
    )


def light_on(portrait: Portrait, state: FaceState, appearance: Appearance, frame: int) -> FloatArray:
    """Return the factors (V,) of the photograph's values in frame 0 or 1, for the face in a state.

    The photograph shows the surface at rest under the lamp of the first frame. The light on a point is
    1 - lamp + lamp (1 + n . l) / 2, with its normal n and the direction l to the lamp.
    """
    if not appearance.lamp:
        return np.ones(len(portrait.rest))
    turned = np.einsum("vd,ed->ve", portrait.normals, np.asarray(rotation_matrix(state.turn)))
    share = appearance.lamp
    before = 1 - share + share * (1 + portrait.normals @ appearance.lamps[0]) / 2
    after = 1 - share + share * (1 + turned @ appearance.lamps[frame]) / 2
    ratio = np.clip(after / np.maximum(before, 1e-3), 0.6, 1.6)
    # The body stands still, and its light as well.
    return np.asarray(1 + portrait.follows * (ratio ** (1 / _GAMMA) - 1), np.float64)


def record(image: FloatImage, appearance: Appearance, frame: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return the image (H, W, 3) as the camera stores it, uint8 RGB."""
    import cv2

    values = image * appearance.balance[frame].astype(np.float32)
    if appearance.noise:
        values += np.float32(appearance.noise) * rng.standard_normal(values.shape, dtype=np.float32)
    stored = np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
    if appearance.jpeg is None:
        return stored
    bgr = cv2.cvtColor(stored, cv2.COLOR_RGB2BGR)
    code = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, appearance.jpeg])[1]
    decoded = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
