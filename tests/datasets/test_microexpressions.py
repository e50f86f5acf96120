"""Datasets of micro-expressions: layouts as public loaders have them, and every kind of bad input named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from ffbench.datasets.microexpressions.composite import list_megc2019
from ffbench.datasets.microexpressions.own_table import list_own
from ffbench.datasets.microexpressions.published import list_casme3, list_mmew, list_samm, list_smic
from ffbench.datasets.microexpressions.tasks import THREE, own_classes, select
from ffbench.datasets.onset_apex import OnsetApexClips
from ffbench.datasets.registry import load_dataset, verify_dataset
from ffbench.errors import DataError
from tests.datasets.casme2_folder import make_casme2
from tests.datasets.clips_folders import (
    OWN_ROWS,
    frames,
    make_casme3,
    make_mmew,
    make_own,
    make_samm,
    make_smic,
    own_table,
)


def seen(found: OnsetApexClips) -> list[tuple[str, str, str, str, str]]:
    return [(clip.key, clip.subject, clip.label, clip.onset.name, clip.apex.name) for clip in found.clips]


def test_samm(tmp_path: Path) -> None:
    found = list_samm(make_samm(tmp_path / "SAMM"))
    assert found.problems == ()
    assert seen(found)[0] == ("006/006_1_2", "006", "anger", "006_05562.jpg", "006_05565.jpg")
    assert [clip.subject for clip in found.clips] == ["006", "006", "007", "007", "011", "012"]
    assert found.left_out == (
        "011/011_2_1: apex and onset are one frame (60)",
        "011/011_2_2: no apex is annotated",
    )
    assert not found.synthetic
    assert all(clip.crop is None for clip in found.clips)
    # Frames in a folder of their own are found too.
    root = tmp_path / "other"
    make_samm(root / "SAMM")
    shutil.move(root / "SAMM" / "SAMM_Micro_FACS_Codes_v2.xlsx", root / "SAMM_Micro_FACS_Codes_v2.xlsx")
    assert seen(list_samm(root)) == seen(found)
    assert list_samm(root).manifest_sha256 == found.manifest_sha256


def test_smic_takes_the_middle_frame_for_the_apex(tmp_path: Path) -> None:
    found = list_smic(make_smic(tmp_path / "SMIC"))
    assert found.problems == ()
    assert seen(found)[0] == ("s01/s1_ne_01", "s01", "negative", "image000237.bmp", "image000239.bmp")
    assert [clip.subject for clip in found.clips] == ["s01"] * 3 + ["s02"] * 2 + ["s11"] * 2
    assert not any("non" in clip.key for clip in found.clips)


@pytest.mark.parametrize("whole", [False, True])
def test_casme3_as_clips_and_as_whole_videos(tmp_path: Path, whole: bool) -> None:
    found = list_casme3(make_casme3(tmp_path / "CASME3", whole=whole))
    assert found.problems == ()
    assert seen(found) == [
        ("spNO.1/a_116", "spNO.1", "disgust", "116.jpg", "118.jpg"),
        ("spNO.1/a_355", "spNO.1", "surprise", "355.jpg", "357.jpg"),
        ("spNO.10/b_20", "spNO.10", "disgust", "20.jpg", "22.jpg"),
        ("spNO.2/a_1", "spNO.2", "surprise", "1.jpg", "3.jpg"),
    ]
    assert found.left_out == ("spNO.10/c_30: apex and onset are one frame (30)",)


def test_mmew(tmp_path: Path) -> None:
    found = list_mmew(make_mmew(tmp_path / "MMEW_Final"))
    assert found.problems == found.left_out == ()
    assert seen(found)[0] == ("S01/S01-02-001", "S01", "anger", "1.jpg", "4.jpg")
    assert [clip.label for clip in found.clips] == ["anger", "surprise", "anger", "surprise", "others"]


def test_the_composite_takes_what_the_list_names(tmp_path: Path) -> None:
    make_samm(tmp_path / "SAMM")
    make_smic(tmp_path / "SMIC")
    make_casme2(tmp_path / "CASME2")
    listed = [
        "casme2,sub01,EP02_01f,1", "casme2,sub02,EP02_01f,0", "casme2,sub04,EP12_01f,0", "smic,s01,s01_ne_01,0",
        "smic,s11,s11_sur_01,2", "samm,6,006_1_2,0", "samm,11,011_1_1,1", "samm,99,099_1_1,0", "samm,6,006_1_2,1",
        "other,1,2,0",
    ]  # fmt: skip
    (tmp_path / "combined_3class_gt.csv").write_text("\n".join(listed) + "\n")
    found = list_megc2019(tmp_path)
    assert seen(found) == [
        ("casme2/sub01/EP02_01f", "casme2/sub01", "positive", "img46.jpg", "img59.jpg"),
        ("casme2/sub02/EP02_01f", "casme2/sub02", "negative", "img3.jpg", "img5.jpg"),
        ("smic/s01/s1_ne_01", "smic/s01", "negative", "image000237.bmp", "image000239.bmp"),
        ("smic/s11/s11_sur_01", "smic/s11", "surprise", "image000237.bmp", "image000239.bmp"),
        ("samm/006/006_1_2", "samm/006", "negative", "006_05562.jpg", "006_05565.jpg"),
        ("samm/011/011_1_1", "samm/011", "positive", "011_00050.jpg", "011_00053.jpg"),
    ]
    assert all(clip.crop is None for clip in found.clips)
    assert found.left_out == ("casme2/sub04/EP12_01f: no apex is coded",)
    assert [line.partition("combined_3class_gt.csv: ")[2] for line in found.problems] == [
        "row 9: samm 6/6_1_2 is in an earlier row too; the later one is left out",
        "row 10: expected casme2, smic or samm, a subject, a clip and a class 0 to 2",
        "samm 99/99_1_1: no such clip among those that can be read",
    ]
    shutil.rmtree(tmp_path / "SMIC")
    with pytest.raises(DataError, match="no folder SMIC; the composite needs CASME2, SMIC and SAMM"):
        list_megc2019(tmp_path)
    (tmp_path / "combined_3class_gt.csv").unlink()
    with pytest.raises(DataError, match=r"combined_3class_gt\.csv: no such file; put the organisers' list"):
        list_megc2019(tmp_path)


def test_own_clips_with_and_without_crops(tmp_path: Path) -> None:
    root = make_own(tmp_path / "own")
    found = list_own(root)
    assert found.problems == found.left_out == ()
    assert seen(found)[0] == ("ann/c1", "ann", "happiness", "001.png", "003.png")
    frames(root / "crops" / "c1", ["face1.png"], 3)
    rows = [(*row, "crops/c1" if row[:2] == ("c1", "ann") else "") for row in OWN_ROWS]
    (root / "clips.csv").write_text(
        own_table(rows, ("Clip", "SUBJECT", "Onset", "apex", "offset", "label", "folder", "crop"))
    )
    with_crop = list_own(root)
    assert [clip.crop and clip.crop.name for clip in with_crop.clips] == ["face1.png", None, None, None, None]
    assert with_crop.manifest_sha256 != found.manifest_sha256


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"clip": "../x"}, "clip is '../x', expected letters, digits"),
        ({"subject": ""}, "subject is '', expected letters, digits"),
        ({"onset": "x"}, "onset is 'x', expected the number of a frame"),
        ({"onset": ""}, "onset is empty"),
        ({"label": "a/b"}, "label is 'a/b', expected letters"),
        ({"folder": "../elsewhere"}, "folder is '../elsewhere', expected a folder below that of clips.csv"),
        ({"folder": "/etc"}, "folder is '/etc', expected a folder below"),
        ({"folder": "C:\\x"}, "expected a folder below"),
        ({"folder": ""}, "folder is '', expected a folder below"),
        ({"folder": "frames/none"}, "frames/none: no such folder; the clip ann/c1 is left out"),
        ({"onset": "0"}, "frames/ann/c1: frame 0 (onset) is not in the folder; it has 5, from 1 to 5"),
        ({"apex": "9", "offset": ""}, "frames/ann/c1: frame 9 (apex) is not in the folder; it has 5, from 1 to 5"),
    ],
)
def test_a_row_that_makes_no_sense_is_named_and_the_others_stay(
    tmp_path: Path, cells: dict[str, str], said: str
) -> None:
    root = make_own(tmp_path / "own")
    columns = ("clip", "subject", "onset", "apex", "offset", "label", "folder")
    changed = [cells.get(name, value) for name, value in zip(columns, OWN_ROWS[0], strict=True)]
    (root / "clips.csv").write_text(own_table([changed, *OWN_ROWS[1:]]))
    found = list_own(root)
    (line,) = found.problems
    assert said in line
    assert "left out" in line
    assert len(found.clips) == 4


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"apex": ""}, "ann/c1: no apex is annotated"),
        ({"apex": "1"}, "ann/c1: apex and onset are one frame (1)"),
        ({"onset": "4"}, "ann/c1: the apex (3) lies before the onset (4)"),
        ({"offset": "2"}, "ann/c1: the offset (2) lies before the apex (3)"),
    ],
)
def test_a_clip_that_is_too_short_is_left_out_by_its_rule(tmp_path: Path, cells: dict[str, str], said: str) -> None:
    root = make_own(tmp_path / "own")
    columns = ("clip", "subject", "onset", "apex", "offset", "label", "folder")
    changed = [cells.get(name, value) for name, value in zip(columns, OWN_ROWS[0], strict=True)]
    (root / "clips.csv").write_text(own_table([changed, *OWN_ROWS[1:]]))
    found = list_own(root)
    assert (found.left_out, found.problems, len(found.clips)) == ((said,), (), 4)


def test_one_clip_under_two_subjects_counts_for_neither(tmp_path: Path) -> None:
    root = make_own(tmp_path / "own")
    rows = [
        *OWN_ROWS,
        ("c9", "eve", 1, 3, 5, "disgust", "frames/ann/c2"),
        ("c8", "ann", 1, 3, 5, "happiness", "frames/ann/c1"),
    ]
    (root / "clips.csv").write_text(own_table(rows))
    found = list_own(root)
    assert found.problems == (
        "eve/c9: the same frames at onset and apex as ann/c2, of another subject: a fold would be tested on what it "
        "learnt from; both are left out",
        "ann/c8: the same frames at onset and apex as ann/c1; the later one is left out",
    )
    assert [clip.key for clip in found.clips] == ["ann/c1", "bob/c1", "bob/c2", "eve/c1"]
    # A copy of the frames under another name is the same clip.
    shutil.copytree(root / "frames" / "bob" / "c2", root / "frames" / "eve" / "copy")
    (root / "clips.csv").write_text(own_table([*OWN_ROWS, ("c7", "eve", 1, 3, 5, "disgust", "frames/eve/copy")]))
    assert "eve/c7: the same frames at onset and apex as bob/c2, of another subject" in list_own(root).problems[0]


def test_other_faults_of_folders(tmp_path: Path) -> None:
    root = make_own(tmp_path / "own")
    Image.new("RGB", (30, 30)).save(root / "frames/ann/c1/003.png")
    shutil.copy(root / "frames/ann/c2/003.png", root / "frames/ann/c2/reg_3.png")
    (root / "clips.csv").write_text(own_table([*OWN_ROWS, OWN_ROWS[2]]))
    said = " | ".join(list_own(root).problems)
    assert "bob/c1: is annotated in an earlier row too" in said
    assert "003.png: 30 x 30, but 001.png is 24 x 20; the clip ann/c1 is left out" in said
    assert "reg_3.png: is frame 3, and so is 003.png; keep one of them in the folder" in said
    (root / "clips.csv").write_text("clip,subject\nc1,ann\n")
    with pytest.raises(DataError, match="no row of column names with onset, apex, offset, label, folder"):
        list_own(root)
    with pytest.raises(DataError, match=r"clips\.csv: no such file; expected clips\.csv with the columns clip,subject"):
        list_own(tmp_path / "nothing")


def test_labels_outside_of_the_map_are_named(tmp_path: Path) -> None:
    found = list_own(make_own(tmp_path / "own", [*OWN_ROWS[:4], ("c1", "eve", 1, 3, 5, "hapiness", "frames/eve/c1"),
                                                 ("c2", "eve", 1, 3, 5, "others", "frames/eve/c2")]))  # fmt: skip
    selected, card = select("own", found, THREE)
    assert selected.classes == ("negative", "positive", "surprise")
    assert len(selected.clips) == 4
    assert card.problems[0].startswith(
        "label 'hapiness' of 1 clips, the first is eve/c1: is none of negative, positive"
    )
    assert card.problems[1] == "class surprise: no clip"
    assert "not part of the task: 1 others" in card.reference_note
    assert card.origin == "real"
    every = own_classes(found)
    assert list(every) == ["disgust", "hapiness", "happiness", "others"]
    assert "class others: clips of one subject only (eve)" in " ".join(select("own", found, every)[1].problems)


def test_subjects_with_one_clip_are_named(tmp_path: Path) -> None:
    found = list_own(make_own(tmp_path / "own"))
    card = select("own", found, own_classes(found))[1]
    assert "subjects with one clip, a fold of one each: eve" in card.reference_note
    assert card.facts == {"clips": 5, "subjects": 3, "class_disgust": 2, "class_happiness": 3}
    alone = list_own(make_own(tmp_path / "alone", OWN_ROWS[:2]))
    with pytest.raises(DataError, match="2 usable clips of 1 subjects in 2 classes; leaving one subject out needs two"):
        select("own", alone, own_classes(alone))


def test_what_is_not_the_dataset_is_said(tmp_path: Path) -> None:
    for read, expected in (
        (list_samm, "SAMM_Micro_FACS_Codes_v2.xlsx"),
        (list_smic, "HS/s1/micro/negative"),
        (list_casme3, "JpgIndex_v2.xlsx"),
        (list_mmew, "MMEW_Micro_Exp.xlsx"),
    ):
        with pytest.raises(DataError, match="no such folder"):
            read(tmp_path / "none")
        with pytest.raises(DataError, match=expected):
            read(tmp_path)


def test_verify_counts_what_authors_say(tmp_path: Path) -> None:
    found = verify_dataset("smic", make_smic(tmp_path / "SMIC"))
    counts = {count.what: (count.found, count.expected) for count in found.counts}
    assert counts["clips, with those that are left out"] == (7, 164)
    assert counts["subjects"] == (3, 16)
    assert counts["label surprise"] == (2, 43)
    assert not found.sound
    assert load_dataset("mmew").mini is None
