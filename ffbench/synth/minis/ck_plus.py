"""A small dataset in the layout of CK+: acted expressions from neutral to apex, with exact landmarks or vertices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ffbench.datasets.base import Mini, Progress
from ffbench.datasets.images import encode_png
from ffbench.datasets.mark import mark_synthetic
from ffbench.datasets.provenance import mark_png
from ffbench.synth.heads.head import FloatArray, HeadModel, Pose
from ffbench.synth.heads.makehuman import load_makehuman
from ffbench.synth.motion.expressions import Frame, sample_target
from ffbench.synth.render.camera import Camera
from ffbench.synth.render.sensor import Sensor
from ffbench.synth.scenes.background import wall
from ffbench.synth.scenes.scene import RenderedFrame, Scene, metered, render_frame, sample_light, sample_person
from ffbench.synth.scenes.tracks import write_regions, write_track

VERSION = "2"
TRACKS_VERSION = "2"
RECIPE = "ffbench.synth.ck_plus"  # as in those that were made before this module had a package
# The emotion codes of CK+.
CODES = {"anger": 1, "contempt": 2, "disgust": 3, "fear": 4, "happy": 5, "sad": 6, "surprise": 7}
SUBJECTS, SEQUENCES = 12, 24


@dataclass(frozen=True)
class _Take:
    """A sequence as it is acted: what the head does in each frame, and the scene with that frame's light."""

    name: str
    emotion: str
    frames: tuple[tuple[Scene, Frame], ...]

    def render(self, index: int) -> RenderedFrame:
        """Render a frame, counted from 0."""
        scene, frame = self.frames[index]
        return render_frame(scene, frame, int(self.name[-3:]) * 100 + index + 1)


def make_ck_plus(
    root: Path,
    head: HeadModel,
    seed: int = 0,
    subjects: int = SUBJECTS,
    sequences: int = SEQUENCES,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a dataset in the layout of CK+ into `root`.

    Args:
        root: folder, made when it is not there.
        head: the head model.
        seed: the same seed gives the same dataset.
        subjects, sequences: how many; sequences are dealt to the subjects in turn.
        progress: told how many of the sequences are done, and how many there are.

    Raises:
        ValueError: fewer sequences than subjects, or no subjects.
        OSError: a file cannot be written.
    """
    for done, take in enumerate(_takes(head, seed, subjects, sequences), start=1):
        _write_sequence(root, take)
        if progress is not None:
            progress(done, sequences)
    mark_synthetic(root, RECIPE, VERSION, seed)


def make_ck_plus_tracks(
    root: Path,
    head: HeadModel,
    seed: int = 0,
    subjects: int = SUBJECTS,
    sequences: int = SEQUENCES,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write exact tracks of the first and the last frame of each sequence that `make_ck_plus` makes of the same seed.

    Arguments and errors are those of `make_ck_plus`; the layout is the metrical tracker's.
    """
    for done, take in enumerate(_takes(head, seed, subjects, sequences), start=1):
        ends = (0, len(take.frames) - 1)
        write_track(root / take.name, take.frames[0][0], ((take.frames[i][1], take.render(i)) for i in ends))
        if progress is not None:
            progress(done, sequences)
    write_regions(root, head)
    mark_synthetic(root, f"{RECIPE} tracks", TRACKS_VERSION, seed)


def _takes(head: HeadModel, seed: int, subjects: int, sequences: int) -> Iterator[_Take]:
    if not 1 <= subjects <= min(sequences, 999):
        raise ValueError(f"expected 1 to {min(sequences, 999)} subjects for {sequences} sequences, got {subjects}")
    for subject in range(subjects):
        scene = _studio(head, seed, subject)
        for take in range(1, sequences // subjects + (subject < sequences % subjects) + 1):
            yield _act(scene, seed, subject, take)


def _studio(head: HeadModel, seed: int, subject: int) -> Scene:
    """A subject before a plain wall, most of them in grey, as in CK+: 640 x 490, some 640 x 480, faces 200 px wide."""
    rng = np.random.default_rng([seed, 100, subject])
    height, width = (480, 640) if subject % 4 == 3 else (490, 640)
    person = sample_person(head, int(rng.integers(2**31)))
    middle = head.landmarks(head.template)[27:36].mean(axis=0)
    size = rng.uniform(118, 150)
    distance = rng.uniform(11, 15)
    aim = (middle + rng.normal(0, [0.12, 0.08, 0])).tolist()
    light = sample_light(rng)
    return Scene(
        person=person,
        light=light,
        camera=Camera(height, width, size * distance, distance, (aim[0], aim[1], aim[2] - 0.5)),
        background=wall(rng, height, width),
        sensor=Sensor(
            exposure=float(rng.uniform(0.95, 1.2) * metered(person, light)),
            contrast=float(rng.uniform(0.1, 0.4)),
            blur=float(rng.uniform(0.4, 0.8)),
            noise=float(rng.uniform(1.0, 3.0)),
            grey=subject % 6 != 5,
        ),
        seed=int(rng.integers(2**31)),
    )


def _act(scene: Scene, seed: int, subject: int, take: int) -> _Take:
    rng = np.random.default_rng([seed, 101, subject, take])
    # Subjects act different emotions in their takes, and over all subjects every emotion comes up.
    emotion = list(CODES)[(subject + 3 * (take - 1)) % len(CODES)]
    person, names = scene.person, scene.person.head.expression_names
    apex = sample_target(rng, names, emotion, person.style, float(rng.uniform(0.8, 1.15)))
    rest = Pose(neck=rng.normal(0, [0.05, 0.06, 0.03]), translation=rng.normal(0, [0.06, 0.04, 0.05]))
    drift = Pose(neck=rng.normal(0, [0.02, 0.02, 0.012]), translation=rng.normal(0, [0.03, 0.03, 0.03]))
    frames: list[tuple[Scene, Frame]] = []
    for share in _onset(int(rng.integers(6, 11))):
        pose = Pose(neck=rest.neck + share * drift.neck, translation=rest.translation + share * drift.translation)
        # The light of old video is never quite steady.
        flicker = replace(scene.sensor, exposure=scene.sensor.exposure * float(np.exp(rng.normal(0, 0.012))))
        frames.append((replace(scene, sensor=flicker), Frame(share * apex, pose)))
    return _Take(f"S{subject + 1:03d}_{take:03d}", emotion, tuple(frames))


def _write_sequence(root: Path, take: _Take) -> None:
    images, landmarks, emotions = (
        root / kind / take.name[:4] / take.name[5:] for kind in ("cohn-kanade-images", "Landmarks", "Emotion")
    )
    for folder in (images, landmarks, emotions):
        folder.mkdir(parents=True, exist_ok=True)
    stem = ""
    for index, (scene, _) in enumerate(take.frames):
        frame = take.render(index)
        stem = f"{take.name}_{index + 1:08d}"
        image = frame.image[..., 0] if scene.sensor.grey else frame.image
        (images / f"{stem}.png").write_bytes(mark_png(encode_png(image)))
        rows = "".join(f"   {x:.7e}   {y:.7e}\n" for x, y in frame.landmarks)
        (landmarks / f"{stem}_landmarks.txt").write_text(rows)
    (emotions / f"{stem}_emotion.txt").write_text(f"   {CODES[take.emotion]:.7e}\n")


def _onset(count: int) -> FloatArray:
    """How far an acted expression is in each frame, from 0 to 1: slow, fast, slow."""
    share = np.linspace(0, 1, count)
    return np.asarray(share * share * (3 - 2 * share))


def _make_mini(out: Path, seed: int, progress: Progress | None) -> None:
    make_ck_plus(out, load_makehuman(), seed, progress=progress)


MINI = Mini("ck_plus", VERSION, _make_mini)


def _make_mini_tracks(out: Path, seed: int, progress: Progress | None) -> None:
    make_ck_plus_tracks(out, load_makehuman(), seed, progress=progress)


TRACKS_MINI = Mini("ck_plus_tracks", TRACKS_VERSION, _make_mini_tracks)
