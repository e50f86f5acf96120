"""Whole clips in the layout of CASME II: micro-expressions between neutral stretches, heads that move, and blinks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.datasets.base import Mini, Progress
from ffbench.datasets.mark import mark_synthetic
from ffbench.synth.heads.head import FloatArray, HeadModel, Pose
from ffbench.synth.heads.makehuman import load_makehuman
from ffbench.synth.minis.casme2 import Cell, Subject, jpeg, studio, workbook
from ffbench.synth.motion.expressions import Frame, to_vector
from ffbench.synth.motion.micro import added, amplitude_factor, sample_drift, sample_micro
from ffbench.synth.scenes.scene import render_frame

VERSION = "2"
RECIPE = "ffbench.synth.minis.casme2_long"
SUBJECTS = 14
EXPRESSIONS = {"others": 22, "disgust": 18, "happiness": 14, "repression": 12, "surprise": 12}
"""Micro-expressions of each emotion in the whole dataset."""
HEIGHT = 300
"""Of the frames, which are 400 px wide; faces are about 175 px wide."""
SHARE_OF_DOUBLES = 0.35
"""Of the clips, as long as a subject has expressions left, show two of them."""
FRAMES = {1: 60, 2: 90}
"""Of a clip by how many expressions it shows. They lie anywhere: who guesses the middle is mostly wrong."""
_NEUTRAL = 6
"""The least neutral frames before, between and after expressions."""
_BLINK = (0.35, 0.8, 0.85, 0.6, 0.25)
"""How far the lids are closed, frame by frame."""
_SHARE_OF_BLINKS = 0.5


@dataclass(frozen=True)
class _Shown:
    """A micro-expression of a clip: numbers of frames, its direction at full strength, its action units and emotion."""

    onset: int
    apex: int
    offset: int
    vector: FloatArray
    units: str
    emotion: str

    def share(self, number: int) -> float:
        """Return how much of it a frame shows: 0 at onset and offset, 1 at apex, smoothly between."""
        rise = (number - self.onset) / (self.apex - self.onset)
        fall = (self.offset - number) / (self.offset - self.apex)
        reached = float(np.clip(min(rise, fall), 0, 1))
        return reached * reached * (3 - 2 * reached)


def make_casme2_long(
    root: Path,
    head: HeadModel,
    seed: int = 0,
    subjects: int = SUBJECTS,
    expressions: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> None:
    """Render the dataset into `root`; the same arguments give the same bytes.

    Args:
        root: a folder.
        head: the model of heads.
        seed: of everything that is drawn.
        subjects: how many people.
        expressions: how many of each emotion; None for `EXPRESSIONS`.
        progress: told how many expressions are written, and how many there are.

    Raises:
        ValueError: no subjects.
    """
    if subjects < 1:
        raise ValueError(f"{subjects} subjects")
    rng = np.random.default_rng([seed, 300])
    shown = [emotion for emotion, count in (expressions or EXPRESSIONS).items() for _ in range(count)]
    order = rng.permutation(subjects)
    rows: list[tuple[Cell, ...]] = []
    for number in range(subjects):
        drawn = np.random.default_rng([seed, 301, number])
        subject = studio(head, drawn, number, HEIGHT)
        mine = drawn.permutation([emotion for at, emotion in enumerate(shown) if order[at % subjects] == number])
        left, take = [str(emotion) for emotion in mine], 0
        while left:
            both = len(left) > 1 and drawn.random() < SHARE_OF_DOUBLES
            emotions, left = left[: 1 + both], left[1 + both :]
            take += 1
            rows += _write_clip(root, subject, np.random.default_rng([seed, 302, number, take]), take, emotions)
            if progress is not None:
                progress(len(rows), len(shown))
    (root / "CASME2-coding-mini.xlsx").write_bytes(workbook(rows))
    mark_synthetic(root, RECIPE, VERSION, seed)


def _write_clip(
    root: Path, subject: Subject, rng: np.random.Generator, take: int, emotions: Sequence[str]
) -> list[tuple[Cell, ...]]:
    """Write the frames of one clip, and give a row of the coding table for each expression."""
    scene, person = subject.scene, subject.scene.person
    # What the head does is drawn before what the face does: no class can have a motion of its own.
    rest = Pose(neck=rng.normal(0, [0.05, 0.06, 0.03]), translation=rng.normal(0, [0.05, 0.03, 0.05]))
    drifts = [sample_drift(rng, person.head, person.shape, scene.camera, rest) for _ in range(2)]
    periods, phases = rng.uniform(20, 60, 2), rng.uniform(0, 2 * np.pi, 2)
    count = FRAMES[len(emotions)]
    steps = rng.integers(3, 7, (len(emotions), 2))
    shown: list[_Shown] = []
    for emotion, onset, (rise, fall) in zip(emotions, _onsets(rng, count, steps.sum(axis=1)), steps, strict=True):
        vector, units = sample_micro(rng, person.head.expression_names, emotion, subject.habits)
        pixels = float(np.clip(np.exp(rng.normal(np.log(1.4), 0.35)) * person.style.vigour, 0.5, 3.0)) * HEIGHT / 480
        vector *= amplitude_factor(person.head, person.shape, scene.camera, rest, vector, pixels)
        apex = onset + int(rise)
        shown.append(_Shown(onset, apex, apex + int(fall), vector, units, emotion))
    lids = _blinks(rng, count, shown)
    closed = to_vector(person.head.expression_names, {"eyeBlink": 1.0}, 0.0)
    name = f"EP{2 + take // 3:02d}_{1 + take % 3:02d}"
    folder = root / "CASME2-RAW" / f"sub{subject.number + 1:02d}" / name
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        pose = rest
        for drift, period, phase in zip(drifts, periods, phases, strict=True):
            pose = added(pose, drift, float(np.sin(2 * np.pi * number / period + phase)))
        face = np.max([lids.get(number, 0.0) * closed, *(one.share(number) * one.vector for one in shown)], axis=0)
        frame = render_frame(scene, Frame(face, pose), 1000 * take + number)
        (folder / f"img{number}.jpg").write_bytes(jpeg(frame.image))
    person_number = f"{subject.number + 1:02d}"
    return [(person_number, name, None, one.onset, one.apex, one.offset, None, one.units, one.emotion) for one in shown]


def _onsets(rng: np.random.Generator, count: int, lengths: npt.NDArray[np.int64]) -> list[int]:
    """Draw where expressions begin in a clip of `count` frames: neutral frames that are left over go anywhere."""
    spare = count - int(lengths.sum()) - len(lengths) - _NEUTRAL * (len(lengths) + 1)
    shares = np.sort(rng.integers(0, spare + 1, len(lengths)))
    before = np.concatenate([[0], np.cumsum(lengths + 1 + _NEUTRAL)[:-1]])
    return [int(onset) for onset in 1 + _NEUTRAL + before + shares]


def _blinks(rng: np.random.Generator, count: int, shown: Sequence[_Shown]) -> dict[int, float]:
    """Draw at most one blink, in a neutral stretch: how far the lids are closed, by number of the frame."""
    busy = {number for one in shown for number in range(one.onset, one.offset + 1)}
    starts = [
        start
        for start in range(2, count - len(_BLINK) + 1)
        if not busy.intersection(range(start - 1, start + len(_BLINK) + 1))
    ]
    if rng.random() >= _SHARE_OF_BLINKS or not starts:
        return {}
    start = int(rng.choice(starts))
    return {start + at: closed for at, closed in enumerate(_BLINK)}


def _make_mini(out: Path, seed: int, progress: Progress | None) -> None:
    make_casme2_long(out, load_makehuman(), seed, progress=progress)


MINI = Mini("casme2_long", VERSION, _make_mini)
