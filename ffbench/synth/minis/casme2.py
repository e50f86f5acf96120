"""A small dataset in the layout of CASME II: micro-expressions of synthetic faces, with head motion of its own."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ffbench.datasets.base import Mini, Progress
from ffbench.datasets.casme2.scan import MEGC_LIST
from ffbench.datasets.mark import mark_synthetic
from ffbench.datasets.provenance import mark_jpeg
from ffbench.synth.heads.head import FloatArray, HeadModel, Pose
from ffbench.synth.heads.makehuman import load_makehuman
from ffbench.synth.motion.expressions import Frame
from ffbench.synth.motion.micro import (
    VARIANTS,
    MicroExpressionStyle,
    added,
    amplitude_factor,
    sample_drift,
    sample_micro,
    sample_micro_expression_style,
)
from ffbench.synth.render.camera import Camera
from ffbench.synth.render.sensor import Sensor
from ffbench.synth.scenes.background import wall
from ffbench.synth.scenes.scene import Scene, metered, render_frame, sample_light, sample_person
from ffbench.typing import Image

VERSION = "2"
RECIPE = "ffbench.synth.casme2"  # as in those that were made before this module had a package
SUBJECTS = 14
CLIPS = {
    "others": 28, "disgust": 22, "happiness": 14, "repression": 14, "surprise": 12, "sadness": 3, "fear": 2
}  # fmt: skip
"""Clips of each emotion, about as unequal as in CASME II."""
CROP_SIZE = (240, 280)
"""Width and height of the registered faces."""
# Where the crop has the eyes' middles, the nose's tip and the mouth's corners, in shares of its size.
_CROP_POINTS = np.array([[0.31, 0.36], [0.69, 0.36], [0.5, 0.57], [0.36, 0.76], [0.64, 0.76]])
_HEADER = (
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
)
_MEGC = {"disgust": 0, "repression": 0, "happiness": 1, "surprise": 2}
_JPEG = 90

Cell = str | int | None


@dataclass(frozen=True)
class Subject:
    """One subject: number from 0, the scene in which it sits, and how it shows micro-expressions."""

    number: int
    scene: Scene
    habits: MicroExpressionStyle


def make_casme2(
    root: Path,
    head: HeadModel,
    seed: int = 0,
    subjects: int = SUBJECTS,
    clips: dict[str, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a dataset in the layout of CASME II into `root`.

    Beside `clips` it has one clip whose apex nobody coded, and one whose apex is its onset, as CASME II has.

    Args:
        root: folder, made when it is not there.
        head: the head model.
        seed: the same seed gives the same dataset.
        subjects: how many; each emotion's clips are dealt to them in turn.
        clips: how many of each emotion; default `CLIPS`.
        progress: told how many of the clips are done, and how many there are.

    Raises:
        ValueError: fewer than one or more than 99 subjects.
        OSError: a file cannot be written.
    """
    if not 1 <= subjects <= 99:
        raise ValueError(f"expected 1 to 99 subjects, got {subjects}")
    rng = np.random.default_rng([seed, 200])
    shown = [emotion for emotion, count in (clips or CLIPS).items() for _ in range(count)]
    # Each emotion starts with another subject, so that nobody has all the first ones.
    dealt: list[list[str]] = [[] for _ in range(subjects)]
    order = rng.permutation(subjects)
    for number, emotion in enumerate([*shown, "others", "disgust"]):
        dealt[int(order[number % subjects])].append(emotion)
    irregular = {len(shown): "/", len(shown) + 1: "onset"}
    takes = {int(order[number % subjects]): kind for number, kind in irregular.items()}
    rows: list[tuple[Cell, ...]] = []
    megc: list[str] = []
    for number, emotions in enumerate(dealt):
        subject = studio(head, np.random.default_rng([seed, 201, number]), number)
        for take, emotion in enumerate(emotions, start=1):
            kind = takes.get(number) if take == len(emotions) else None
            rows.append(_write_clip(root, subject, seed, take, emotion, kind))
            if kind is None and emotion in _MEGC:
                megc.append(f"casme2,sub{number + 1:02d},{rows[-1][1]},{_MEGC[emotion]}\n")
            if progress is not None:
                progress(len(rows), len(shown) + 2)
    (root / "CASME2-coding-mini.xlsx").write_bytes(workbook(rows))
    (root / MEGC_LIST).write_text("".join(megc))
    mark_synthetic(root, RECIPE, VERSION, seed)


def crop_transform(landmarks: FloatArray) -> FloatArray:
    """Return the similarity (2, 3) that takes a frame with these 68 landmarks to the registered face, px to px."""
    import cv2

    points = np.stack([landmarks[s].mean(axis=0) for s in (slice(36, 42), slice(42, 48), slice(33, 34))])
    points = np.concatenate([points, landmarks[[48, 54]]])
    transform, _ = cv2.estimateAffinePartial2D(points, _CROP_POINTS * CROP_SIZE, method=cv2.LMEDS)
    return np.asarray(transform, np.float64)


def workbook(rows: list[tuple[Cell, ...]], header: Sequence[tuple[Cell, ...]] = (_HEADER,)) -> bytes:
    """Make a table of `rows` below those of `header`, the columns of CASME II; the same rows give the same bytes."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for row in (*header, *rows):
        sheet.append(row)
    written = io.BytesIO()
    book.save(written)
    packed = io.BytesIO()
    # Workbooks carry the time of writing, in the archive's directory and in a property.
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2014-05-08T00:00:00Z", source.read(member))
            target.writestr(zipfile.ZipInfo(member.filename), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def studio(
    head: HeadModel,
    rng: np.random.Generator,
    number: int,
    height: int = 480,
    variants: Mapping[str, tuple[tuple[str, ...], ...]] = VARIANTS,
) -> Subject:
    """Draw a subject before a plain wall in steady light.

    Args:
        head: the model of heads.
        rng: source of chance.
        number: of the subject, from 0.
        height: of the frames in px, whose width is 4/3 of it; faces are about 7/12 of it wide.
        variants: the ways of showing each emotion.
    """
    width, scale = height * 4 // 3, height / 480
    person = sample_person(head, int(rng.integers(2**31)))
    middle = head.landmarks(head.template)[27:36].mean(axis=0)
    size, distance = scale * rng.uniform(165, 190), rng.uniform(10, 14)
    aim = middle + rng.normal(0, [0.1, 0.06, 0])
    light = sample_light(rng)
    scene = Scene(
        person=person,
        light=light,
        camera=Camera(height, width, size * distance, distance, (float(aim[0]), float(aim[1]), float(aim[2] - 0.5))),
        background=wall(rng, height, width),
        sensor=Sensor(
            exposure=float(rng.uniform(0.95, 1.15) * metered(person, light)),
            contrast=float(rng.uniform(0.1, 0.35)),
            blur=float(rng.uniform(0.4, 0.7)),
            noise=float(rng.uniform(0.5, 1.2)),
        ),
        seed=int(rng.integers(2**31)),
    )
    return Subject(number, scene, sample_micro_expression_style(rng, person.style, variants))


def _write_clip(root: Path, subject: Subject, seed: int, take: int, emotion: str, kind: str | None) -> tuple[Cell, ...]:
    """Write the frames of one clip, from one before onset to offset, and give its row of the coding table."""
    rng = np.random.default_rng([seed, 202, subject.number, take])
    scene, person = subject.scene, subject.scene.person
    # What the head does is drawn apart from what the face does, and before it: no class can have a motion of its own.
    rest = Pose(neck=rng.normal(0, [0.05, 0.06, 0.03]), translation=rng.normal(0, [0.05, 0.03, 0.05]))
    drift = sample_drift(rng, person.head, person.shape, scene.camera, rest)
    pixels = float(np.clip(np.exp(rng.normal(np.log(1.4), 0.35)) * person.style.vigour, 0.5, 3.0))
    before, rise, fall = (int(n) for n in rng.integers([0, 2, 1], [2, 4, 3]))
    vector, units = sample_micro(rng, person.head.expression_names, emotion, subject.habits)
    vector *= amplitude_factor(person.head, person.shape, scene.camera, rest, vector, pixels)
    onset, apex = 1 + before, 1 + before + rise
    offset = apex + fall
    name = f"EP{2 + take // 3:02d}_{1 + take % 3:02d}" + ("f" if take % 2 else "")
    folders = [root / kind / f"sub{subject.number + 1:02d}" / name for kind in ("CASME2-RAW", "Cropped")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    crop: FloatArray | None = None
    for number in range(1, offset + 1):
        pose = added(rest, drift, (number - onset) / rise)
        frame = render_frame(scene, Frame(shown_share(number, onset, apex, offset) * vector, pose), 100 * take + number)
        # Registered by the first frame of the clip, as the authors did.
        crop = crop_transform(frame.landmarks) if crop is None else crop
        (folders[0] / f"img{number}.jpg").write_bytes(jpeg(frame.image))
        (folders[1] / f"reg_img{number}.jpg").write_bytes(jpeg(_cropped(frame.image, crop)))
    coded: Cell = "/" if kind == "/" else onset if kind == "onset" else apex
    return f"{subject.number + 1:02d}", name, None, onset, coded, offset, None, units, emotion


def shown_share(number: int, onset: int, apex: int, offset: int) -> float:
    """Return how much of the expression a frame shows: 0 at onset, smoothly to 1 at apex, most of it gone at offset."""
    if number <= apex:
        rising = max(number - onset, 0) / (apex - onset)
        return rising * rising * (3 - 2 * rising)
    return 1 - 0.8 * (number - apex) / (offset - apex)


def _cropped(image: Image, transform: FloatArray) -> Image:
    import cv2

    warped = cv2.warpAffine(image, transform, CROP_SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(warped, np.uint8)


def jpeg(image: Image) -> bytes:
    """Encode an image, marked as made by the face engine."""
    import cv2

    _, code = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG])
    return mark_jpeg(code.tobytes())


def _make_mini(out: Path, seed: int, progress: Progress | None) -> None:
    make_casme2(out, load_makehuman(), seed, progress=progress)


MINI = Mini("casme2", VERSION, _make_mini)
