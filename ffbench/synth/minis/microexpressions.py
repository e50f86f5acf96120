"""Small datasets in the layouts of SMIC-HS and SAMM, which differ from CASME II's in kind.

SMIC-HS: color, BMP files, 100 frames a second, no table and no apex. SAMM: gray, 200 frames a second, larger frames,
notes above the names of the columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ffbench.datasets.base import Mini, Progress
from ffbench.datasets.mark import mark_synthetic
from ffbench.datasets.provenance import mark_jpeg
from ffbench.synth.heads.head import HeadModel, Pose
from ffbench.synth.heads.makehuman import load_makehuman
from ffbench.synth.minis.casme2 import Cell, Subject, shown_share, studio, workbook
from ffbench.synth.motion.expressions import Frame
from ffbench.synth.motion.micro import (
    SAMM_VARIANTS,
    SMIC_VARIANTS,
    added,
    amplitude_factor,
    sample_drift,
    sample_micro,
)
from ffbench.synth.scenes.scene import render_frame
from ffbench.typing import Image

VERSION = "1"
RECIPE = "ffbench.synth.minis.microexpressions"
_SAMM_NOTES: tuple[tuple[Cell, ...], ...] = (
    ("Made by the face engine of ffbench: nobody is depicted.",),
    (None,),
    ("Subject", "Filename", "Onset Frame", "Apex Frame", "Offset Frame", "Action Units", "Estimated Emotion"),
)
_JPEG = 90


@dataclass(frozen=True)
class Layout:
    """What differs between the datasets.

    Attributes:
        stream: of the random numbers; another for each dataset.
        height: of the frames in px, whose width is 4/3 of it.
        steps: least and most frames from onset to apex, and from there to offset.
        subjects: how many people.
        clips: of each class in the whole dataset.
        variants: the ways of showing each class.
    """

    stream: int
    height: int
    steps: tuple[int, int]
    subjects: int
    clips: Mapping[str, int]
    variants: Mapping[str, tuple[tuple[str, ...], ...]]


SMIC = Layout(400, 240, (4, 7), 12, {"negative": 16, "positive": 11, "surprise": 9}, SMIC_VARIANTS)
SAMM = Layout(
    410, 600, (8, 14), 12, {"other": 8, "anger": 12, "happiness": 8, "contempt": 5, "surprise": 6}, SAMM_VARIANTS
)


@dataclass(frozen=True)
class _Clip:
    """A clip: who shows what, how many of that subject's clips this is, and its numbers of frames from onset 1."""

    subject: Subject
    take: int
    label: str
    apex: int
    offset: int
    units: str
    frames: Iterator[Image]


def make_smic(
    root: Path, head: HeadModel, seed: int = 0, layout: Layout = SMIC, progress: Progress | None = None
) -> None:
    """Render a dataset in the layout of SMIC-HS into `root`; the same arguments give the same bytes.

    A clip goes from onset to offset. Nobody says where its apex is, and it is not in the middle.
    """
    import cv2

    for clip in _clips(head, seed, layout, progress):
        person = f"s{clip.subject.number + 1}"
        folder = root / "HS" / person / "micro" / clip.label / f"{person}_{clip.label[:2]}_{clip.take:02d}"
        folder.mkdir(parents=True)
        for number, image in enumerate(clip.frames, start=1000 * clip.take + 237):
            _, code = cv2.imencode(".bmp", image[..., ::-1])
            (folder / f"image{number:06d}.bmp").write_bytes(code.tobytes())
    mark_synthetic(root, f"{RECIPE}.smic", VERSION, seed)


def make_samm(
    root: Path, head: HeadModel, seed: int = 0, layout: Layout = SAMM, progress: Progress | None = None
) -> None:
    """Render a dataset in the layout of SAMM into `root`; the same arguments give the same bytes."""
    import cv2

    rows: list[tuple[Cell, ...]] = []
    for clip in _clips(head, seed, layout, progress):
        person = f"{clip.subject.number + 6:03d}"
        name = f"{person}_{1 + clip.take // 3}_{1 + clip.take % 3}"
        folder, onset = root / person / name, 1000 * clip.take + 562
        folder.mkdir(parents=True)
        for number, image in enumerate(clip.frames, start=onset):
            gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
            _, code = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, _JPEG])
            (folder / f"{person}_{number:05d}.jpg").write_bytes(mark_jpeg(code.tobytes()))
        numbers = (onset, onset + clip.apex - 1, onset + clip.offset - 1)
        rows.append((person, name, *numbers, clip.units, clip.label.capitalize()))
    (root / "SAMM_Micro_FACS_Codes_v2.xlsx").write_bytes(workbook(rows, _SAMM_NOTES))
    mark_synthetic(root, f"{RECIPE}.samm", VERSION, seed)


def _clips(head: HeadModel, seed: int, layout: Layout, progress: Progress | None) -> Iterator[_Clip]:
    """Draw the clips of a dataset, subject by subject; each is rendered while its frames are taken."""
    shown = [label for label, count in layout.clips.items() for _ in range(count)]
    order = np.random.default_rng([seed, layout.stream]).permutation(layout.subjects)
    done = 0
    for number in range(layout.subjects):
        rng = np.random.default_rng([seed, layout.stream + 1, number])
        subject = studio(head, rng, number, layout.height, layout.variants)
        mine = [label for at, label in enumerate(shown) if order[at % layout.subjects] == number]
        for take, label in enumerate(mine, start=1):
            yield _clip(subject, take, label, np.random.default_rng([seed, layout.stream + 2, number, take]), layout)
            done += 1
            if progress is not None:
                progress(done, len(shown))


def _clip(subject: Subject, take: int, label: str, rng: np.random.Generator, layout: Layout) -> _Clip:
    scene, person = subject.scene, subject.scene.person
    # What the head does is drawn before what the face does: no class can have a motion of its own.
    rest = Pose(neck=rng.normal(0, [0.05, 0.06, 0.03]), translation=rng.normal(0, [0.05, 0.03, 0.05]))
    drift = sample_drift(rng, person.head, person.shape, scene.camera, rest)
    pixels = float(np.clip(np.exp(rng.normal(np.log(1.4), 0.35)) * person.style.vigour, 0.5, 3.0))
    rise, fall = (int(n) for n in rng.integers(layout.steps[0], layout.steps[1] + 1, 2))
    vector, units = sample_micro(rng, person.head.expression_names, label, subject.habits, layout.variants)
    vector *= amplitude_factor(person.head, person.shape, scene.camera, rest, vector, pixels * layout.height / 480)
    apex, offset = 1 + rise, 1 + rise + fall

    def frames() -> Iterator[Image]:
        for number in range(1, offset + 1):
            share = shown_share(number, 1, apex, offset)
            pose = added(rest, drift, (number - 1) / rise)
            yield render_frame(scene, Frame(share * vector, pose), 1000 * take + number).image

    return _Clip(subject, take, label, apex, offset, units, frames())


def _make_smic(out: Path, seed: int, progress: Progress | None) -> None:
    make_smic(out, load_makehuman(), seed, progress=progress)


def _make_samm(out: Path, seed: int, progress: Progress | None) -> None:
    make_samm(out, load_makehuman(), seed, progress=progress)


SMIC_MINI = Mini("smic", VERSION, _make_smic)
SAMM_MINI = Mini("samm", VERSION, _make_samm)
