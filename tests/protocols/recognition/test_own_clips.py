"""Recognition on clips of `clips.csv` and on datasets beside CASME II: classes, records and their verification."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

import ffbench
from ffbench.datasets.microexpressions.own_table import TABLE
from ffbench.datasets.registry import load_dataset
from ffbench.errors import DataError, UsageError
from ffbench.protocols.recognition.clips import TASKS
from ffbench.protocols.recognition.protocol import Recognition
from ffbench.registry import protocol_entry
from tests.commands import run_command
from tests.datasets.clips_folders import make_smic
from tests.protocols.recognition.test_recognition import CLASSES, REGULAR, Planted, plant

ROWS = [row for row in REGULAR if str(row[1]) < "EP05"]
"""The first clip of each subject and class: the second shows the same frames, and would be left out."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames in the layout of CASME II, and a `clips.csv` that lists the same clips with their crops."""
    root = tmp_path_factory.mktemp("own") / "CASME2"
    plant(root, ROWS)
    with (root / TABLE).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("clip", "subject", "onset", "apex", "offset", "label", "folder", "crop"))
        for subject, name, _, onset, apex, _, _, _, emotion in ROWS:
            place = f"sub{int(str(subject)):02d}/{name}"
            frames, crops = f"CASME2-RAW/{place}", f"Cropped/{place}"
            rows.writerow((name, place[:5], onset, apex, "", emotion, frames, crops))
    return root


def load(name: str, root: Path, variant: str | None = None, **options: str) -> Recognition:
    loaded = ffbench.load_protocol(name, data=root, variant=variant, options=options)
    assert isinstance(loaded, Recognition)
    return loaded


def test_a_table_of_casme2_gives_the_pairs_of_casme2(root: Path) -> None:
    own, casme2 = load("own_clips", root), load("casme2_5", root)
    assert list(own.keys()) == list(casme2.keys())
    for key in list(own.keys())[::4]:
        one, other = own.load(key), casme2.load(key)
        assert one.labels == other.labels
        np.testing.assert_array_equal(one.image2, other.image2)
        np.testing.assert_array_equal(one.reference.transform, other.reference.transform)
        np.testing.assert_array_equal(one.reference.onset, other.reference.onset)
    assert own.classes == tuple(sorted(CLASSES))
    assert own.card.options["classes"] == "/".join(sorted(CLASSES))
    assert "selection" not in own.card.options


def test_a_run_on_own_clips_and_its_verification(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = ffbench.evaluate(Planted(), load("own_clips", root, recogniser="centroid"), out=tmp_path)
    assert record.primary.value == 100
    assert (record.dataset.name, record.dataset.origin, record.complete) == ("own clips", "real", True)
    assert record.dataset.facts["class_disgust"] == 3
    assert record.confusion is not None
    assert record.confusion.classes == tuple(sorted(CLASSES))
    # What a record states is enough to check it where the clips are not at hand.
    scoring = protocol_entry("own_clips").scoring
    assert scoring is not None
    stated = scoring(record.protocol)
    assert stated.card == record.protocol
    assert stated.impossible is not None
    assert record.path is not None
    capsys.readouterr()
    assert run_command(monkeypatch, "recognisers", "splits", record.path) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 3 * 15


def test_three_classes_of_own_clips(root: Path) -> None:
    three = load("own_clips", root, classes="three")
    assert three.classes == ("negative", "positive", "surprise")
    assert three.card.options["classes"] == "negative/positive/surprise"
    assert len(three.keys()) == 12
    assert "not part of the task: 3 others" in three.dataset.reference_note
    # Another choice of classes is another run, whose flows are not taken for the first one's.
    assert "classes" not in three.learning_options


@pytest.mark.parametrize("said", ["", "disgust", "a/a", "a//b", "/".join(f"c{number}" for number in range(101))])
def test_classes_that_no_record_states_are_refused(root: Path, said: str) -> None:
    card = load("own_clips", root).card
    scoring = protocol_entry("own_clips").scoring
    assert scoring is not None
    with pytest.raises(UsageError, match=r"option 'classes' is .*, expected 2 to 100 names with / between"):
        scoring(card.model_copy(update={"options": {**card.options, "classes": said}}))


def test_what_a_dataset_does_not_have_is_said(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="own_clips has no option 'selection'"):
        load("own_clips", root, selection="paper")
    with pytest.raises(UsageError, match="casme2_5 has no option 'classes'"):
        load("casme2_5", root, classes="own")
    with pytest.raises(DataError, match=r"clips\.csv: no such file; expected clips\.csv with the columns"):
        load("own_clips", tmp_path)
    monkeypatch.setenv("FFBENCH_DATA", str(tmp_path))
    with pytest.raises(UsageError, match="dataset 'mmew' has no mini dataset; name its folder with --data"):
        ffbench.load_protocol("mmew_7")


def test_datasets_are_found_below_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFBENCH_DATA", str(tmp_path))
    make_smic(tmp_path / "SMIC")
    loaded = ffbench.load_protocol("smic_hs")
    assert isinstance(loaded, Recognition)
    assert loaded.classes == ("negative", "positive", "surprise")
    assert len(loaded.keys()) == 7
    assert loaded.dataset.name == "SMIC-HS"


def test_a_clip_without_a_face_is_left_out_and_named(tmp_path: Path) -> None:
    root = make_smic(tmp_path / "SMIC")
    with pytest.raises(DataError, match=r"image000237\.bmp: no face is found in it; expected one frontal"):
        load("smic_hs", root).load("s01/s1_ne_01")


def test_every_task_has_a_title_and_distinct_classes() -> None:
    for name, task in TASKS.items():
        entry = protocol_entry(name)
        assert (entry.title, entry.task) == (task.title, "recognition")
        assert entry.needs_data == (load_dataset(task.dataset).mini is None)
        if task.classes is not None:
            assert entry.scoring is not None
            kept = [of for of in task.classes.values() if of is not None]
            assert len(kept) == len(set(kept)) >= 3


def test_a_copy_of_the_table_elsewhere_is_the_same_dataset(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "copy")
    assert load("own_clips", tmp_path / "copy").dataset == load("own_clips", root).dataset
