"""Scoring dense predictions against ptlflow's and mmflow's own metrics, each from the same files and with what it has.

ffbench's terms are all of its dense metrics with bins of motion, regions and occlusion. ptlflow's are EPE, 1, 3 and
5 px outliers, Fl and WAUC, with and without occlusion; mmflow's are EPE and Fl.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from ffbench.flow.formats.flo import map_flo
from ffbench.methods.mmflow.configs import import_mmflow
from ffbench.metrics.dense.errors import dense_terms
from ffbench.packages.torchvision_ops import make_importable
from tests.benchmarks.test_dense import NAMES, PAIRS, ROUNDS, Maps, write_pairs

Score = Callable[[Path, int, Maps], float]


def ours(folder: Path, index: int, maps: Maps) -> float:
    mask, regions, occluded = maps
    prediction, truth = map_flo(folder / f"{index}.flo"), map_flo(folder / f"{index}_true.flo")
    terms = dense_terms(prediction, truth, mask, regions=regions, region_names=NAMES, occluded=occluded)
    return terms["epe"].sum / terms["epe"].count


def of_mmflow() -> Score:
    pytest.importorskip("mmflow", reason="the extra mmflow is not installed")
    import_mmflow()
    from mmflow.core.evaluation import metrics

    def score(folder: Path, index: int, maps: Maps) -> float:
        prediction, truth = (np.array(map_flo(folder / name)) for name in (f"{index}.flo", f"{index}_true.flo"))
        valid = maps[0].astype(np.float32)
        metrics.optical_flow_outliers([prediction], [truth], [valid])
        return float(metrics.end_point_error([prediction], [truth], [valid]))

    return score


def of_ptlflow() -> Score:
    make_importable()
    from ptlflow.utils.flow_metrics import FlowMetrics

    def score(folder: Path, index: int, maps: Maps) -> float:
        prediction, truth = (
            torch.from_numpy(np.array(map_flo(folder / name))).permute(2, 0, 1)[None, None]
            for name in (f"{index}.flo", f"{index}_true.flo")
        )
        mask, _, occluded = (torch.from_numpy(part.astype(np.float32))[None, None, None] for part in maps)
        metrics = FlowMetrics()
        metrics.update({"flows": prediction}, {"flows": truth, "valids": mask, "occs": occluded})
        return float(metrics.compute()["epe"])

    return score


PEERS = {"mmflow": of_mmflow, "ptlflow": of_ptlflow}


def seconds(score: Score, folder: Path, maps: Maps) -> float:
    clock = time.perf_counter()
    for index in range(PAIRS):
        score(folder, index, maps)
    return time.perf_counter() - clock


def copy_seconds(count: int) -> float:
    """Return the least time to copy so many bytes in memory, of five."""
    source = np.ones(count, np.uint8)
    target = np.empty_like(source)
    times = []
    for _ in range(5):
        clock = time.perf_counter()
        np.copyto(target, source)
        times.append(time.perf_counter() - clock)
    return min(times)


@pytest.mark.slow
@pytest.mark.parametrize("title", PEERS)
def test_dense_metrics_against(benchmark: BenchmarkFixture, title: str, tmp_path: Path) -> None:
    maps, theirs = write_pairs(tmp_path), PEERS[title]()
    assert ours(tmp_path, 0, maps) == pytest.approx(theirs(tmp_path, 0, maps), rel=1e-4)
    ours(tmp_path, 1, maps), theirs(tmp_path, 1, maps)
    rounds = [(seconds(ours, tmp_path, maps), seconds(theirs, tmp_path, maps)) for _ in range(ROUNDS)]
    own, other = (min(times) for times in zip(*rounds, strict=True))
    read = sum(file.stat().st_size for file in tmp_path.glob("*.flo")) + PAIRS * sum(part.nbytes for part in maps)
    benchmark.extra_info[f"times {title}'s metrics, one thread"] = round(other / own, 1)
    benchmark.extra_info["times the floor: its bytes at the speed of a copy"] = round(own / copy_seconds(read), 1)
    benchmark.pedantic(seconds, (ours, tmp_path, maps), rounds=1)
    assert other > own
