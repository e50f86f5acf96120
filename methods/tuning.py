"""How the parameters of the tuned classical methods were chosen: on rendered training people, and on nothing else.

`python -m ffbench.methods.tuning dis_fine` (or `tvl1`, `ilk`) makes its table of docs/baselines.md again. The people
are those of a stream that trains networks (`RenderedPairs`): none of them is in a benchmark's mini dataset.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ffbench.synth.pairs.stream import RenderedPairs

from .classical import DIS_MEDIUM, DisParameters, GreyEstimator, GreyImage, dis_estimator
from .scikit_image import ilk_estimator, tvl1_estimator

SEED, PEOPLE = 1701, 16
SCALES = {"full": 2, "1/5": 5, "1/20": 20}
"""Motion scales, and the frames of the sequences of which a pair is two neighbors."""
_SIZES = {256: 8, 512: 4}
"""Pairs of each motion scale by image size; half of them for scikit-image's methods, which are slow."""

Parameters = Mapping[str, Any]
_FINE: Parameters = {"finest_scale": 0}
_SMOOTH: Parameters = {**_FINE, "alpha": 80.0, "iterations": 20}
_REFINED: Parameters = {"refine_alpha": 40.0, "refine_iterations": 20}
CANDIDATES: dict[str, Sequence[Parameters]] = {
    "dis_fine": (
        {},
        _FINE,
        {**_FINE, "alpha": 40.0, "iterations": 10},
        {**_FINE, "alpha": 80.0, "iterations": 10},
        _SMOOTH,
        {**_SMOOTH, "alpha": 160.0},
        {**_SMOOTH, "iterations": 40},
        {**_SMOOTH, "gamma": 5.0},
        {**_SMOOTH, "gamma": 20.0},
        {**_SMOOTH, "delta": 2.5},
        {**_SMOOTH, "delta": 10.0},
        {**_SMOOTH, "patch_size": 12},
        {**_SMOOTH, "patch_stride": 4, "gradient_steps": 16},
        {**_SMOOTH, "refine_alpha": 40.0, "refine_iterations": 10},
        {**_SMOOTH, **_REFINED},
        {**_SMOOTH, **_REFINED, "refine_alpha": 80.0},
        {**_SMOOTH, **_REFINED, "patch_size": 12},
        {**_SMOOTH, **_REFINED, "patch_size": 12, "patch_stride": 4},
        {**_SMOOTH, **_REFINED, "patch_stride": 4, "gradient_steps": 16},
    ),
    "tvl1": (
        {},
        {"attachment": 5.0},
        {"attachment": 40.0},
        {"attachment": 100.0},
    ),
    "ilk": (
        {},
        {"radius": 12},
        {"radius": 20},
        {"radius": 12, "gaussian": True},
        {"radius": 20, "gaussian": True},
        {"radius": 12, "prefilter": True},
        {"radius": 12, "gaussian": True, "prefilter": True},
    ),
}
"""What was tried: the parameters that differ from the preset MEDIUM of DIS, or from scikit-image's defaults."""


@dataclass(frozen=True)
class TuningPair:
    """Two (H, W) grey images, the flow (H, W, 2) px from first to second, and the mask (H, W) of the bust."""

    scale: str
    first: GreyImage
    second: GreyImage
    flow: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]


def tuning_pairs(sizes: Mapping[int, int]) -> Iterator[TuningPair]:
    """Render pairs of different people at each motion scale: `sizes` says how many by the size of the images."""
    for size, count in sizes.items():
        for scale, frames in SCALES.items():
            stream = RenderedPairs(seed=SEED, size=size, scales={frames: 1.0}, people=PEOPLE, pairs_per_person=1)
            for index in range(count):
                sample = stream.sample(index)
                image1, image2, flow = (
                    np.ascontiguousarray(sample[name].permute(1, 2, 0).numpy())
                    for name in ("image1", "image2", "flow_facial")
                )
                first, second = (
                    np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8) for image in (image1, image2)
                )
                yield TuningPair(scale, first, second, flow, sample["mask"].numpy())


def mean_errors(estimate: GreyEstimator, pairs: Sequence[TuningPair]) -> dict[str, float]:
    """Return the endpoint error, px, by motion scale (mean over pairs of means over the bust), and `mean` of all.

    `mean` is geometric: by the arithmetic one full motion alone would decide, though small motion is what faces mostly
    do between the frames of a video.
    """
    errors: dict[str, list[float]] = {}
    for pair in pairs:
        error = np.linalg.norm(estimate(pair.first, pair.second) - pair.flow, axis=2)[pair.mask]
        errors.setdefault(pair.scale, []).append(float(error.mean(dtype=np.float64)))
    means = {scale: float(np.mean(values)) for scale, values in errors.items()}
    return {**means, "mean": float(np.exp(np.mean(np.log(list(means.values())))))}


def estimator(method: str, parameters: Parameters) -> GreyEstimator:
    """Return the estimator of a candidate."""
    if method == "dis_fine":
        return dis_estimator(DisParameters(**{**asdict(DIS_MEDIUM), **parameters}))
    return (tvl1_estimator if method == "tvl1" else ilk_estimator)(dict(parameters))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table of a method: a row a candidate, as each is done."""
    parser = argparse.ArgumentParser(prog="python -m ffbench.methods.tuning", description=__doc__)
    parser.add_argument("method", choices=sorted(CANDIDATES))
    method = parser.parse_args(arguments).method
    share = 1 if method == "dis_fine" else 2
    pairs = list(tuning_pairs({size: count // share for size, count in _SIZES.items()}))
    print(f"| parameters | {' | '.join(SCALES)} | mean | CPU s a pair |", "|---|---|---|---|---|---|", sep="\n")
    for parameters in CANDIDATES[method]:
        clock = time.process_time()
        errors = mean_errors(estimator(method, parameters), pairs)
        seconds = (time.process_time() - clock) / len(pairs)
        label = ", ".join(f"`{name}` {value}" for name, value in parameters.items()) or "none changed"
        print(f"| {label} | {' | '.join(f'{error:.3f}' for error in errors.values())} | {seconds:.2f} |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
