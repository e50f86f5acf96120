"""CASME II as it is distributed, and the ways in which a copy of it can be damaged."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ffbench.datasets.casme2.coding import Coding, SelectionRule, find_coding, read_coding
from ffbench.datasets.casme2.scan import FIVE, MEGC_LIST, OFFICIAL_EMOTIONS, THREE, scan, select, select_megc
from ffbench.datasets.registry import verify_dataset
from ffbench.errors import DataError
from tests.commands import run_command
from tests.datasets.casme2_folder import ROWS, Row, coding_csv, make_casme2, official_rows, workbook

TABLE = "CASME2-coding-20140508.xlsx"
RAW = "CASME2-RAW/sub01/EP02_01f"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_casme2(tmp_path / "CASME2")


def test_rows_and_what_they_mean(root: Path) -> None:
    found = scan(root)
    assert len(found.rows) == len(ROWS)
    assert found.problems == ()
    assert found.left_out == (
        "sub04/EP12_01f: no apex is coded",
        "sub05/EP09_05f: apex and onset are one frame (5)",
    )
    first = found.clips[0]
    assert (first.coding.subject, first.coding.name, first.coding.onset, first.coding.apex, first.coding.offset) == (
        "sub01", "EP02_01f", 46, 59, 86
    )  # fmt: skip
    assert [path.name for path in first.files] == ["img46.jpg", "img59.jpg", "reg_img46.jpg", "reg_img59.jpg"]
    units = {row.key: row.action_units for row in found.rows}
    assert (units["sub01/EP03_02"], units["sub02/EP06_02f"]) == ("L10", "14")


def test_classes_of_five_and_three(root: Path) -> None:
    found = scan(root)
    five, three = select(found, FIVE), select(found, THREE)
    assert five.classes == ("happiness", "repression", "disgust", "surprise", "others")
    assert three.classes == ("happiness", "surprise", "negative")
    assert [name for _, name in five.clips] == [
        "happiness", "disgust", "disgust", "others", "happiness", "surprise", "repression", "others", "repression",
        "surprise",
    ]  # fmt: skip
    assert [name for _, name in three.clips].count("negative") == 5
    assert "sub05/EP10_01" in {clip.coding.key for clip, _ in three.clips}
    # A row that has no class in a task is not missing from it.
    assert [line[:14] for line in three.left_out] == ["sub05/EP09_05f"]
    assert len(five.left_out) == 2
    assert five.manifest_sha256 != three.manifest_sha256


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many clips as CASME II has."""
    return make_casme2(tmp_path_factory.mktemp("whole") / "CASME2", official_rows())


@pytest.mark.parametrize(("rule", "five", "three"), [("clean", 247, 154), ("official", 248, 155), ("paper", 249, 156)])
def test_what_each_selection_counts(whole: Path, rule: SelectionRule, five: int, three: int) -> None:
    found = scan(whole, rule)
    assert found.problems == ()
    assert len(select(found, FIVE).clips) == five
    assert len(select(found, THREE).clips) == three
    frames = {clip.coding.key: [path.name for path in clip.files] for clip in found.clips}
    # The coded apex is the onset itself; where none is coded, the middle of frames 1 and 4 stands for it.
    still, uncoded = ["img1.jpg", "img1.jpg", "reg_img1.jpg", "reg_img1.jpg"], ["img1.jpg", "img2.jpg"]
    assert frames.get("sub05/EP09_05f") == (None if rule == "clean" else still)
    assert frames.get("sub04/EP12_01f", [])[:2] == (uncoded if rule == "paper" else [])
    assert len(found.left_out) == {"clean": 2, "official": 1, "paper": 0}[rule]


def test_a_row_with_neither_apex_nor_offset_counts_nowhere() -> None:
    row = Coding("sub01", "EP02_01f", 5, None, None, "4", "disgust")
    assert row.left_out_by("clean") == row.left_out_by("official") == "no apex is coded"
    assert row.left_out_by("paper") == "neither an apex nor an offset is coded"
    with pytest.raises(ValueError, match="neither an apex nor an offset"):
        row.apex_by("paper")


def test_verification_prints_the_count_of_each_selection(
    whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch, "data", "verify", "casme2", whole) == 0
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for line in (
        "rows of 5 classes (the paper's accuracies fit 246) 249 expected 249 ok",
        "clips of 5 classes, selection clean 247 expected 247 ok",
        "clips of 5 classes, selection official 248 expected 248 ok",
        "clips of 5 classes, selection paper 249 expected 249 ok",
        "rows of 3 classes (the paper's accuracies fit 156) 156 expected 156 ok",
        "clips of 3 classes, selection clean 154 expected 154 ok",
        "clips of 3 classes, selection official 155 expected 155 ok",
        "clips of 3 classes, selection paper 156 expected 156 ok",
        "left out: sub04/EP12_01f: no apex is coded (selection clean)",
        "left out: sub04/EP12_01f: no apex is coded (selection official)",
        "left out: sub05/EP09_05f: apex and onset are one frame (1) (selection clean)",
        "nothing is wrong",
    ):
        assert line in printed
    (whole / "CASME2-RAW/sub05/EP09_05f/img1.jpg").rename(whole / "img1.jpg")
    try:
        assert run_command(monkeypatch, "data", "verify", "casme2", whole, "--quick") == 3
    finally:
        (whole / "img1.jpg").rename(whole / "CASME2-RAW/sub05/EP09_05f/img1.jpg")
    # What only one selection counts is missing there, and not where it does not count.
    found = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "clips of 5 classes, selection clean 247 expected 247 ok" in found
    assert "clips of 5 classes, selection paper 248 expected 249 DIFFERS" in found


def test_counts_of_the_literature() -> None:
    assert sum(OFFICIAL_EMOTIONS.values()) == 255
    assert sum(OFFICIAL_EMOTIONS[name] for name in FIVE) == 249
    assert sum(OFFICIAL_EMOTIONS[name] for name in THREE) == 156
    assert sum(count for name, count in OFFICIAL_EMOTIONS.items() if THREE.get(name) == "negative") == 96


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_an_export_as_csv_reads_the_same(root: Path, delimiter: str) -> None:
    expected = read_coding(find_coding(root))
    (root / TABLE).unlink()
    (root / "CASME2-coding-20140508.csv").write_bytes(coding_csv(ROWS, delimiter))
    assert read_coding(find_coding(root)) == expected


def test_folders_may_be_nested_as_archives_leave_them(tmp_path: Path) -> None:
    plain = scan(make_casme2(tmp_path / "plain"))
    nested = scan(
        make_casme2(tmp_path / "nested", raw="CASME2_RAW_selected/CASME2_RAW_selected", cropped="Cropped/Cropped")
    )
    assert [clip.coding for clip in nested.clips] == [clip.coding for clip in plain.clips]
    assert select(nested, FIVE).manifest_sha256 == select(plain, FIVE).manifest_sha256


def test_the_list_of_megc(root: Path) -> None:
    with pytest.raises(DataError, match=MEGC_LIST):
        select_megc(scan(root))
    (root / MEGC_LIST).write_text(
        "samm,006,006_1_2,0\ncasme2,sub01,EP02_01f,1\ncasme2,sub02,EP02_01f,0\ncasme2,sub03,EP01_01,2\n"
        "casme2,sub09,EP01_01,2\ncasme2,sub03,EP01_02,7\n"
    )
    selection = select_megc(scan(root))
    assert [name for _, name in selection.clips] == ["positive", "negative", "surprise"]
    said = "\n".join(selection.problems)
    assert "sub09/EP01_01 is not in the coding table" in said
    assert "row 6: expected casme2" in said
    assert "class surprise: clips of one subject only (sub03)" in said


def without_frame(root: Path) -> None:
    (root / RAW / "img59.jpg").unlink()


def without_frames(root: Path) -> None:
    for file in (root / RAW).iterdir():
        file.unlink()


def without_crop(root: Path) -> None:
    shutil.rmtree(root / "Cropped/sub01/EP02_01f")


def text_for_an_image(root: Path) -> None:
    (root / RAW / "img46.jpg").write_text("text")


def another_size(root: Path) -> None:
    Image.new("RGB", (65, 48)).save(root / RAW / "img59.jpg")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (without_frame, "img59.jpg: no such frame in the folder; it has 40, from 46 to 86"),
        (without_frames, "img46.jpg: no such frame in the folder; it has none"),
        (without_crop, "Cropped/sub01/EP02_01f: no such folder"),
        (text_for_an_image, "img46.jpg: not an image"),
        (another_size, "img59.jpg: 65 x 48, but img46.jpg is 64 x 48"),
    ],
)
def test_a_damaged_clip_is_left_out_and_named(root: Path, damage: Callable[[Path], None], said: str) -> None:
    damage(root)
    found = scan(root)
    assert len(found.clips) == len(ROWS) - 3
    (problem,) = found.problems
    assert said in problem
    assert problem.endswith("the clip sub01/EP02_01f is left out")


def test_all_faults_are_listed_together(root: Path) -> None:
    without_frame(root)
    shutil.rmtree(root / "CASME2-RAW/sub03")
    (root / "CASME2-RAW/sub02/EP02_01f/img3.jpg").write_bytes(b"")
    problems = "\n".join(scan(root).problems)
    assert "sub03: no such folder; the 2 clips of sub03 are left out" in problems
    assert "img59.jpg" in problems
    assert "sub02/EP02_01f is left out" in problems


def test_a_class_that_only_one_subject_shows(root: Path) -> None:
    shutil.rmtree(root / "CASME2-RAW/sub03")
    problems = "\n".join(select(scan(root), FIVE).problems)
    assert "class surprise: clips of one subject only (sub04)" in problems
    assert "class repression: clips of one subject only (sub04)" in problems


def test_one_subject_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 usable clips of 1 subjects in 2 classes"):
        select(scan(make_casme2(tmp_path / "data", ROWS[:2])), FIVE)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({0: "one"}, "Subject is 'one', expected a number"),
        ({1: "../../etc"}, "Filename is '../../etc'"),
        ({1: None}, "Filename is ''"),
        ({3: None}, "OnsetFrame is empty"),
        ({3: "x"}, "OnsetFrame is 'x', expected the number of a frame"),
        ({4: -3}, "ApexFrame is '-3'"),
        ({4: 40}, "onset 46, apex 40, offset 86 are not in this order"),
        ({5: 50}, "onset 46, apex 59, offset 50 are not in this order"),
        ({8: "joy"}, "Estimated Emotion is 'joy', expected one of"),
        ({0: 2, 1: "EP02_01f"}, "sub02/EP02_01f is coded in an earlier row too"),
    ],
)
def test_a_row_that_makes_no_sense(tmp_path: Path, cells: dict[int, str | int | None], said: str) -> None:
    row: Row = tuple(cells.get(at, cell) for at, cell in enumerate(ROWS[0]))
    table = tmp_path / TABLE
    table.write_bytes(workbook([ROWS[2], row, (None,) * 9, ROWS[3]]))
    rows, problems = read_coding(table)
    assert [found.name for found in rows] == ["EP02_01f", "EP06_02f"]
    assert len(problems) == 1
    assert f"row 3: {said}" in problems[0]


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(ROWS))) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for member in source.infolist():
            made.writestr(member, source.read(member))
        made.writestr("xl/sharedStrings.xml", b" " * 2**28)
    return out.getvalue()


def with_entities() -> bytes:
    """Entities that grow tenfold with each, in the place of the workbook's own part."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "boom"}">' for n in range(12))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(ROWS))) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for member in source.infolist():
            content = source.read(member)
            if member.filename.endswith("sheet1.xml"):
                content = f"<!DOCTYPE x [{entities}]>".encode() + content.replace(b"EP02_01f", b"&e11;")
            made.writestr(member.filename, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not an .xlsx workbook"),
        (b"PK\x03\x04 and no more", "not an .xlsx workbook"),
        (b"x" * (2**22 + 1), "larger than 4194304 bytes"),
        (bomb(), "bytes are read"),
        (with_entities(), "cannot be read as an .xlsx workbook"),
        (workbook(ROWS)[:-200], "not an .xlsx workbook"),
    ],
)
def test_a_workbook_that_cannot_be_read(root: Path, content: bytes, said: str) -> None:
    (root / TABLE).write_bytes(content)
    with pytest.raises(DataError, match=TABLE) as caught:
        scan(root)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_refused_in_bounded_memory(root: Path) -> None:
    import tracemalloc

    content = bomb()
    (root / TABLE).write_bytes(content)
    tracemalloc.start()
    with pytest.raises(DataError):
        read_coding(root / TABLE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(content) + 2**22


def test_a_table_without_the_columns_names_them(root: Path) -> None:
    (root / TABLE).unlink()
    (root / "CASME2-coding.csv").write_text("Subject,Filename,OnsetFrame\n1,EP02_01f,3\n")
    with pytest.raises(DataError, match="no row of column names with ApexFrame, OffsetFrame, Action Units"):
        scan(root)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda root: None, "no such folder; expected CASME II"),
        (lambda root: root.mkdir(), "no coding table"),
        (lambda root: (make_casme2(root) / "CASME2-RAW").rename(root / "raw"), "no folder CASME2-RAW"),
        (lambda root: shutil.copy(make_casme2(root) / TABLE, root / "CASME2-coding (1).xlsx"), "2 coding tables"),
    ],
)
def test_a_wrong_folder_is_told_what_was_expected(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    make(tmp_path / "data")
    with pytest.raises(DataError, match=said):
        scan(tmp_path / "data")


def test_verification_counts_against_the_literature(root: Path) -> None:
    (root / RAW / "img59.jpg").write_bytes((root / RAW / "img59.jpg").read_bytes()[:-20])
    found = verify_dataset("casme2", root)
    counts = {count.what: (count.found, count.expected) for count in found.counts}
    assert counts["rows of the coding table"] == (13, 255)
    assert counts["subjects"] == (5, 26)
    assert counts["emotion disgust"] == (3, 63)
    assert counts["rows of 5 classes (the paper's accuracies fit 246)"] == (12, 249)
    assert counts["clips of 5 classes, selection clean"] == (10, 247)
    assert counts["clips of 5 classes, selection paper"] == (12, 249)
    assert counts["clips with frames at onset and apex"] == (13, None)
    assert len(found.left_out) == 3
    assert "img59.jpg: the image is damaged" in found.problems[0]
    assert not found.sound
