"""Folders of invented clips in the layouts of SAMM, SMIC-HS, CAS(ME)^3 part A, MMEW, MEGC 2019 and `clips.csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openpyxl
from PIL import Image

Cell = str | int | None
SIZE = (24, 20)


def sheet(rows: Sequence[Sequence[Cell]], title: str = "Sheet1") -> bytes:
    """A workbook of one sheet."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = title
    for row in rows:
        page.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def frames(folder: Path, names: Sequence[str], shade: int, mode: str = "RGB") -> None:
    """Write a frame of one shade for each name; every frame of every clip is another."""
    folder.mkdir(parents=True)
    for step, name in enumerate(names):
        pixels = np.full((SIZE[1], SIZE[0], 3), (shade % 200, 5 * step % 256, shade // 200), np.uint8)
        pixels[:4, :4] = step % 256
        Image.fromarray(pixels).convert(mode).save(folder / name)


# Subject, clip, onset, apex, offset, emotion.
SAMM_ROWS: list[tuple[Cell, ...]] = [
    ("006", "006_1_2", 5562, 5565, 5568, "Anger"),
    ("006", "006_1_3", 2975, 2977, 2980, "Happiness"),
    (7, "007_3_1", 132, 135, 140, "Anger"),
    (7, "007_3_2", 10, 13, 15, "Other"),
    ("011", "011_1_1", 50, 53, 56, "Happiness"),
    ("011", "011_2_1", 60, 60, 66, "Surprise"),
    ("011", "011_2_2", 70, "", 76, "Surprise"),
    ("012", "012_1_1", 80, 83, 86, "Sadness"),
]


def make_samm(root: Path, rows: Sequence[tuple[Cell, ...]] = SAMM_ROWS) -> Path:
    """A table with notes above it, and gray frames from onset to offset."""
    root.mkdir(parents=True, exist_ok=True)
    notes = [[f"note {number}"] for number in range(13)]
    head = ["Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration", "Micro",
            "Action Units", "Estimated Emotion", "Objective Classes", "Notes"]  # fmt: skip
    body = [[row[0], row[1], 1, row[2], row[3], row[4], "", "Micro - 1/2", "AU4", row[5], 3, ""] for row in rows]
    (root / "SAMM_Micro_FACS_Codes_v2.xlsx").write_bytes(sheet([*notes, head, *body]))
    for number, (subject, clip, onset, _, offset, _) in enumerate(rows):
        name = f"{int(str(subject)):03d}"
        files = [f"{name}_{frame:05d}.jpg" for frame in range(int(str(onset)), int(str(offset)) + 1)]
        frames(root / name / str(clip), files, 1 + 7 * number, "L")
    return root


SMIC_CLIPS = {
    "s1": {"negative": ["s1_ne_01", "s1_ne_02"], "surprise": ["s1_sur_01"]},
    "s2": {"negative": ["s2_ne_01"], "positive": ["s2_po_01"]},
    "s11": {"positive": ["s11_po_01"], "surprise": ["s11_sur_01"]},
}


def make_smic(root: Path) -> Path:
    """Frames from onset to offset as .bmp, and clips that are no micro-expressions."""
    shade = 0
    for subject, emotions in SMIC_CLIPS.items():
        for emotion, clips in emotions.items():
            for clip in clips:
                shade += 5
                frames(root / "HS" / subject / "micro" / emotion / clip, [f"image{n:06d}.bmp" for n in range(237, 242)],
                       shade)  # fmt: skip
        frames(root / "HS" / subject / "non_micro" / f"{subject}_non_01", ["image000001.bmp"], 9)
    return root


CASME3_ROWS: list[tuple[Cell, ...]] = [
    ("spNO.1", "a", 116, 118, 121, "disgust"),
    ("spNO.1", "a", 355, 357, 360, "surprise"),
    ("spNO.10", "b", 20, 22, 25, "disgust"),
    ("spNO.10", "c", 30, 30, 31, "surprise"),
    ("spNO.2", "a", 1, 3, 4, "surprise"),
]


def make_casme3(root: Path, rows: Sequence[tuple[Cell, ...]] = CASME3_ROWS, *, whole: bool = False) -> Path:
    """The table, and frames of each clip alone or of whole videos."""
    root.mkdir(parents=True, exist_ok=True)
    head = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
    body = [[*row[:5], "4", "I", row[5]] for row in rows]
    place = root / "annotation"
    place.mkdir()
    (place / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx").write_bytes(sheet([head, *body], "label"))
    videos: dict[tuple[str, str], int] = {}
    for number, (subject, clip, onset, _, offset, _) in enumerate(rows):
        names = [f"{frame}.jpg" for frame in range(int(str(onset)), int(str(offset)) + 1)]
        if not whole:
            frames(root / "Part_A_ME_clip" / "frame" / f"{str(subject).replace('NO', 'No')}_{clip}_{onset}", names,
                   3 + 11 * number)  # fmt: skip
        elif (str(subject), str(clip)) not in videos:
            videos[str(subject), str(clip)] = number
            names = [f"{frame}.jpg" for frame in range(1, 400)]
            frames(root / "part_A" / str(subject) / str(clip) / "color", names, 3 + 11 * number)
    return root


MMEW_ROWS: list[tuple[Cell, ...]] = [
    (1, "S01-02-001", 1, 4, 7, "anger"),
    (1, "S01-05-001", 1, 3, 6, "surprise"),
    (2, "S02-02-001", 1, 4, 7, "anger"),
    (3, "S03-05-001", 1, 5, 7, "surprise"),
    (3, "S03-07-001", 2, 5, 7, "others"),
]


def make_mmew(root: Path) -> Path:
    """The table, and a folder of frames for each emotion and clip."""
    root.mkdir(parents=True, exist_ok=True)
    head = [
        "Subject",
        "Filename",
        "OnsetFrame",
        "ApexFrame",
        "OffsetFrame",
        "Action Units",
        "Estimated Emotion",
        "remarks",
    ]
    body = [[*row[:5], "4", row[5], ""] for row in MMEW_ROWS]
    (root / "MMEW_Micro_Exp.xlsx").write_bytes(sheet([head, *body]))
    for number, (_, clip, _, _, offset, emotion) in enumerate(MMEW_ROWS):
        names = [f"{frame}.jpg" for frame in range(1, int(str(offset)) + 1)]
        frames(root / "Micro_Expression" / str(emotion) / str(clip), names, 2 + 13 * number)
    return root


COLUMNS = ("clip", "subject", "onset", "apex", "offset", "label", "folder")
OWN_ROWS: list[tuple[Cell, ...]] = [
    ("c1", "ann", 1, 3, 5, "happiness", "frames/ann/c1"),
    ("c2", "ann", 1, 3, 5, "disgust", "frames/ann/c2"),
    ("c1", "bob", 1, 3, 5, "happiness", "frames/bob/c1"),
    ("c2", "bob", 1, 3, 5, "disgust", "frames/bob/c2"),
    ("c1", "eve", 1, 3, "", "happiness", "frames/eve/c1"),
]


def own_table(rows: Sequence[Sequence[Cell]], columns: Sequence[str] = COLUMNS) -> str:
    """`clips.csv` of rows."""
    content = io.StringIO()
    csv.writer(content).writerows([columns, *rows])
    return content.getvalue()


def make_own(root: Path, rows: Sequence[Sequence[Cell]] = OWN_ROWS) -> Path:
    """`clips.csv` and its frames, 1 to 5 of each clip."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "clips.csv").write_text(own_table(rows), "utf-8")
    for number, row in enumerate(rows):
        frames(root / str(row[6]), [f"{n:03d}.png" for n in range(1, 6)], 4 + 17 * number)
    return root
