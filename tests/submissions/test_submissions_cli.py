"""The commands predict, validate, submit and `protocols show --manifest`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ffbench.flow.confidence import forward_backward_confidence
from ffbench.results.record.run_record import RunRecord
from tests.submissions.toys import Speckle
from tests.toys import Stripes


def test_manifest_lists_every_file_with_its_size(ffbench, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert ffbench("protocols", "show", "stripes", "--manifest") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"1548 16x12 facial/{number:03d}.flo" for number in range(6)]
    assert ffbench("protocols", "show", "stripes", "--manifest", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["files"][5] == {"file": "facial/005.flo", "width": 16, "height": 12, "bytes": 1548}
    assert shown["optional_folders"] == ["head"]


def test_predict_validate_submit(ffbench, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert ffbench("predict", "-m", "speckle", "-p", "stripes", "--out", "flows") == 0
    assert ffbench("validate", "flows", "-p", "stripes") == 0
    assert "6 files expected, 6 found and sound" in capsys.readouterr().out
    assert ffbench("eval", "-m", "speckle", "-p", "stripes", "--json") == 0
    evaluated = RunRecord.model_validate_json(capsys.readouterr().out)
    assert ffbench("submit", "flows", "-p", "stripes", "--name", "Speckle", "--claimed", "1.5", "--json") == 0
    submitted = RunRecord.model_validate_json(capsys.readouterr().out)
    assert submitted.scores == evaluated.scores
    assert submitted.submission is not None
    assert submitted.submission.claimed == 1.5
    assert ffbench("submit", "flows", "-p", "stripes", "--name", "Speckle") == 0
    assert "record: runs/stripes/speckle/" in capsys.readouterr().out


def test_faults_go_to_stdout_and_one_line_to_stderr(ffbench, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    ffbench("predict", "-m", "speckle", "-p", "stripes", "--out", "flows")
    Path("flows/facial/002.flo").unlink()
    Path("flows/facial/003.flo").write_bytes(b"PIEH")
    capsys.readouterr()
    for command in (("validate", "flows"), ("submit", "flows", "--name", "a")):
        assert ffbench(*command, "-p", "stripes") == 3
        streams = capsys.readouterr()
        assert "missing: 1\n  facial/002.flo\ntruncated: 1\n  facial/003.flo: 4 bytes" in streams.out
        assert streams.err.splitlines()[-1] == (
            "ffbench: flows: is not a valid submission: 1 missing, 1 truncated; nothing was scored"
        )
    assert not Path("runs").exists()
    assert ffbench("validate", "flows", "-p", "stripes", "--json") == 3
    shown = json.loads(capsys.readouterr().out)
    assert shown["problems"]["missing"] == {"count": 1, "first": ["facial/002.flo"]}


def test_pair_that_cannot_be_read_is_named(ffbench, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert ffbench("predict", "-m", "speckle", "-p", "torn_stripes", "--out", "flows") == 3
    assert "stripes/002.png: cannot be read" in capsys.readouterr().err
    assert ffbench("validate", "flows", "-p", "torn_stripes") == 0


def test_labels_stay_with_the_scorer(ffbench, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert ffbench("export", "-p", "stripes", "--out", "public") == 0
    assert ffbench("predict", "-m", "speckle", "-p", "public", "--out", "flows") == 0
    assert ffbench("validate", "flows", "-p", "public") == 0
    assert ffbench("bundle", "flows", "-p", "public", "--out", "f.bundle", "--challenge", "salt") == 0
    printed = capsys.readouterr().out
    assert "public: images of 6 pairs, pairs.csv, README.md and manifest.json, no labels" in printed
    assert "f.bundle: 6 pairs, facial flow, one pixel of 4 x 4" in printed
    assert ffbench("validate", "f.bundle", "-p", "stripes") == 0
    assert "6 files expected, 6 found and sound" in capsys.readouterr().out
    assert ffbench("submit", "f.bundle", "-p", "stripes", "--name", "S", "--challenge", "salt", "--json") == 0
    record = RunRecord.model_validate_json(capsys.readouterr().out)
    assert record.submission is not None
    assert record.submission.sampling is not None
    assert record.submission.sampling.step == 4
    assert ffbench("submit", "f.bundle", "-p", "stripes", "--name", "S", "--challenge", "pepper") == 2
    assert "made with the challenge 'salt', not 'pepper'" in capsys.readouterr().err
    assert ffbench("validate", "flows", "-p", "public", "--variant", "official") == 2
    assert "leave --data, --variant and --option out" in capsys.readouterr().err


def test_confidence_is_written_beside_the_flows_and_passed_over(ffbench, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    command = ("predict", "-m", "speckle", "-p", "stripes", "--out", "flows", "--save-confidence", "--batch-size", "4")
    assert ffbench(*command) == 0
    whole = {path.name: np.load(path) for path in sorted(Path("flows/confidence").iterdir())}
    assert list(whole) == [f"{number:03d}.npy" for number in range(6)]
    assert all(array.shape == (12, 16) and array.dtype == np.float32 for array in whole.values())
    assert all(0 < array.max() <= 1 and array.min() >= 0 for array in whole.values())
    # It belongs to the flow beside it: made again by hand from both flows.
    pair = Stripes(6).load("002")
    forward, backward = (
        Speckle().estimate(*images).facial for images in ((pair.image1, pair.image2), (pair.image2, pair.image1))
    )
    np.testing.assert_allclose(whole["002.npy"], forward_backward_confidence(forward, backward), atol=1e-5)
    Path("flows/confidence/003.npy").unlink()
    assert ffbench(*command) == 0  # goes on with what is missing
    np.testing.assert_array_equal(np.load("flows/confidence/003.npy"), whole["003.npy"])
    assert ffbench("validate", "flows", "-p", "stripes") == 0
    assert "6 files expected, 6 found and sound" in capsys.readouterr().out
    Path("flows/confidences").mkdir()
    Path("flows/confidences/000.npy").write_bytes(b"")
    assert ffbench("validate", "flows", "-p", "stripes") == 3  # control: other folders are extra
