"""The engine's rasteriser against Blender on the same scenes, by the time that one core spends."""

from __future__ import annotations

import os

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from ffbench.errors import UsageError
from ffbench.synth.blender.process import find_python
from ffbench.synth.blender.renderer import SAMPLES, Blender
from ffbench.synth.heads.makehuman import load_makehuman
from ffbench.synth.motion.expressions import Frame
from ffbench.synth.pairs.recipe import DatasetRecipe, plan_sequence, stage
from ffbench.synth.scenes.scene import RASTER, Renderer, Scene, render_pair

SIZE, PEOPLE, ROUNDS = 512, 3, 5


def spent() -> float:
    """Seconds of processor time, of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def draw(scenes: list[tuple[Scene, list[Frame]]], renderer: Renderer) -> float:
    """Draw and label the last pair of each; say what it cost."""
    before = spent()
    for scene, frames in scenes:
        render_pair(scene, frames[-2], frames[-1], renderer=renderer)
    return spent() - before


def draw_with_blender(scenes: list[tuple[Scene, list[Frame]]]) -> float:
    """As `draw`, with the cost of a Blender that starts and ends."""
    before = spent()
    with Blender() as renderer:
        draw(scenes, renderer)
    return spent() - before


def test_pairs_of_the_rasteriser_and_of_blender(benchmark: BenchmarkFixture) -> None:
    try:
        find_python()
    except UsageError as error:
        pytest.skip(str(error))
    head, recipe = load_makehuman(), DatasetRecipe(size=SIZE)
    scenes = [stage(recipe, head, plan_sequence(recipe, head, identity)) for identity in range(PEOPLE)]
    draw(scenes, RASTER)
    start = min(draw_with_blender([]) for _ in range(2))
    blender = [draw_with_blender(scenes) - start for _ in range(2)]
    raster = [draw(scenes, RASTER) for _ in range(ROUNDS)]
    found = min(blender) / min(raster)
    benchmark.extra_info["start of Blender, s"] = round(start, 1)
    benchmark.extra_info["pairs/s a core, rasteriser"] = round(PEOPLE / min(raster), 1)
    benchmark.extra_info[f"pairs/s a core, Blender at {SAMPLES} samples"] = round(PEOPLE / min(blender), 3)
    benchmark.extra_info["time of Blender over rasteriser"] = round(found)
    benchmark.pedantic(lambda: draw(scenes, RASTER), rounds=1)
    assert found > 20
