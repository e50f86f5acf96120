"""Made faces that are shown as real ones: the mark deleted, files copied out, images encoded anew."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from ffbench.datasets import provenance
from ffbench.datasets.ck_plus import scan as ck_plus
from ffbench.datasets.clips import open_clip
from ffbench.datasets.ffn import scan as ffn
from ffbench.datasets.images import encode_png, read_image
from ffbench.datasets.mark import SYNTHETIC_MARK
from ffbench.datasets.provenance import engine_sign, mark_jpeg, mark_png, rests_on
from ffbench.flow.formats.flo import read_flo, write_flo
from ffbench.synth.pairs.recipe import DatasetRecipe
from ffbench.synth.pairs.writer import write_dataset
from ffbench.synth.scenes.video import lossless_video
from tests.datasets.ck_plus_folder import make_ck_plus
from tests.synth.posing_head import PosingHead


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in the layout of FFN, as the engine writes it, without the mark."""
    root = tmp_path_factory.mktemp("made") / "FacialFlowNet"
    write_dataset(root, PosingHead(), DatasetRecipe(size=64, split="test"), 1)
    (root / SYNTHETIC_MARK).unlink()
    (root / "manifest.json").unlink()
    return root


@pytest.fixture
def ours(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "FFN"))


def reencoded(root: Path) -> Path:
    """Encode all images anew, as OpenCV does: no comment is left, which Pillow would keep."""
    for path in root.rglob("*.jpg"):
        cv2.imwrite(str(path), cv2.imread(str(path)))
    return root


def noisy(root: Path) -> Path:
    """Add what no score can see to all flows."""
    for path in root.rglob("*.flo"):
        flow = read_flo(path)
        write_flo(path, flow + np.random.default_rng(0).normal(0, 1e-6, flow.shape).astype(np.float32))
    return root


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        (lambda root: root, "the comment in"),
        (lambda root: root.rename(root.with_name("mine")), "the comment in"),
        (reencoded, "16384ths of a pixel"),
        (noisy, "the comment in"),
    ],
    ids=["mark deleted", "renamed", "images encoded anew", "noise in flows"],
)
def test_a_deleted_mark_makes_nothing_real(change: Callable[[Path], Path], sign: str, ours: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    found = ffn.scan(change(ours))
    assert found.synthetic
    assert sign in str(engine_sign(*(path for pair in found.pairs for path in pair.files())))
    monkeypatch.setattr(provenance, "_has_comment", lambda path: False)
    monkeypatch.setattr(provenance, "_has_steps", lambda path: False)
    assert not ffn.scan(found.root).synthetic  # control: by the mark alone it would be real


def test_what_is_not_found_out(ours: Path) -> None:
    """Both at once: this is said in docs/threat-model.md, and on the card of every dataset that counts as real."""
    found = ffn.scan(noisy(reencoded(ours)))
    assert not found.synthetic
    assert "nothing of ffbench's face engine was found in" in rests_on([found.pairs[0].image1])


def test_a_single_made_image_among_real_ones(tmp_path: Path) -> None:
    root = make_ck_plus(tmp_path / "CK+")
    assert not ck_plus.scan(root).synthetic  # control: these count as real
    used = ck_plus.scan(root).sequences[-1].last_image
    assert isinstance(used, Path)
    used.write_bytes(mark_png(used.read_bytes()))
    assert ck_plus.scan(root).synthetic


def test_marks_change_no_pixel(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    png = encode_png(image)
    jpeg = bytes(cv2.imencode(".jpg", image)[1])
    for plain, marked, suffix in ((png, mark_png(png), ".png"), (jpeg, mark_jpeg(jpeg), ".jpg")):
        one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
        one.write_bytes(plain)
        two.write_bytes(marked)
        assert (read_image(one) == read_image(two)).all()
        with Image.open(io.BytesIO(marked)) as opened:
            opened.verify()
        assert engine_sign(one) is None
        assert "the comment in" in str(engine_sign(two))


def test_a_video_keeps_its_frames_and_is_known_again(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 24, 32, 3), np.uint8)
    with lossless_video(tmp_path / "a.mp4", 32, 24, 25.0) as add:
        for frame in frames:
            add(frame)
    assert "the comment in" in str(engine_sign(tmp_path / "a.mp4"))
    clip = open_clip(tmp_path / "a.mp4")
    assert [np.array_equal(clip.frame(k), frame) for k, frame in enumerate(frames)] == [True] * 3


def test_flows_of_others_are_not_taken_for_the_engines(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    flow = rng.normal(0, 3, (64, 64, 2)).astype(np.float32)
    others = {
        "measured": flow,
        "kitti": np.rint(flow * 64).astype(np.float32) / 64,
        "whole": np.rint(flow).astype(np.float32),
        "zero": np.zeros_like(flow),
        "half": flow.astype(np.float16).astype(np.float32),
        "large": flow * 500,
    }
    for name, values in others.items():
        write_flo(tmp_path / f"{name}.flo", values)
        assert engine_sign(tmp_path / f"{name}.flo") is None, name
    write_flo(tmp_path / "made.flo", np.rint(flow * 16384).astype(np.float32) / 16384)
    assert "16384ths" in str(engine_sign(tmp_path / "made.flo"))
