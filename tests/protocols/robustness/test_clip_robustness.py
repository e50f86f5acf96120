"""Protocol clip_robustness with a made-up face: pairs, differences, what is hidden, what cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ffbench.corruptions.catalog import CORRUPTIONS
from ffbench.errors import DataError, UsageError
from ffbench.evaluation import evaluate
from ffbench.facemesh import tracker
from ffbench.facemesh.tracker import FaceTrack
from ffbench.method import Flows, Method, MethodCard
from ffbench.metrics.photometric import hull_mask
from ffbench.protocol import ProtocolRequest, Term
from ffbench.protocols.robustness import corrupted as corrupted_clips
from ffbench.protocols.robustness import protocol as clip_robustness
from ffbench.protocols.robustness.pairs import PIXELS, robustness_terms
from ffbench.protocols.robustness.protocol import ClipRobustness
from tests.datasets.ffn_folder import add_sequence, facial_flow, mask
from tests.protocols.landmarks.test_clip_landmarks import SIZE, add_clip, hide_face, motion
from tests.reference import robustness as reference


class Brightness(Method):
    """Says that everything moves right by the mean brightness of image 1, times 10."""

    def __init__(self) -> None:
        self.card = MethodCard(id="brightness", title="Brightness")

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        flow = torch.zeros(len(image1), 2, *image1.shape[2:])
        flow[:, 0] = 10 * image1.mean(dim=(1, 2, 3))[:, None, None]
        return Flows(flow)


@pytest.fixture(autouse=True)
def _face(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A face that moves by `motion`; none where the second pixel's red is 0."""

    def track(images: Iterable[np.ndarray]) -> Iterator[FaceTrack]:
        for number, image in enumerate(images):
            lost = image.shape[0] == SIZE[1] and image[0, 1, 0] == 0
            yield FaceTrack(None, 0.1) if lost else FaceTrack(motion(number) * min(1, image.shape[1] / 60), 0.9)

    monkeypatch.setattr(tracker, "track", track)
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))


def load(data: Path | None, variant: str | None = None, **options: str) -> ClipRobustness:
    options = {"corruptions": "jpeg,glasses", "severities": "1,5", **options}
    loaded = clip_robustness.entry.load(ProtocolRequest("clip_robustness", data, variant, options))
    assert isinstance(loaded, ClipRobustness)
    return loaded


def test_every_clean_pair_stands_before_its_corrupted_ones(tmp_path: Path) -> None:
    protocol = load(add_clip(tmp_path / "talk"), corruptions="glasses, jpeg,jpeg")
    keys = list(protocol.keys())
    cells = ["clean", "jpeg-1", "jpeg-5", "glasses-1", "glasses-5"]
    assert keys == [f"talk/{t:05d}-{t + 5:05d}/{cell}" for t in (0, 20, 40) for cell in cells]
    assert protocol.card.options == {"corruptions": "jpeg,glasses", "severities": "1,5", "gap": 5, "stride": 20}
    clean, coded = protocol.load(keys[0]), protocol.load(keys[2])
    assert clean.labels == {"corruption": "clean", "severity": "0", "clip": "talk", "block": "talk/00000"}
    assert coded.labels == {"corruption": "jpeg", "severity": "5", "clip": "talk", "block": "talk/00000"}
    assert (clean.image1[0, 0, 0], clean.image2[0, 0, 0]) == (0, 5)
    difference = np.abs(coded.image1.astype(int) - clean.image1)
    assert difference.mean() > 10
    assert (protocol.dataset.origin, protocol.dataset.reference) == ("real", "no")
    stated = clip_robustness.entry.scoring(protocol.card)  # type: ignore[misc]
    assert stated.card == protocol.card


def test_pixels_of_the_face_are_those_of_its_hull_and_hidden_ones_are_known(tmp_path: Path) -> None:
    protocol = load(add_clip(tmp_path / "talk"))
    clean, worn = protocol.load("talk/00000-00005/clean"), protocol.load("talk/00000-00005/glasses-5")
    face = np.zeros(SIZE[::-1], bool)
    face[clean.reference.rows, clean.reference.columns] = True
    np.testing.assert_array_equal(face, hull_mask(motion(0), SIZE))
    assert not clean.reference.hidden.any()
    assert 0 < worn.reference.hidden.sum() < len(worn.reference.hidden)
    np.testing.assert_array_equal(clean.reference.rows, worn.reference.rows)
    changed = np.abs(worn.image1.astype(int) - clean.image1).max(axis=2)[clean.reference.rows, clean.reference.columns]
    assert changed[~worn.reference.hidden].max() == 0
    drawn = protocol.annotation(worn).mask
    assert drawn is not None
    assert drawn.sum() == (~worn.reference.hidden).sum()
    assert len(face.nonzero()[0]) < PIXELS


def test_robustness_is_the_difference_from_the_clean_flow(tmp_path: Path) -> None:
    protocol = load(add_clip(tmp_path / "talk", 120), stride="20")
    record = evaluate(Brightness(), protocol, out=tmp_path / "runs")
    scores = {(s.metric, s.group): s for s in record.scores}
    expected = []
    for key in protocol.keys():  # noqa: SIM118
        if not key.endswith("clean"):
            pair, clean = protocol.load(key), protocol.load(key.rpartition("/")[0] + "/clean")
            seen = float((~pair.reference.hidden).sum())
            expected.append((10 / 255 * abs(pair.image1.mean() - clean.image1.mean()) * seen, seen))
    wanted = sum(e for e, _ in expected) / sum(n for _, n in expected)
    whole = scores["robustness", "all"]
    assert whole.value == pytest.approx(wanted, rel=1e-3)
    assert record.primary.value == whole.value
    assert (whole.units, whole.pairs) == (6, 24)
    assert whole.ci_low is not None
    assert ("robustness", "corruption=jpeg") in scores
    assert ("robustness", "severity=5") in scores
    assert ("robustness", "corruption=clean") not in scores
    assert scores["hidden", "corruption=glasses"].value > 5 > scores["hidden", "corruption=jpeg"].value == 0
    assert record.complete


def test_known_numbers() -> None:
    clean = np.array([[3.0, 4.0], [0.0, 1.0], [2.0, 0.0]])
    terms = robustness_terms(clean, clean + np.array([[0, 0.5], [3, 4], [np.nan, np.nan]]))
    assert terms == {
        "robustness": Term(5.5, 2),
        "robustness_relative": Term(550, 6),
        "changed_1px": Term(100, 2),
        "hidden": Term(100, 3),
    }
    assert robustness_terms(clean, clean)["robustness"] == Term(0, 3)


vectors = st.tuples(st.floats(-40, 40), st.floats(-40, 40))
pixels = st.lists(st.tuples(vectors, st.none() | vectors), min_size=1, max_size=30)


@given(pixels)
def test_terms_agree_with_the_reference(found: list[tuple[tuple[float, float], tuple[float, float] | None]]) -> None:
    clean, corrupted = zip(*found, strict=True)
    terms = robustness_terms(clean, [(np.nan, np.nan) if one is None else one for one in corrupted])
    expected = reference.terms(clean, corrupted)
    assert set(terms) == set(expected)
    for name, wanted in expected.items():
        assert (terms[name].sum, terms[name].count) == pytest.approx(wanted, rel=1e-9, abs=1e-9), name


@given(st.lists(st.tuples(vectors, vectors), min_size=1, max_size=30), vectors)
def test_the_difference_is_symmetric_and_blind_to_motion_that_both_have(
    found: list[tuple[tuple[float, float], tuple[float, float]]], shift: tuple[float, float]
) -> None:
    clean, corrupted = np.array(found).transpose(1, 0, 2)
    there, back = robustness_terms(clean, corrupted), robustness_terms(corrupted, clean)
    assert there["robustness"] == back["robustness"]
    assert robustness_terms(clean, clean)["robustness"].sum == 0
    moved = robustness_terms(clean + shift, corrupted + shift)
    assert moved["robustness"].sum == pytest.approx(there["robustness"].sum, rel=1e-9, abs=1e-9)


def test_frames_are_made_once_and_a_damaged_file_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = add_clip(tmp_path / "talk")
    first = load(clip)
    image = first.load("talk/00000-00005/jpeg-1").image1
    made: list[str] = []
    original = corrupted_clips.corrupted_frames
    monkeypatch.setattr(
        corrupted_clips, "corrupted_frames", lambda clip, name, *rest: made.append(name) or original(clip, name, *rest)
    )
    assert load(clip).dataset == first.dataset
    assert made == []
    file = next((tmp_path / "cache/corruptions").rglob("jpeg-1.npz"))
    file.write_bytes(file.read_bytes()[:100])
    again = load(clip)
    assert made == ["jpeg"]
    assert again.dataset == first.dataset
    np.testing.assert_array_equal(again.load("talk/00000-00005/jpeg-1").image1, image)
    file.unlink()
    with pytest.raises(DataError, match=r"jpeg-1\.npz: cannot be read .*; delete it and run again"):
        again.load("talk/00000-00005/jpeg-1")
    assert load(clip, severities="1").dataset.manifest_sha256 != first.dataset.manifest_sha256


def test_short_clips_and_lost_faces_are_named(tmp_path: Path) -> None:
    add_clip(tmp_path / "clips/long", 50)
    hide_face(tmp_path / "clips/long", [25])
    add_clip(tmp_path / "clips/short", 2)
    add_clip(tmp_path / "clips/blank", 9)
    hide_face(tmp_path / "clips/blank", range(9))
    protocol = load(tmp_path / "clips")
    assert {key.rpartition("/")[0] for key in protocol.keys()} == {"long/00000-00005", "long/00040-00045"}  # noqa: SIM118
    blank, short = protocol.dataset.problems
    assert "blank: no face was found in any of the 9 frames; the clip is left out" in blank
    assert "short: 2 frames, expected at least 6 for pairs 5 frames apart; the clip is left out" in short
    assert "no face in frames 25 (1 of 50); 1 of 3 pairs are left out" in protocol.dataset.left_out[0]
    with pytest.raises(DataError, match="short: 2 frames, expected at least 3 for pairs 1 frames apart"):
        load(tmp_path / "clips/short", gap="1")


def test_rendered_faces_have_the_error_itself(tmp_path: Path) -> None:
    for number in range(5):
        add_sequence(tmp_path / "FFN", f"happy/{number}", 5)
    protocol = load(tmp_path / "FFN", "rendered", corruptions="blur")
    keys = list(protocol.keys())
    assert keys[:3] == ["happy/0/clean", "happy/0/blur-1", "happy/0/blur-5"]
    assert len(keys) == 15
    assert protocol.dataset.reference == "ground truth"
    pair = protocol.load("happy/0/blur-5")
    face = pair.reference
    assert face.truth is not None
    assert mask(3)[face.rows, face.columns].all()
    np.testing.assert_array_equal(face.truth, facial_flow(3)[face.rows, face.columns])
    flow = facial_flow(3) + np.float32([3, 4])
    count = len(face.rows)
    assert protocol.score(pair, Flows(flow), None).terms["epe"] == Term(pytest.approx(5 * count, rel=1e-6), count)
    record = evaluate(Brightness(), protocol, out=tmp_path / "runs")
    assert {"robustness", "epe"} <= {score.metric for score in record.scores if score.group == "all"}
    with pytest.raises(UsageError, match="has no option 'gap'"):
        load(tmp_path / "FFN", "rendered", gap="2")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"corruptions": "fog"}, "names 'fog', expected all, or some of noise, low_light"),
        ({"severities": "0"}, "expected whole numbers"),
        ({"severities": "3,6"}, "option 'severities' is '3,6', expected 1 to 5"),
        ({"gap": "0"}, "option 'gap' is '0'"),
        ({"clips": "1"}, "has no option 'clips'"),
    ],
)
def test_wrong_options(tmp_path: Path, options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(tmp_path, **options)


def test_unknown_flow_and_lonely_pairs_are_errors(tmp_path: Path) -> None:
    protocol = load(add_clip(tmp_path / "talk"))
    pair = protocol.load("talk/00000-00005/jpeg-1")
    flow = np.zeros((SIZE[1], SIZE[0], 2), np.float32)
    flow[pair.reference.rows[0], pair.reference.columns[0]] = 1e10
    with pytest.raises(DataError, match="jpeg-1: the forward flow is unknown in the face"):
        protocol.score(pair, Flows(flow), None)
    with pytest.raises(DataError, match="no pair is there both clean and corrupted"):
        evaluate(Brightness(), protocol, out=tmp_path / "runs", limit=1)
    assert set(CORRUPTIONS) >= {"noise", "hand"}
