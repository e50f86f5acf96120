"""Blender as renderer: what is tried without it, by a double that casts rays, and what only Blender can show."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from ffbench import read_flow
from ffbench.errors import DataError, UsageError
from ffbench.synth.blender import process as blender_process
from ffbench.synth.blender.process import BlenderProcess, find_python
from ffbench.synth.blender.renderer import MARGIN, STEP, TOLERANCE, Blender, interior, scene_arrays
from ffbench.synth.heads.head import HeadModel, Part
from ffbench.synth.pairs.recipe import DatasetRecipe, plan_sequence, render_sequence, stage
from ffbench.synth.pairs.writer import write_dataset
from ffbench.synth.render.labels import Labels
from ffbench.synth.render.sensor import Sensor
from ffbench.synth.scenes.scene import RASTER, RenderedFrame, Scene, render_frame, render_pair
from tests.synth.posing_head import PosingHead

try:
    PYTHON: Path | None = find_python()
except UsageError:
    PYTHON = None
needs_blender = pytest.mark.skipif(
    PYTHON is None, reason="no Blender: set FFBENCH_BLENDER_PYTHON to a Python with bpy (docs/generate.md)"
)
SMALL = DatasetRecipe(size=40, seed=5)


@pytest.fixture(scope="module")
def toy() -> PosingHead:
    return PosingHead()


@pytest.fixture
def fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The double in place of the worker; what is written to this file is how it goes wrong."""
    worker = tmp_path / "double.py"
    shutil.copy(Path(__file__).with_name("blender_double.py"), worker)
    monkeypatch.setattr(blender_process, "WORKER", worker)
    monkeypatch.setenv(blender_process.PYTHON_VARIABLE, sys.executable)
    return tmp_path / "FAULT"


def ends(
    recipe: DatasetRecipe, head: HeadModel, identity: int
) -> tuple[Scene, RenderedFrame, RenderedFrame, RenderedFrame]:
    """The scene of an identity, its first and last frame, and the head partner of that."""
    scene, frames = stage(recipe, head, plan_sequence(recipe, head, identity))
    first, last = frames[0], frames[-1]
    return scene, render_frame(scene, first), render_frame(scene, last, 1), render_frame(scene, last.partner(first), 1)


def differences(
    renderer: Blender, scene: Scene, labels: Labels, inside: npt.NDArray[np.bool_], *frames: RenderedFrame
) -> dict[str, npt.NDArray[np.floating]]:
    """How far Blender's facial flow, head flow and depth are from the labels at each pixel inside."""
    first, second, partner = frames
    facial, depth = renderer.measure(scene, first.projected, second.projected)
    head, _ = renderer.measure(scene, first.projected, partner.projected)
    found = {
        "facial flow, px": np.linalg.norm(facial - labels.facial, axis=-1),
        "head flow, px": np.linalg.norm(head - labels.head, axis=-1),
        "depth, dm": np.abs(depth - labels.depth),
    }
    return {what: values[inside] for what, values in found.items()}


def test_what_is_handed_over_is_the_whole_scene(toy: PosingHead, fault: Path) -> None:
    """A ray caster that knows nothing but the files sees the surface, the flows and the depth of the labels."""
    scene, first, second, partner = ends(SMALL, toy, 1)
    with Blender() as renderer:
        labels = renderer.label(scene, first, second, partner.projected)
        assert labels.mask.sum() > 200
        assert np.linalg.norm(labels.facial, axis=-1).max() > 0.5
        for values in differences(renderer, scene, labels, labels.mask, first, second, partner).values():
            assert np.percentile(values, 98) < 2e-3, "all but what lies on an edge"


def test_the_background_is_the_scenes_own(toy: PosingHead, fault: Path) -> None:
    scene, frames = stage(SMALL, toy, plan_sequence(SMALL, toy, 1))
    plain = replace(scene, sensor=Sensor(noise=0, blur=0))
    with Blender() as renderer:
        frame = render_frame(plain, frames[0], 0, renderer)
    bust = frame.seen.ids[1::2, 1::2] >= 0
    np.testing.assert_array_equal(frame.image[~bust], plain.sensor.record(plain.background, rng())[~bust])
    white = np.ones_like(plain.background)
    np.testing.assert_array_equal(frame.image[bust], plain.sensor.record(white, rng())[bust])


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_labelled_pair_that_blender_sees_otherwise_is_refused(toy: PosingHead, fault: Path) -> None:
    fault.write_text("shift")
    scene, first, second, partner = ends(SMALL, toy, 1)
    with Blender() as renderer, pytest.raises(DataError, match=r"facial flow differs from the engine's by 0\.01"):
        renderer.label(scene, first, second, partner.projected)


def test_arrays_of_a_scene(toy: PosingHead) -> None:
    scene = ends(SMALL, toy, 0)[0]
    arrays = scene_arrays(scene)
    assert all(array.dtype.kind in "fiu" for array in arrays.values()), "plain numbers: no pickle is ever read"
    axes = scene.camera.axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(arrays["lamp_direction"] @ axes, scene.light.directions, atol=1e-12)
    material, topology = arrays["material"], toy.topology
    assert ((material == 2) == (topology.part != Part.SKIN)).all()
    assert ((material > 0) == topology.two_sided).all()


def test_a_white_surface_is_as_bright_as_the_engine_makes_it(toy: PosingHead) -> None:
    """The world's radiance, added up over the half-sphere above a white surface by brute force."""
    scene = ends(SMALL, toy, 0)[0]
    arrays, light = scene_arrays(scene), scene.light
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(400_000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for normal in np.eye(3):
        cosine = np.clip(directions @ normal, 0, None)
        radiance = arrays["ambient"] + directions @ arrays["slope"].T
        reflected = 4 * (radiance * cosine[:, None]).mean(axis=0)
        np.testing.assert_allclose(
            reflected, light.ambient + light.slope @ scene.camera.axes.T @ normal, atol=0.01 * light.ambient.max()
        )


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("no bpy", r"does not run Blender.*bpy_is_not_here.*pip install bpy==4\.5\.15 OpenEXR==3\.5\.3"),
        ("old", r"has Blender 3\.6\.0, expected 4\.5.*FFBENCH_BLENDER_PYTHON"),
    ],
)
def test_a_python_without_the_right_blender(fault: Path, how: str, message: str) -> None:
    fault.write_text(how)
    with pytest.raises(UsageError, match=message) as raised:
        Blender()
    assert "\n" not in str(raised.value)


def test_a_python_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"no such Python.*python3\.11 -m venv"):
        Blender(tmp_path / "python")
    (tmp_path / "text").write_text("no program")
    with pytest.raises(UsageError, match=r"text: cannot be run"):
        Blender(tmp_path / "text")
    monkeypatch.delenv(blender_process.PYTHON_VARIABLE, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"renderer blender is not installed.*python3\.11 -m venv"):
        find_python()


def test_this_python_does_when_it_has_blender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(blender_process.PYTHON_VARIABLE, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert find_python() == Path(sys.executable)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("crash", r"Blender ended with code 11: reading textures \| out of memory"),
        ("garbage", r"Blender answered 'Fra:1 Mem:22M', which is none"),
        ("sleep", r"Blender gave no answer in 0\.5 s"),
        ("error", r"Blender cannot measure: KeyError: 'no such pass'"),
    ],
)
def test_a_blender_that_fails(fault: Path, how: str, message: str) -> None:
    fault.write_text(how)
    process = BlenderProcess(Path(sys.executable))
    assert process.folder.is_dir()
    with pytest.raises(DataError, match=message):
        process.ask({"do": "measure"}, 0.5)
    assert not process.folder.exists()
    assert process._process.poll() is not None
    with pytest.raises(DataError, match="Blender"):
        process.ask({"do": "measure"})


def test_other_processes_start_their_own(toy: PosingHead, fault: Path) -> None:
    scene, first, second, _ = ends(SMALL, toy, 1)
    with Blender() as renderer:
        one = renderer.measure(scene, first.projected, second.projected)
        with pickle.loads(pickle.dumps(renderer)) as other:
            assert other.name == renderer.name == "blender 4.5.99, 16 samples, denoised"
            two = other.measure(scene, first.projected, second.projected)
            assert renderer._process is not other._process
    for mine, its in zip(one, two, strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.slow
def test_a_dataset_names_its_renderer_and_is_of_one(toy: PosingHead, fault: Path, tmp_path: Path) -> None:
    out, tiny = tmp_path / "data", DatasetRecipe(size=24)
    with Blender(samples=4) as renderer:
        manifest = write_dataset(out, toy, tiny, 1, renderer=renderer)
    assert manifest.origin.renderer == "blender 4.5.99, 4 samples, denoised"
    labels = next(render_sequence(tiny, toy, plan_sequence(tiny, toy, 0))).labels
    assert labels is not None
    np.testing.assert_array_equal(read_flow(next(out.glob("flow/facial/*/*/*/0001.flo"))), labels.facial)
    with pytest.raises(UsageError, match=r"renderer blender 4\.5\.99, 4 samples, denoised, now raster"):
        write_dataset(out, toy, tiny, 2)


@needs_blender
@pytest.mark.slow
@pytest.mark.assets
@pytest.mark.parametrize("identity", [3, 4, 6, 10])
def test_blender_agrees_with_the_engine(head: HeadModel, identity: int, capsys: pytest.CaptureFixture[str]) -> None:
    """First and last frame of four people, with the whole of expression and pose between them."""
    scene, first, second, partner = ends(DatasetRecipe(size=256), head, identity)
    labels = RASTER.label(scene, first, second, partner.projected)
    assert np.linalg.norm(labels.facial, axis=-1)[labels.mask].mean() > 2
    inside = interior(labels, head.topology, first)
    with Blender(PYTHON) as renderer:
        found = differences(renderer, scene, labels, inside, first, second, partner)
    for what, values in found.items():
        middle, most = np.percentile(values, [50, 99])
        with capsys.disabled():
            print(
                f"\n{identity}, {what}: mean {values.mean():.1e}, median {middle:.1e}, 99th percentile {most:.1e}, "
                f"largest {values.max():.1e}, over {len(values)} px",
                end="",
            )
        assert len(values) > 0.7 * labels.mask.sum(), f"{MARGIN} px from edges and steps of {STEP} dm are most"
        assert values.mean() < TOLERANCE


@needs_blender
@pytest.mark.slow
@pytest.mark.assets
def test_blender_draws_what_the_engine_draws(head: HeadModel) -> None:
    """The same person in the same light: alike, not equal; and the same again whoever asks."""
    scene, frames = stage(DatasetRecipe(size=96), head, plan_sequence(DatasetRecipe(size=96), head, 3))
    plain = replace(scene, sensor=replace(scene.sensor, noise=0, jpeg=None))
    raster = render_frame(plain, frames[-1], 1).image
    with Blender(PYTHON, samples=4) as renderer:
        pair = render_pair(plain, frames[-2], frames[-1], 0, renderer=renderer)
        again = pickle.loads(pickle.dumps(renderer))
    with again:
        np.testing.assert_array_equal(render_frame(plain, frames[-1], 1, again).image, pair.frame2.image)
    bust = pair.frame2.seen.ids[1::2, 1::2] >= 0
    assert np.corrcoef(raster[bust].ravel(), pair.frame2.image[bust].ravel())[0, 1] > 0.9
    far = np.asarray(cv2.erode((~bust).astype(np.uint8), np.ones((7, 7)))) > 0
    np.testing.assert_array_equal(raster[far], pair.frame2.image[far])


@needs_blender
@pytest.mark.slow
def test_blender_ends_with_who_started_it(toy: PosingHead) -> None:
    code = (
        "import os, sys; from pathlib import Path; from ffbench.synth.blender.process import BlenderProcess\n"
        "process = BlenderProcess(Path(sys.argv[1])); print(process.folder, flush=True); os._exit(1)"
    )
    told = subprocess.run([sys.executable, "-c", code, str(PYTHON)], stdout=subprocess.PIPE, text=True, check=False)
    folder = Path(told.stdout.strip())
    assert folder.name.startswith("ffbench-blender-")
    end = time.monotonic() + 20
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not folder.exists()
