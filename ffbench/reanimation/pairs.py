"""Two frames of a reanimated portrait and the exact flow between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.reanimation.appearance import Appearance, light_on, record
from ffbench.reanimation.motion import FaceState, pose
from ffbench.reanimation.portraits.portrait import Portrait, project
from ffbench.reanimation.render import render
from ffbench.synth.render.labels import label_pair


@dataclass(frozen=True)
class ReanimatedPair:
    """Two frames and what is known about them; flows are forward and in px.

    Attributes:
        image1, image2: (H, W, 3) uint8 RGB.
        facial: (H, W, 2) float32, the flow of the person; what is behind stands still.
        head: (H, W, 2) float32, the flow to the head partner: frame 1's expression, frame 2's head.
        mask: (H, W) bool, skin of the face where the labels are exact.
        occlusion: (H, W) bool, what frame 2 does not show.
        region: (H, W) uint8, keys of `parts.REGIONS`, 0 outside of the face.
    """

    image1: npt.NDArray[np.uint8]
    image2: npt.NDArray[np.uint8]
    facial: npt.NDArray[np.float32]
    head: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]
    occlusion: npt.NDArray[np.bool_]
    region: npt.NDArray[np.uint8]


def reanimate(
    portrait: Portrait, states: tuple[FaceState, FaceState], appearance: Appearance, rng: np.random.Generator
) -> ReanimatedPair:
    """Render a portrait in two states and label the pair.

    Args:
        portrait: the photograph and its surface.
        states: of the face in frame 1 and in frame 2; `motion.at_rest()` is the photograph.
        appearance: light, exposure, noise and compression.
        rng: makes the noise.
    """
    posed = [pose(portrait, state) for state in states]
    frames = [
        render(portrait, vertices, light_on(portrait, state, appearance, number))
        for number, (vertices, state) in enumerate(zip(posed, states, strict=True))
    ]
    first, second = frames
    partner = project(portrait.camera, pose(portrait, states[0].with_head_of(states[1])))
    labels = label_pair(portrait, portrait.camera, first.projected, second.projected, partner, first.seen, second.seen)
    images = [record(frame.image, appearance, number, rng) for number, frame in enumerate(frames)]
    mask = labels.mask & first.exact
    return ReanimatedPair(images[0], images[1], labels.facial, labels.head, mask, labels.occlusion, labels.region)
