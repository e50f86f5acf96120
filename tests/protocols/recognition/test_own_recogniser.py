"""Recognisers of the user's own: how they are found, held to their contract, and named in records."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import ffbench
from ffbench.cli import app
from ffbench.errors import MethodError, UsageError
from ffbench.recogniser import RecogniserRequest, RegisteredFace
from ffbench.recogniser_registry import load_recogniser
from tests.protocols.recognition.test_recognition import REGULAR, Planted, plant

SOURCE = """
import numpy as np
from ffbench import Recogniser

class Mine(Recogniser):
    def features(self, face):
        return {features}

    def fit_predict(self, features, labels, others, classes, seed):
        return {predicted}

class Else:
    pass
"""
MEANS = "face.flow.mean((0, 1))"
NEAREST = "labels[((others[:, None] - features[None]) ** 2).sum(2).argmin(1)][None]"
FACE = RegisteredFace(np.ones((224, 224, 2), np.float32), np.zeros((224, 224, 3), np.float32))


def write(folder: Path, features: str = MEANS, predicted: str = NEAREST) -> str:
    file = folder / "mine.py"
    file.write_text(SOURCE.format(features=features, predicted=predicted))
    return f"{file}:Mine"


def test_a_run_with_it_says_which_code_learnt(tmp_path: Path) -> None:
    root = tmp_path / "CASME2"
    plant(root, REGULAR)

    def run(name: str) -> ffbench.RunRecord:
        protocol = ffbench.load_protocol("casme2_5", data=root, options={"recogniser": name})
        return ffbench.evaluate(Planted(), protocol, out=tmp_path / "runs")

    record = run(write(tmp_path))
    assert record.primary.value == 100
    assert record.protocol.options["recogniser"] == "own/mine.Mine"
    assert record.protocol.options["epochs"] == 1
    assert record.cost.learning_seconds is not None
    edited = run(write(tmp_path, predicted=f"{NEAREST} * 0"))
    assert edited.primary.value == 20
    assert edited.protocol.options["recogniser_code"] != record.protocol.options["recogniser_code"]
    assert edited.fingerprint != record.fingerprint
    # The flows are the same ones.
    assert edited.cost.resumed_pairs == edited.pairs == 30
    # Where the record is checked no code of it is run.
    scoring = ffbench.registry.protocol_entry("casme2_5").scoring
    assert scoring is not None
    assert scoring(record.protocol).card == record.protocol
    hostile = record.protocol.model_copy(update={"options": {**record.protocol.options, "recogniser": "x\n<b>"}})
    with pytest.raises(UsageError, match="expected a name of at most 200 plain characters"):
        scoring(hostile)


def test_another_process_loads_the_same_code(tmp_path: Path) -> None:
    name = write(tmp_path)
    packed = pickle.dumps(load_recogniser(RecogniserRequest(name, 3)))
    again = pickle.loads(packed)
    assert again.id == "own/mine.Mine"
    assert np.array_equal(again.features(FACE), [1, 1])
    write(tmp_path, features="face.onset.mean((0, 1))")
    with pytest.raises(MethodError, match="was edited while it ran"):
        pickle.loads(packed)


@pytest.mark.parametrize(
    ("features", "predicted", "message"),
    [
        ("face.flow.mean() / 0 * np.inf", NEAREST, "features must be finite numbers"),
        ("1 + 1", NEAREST, "features must be finite numbers"),
        ("face.nose", NEAREST, r"features failed: AttributeError: .*nose.*mine.py, line 7"),
        (MEANS, "labels[:1]", r"gave int64 of shape \(1,\), expected .* \(1, 2\)"),
        (MEANS, "np.zeros((1, len(others)))", "gave float64"),
        (MEANS, "np.full((1, len(others)), 3)", "predicts class 3 to 3, expected 0 to 2"),
        (MEANS, "1 / 0", r"fit_predict failed: ZeroDivisionError: .*mine.py, line 10"),
    ],
)
def test_what_breaks_the_contract_is_one_line(tmp_path: Path, features: str, predicted: str, message: str) -> None:
    recogniser = load_recogniser(RecogniserRequest(write(tmp_path, features, predicted), 3))

    def use() -> None:
        known = np.stack([recogniser.features(FACE)] * 2)
        recogniser.fit_predict(known, np.zeros(2, np.int64), known, 3, 0)

    with np.errstate(all="ignore"), pytest.raises(MethodError, match=message) as error:
        use()
    assert "\n" not in str(error.value)


def test_what_is_no_recogniser_is_said(tmp_path: Path) -> None:
    name = write(tmp_path)
    with pytest.raises(MethodError, match=r"is another class, expected a subclass of ffbench\.Recogniser"):
        load_recogniser(RecogniserRequest(name.replace(":Mine", ":Else"), 3))
    with pytest.raises(UsageError, match=r"recogniser '.*': .* has no 'Mind' - did you mean 'Mine'"):
        load_recogniser(RecogniserRequest(name.replace(":Mine", ":Mind"), 3))
    with pytest.raises(UsageError, match=r"name the class too: .*mine\.py:Mine"):
        ffbench.load_protocol("casme2_5", data=tmp_path, options={"recogniser": name.replace(":Mine", "")})
    with pytest.raises(UsageError, match=r"recogniser 'nowhere\.py:Mine': nowhere\.py: no such file"):
        ffbench.load_protocol("casme2_5", data=tmp_path, options={"recogniser": "nowhere.py:Mine"})
    with pytest.raises(UsageError, match="takes no `request`, so it cannot see epochs=4"):
        load_recogniser(RecogniserRequest(name, 3, epochs=4))


def test_the_command_lists_them() -> None:
    listed = CliRunner().invoke(app, ["recognisers", "list"]).stdout
    assert "STSTNet: three shallow convolutional streams" in listed
