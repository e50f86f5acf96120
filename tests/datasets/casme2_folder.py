"""A CASME II folder of invented clips and plain images, in the layout in which it is distributed."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ffbench.datasets.casme2.coding import COLUMNS
from ffbench.datasets.casme2.scan import OFFICIAL_EMOTIONS, OFFICIAL_SUBJECTS
from ffbench.synth.minis.casme2 import workbook as workbook

Cell = str | int | None
Row = tuple[Cell, ...]
# Subject, Filename, blank, onset, apex, offset, blank, action units, emotion: as the authors' table has them.
ROWS: list[Row] = [
    ("01", "EP02_01f", None, 46, 59, 86, None, "12", "happiness"),
    (1, "EP03_02", None, 7, 9, 12, None, "L10", "disgust"),
    ("02", "EP02_01f", None, 3, 5, 8, None, "4+7", "disgust"),
    ("02", "EP06_02f", None, 3, 6, 8, None, 14, "others"),
    ("02", "EP07_01", None, 3, 6, 8, None, "6+12", "happiness"),
    ("03", "EP01_01", None, 2, 4, 8, None, "1+2", "surprise"),
    ("03", "EP01_02", None, 2, 4, 8, None, "15", "repression"),
    ("04", "EP12_01f", None, 21, "/", 61, None, "4", "others"),
    ("04", "EP13_02f", None, 5, 7, 9, None, "4", "others"),
    ("04", "EP14_01", None, 5, 7, 9, None, "17", "repression"),
    ("04", "EP15_01", None, 5, 7, 9, None, "2", "surprise"),
    ("05", "EP09_05f", None, 5, 5, 9, None, "4", "disgust"),
    ("05", "EP10_01", None, 5, 6, 9, None, "1+4", "sadness"),
]


def official_rows() -> list[Row]:
    """As many rows of each emotion and subjects as the authors' table has, with its two clips of no known motion."""
    rows: list[Row] = [
        ("04", "EP12_01f", None, 1, "/", 4, None, "4", "disgust"),
        ("05", "EP09_05f", None, 1, 1, 3, None, "4", "disgust"),
    ]
    counts = {**OFFICIAL_EMOTIONS, "disgust": OFFICIAL_EMOTIONS["disgust"] - len(rows)}
    emotions = [emotion for emotion, count in counts.items() for _ in range(count)]
    for number, emotion in enumerate(emotions):
        subject, take = number % OFFICIAL_SUBJECTS + 1, number // OFFICIAL_SUBJECTS
        rows.append((f"{subject:02d}", f"EP{take:02d}_01", None, 1, 2, 3, None, "4", emotion))
    return rows


def make_casme2(root: Path, rows: Sequence[Row] = ROWS, raw: str = "CASME2-RAW", cropped: str = "Cropped") -> Path:
    """Write the coding table and the frames from onset to offset."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "CASME2-coding-20140508.xlsx").write_bytes(workbook(list(rows)))
    for number, row in enumerate(rows):
        for folder, prefix, size in ((raw, "img", (64, 48)), (cropped, "reg_img", (28, 34))):
            clip = root / folder / f"sub{int(str(row[0])):02d}" / str(row[1])
            clip.mkdir(parents=True)
            for frame in range(int(str(row[3])), int(str(row[5])) + 1):
                Image.fromarray(np.full((size[1], size[0], 3), (number * 7 + frame) % 256, np.uint8)).save(
                    clip / f"{prefix}{frame}.jpg"
                )
    return root


def coding_csv(rows: Sequence[Row], delimiter: str = ",") -> bytes:
    """The table as a spreadsheet program exports it."""
    names = list(COLUMNS.values())
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow([*names[:2], "", *names[2:5], "", *names[5:]])
    writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")
