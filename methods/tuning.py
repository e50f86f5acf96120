"""How the parameters of the tuned classical methods were chosen: on rendered training people, and on nothing else.

`python -m ffbench.methods.tuning dis_fine` (or `tvl1`, `ilk`) prints its table of docs/baselines.md. The people are
those of a stream that trains networks (`RenderedPairs`): none of them is in a benchmark's mini dataset.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ffbench.synth.dataset import RenderedPairs

from .classical import DIS_FINE, DisParameters, GreyEstimator, GreyImage, dis_estimator
from .scikit_image import ILK, TVL1, ilk_estimator, tvl1_estimator

SEED, PEOPLE, SIZES = 1701, 16, (256, 512)
SCALES = {"full": 2, "1/5": 5, "1/20": 20}
"""Motion scales, and the frames of the sequences of which a pair is two neighbours."""


@dataclass(frozen=True)
class TuningPair:
    """Two (H, W) grey images, the flow (H, W, 2) px from first to second, and the mask (H, W) of the bust."""

    scale: str
    first: GreyImage
    second: GreyImage
    flow: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]


def tuning_pairs(people: int = PEOPLE, sizes: Sequence[int] = SIZES) -> Iterator[TuningPair]:
    """Render a pair of each person at each motion scale and image size."""
    for size in sizes:
        for scale, frames in SCALES.items():
            stream = RenderedPairs(seed=SEED, size=size, scales={frames: 1.0}, people=people, pairs_per_person=1)
            for index in range(people):
                sample = stream.sample(index)
                first, second = (
                    cv2.cvtColor(np.ascontiguousarray(_last(sample[name])), cv2.COLOR_RGB2GRAY)
                    for name in ("image1", "image2")
                )
                yield TuningPair(scale, first, second, _last(sample["flow_facial"]), sample["mask"].numpy())


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


Candidates = Mapping[str, GreyEstimator]


def dis_candidates() -> Candidates:
    """Return the preset, the choice, and every change of one parameter that was tried around the choice."""
    changes: dict[str, Sequence[float]] = {
        "finest_scale": (1,),
        "patch_size": (12,),
        "patch_stride": (2, 4),
        "gradient_steps": (12, 50),
        "alpha": (10, 20, 40, 80),
        "delta": (2.5, 5, 10),
        "gamma": (5, 10, 20),
        "iterations": (5, 10, 20),
        "refine_alpha": (20, 40, 80),
        "refine_iterations": (0, 5, 10),
    }
    preset = DisParameters(finest_scale=1)
    return {
        "preset MEDIUM": dis_estimator(preset),
        "**choice**": dis_estimator(DIS_FINE),
        **{label: dis_estimator(replace(DIS_FINE, **change)) for label, change in _single(_values(DIS_FINE), changes)},
    }


def tvl1_candidates() -> Candidates:
    """Return scikit-image's defaults, the choice, and the changes around it."""
    changes: dict[str, Sequence[Any]] = {
        "attachment": (5.0, 10.0, 15.0, 30.0, 60.0),
        "tightness": (0.1, 0.3, 0.6),
        "num_warp": (5, 10),
        "num_iter": (10, 20),
        "prefilter": (False, True),
    }
    return _scikit_image(tvl1_estimator, TVL1, changes)


def ilk_candidates() -> Candidates:
    """Return scikit-image's defaults, the choice, and the changes around it."""
    changes: dict[str, Sequence[Any]] = {
        "radius": (4, 7, 10, 15, 20),
        "num_warp": (5, 10),
        "gaussian": (False, True),
        "prefilter": (False, True),
    }
    return _scikit_image(ilk_estimator, ILK, changes)


def _scikit_image(
    estimator: Callable[[dict[str, Any]], GreyEstimator], choice: dict[str, Any], changes: Mapping[str, Sequence[Any]]
) -> Candidates:
    return {
        "scikit-image's defaults": estimator({}),
        "**choice**": estimator(choice),
        **{label: estimator({**choice, **change}) for label, change in _single(choice, changes)},
    }


def _single(choice: Mapping[str, Any], changes: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield label and change for every value of every parameter that is not the chosen one."""
    for name, values in changes.items():
        for value in values:
            if value != choice[name]:
                yield f"{name} {value}", {name: value}


def _values(parameters: DisParameters) -> dict[str, Any]:
    return {field.name: getattr(parameters, field.name) for field in fields(parameters)}


def table(candidates: Candidates, pairs: Sequence[TuningPair]) -> str:
    """Return the errors of all candidates as a Markdown table, with the seconds that a pair takes."""
    from ffbench.cli.console import progress_bar

    rows = []
    with progress_bar("candidates", "candidates") as progress:
        for number, (label, estimate) in enumerate(candidates.items()):
            progress(number, len(candidates))
            clock = time.process_time()
            errors = mean_errors(estimate, pairs)
            seconds = (time.process_time() - clock) / len(pairs)
            rows.append(f"| {label} | {' | '.join(f'{error:.3f}' for error in errors.values())} | {seconds:.2f} |")
        progress(len(candidates), len(candidates))
    return "\n".join([f"| parameters | {' | '.join(SCALES)} | mean | CPU s |", "|---|---|---|---|---|---|", *rows])


def _last(planes: Any) -> npt.NDArray[Any]:
    return np.asarray(planes.permute(1, 2, 0).numpy())


_METHODS: dict[str, Callable[[], Candidates]] = {
    "dis_fine": dis_candidates,
    "tvl1": tvl1_candidates,
    "ilk": ilk_candidates,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table of a method."""
    parser = argparse.ArgumentParser(prog="python -m ffbench.methods.tuning", description=__doc__)
    parser.add_argument("method", choices=sorted(_METHODS))
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options = parser.parse_args(arguments)
    pairs = list(tuning_pairs(options.people, options.sizes))
    sys.stdout.write(table(_METHODS[options.method](), pairs) + "\n")


if __name__ == "__main__":
    main()
