"""Each wrong convention is named, with labels and without; sound flows raise no hint."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ffbench.flow.color import flow_to_color
from ffbench.flow.readings import READINGS
from ffbench.protocol import Annotation
from ffbench.registry import load_method, load_protocol
from ffbench.results.record.run_record import RunRecord
from ffbench.submissions.bundle import SUFFIX
from ffbench.submissions.checking.conventions import FEWEST, SAMPLE, judge, look
from ffbench.submissions.submit import Submitter, bundle, submit, validate_submission
from tests.flow.strategies import examples
from tests.submissions.moved_textures import WRONG, MovedTextures, Wrong, true_flow, write

LABELLED = pytest.mark.parametrize("labelled", [True, False])


def hints(folder: Path, labelled: bool, pairs: int = 6) -> tuple[str, ...]:
    report = validate_submission(folder, MovedTextures(pairs, labelled=labelled), advise=True)
    assert report.sound
    return report.hints


def test_every_reading_has_a_wrong_flow() -> None:
    assert len(WRONG) == len(READINGS)
    for reading, (said, wrong) in zip(READINGS, WRONG.items(), strict=True):
        assert said in reading.looks_like
        flow = true_flow(2)
        corrected = reading.correct(np.ascontiguousarray(wrong(flow), np.float32))
        np.testing.assert_allclose(corrected, flow, atol=1e-5 if "KITTI" not in said else 1 / 100)


@LABELLED
@pytest.mark.parametrize("said", WRONG)
def test_each_wrong_convention_is_named(tmp_path: Path, said: str, labelled: bool) -> None:
    (hint,) = hints(write(tmp_path / "a", WRONG[said]), labelled)
    assert hint.startswith("looks as if ")
    assert said in hint
    assert ("endpoint error" in hint and "px, " in hint) if labelled else "gray levels" in hint
    assert ("6 pairs, by the labels" if labelled else "6 pairs, by the images alone") in hint


def test_the_figures_are_those_of_the_flows(tmp_path: Path) -> None:
    truth = [true_flow(number) for number in range(6)]
    error = np.mean([np.linalg.norm(flow[..., ::-1] - flow, axis=2).mean() for flow in truth])
    (hint,) = hints(write(tmp_path / "a", WRONG["x and y are swapped"]), True)
    assert f"endpoint error {error:.3g} px, 0 after swapping" in hint


def noisy(flow: np.ndarray) -> np.ndarray:
    return flow + np.random.default_rng(0).normal(0, 1, flow.shape)


def farneback_like(flow: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(flow * 0.8, (0, 0), 6)


@LABELLED
@pytest.mark.parametrize("sound", [lambda flow: flow, lambda flow: 0 * flow, noisy, farneback_like])
def test_sound_flows_raise_no_hint(tmp_path: Path, sound: Wrong, labelled: bool) -> None:
    assert hints(write(tmp_path / "a", sound), labelled) == ()


@LABELLED
def test_worse_than_zero_flow_is_said(tmp_path: Path, labelled: bool) -> None:
    rng = np.random.default_rng(1)
    (hint,) = hints(write(tmp_path / "a", lambda flow: rng.normal(0, 9, flow.shape)), labelled)
    assert hint.startswith("worse than zero flow: ")
    assert "of zero flow" in hint


def test_the_channels_of_a_picture_are_named(tmp_path: Path) -> None:
    found = hints(write(tmp_path / "a", lambda flow: flow_to_color(flow)[..., :2].astype("f4")), True)
    assert "a picture of it" in found[0]
    assert "worse than zero flow" in found[1]


def test_nothing_is_said_of_a_few_pairs(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", WRONG["x and y are swapped"], FEWEST - 1)
    assert hints(folder, True, FEWEST - 1) == ()


def test_a_sample_is_looked_at_not_all() -> None:
    read: list[str] = []

    def flow(key: str, size: tuple[int, int]) -> np.ndarray:
        read.append(key)
        return np.zeros((*size, 2), np.float32)

    protocol = MovedTextures(100)
    found = look(flow, protocol.keys(), protocol)
    assert found is not None
    assert found.pairs == len(set(read)) == SAMPLE
    assert read[0] == "face_00"
    assert read[-1] == "face_99"


@given(errors=hnp.arrays(np.float64, (5, 2 + len(READINGS)), elements=st.floats(0.01, 100)), labels=st.booleans())
@examples(200)
def test_what_is_named_leaves_little_and_beats_zero_flow(errors: np.ndarray, labels: bool) -> None:
    found = judge(errors, labels)
    zero, error, *corrected = errors.mean(axis=0)
    if found.reading is not None:
        assert found.corrected == min(corrected) < 0.7 * min(error, zero)
        assert not found.worse
    if found.worse:
        assert error > zero
    assert len(found.lines()) == (found.reading is not None) + found.worse


def test_submit_scores_and_says_it(tmp_path: Path) -> None:
    said: list[str] = []
    folder = write(tmp_path / "a", WRONG["the flow is backward"])
    record = submit(folder, MovedTextures(), Submitter("net"), out=tmp_path / "runs", hints=said)
    assert isinstance(record, RunRecord)
    assert "backward" in said[0]
    right: list[str] = []
    better = submit(write(tmp_path / "b"), MovedTextures(), Submitter("net"), out=tmp_path / "runs", hints=right)
    assert right == []
    assert better.primary.value == 0 < record.primary.value


def test_bundles_are_not_looked_at(tmp_path: Path) -> None:
    out = tmp_path / f"a{SUFFIX}"
    bundle(write(tmp_path / "a", WRONG["the flow is backward"]), MovedTextures(), out)
    assert validate_submission(out, MovedTextures(), advise=True).hints == ()


@pytest.mark.slow
@pytest.mark.assets
@pytest.mark.parametrize(("protocol", "labelled"), [("ck_landmarks", False), ("ffn_motion_scale", True)])
def test_methods_that_ship_raise_no_hint_on_faces(
    protocol: str, labelled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control on rendered faces: methods are taken for what they are, and swapped flows are not."""
    monkeypatch.delenv("FFBENCH_CACHE")  # the user's, which has the mini datasets
    loaded = load_protocol(protocol)
    if not labelled:
        monkeypatch.setattr(type(loaded), "annotation", lambda self, pair: Annotation())
    keys = list(loaded.keys())[::8]
    for name in ("zero", "farneback", "dis"):
        method = load_method(name)
        pairs = [loaded.load(key) for key in keys]
        flows = {pair.key: np.asarray(method.estimate(pair.image1, pair.image2).facial) for pair in pairs}
        seen = look(lambda key, size, flows=flows: flows[key], keys, loaded)
        assert seen is not None
        assert seen.by_labels is labelled
        assert seen.lines() == []
        swapped = look(lambda key, size, flows=flows: np.ascontiguousarray(flows[key][..., ::-1]), keys, loaded)
        assert swapped is not None
        assert (swapped.reading is READINGS[0]) == (name != "zero")
