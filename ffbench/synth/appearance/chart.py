"""Where things lie on the sheet of skin texture: lengths in dm, landmarks, hair line and collar."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.synth.appearance.look import Appearance
from ffbench.synth.heads.head import FloatArray, HeadModel


@dataclass(frozen=True)
class Chart:
    """The sheet of a head model, whose front is upright in it and symmetric about u = 0.5.

    Attributes:
        points: (68, 2) texture coordinates of the landmarks.
        wide, high: how much u and v grow over 1 dm of the face.
    """

    points: FloatArray
    wide: float
    high: float

    @property
    def scale(self) -> FloatArray:
        """`wide` and `high`: times a length in dm, (2,)."""
        return np.array([self.wide, self.high])

    def hairline(self, look: Appearance) -> tuple[FloatArray, FloatArray]:
        """The lower edge of the hair: its v over |u - 0.5|, as the corners (n,) of a broken line.

        It runs over the forehead, falls at the temples to the sideburns, and behind the ear down to the nape,
        or to the base of the neck when the hair is long.
        """
        ear = float(np.abs(self.points[[0, 16], 0] - 0.5).mean())
        brow, eye, mouth = (float(self.points[i, 1].mean()) for i in ([19, 24], [36, 45], [48, 54]))
        top = brow - look.hairline * self.high
        temple = top + (0.16 - 0.14 * look.temples) * self.high
        sideburn = (
            eye + {"bald": -0.1, "buzz": 0.05, "short": 0.2, "full": 0.3, "long": 0.35}[look.hair_style] * self.high
        )
        chin = float(self.points[8, 1])
        back = chin + 0.42 * self.high if look.hair_style == "long" else mouth + 0.18 * self.high
        if look.hair_style == "bald":
            top = temple = brow - 1.6 * self.high
            sideburn = brow - 0.05 * self.high
        side = np.array([0.0, 0.4 * ear, 0.62 * ear, 0.76 * ear, 0.86 * ear, 0.9 * ear, 1.12 * ear, 1.35 * ear, 0.5])
        middle = 0.5 * (temple + brow)
        row = [top, top + 0.02 * self.high, temple, middle, brow + 0.05 * self.high, sideburn, sideburn, back, back]
        return side, np.array(row)

    def hair(
        self, look: Appearance, u: npt.NDArray[np.floating], v: npt.NDArray[np.floating]
    ) -> npt.NDArray[np.floating]:
        """How far places lie inside the hair, in dm above its lower edge; negative outside."""
        side, row = self.hairline(look)
        return np.asarray((np.interp(np.abs(u % 1.0 - 0.5), side, row) - v) / self.high)


@functools.lru_cache(maxsize=4)
def chart(head: HeadModel) -> Chart:
    """Chart of a head model's sheet."""
    points = landmark_uv(head, range(68))
    place = head.landmarks(head.template)
    wide = np.ptp(points[[36, 45], 0]) / np.ptp(place[[36, 45], 0])
    high = (points[8, 1] - points[27, 1]) / (place[27, 1] - place[8, 1])
    return Chart(points, float(wide), float(high))


def landmark_uv(head: HeadModel, points: Sequence[int]) -> FloatArray:
    """Texture coordinates (n, 2) of some of the 68 landmarks."""
    topology = head.topology
    corners = topology.uv[topology.landmark_triangles[list(points)]]
    return np.asarray(np.einsum("nk,nkd->nd", topology.landmark_weights[list(points)], corners))
