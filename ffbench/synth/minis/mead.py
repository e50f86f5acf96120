"""A small dataset in the layout of MEAD: short videos of people who talk with emotion, and exact tracks of them.

<root>/M001/video/front/angry/level_1/001.mp4     as MEAD is distributed
<root>/M001_front_angry_level_1_001/...           as the metrical tracker leaves it, with the exact mesh
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ffbench.datasets.base import Mini, Progress
from ffbench.datasets.mark import mark_synthetic
from ffbench.synth.appearance.look import sample_appearance
from ffbench.synth.heads.head import FloatArray, HeadModel, Pose
from ffbench.synth.heads.makehuman import load_makehuman
from ffbench.synth.motion.expressions import Frame, sample_style, sample_target, to_vector
from ffbench.synth.render.camera import Camera
from ffbench.synth.render.sensor import Sensor
from ffbench.synth.scenes.background import wall
from ffbench.synth.scenes.scene import RenderedFrame, Scene, make_person, metered, render_frame, sample_light
from ffbench.synth.scenes.tracks import write_regions, write_track
from ffbench.synth.scenes.video import lossless_video

VERSION = "2"
RECIPE = "ffbench.synth.mead"  # as in those that were made before this module had a package
SUBJECTS, FRAMES = 8, 10
HEIGHT, WIDTH, RATE = 540, 960, 30.0
"""MEAD's frames are twice as high and wide, as many in a second."""
EMOTIONS = {
    "angry": "anger", "contempt": "contempt", "disgusted": "disgust", "fear": "fear", "happy": "happy",
    "neutral": "neutral", "sad": "sad", "surprised": "surprise"
}  # fmt: skip
"""MEAD's names for the emotions, and the engine's."""
INTENSITY = {1: 0.45, 2: 0.75, 3: 1.05}
"""Of the levels; neutral videos have the first only."""
# What the mouth does in speech: units of a few sounds that are told apart by sight.
_SOUNDS: tuple[dict[str, float], ...] = (
    {"jawOpen": 0.45, "mouthLowerDown": 0.25},
    {"jawOpen": 0.15, "mouthStretch": 0.35, "mouthUpperUp": 0.2},
    {"jawOpen": 0.3, "mouthFunnel": 0.6},
    {"jawOpen": 0.08, "mouthPucker": 0.7},
    {"mouthPress": 0.5, "mouthRollLower": 0.3},
    {"mouthRollLower": 0.45, "mouthUpperUp": 0.2},
    {},
)
_SOUND_FRAMES = 4
"""From one sound to the next, which is seven or eight in a second."""


@dataclass(frozen=True)
class _Subject:
    """Somebody in the studio, by a name as MEAD's: M is a man, W is a woman."""

    name: str
    scene: Scene


def make_mead(
    root: Path,
    head: HeadModel,
    seed: int = 0,
    subjects: int = SUBJECTS,
    frames: int = FRAMES,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a dataset in the layout of MEAD into `root`, and its tracks beside the subjects.

    Args:
        root: folder, made when it is not there.
        head: the head model.
        seed: the same seed gives the same frames and tracks.
        subjects: how many; every second one has two videos, the others have one.
        frames: of each video.
        progress: told how many of the videos are done, and how many there are.

    Raises:
        ValueError: no subjects, more than MEAD's names allow, or a video of one frame.
        DataError: a video cannot be written.
        OSError: another file cannot be written.
    """
    if not 1 <= subjects <= 999 or frames < 2:
        raise ValueError(f"expected 1 to 999 subjects and videos of 2 frames at least, got {subjects} and {frames}")
    videos = [(subject, take) for subject in range(subjects) for take in range(1 + subject % 2)]
    done = itertools.count(1)
    for number, takes in itertools.groupby(videos, key=lambda video: video[0]):
        subject = _make_subject(head, seed, number)
        for _, take in takes:
            _write_video(root, subject, seed, number, take, frames)
            if progress is not None:
                progress(next(done), len(videos))
    write_regions(root, head)
    mark_synthetic(root, RECIPE, VERSION, seed)


def _make_subject(head: HeadModel, seed: int, number: int) -> _Subject:
    """Seat somebody before a plain wall; the face is about 200 px wide, as MEAD's are at half their size."""
    rng = np.random.default_rng([seed, 500, number])
    identity = head.sample_identity(rng)
    male, old = head.traits(identity)
    person = make_person(head, identity, sample_appearance(rng, male, old), sample_style(rng))
    middle = head.landmarks(head.template)[27:36].mean(axis=0)
    size, distance = rng.uniform(115, 140), rng.uniform(12, 18)
    aim = middle + rng.normal(0, [0.15, 0.08, 0])
    light = sample_light(rng)
    scene = Scene(
        person=person,
        light=light,
        camera=Camera(HEIGHT, WIDTH, size * distance, distance, (float(aim[0]), float(aim[1]), float(aim[2] - 0.5))),
        background=wall(rng, HEIGHT, WIDTH),
        sensor=Sensor(
            exposure=float(rng.uniform(0.95, 1.2) * metered(person, light)),
            contrast=float(rng.uniform(0.1, 0.4)),
            blur=float(rng.uniform(0.3, 0.6)),
            noise=float(rng.uniform(0.6, 1.6)),
        ),
        seed=int(rng.integers(2**31)),
    )
    man = number % 2 == 0 if male is None else male >= 0.5
    return _Subject(f"{'M' if man else 'W'}{number + 1:03d}", scene)


def _write_video(root: Path, subject: _Subject, seed: int, number: int, take: int, frames: int) -> None:
    emotion = list(EMOTIONS)[(number + 3 * take) % len(EMOTIONS)]
    level = 1 if emotion == "neutral" else 1 + (number + take) % len(INTENSITY)
    rng = np.random.default_rng([seed, 501, number, take])
    acted = _talk(rng, subject.scene, EMOTIONS[emotion], INTENSITY[level], frames)
    folder = root / subject.name / "video" / "front" / emotion / f"level_{level}"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{take + 1:03d}"
    with lossless_video(folder / f"{name}.mp4", WIDTH, HEIGHT, RATE) as add:

        def shots() -> Iterator[tuple[Frame, RenderedFrame]]:
            for index, frame in enumerate(acted):
                rendered = render_frame(subject.scene, frame, take * 1000 + index)
                add(rendered.image)
                yield frame, rendered

        write_track(root / f"{subject.name}_front_{emotion}_level_{level}_{name}", subject.scene, shots())


def _talk(rng: np.random.Generator, scene: Scene, emotion: str, intensity: float, frames: int) -> list[Frame]:
    """Act some frames out of a sentence: an emotion that swells, a mouth that speaks, a head that sways, a blink."""
    style, names = scene.person.style, scene.person.head.expression_names
    shown = sample_target(rng, names, emotion, style, intensity)
    sounds = rng.integers(len(_SOUNDS), size=frames // _SOUND_FRAMES + 2)
    loudness = rng.uniform(0.7, 1.1, len(sounds)) * style.vigour
    mouth = [to_vector(names, _SOUNDS[s], style.lean, gain) for s, gain in zip(sounds, loudness, strict=True)]
    blink = frames * float(rng.uniform(0.2, 0.8)) if rng.random() < 0.6 else -np.inf
    rest = rng.normal(0, [0.05, 0.08, 0.03])
    sway = rng.normal(0, [0.025, 0.03, 0.015, 0.03, 0.02, 0.03])
    pace, phase, swell = rng.uniform(0.5, 1.3, 6), rng.uniform(0, 2 * np.pi, 6), rng.uniform(0, 2 * np.pi)
    acted: list[Frame] = []
    for index in range(frames):
        seconds = index / RATE
        sound, share = divmod(index / _SOUND_FRAMES, 1)
        share = share * share * (3 - 2 * share)
        speech = mouth[int(sound)] * (1 - share) + mouth[int(sound) + 1] * share
        lid = to_vector(names, {"eyeBlink": 1.0}, 0.0, max(1 - abs(index - blink) / 3, 0.0))
        swollen = shown * (0.85 + 0.15 * np.sin(2 * np.pi * 0.7 * seconds + swell))
        turn = sway * np.sin(2 * np.pi * pace * seconds + phase)
        # Of what a muscle is to show and to say it does the stronger: both together would fold skin over itself.
        expression: FloatArray = np.maximum(np.maximum(swollen, speech), lid)
        acted.append(Frame(expression, Pose(neck=rest + turn[:3], translation=turn[3:])))
    return acted


def _make_mini(out: Path, seed: int, progress: Progress | None) -> None:
    make_mead(out, load_makehuman(), seed, progress=progress)


MINI = Mini("mead", VERSION, _make_mini)
