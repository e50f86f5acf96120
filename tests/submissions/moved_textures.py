"""A protocol whose pairs have a known, uneven motion, and every way to write its flow wrongly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from ffbench.flow.files import write_flow
from ffbench.flow.warp import warp_backward
from ffbench.protocol import (
    Annotation,
    DatasetCard,
    MetricCard,
    NumpyFlows,
    Pair,
    PairScore,
    Protocol,
    ProtocolCard,
    ProtocolEntry,
    Term,
)

HEIGHT, WIDTH = 80, 96
CARD = ProtocolCard(
    id="textures",
    version="1.0",
    title="Textures",
    primary="epe",
    metrics={"epe": MetricCard(title="Endpoint error", unit="px", minimum=0)},
)


class MovedTextures(Protocol[np.ndarray]):
    """Image 1 is image 2 warped back by the true flow, so that the flow is exact."""

    card = CARD

    def __init__(self, pairs: int = 6, *, labelled: bool = True) -> None:
        self.dataset = DatasetCard(
            name="textures", origin="synthetic", reference="ground truth", manifest_sha256="1" * 64
        )
        self.count, self.labelled = pairs, labelled

    def keys(self) -> list[str]:
        return [f"face_{number:02d}" for number in range(self.count)]

    def load(self, key: str) -> Pair[np.ndarray]:
        number = int(key.removeprefix("face_"))
        rng = np.random.default_rng(number)
        noise = rng.normal(size=(HEIGHT, WIDTH)).astype(np.float32)
        texture = cv2.GaussianBlur(noise, (0, 0), 1.5) * 4 + cv2.GaussianBlur(noise[::-1], (0, 0), 5) * 12
        image2 = np.clip(128 + 60 * texture, 0, 255)
        flow = true_flow(number)
        warped, valid = warp_backward(image2, flow)
        image1 = np.where(valid, warped, image2)
        first, second = (np.repeat(np.rint(image)[..., None], 3, 2).astype(np.uint8) for image in (image1, image2))
        return Pair(key, first, second, flow)

    def annotation(self, pair: Pair[np.ndarray]) -> Annotation:
        return Annotation(facial=pair.reference) if self.labelled else Annotation()

    def score(self, pair: Pair[np.ndarray], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        error = np.linalg.norm(forward.facial.astype("f8") - pair.reference, axis=2)
        return PairScore(pair.key, {"epe": Term(float(error.sum()), error.size)})


def true_flow(number: int) -> np.ndarray:
    """A motion in a part of the image that is not its middle, and unlike along x and y."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    bump = np.exp(-(((x - 30) / 24) ** 2) - ((y - 26) / 18) ** 2)
    return np.dstack([(5 + 0.3 * number) * bump + 0.5, -3 * bump + 0.02 * x]).astype(np.float32)


Wrong = Callable[[np.ndarray], np.ndarray]
_SIZE = np.array([WIDTH, HEIGHT], np.float32)
WRONG: dict[str, Wrong] = {
    "x and y are swapped": lambda flow: flow[..., ::-1],
    "the flow is backward": lambda flow: -flow,
    "y points up": lambda flow: flow * np.array([1, -1]),
    "x points to the left": lambda flow: flow * np.array([-1, 1]),
    "half of what it should be": lambda flow: flow / 2,
    "twice what it should be": lambda flow: flow * 2,
    "shares of the image's size": lambda flow: flow / _SIZE,
    "from -1 to 1": lambda flow: 2 * flow / _SIZE,
    "eighth of the resolution": lambda flow: flow / 8,
    "upside down": lambda flow: flow[::-1],
    "Fortran order": lambda flow: flow.ravel(order="F").reshape(flow.shape),
    "rows and columns are exchanged": lambda flow: flow.transpose(1, 0, 2).ravel().reshape(flow.shape),
    "all of x is written before all of y": lambda flow: flow.transpose(2, 0, 1).ravel().reshape(flow.shape),
    "KITTI's 16-bit code": lambda flow: np.rint(flow * 64 + 2**15),
}


def write(folder: Path, wrong: Wrong = lambda flow: flow, pairs: int = 6) -> Path:
    """Write the true flows of the pairs, made wrong."""
    for number in range(pairs):
        write_flow(folder / "facial" / f"face_{number:02d}.flo", np.ascontiguousarray(wrong(true_flow(number))))
    return folder


textures = ProtocolEntry("moved textures", lambda request: MovedTextures())
