"""The engine: labelled pairs that one core makes in a second, by processor time; the least of several rounds."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from ffbench.synth.heads.makehuman import MakeHumanHead, load_makehuman
from ffbench.synth.motion.expressions import Frame
from ffbench.synth.pairs.recipe import DatasetRecipe, Plan, plan_sequence, render_sequence, stage
from ffbench.synth.pairs.writer import write_sequence
from ffbench.synth.render.labels import label_pair
from ffbench.synth.render.raster import rasterize_supersampled
from ffbench.synth.scenes.scene import RASTER, Scene, render_pair

PEOPLE, ROUNDS = 4, 4
"""Four people have a sequence of each length: 5, 10, 15 and 20 frames."""
Staged = list[tuple[Scene, list[Frame]]]


@pytest.fixture(scope="module")
def head() -> MakeHumanHead:
    return load_makehuman()


def label(scene: Scene, frame1: Frame, frame2: Frame) -> None:
    """Make the labels of a pair without its images: pose, project, two z-buffers, and the labels out of them."""
    person, camera, topology = scene.person, scene.camera, scene.person.head.topology
    first, second, partner = (
        camera.project(person.head.pose(person.shape, frame.expression, frame.pose))
        for frame in (frame1, frame2, frame2.partner(frame1))
    )
    seen1, seen2 = (
        rasterize_supersampled(one.xy, one.depth, topology.triangles, camera.height, camera.width, topology.two_sided)
        for one in (first, second)
    )
    label_pair(topology, camera, first, second, partner, seen1, seen2)


def last_pairs(staged: Staged, make: Callable[[Scene, Frame, Frame], object]) -> None:
    for scene, frames in staged:
        make(scene, frames[-2], frames[-1])


def least(work: Callable[[], object]) -> float:
    """Seconds of processor time, after a first run that compiles and fills caches."""
    work()
    times = []
    for _ in range(ROUNDS):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return min(times)


def write_all(folders: Iterator[Path], head: MakeHumanHead, recipe: DatasetRecipe, plans: list[Plan]) -> None:
    out = next(folders)
    for plan in plans:
        write_sequence(out, head, recipe, RASTER, plan)


@pytest.mark.parametrize("size", [256, 512])
def test_pairs_a_second(benchmark: BenchmarkFixture, head: MakeHumanHead, size: int, tmp_path: Path) -> None:
    recipe = DatasetRecipe(size=size)
    plans: list[Plan] = [plan_sequence(recipe, head, identity) for identity in range(PEOPLE)]
    staged = [stage(recipe, head, plan) for plan in plans]
    pairs = sum(plan.frames - 1 for plan in plans)
    labels = PEOPLE / least(lambda: last_pairs(staged, label))
    images = PEOPLE / least(lambda: last_pairs(staged, render_pair))
    sequences = pairs / least(lambda: [list(render_sequence(recipe, head, plan)) for plan in plans])
    people = PEOPLE / least(lambda: [stage(recipe, head, plan) for plan in plans])
    # To a new folder each time, since `generate` has nothing to remove either.
    folders = (tmp_path / str(number) for number in itertools.count())
    written = pairs / least(partial(write_all, folders, head, recipe, plans))
    for name, speed in {
        "labels alone": labels,
        "labels and two images, person made": images,
        "sequences of new people, with head partners": sequences,
        "the same, written as generate does": written,
    }.items():
        benchmark.extra_info[f"{size} px, pairs/s a core: {name}:"] = round(speed, 1)
    benchmark.extra_info[f"{size} px, people made a second and core:"] = round(people, 1)
    benchmark.pedantic(lambda: last_pairs(staged, render_pair), rounds=1)
    assert labels > images  # images cost something
    assert sequences > written  # and so do files
