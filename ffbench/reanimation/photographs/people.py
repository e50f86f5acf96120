"""What can be said of the person in a photograph: how light the skin is, and how far the head is turned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ffbench.metrics.people.skin_tone import typology_angle
from ffbench.reanimation.motion import FaceState
from ffbench.reanimation.portraits.mesh import HeadFrame
from ffbench.reanimation.portraits.parts import REGIONS, face_skin, regions_at
from ffbench.synth.heads.skinning import rotation_matrix
from ffbench.typing import Image

FloatArray = npt.NDArray[np.float64]

VIEW_EDGES = (10.0, 20.0, 30.0)
"""Bounds of the classes of turned heads, degrees."""
TONE_BOUND = 28.0
"""ITA in degrees between the usual classes intermediate and tan. Measured angles are too uncertain for more classes."""
_MEASURED = ("forehead", "cheeks")
"""Regions whose color is that of the skin: no lips, and less shadow and gloss than on nose and chin."""


def skin_angle(image: Image, points: FloatArray) -> float:
    """Return the ITA in degrees of the skin of forehead and cheeks as a photograph shows it.

    The light, the camera and make-up are in it: of one person it differs between photographs.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (468, 2) of the face mesh, px.
    """
    size = float(np.ptp(points[:, 0]))
    rows, columns = np.nonzero(face_skin(points, image.shape[:2], size))
    region = regions_at(np.stack([columns, rows], axis=1).astype(np.float64), points)
    skin = np.isin(region, [number for number, name in REGIONS.items() if name in _MEASURED])
    if not skin.any():  # a face of a few pixels
        skin[:] = True
    return typology_angle(image[rows[skin], columns[skin]] / 255.0)


def measured_tone(angles: Sequence[float]) -> str:
    """Return the class of a person by the ITA that photographs show, degrees: that of their mean.

    >>> measured_tone([40.0, 20.0]), measured_tone([28.0])
    ('ITA > 28', 'ITA <= 28')
    """
    return f"ITA {'>' if sum(angles) / len(angles) > TONE_BOUND else '<='} {TONE_BOUND:.0f}"


def turned_by(frame: HeadFrame, states: Iterable[FaceState]) -> float:
    """Return by how many degrees a head is turned to the side, in that of some states in which it is turned most.

    Args:
        frame: the head's axes in the photograph.
        states: what the head does against the photograph.
    """
    turns = []
    for state in states:
        axes = np.einsum("kd,ed->ke", frame.axes, np.asarray(rotation_matrix(state.turn)))
        turns.append(abs(HeadFrame(axes, frame.eyes, frame.eye_distance).yaw))
    return max(turns)


def view_class(degrees: float) -> str:
    """Return the name of the class of heads turned by so many degrees; a class holds its lower bound.

    >>> view_class(0), view_class(10), view_class(45)
    ('00-10 deg', '10-20 deg', '>30 deg')
    """
    for low, high in zip((0.0, *VIEW_EDGES), VIEW_EDGES, strict=False):
        if degrees < high:
            return f"{low:02.0f}-{high:02.0f} deg"
    return f">{VIEW_EDGES[-1]:.0f} deg"
