"""All faults of a submission in one report."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from ffbench.flow.files import read_flow, write_flow
from ffbench.flow.formats.flo import HEADER, MAGIC
from ffbench.submissions.checking.validation import NAMES_SHOWN
from tests.submissions.toys import check, make_submission, packer
from tests.toys import Stripes

HEADER_BYTES = HEADER.size
PAIRS = 40


def spoil(folder: Path) -> None:
    """Return each fault to a known number of files."""
    facial = folder / "facial"
    for number in range(12):
        (facial / f"{number:03d}.flo").unlink()
    (folder / "notes.txt").write_text("hello")
    (facial / "999.flo").write_bytes((facial / "020.flo").read_bytes())
    write_flow(facial / "020.flo5", read_flow(facial / "020.flo"))
    write_flow(facial / "021.flo", np.zeros((16, 12, 2)))
    write_flow(facial / "022.flo", np.zeros((200, 300, 2)))
    content = (facial / "023.flo").read_bytes()
    (facial / "023.flo").write_bytes(b"FLOW" + content[4:])
    (facial / "024.flo").write_bytes(content[:-1])
    (facial / "025.flo").write_bytes(content[:HEADER_BYTES] + struct.pack("<f", np.nan) + content[16:])
    (facial / "026.flo").write_bytes(content[:HEADER_BYTES] + struct.pack("<f", -np.inf) + content[16:])
    (facial / "027.flo").write_bytes(content[:HEADER_BYTES] + struct.pack("<f", 1e10) + content[16:])
    (facial / "028.flo").write_bytes(content + b"\0")
    (facial / "029.flo").write_bytes(b"")


@pytest.mark.parametrize("container", ["folder", "zip", "tar", "gztar"])
def test_all_faults_are_reported_together(tmp_path: Path, container: str) -> None:
    folder = make_submission(tmp_path / "a", Stripes(PAIRS))
    spoil(folder)
    report = check(packer(container)(folder), Stripes(PAIRS))
    counts = {fault: found.count for fault, found in report.problems.items()}
    assert counts == {
        "missing": 12,
        "extra": 2,
        "duplicate": 1,
        "wrong size": 2,
        "wrong format": 1,
        "truncated": 2,
        "not finite": 2,
        "unknown": 1,
        "damaged": 1,
    }
    assert not report.sound
    first = {fault: found.first for fault, found in report.problems.items()}
    assert first["missing"] == [f"facial/{number:03d}.flo" for number in range(NAMES_SHOWN)]
    assert sorted(first["extra"]) == ["facial/999.flo", "notes.txt"]
    assert first["wrong size"][0] == ("facial/021.flo: flow is 12 x 16 (width x height), expected 16 x 12: transposed?")
    assert first["wrong size"][1] == "facial/022.flo: 480012 bytes, expected 1548 as .flo"
    assert "starts with b'FLOW'" in first["wrong format"][0]
    assert "1547 bytes, expected 1548" in first["truncated"][0]
    assert first["not finite"][0].endswith("1 flow values are NaN or infinite (first at row 0, column 0)")
    assert str(tmp_path) not in "\n".join(report.lines())
    lines = report.lines()
    assert "  ... and 2 more" in lines
    assert lines[0] == "40 files expected, 19 found and sound"


def test_valid_submission_has_no_faults(tmp_path: Path) -> None:
    report = check(make_submission(tmp_path / "a", Stripes(6), decomposes=True))
    assert report.sound
    assert report.lines() == ["12 files expected, 12 found and sound"]
    assert {kind: sorted(names) for kind, names in report.files.items()} == {
        kind: [f"{number:03d}" for number in range(6)] for kind in ("facial", "head")
    }


def test_optional_folder_holds_all_pairs_or_none(tmp_path: Path) -> None:
    folder = make_submission(tmp_path / "a", decomposes=True)
    (folder / "head" / "001.flo").unlink()
    assert check(folder).problems["missing"].first == ["head/001.flo"]
    shutil.rmtree(folder / "head")
    assert check(folder).sound


def test_backward_flows_are_extra_where_nothing_uses_them(tmp_path: Path) -> None:
    folder = make_submission(tmp_path / "a", Stripes(6, backward=True))
    assert check(folder, Stripes(6, backward=True)).sound
    assert check(folder).problems["extra"].count == 6


def test_expression_flow_in_place_of_facial_is_missing_and_extra(tmp_path: Path) -> None:
    folder = make_submission(tmp_path / "a")
    (folder / "facial").rename(folder / "expression")
    counts = {fault: found.count for fault, found in check(folder).problems.items()}
    assert counts == {"missing": 6, "extra": 6}


def test_damaged_flo5_and_png_are_named(tmp_path: Path) -> None:
    folder = make_submission(tmp_path / "a")
    facial = folder / "facial"
    for number, suffix in ((1, ".flo5"), (2, ".png"), (3, ".flo5"), (4, ".png")):
        path = facial / f"{number:03d}.flo"
        write_flow(path.with_suffix(suffix), read_flow(path))
        path.unlink()
    (facial / "001.flo5").write_bytes((facial / "001.flo5").read_bytes()[:-10])
    png = bytearray((facial / "002.png").read_bytes())
    png[len(png) // 2] ^= 0x10
    (facial / "002.png").write_bytes(bytes(png))
    (facial / "003.flo5").write_bytes(MAGIC * 200)
    (facial / "004.png").write_bytes(MAGIC * 200)
    problems = check(folder).problems
    assert {fault: found.count for fault, found in problems.items()} == {
        "truncated": 1,
        "damaged": 1,
        "wrong format": 2,
    }


def test_files_of_operating_systems_are_passed_over(tmp_path: Path) -> None:
    folder = make_submission(tmp_path / "a")
    for name in (".DS_Store", "facial/.DS_Store", "__MACOSX/facial/._000.flo", "Thumbs.db"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"junk")
    assert check(folder).sound
    assert check(packer("zip")(folder)).sound
