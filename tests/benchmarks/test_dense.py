"""Scoring dense predictions: at least 7 times a plain numpy loop of the same metrics over the same files."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from ffbench.flow.formats.flo import map_flo, write_flo
from ffbench.metrics.dense.errors import dense_terms
from ffbench.metrics.dense.kernel import BIN_EDGES

SIDE = 512
PAIRS = 16
ROUNDS = 5
NAMES = {value: str(value) for value in range(1, 8)}
Maps = tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint8], npt.NDArray[np.bool_]]


def write_pairs(folder: Path) -> Maps:
    """Write smooth true flows and noisy predictions; give a mask of a third of the image, regions and occlusion."""
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    for index in range(PAIRS):
        rng = np.random.default_rng(index)
        waves = rng.normal(0, 2, (2, 4))
        truth = np.stack([w[0] + w[1] * rows + w[2] * columns + w[3] * np.sin(9 * rows * columns) for w in waves], 2)
        write_flo(folder / f"{index}_true.flo", truth.astype(np.float32))
        write_flo(folder / f"{index}.flo", (truth + rng.normal(0, 0.7, truth.shape)).astype(np.float32))
    mask = (rows / 0.38) ** 2 + (columns / 0.29) ** 2 < 1
    return mask, ((rows + 0.5) * 8).astype(np.uint8), columns > 0.2


def ours(folder: Path, index: int, maps: Maps) -> float:
    prediction, truth = map_flo(folder / f"{index}.flo"), map_flo(folder / f"{index}_true.flo")
    mask, regions, occluded = maps
    terms = dense_terms(prediction, truth, mask, regions=regions, region_names=NAMES, occluded=occluded)
    return terms["wauc"].sum / terms["wauc"].count


def plain(folder: Path, index: int, maps: Maps) -> float:
    """Do what one writes in numpy: read, keep what is in the mask, one statement a metric, in the files' float32."""
    prediction, truth = (
        np.fromfile(folder / name, np.float32, offset=12).reshape(SIDE, SIDE, 2)
        for name in (f"{index}.flo", f"{index}_true.flo")
    )
    mask, regions, occluded = maps
    p, t, region, hidden = prediction[mask], truth[mask], regions[mask], occluded[mask]
    error, length = np.linalg.norm(p - t, axis=1), np.linalg.norm(t, axis=1)
    result = {"epe": error.mean(dtype=np.float64)}
    result |= {f"outliers_{pixels}px": 100 * (error > pixels).mean() for pixels in (1, 3, 5)}
    result["fl"] = 100 * ((error > 3) & (error > 0.05 * length)).mean()
    cosine = (1 + (p * t).sum(axis=1)) / np.sqrt((1 + (p**2).sum(axis=1)) * (1 + length**2))
    result["angular"] = np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean(dtype=np.float64)
    weights = 1 - np.arange(100) / 100
    result["wauc"] = 100 * sum(w * (error <= (i + 1) / 20).mean() for i, w in enumerate(weights)) / weights.sum()
    groups = [(length >= a) & (length < b) for a, b in zip((0, *BIN_EDGES), (*BIN_EDGES, math.inf), strict=True)]
    groups += [region == value for value in NAMES] + [hidden, ~hidden]
    result |= {f"group {i}": error[members].mean(dtype=np.float64) for i, members in enumerate(groups) if members.any()}
    return float(result["wauc"])


def seconds(score: Callable[[Path, int, Maps], float], folder: Path, maps: Maps, threads: int = 1) -> float:
    clock = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda index: score(folder, index, maps), range(PAIRS)))
    return time.perf_counter() - clock


def cpu_seconds(score: Callable[[Path, int, Maps], float], folder: Path, maps: Maps) -> float:
    """Return the processor's time for one thread, which other processes on the machine do not lengthen."""
    clock = time.process_time()
    for index in range(PAIRS):
        score(folder, index, maps)
    return time.process_time() - clock


@pytest.mark.slow
def test_dense_metrics_against_numpy(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    maps = write_pairs(tmp_path)
    assert ours(tmp_path, 0, maps) == pytest.approx(plain(tmp_path, 0, maps), rel=1e-4)
    # In turn, so that a machine that slows down slows both; the least disturbed round of each is compared.
    rounds = [
        (seconds(ours, tmp_path, maps), seconds(ours, tmp_path, maps, 2), seconds(plain, tmp_path, maps))
        for _ in range(ROUNDS)
    ]
    alone, both, numpy_loop = (min(times) for times in zip(*rounds, strict=True))
    benchmark.extra_info["times a plain numpy loop, one thread"] = round(numpy_loop / alone, 1)
    benchmark.extra_info["pairs/s, one thread"] = round(PAIRS / alone)
    benchmark.extra_info["pairs/s, two threads"] = round(PAIRS / both)
    benchmark.extra_info["pairs/s of a core's time"] = round(
        PAIRS / min(cpu_seconds(ours, tmp_path, maps) for _ in range(ROUNDS))
    )
    benchmark.pedantic(seconds, (ours, tmp_path, maps), rounds=1)
    assert numpy_loop / alone > 7
