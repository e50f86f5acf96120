"""The minis of SMIC-HS and SAMM: in the layouts that the loaders read, and what is of another kind in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from ffbench.datasets.images import image_size, read_image
from ffbench.datasets.microexpressions.published import SMIC_EMOTIONS, list_samm, list_smic
from ffbench.protocols.recognition.clips import TASKS
from ffbench.synth.heads.head import HeadModel
from ffbench.synth.minis.microexpressions import SAMM, SMIC, make_samm, make_smic
from ffbench.synth.motion.micro import UNITS


def test_plans_have_the_classes_of_the_protocols() -> None:
    known = TASKS["samm_5"].classes
    assert known is not None
    assert set(SAMM.clips) == {of for of in known.values() if of is not None}
    assert set(SMIC.clips) == set(SMIC_EMOTIONS)
    for layout in (SAMM, SMIC):
        assert set(layout.variants) == set(layout.clips)
        assert all(unit in UNITS for ways in layout.variants.values() for way in ways for unit in way)


@pytest.mark.assets
def test_smic_has_color_frames_in_bmp_and_no_apex(tmp_path: Path, head: HeadModel) -> None:
    told: list[tuple[int, int]] = []
    plan = replace(SMIC, subjects=2, clips={"negative": 2, "surprise": 2})
    make_smic(tmp_path, head, 1, plan, lambda *done: told.append(done))
    assert told[-1] == (4, 4)
    found = list_smic(tmp_path)
    assert (found.problems, found.left_out, found.synthetic) == ((), (), True)
    assert {clip.label for clip in found.clips} == {"negative", "surprise"}
    frame = read_image(found.clips[0].onset)
    assert image_size(found.clips[0].onset) == (320, 240)
    assert found.clips[0].onset.suffix == ".bmp"
    assert np.ptp(frame.astype(int), axis=2).max() > 10  # color
    numbers = [sorted(int(path.stem[5:]) for path in clip.onset.parent.iterdir()) for clip in found.clips]
    assert all(of == list(range(of[0], of[0] + len(of))) and 9 <= len(of) <= 15 for of in numbers)


@pytest.mark.assets
def test_samm_has_gray_frames_more_of_them_and_a_table_below_notes(tmp_path: Path, head: HeadModel) -> None:
    make_samm(tmp_path, head, 1, replace(SAMM, subjects=2, clips={"anger": 1, "contempt": 1, "other": 1}))
    found = list_samm(tmp_path)
    assert (found.problems, found.left_out, found.synthetic) == ((), (), True)
    assert {clip.label for clip in found.clips} == {"anger", "contempt", "other"}
    for clip in found.clips:
        with PIL.Image.open(str(clip.onset)) as image:
            assert (image.mode, image.size) == ("L", (800, 600))
        onset, apex = (int(path.stem.split("_")[1]) for path in (clip.onset, clip.apex))
        assert SAMM.steps[0] <= apex - onset <= SAMM.steps[1]


@pytest.mark.assets
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, head: HeadModel) -> None:
    plan = replace(SAMM, subjects=1, clips={"happiness": 1})
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        (tmp_path / name).mkdir()
        make_samm(tmp_path / name, head, seed, plan)
    first, again, other = (
        {file.relative_to(tmp_path / name): file.read_bytes() for file in (tmp_path / name).rglob("*.*")}
        for name in ("a", "b", "c")
    )
    assert first == again
    assert first != other
