"""Protocol ck_landmarks: the numbers of Eq. 6 on made-up folders, and what it says of its dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ffbench.datasets import registry
from ffbench.datasets.ck_plus.scan import read_landmarks
from ffbench.datasets.mark import SYNTHETIC_MARK
from ffbench.errors import DataError, UsageError
from ffbench.evaluation import evaluate
from ffbench.method import Flows
from ffbench.protocol import Pair, ProtocolRequest, Term
from ffbench.protocols.landmarks import ck_plus as ck_landmarks
from ffbench.protocols.landmarks.ck_plus import GROUPS, CKLandmarks, Landmarks
from ffbench.registry import load_method
from tests.datasets.ck_plus_folder import SIZE, add_sequence, landmarks, make_ck_plus
from tests.reference import landmarks as reference


@pytest.fixture(autouse=True)
def own_cache(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "assets" not in request.keywords:
        monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))


def load(data: Path | None, **request: object) -> CKLandmarks:
    return ck_landmarks.entry.load(ProtocolRequest("ck_landmarks", data, **request))  # type: ignore[arg-type,return-value]


def random_flow(size: tuple[int, int] = SIZE) -> Flows[np.ndarray]:
    rng = np.random.default_rng(8)
    return Flows(rng.normal(0, 4, (size[1], size[0], 2)).astype(np.float32))


def pair_of(first: np.ndarray, last: np.ndarray, size: tuple[int, int] = SIZE) -> Pair[Landmarks]:
    image = np.zeros((size[1], size[0], 3), np.uint8)
    return Pair("S001_001", image, image, Landmarks(first, last), {"subject": "S001"})


@pytest.fixture
def protocol(tmp_path: Path) -> CKLandmarks:
    return load(make_ck_plus(tmp_path / "data"))


def test_pairs_are_first_and_last_frames(protocol: CKLandmarks) -> None:
    assert protocol.keys() == ["S005_001", "S005_002", "S010_001"]
    pair = protocol.load("S005_002")
    assert pair.labels == {"subject": "S005", "emotion": "surprise"}
    assert pair.image1.shape == pair.image2.shape == (SIZE[1], SIZE[0], 3)
    assert (pair.image1[..., 0] == pair.image1[..., 2]).all()
    assert np.allclose(pair.reference.first, landmarks(1), atol=1e-5)
    assert np.allclose(pair.reference.last, landmarks(12), atol=1e-5)
    drawn = protocol.annotation(pair)
    assert drawn.first is pair.reference.first
    assert drawn.second is pair.reference.last
    color = protocol.load("S010_001")
    assert color.image1.shape == (48, 64, 3)
    assert (color.image1[..., 0] != color.image1[..., 2]).any()
    assert color.labels == {"subject": "S010"}


def test_parts_of_the_face_share_out_the_68_landmarks() -> None:
    assert np.array_equal(np.sum(list(GROUPS.values()), axis=0), np.ones(68))
    assert {name: int(mask.sum()) for name, mask in GROUPS.items()} == {
        "jaw": 17,
        "brows": 10,
        "nose": 9,
        "eyes": 12,
        "lips": 20,
    }
    assert GROUPS["lips"].nonzero()[0].tolist() == list(range(48, 68))


def test_score_against_eq_6_in_a_loop(protocol: CKLandmarks) -> None:
    flow = random_flow()
    pair = protocol.load("S005_001")
    terms = protocol.score(pair, flow, None).terms
    first, last = pair.reference.first, pair.reference.last
    sampled = np.array([reference.bilinear(flow.facial, x, y) for x, y in first])
    errors = np.array(reference.epe(sampled, last - first))
    assert terms["epe"].sum == pytest.approx(errors.sum(), rel=1e-12)
    assert terms["epe"].count == 68
    assert terms["epe/lips"].sum == pytest.approx(errors[48:].sum(), rel=1e-12)
    assert terms["outliers_3px"].sum == 100 * (errors > 3).sum()
    left = [reference.similarity_residual(first, d) for d in (sampled, last - first)]
    residual = np.array(reference.epe(*left))
    assert terms["epe_nonrigid"].sum == pytest.approx(residual.sum(), rel=1e-9)
    assert terms["epe_nonrigid/eyes"].sum == pytest.approx(residual[36:48].sum(), rel=1e-9)


def test_the_true_displacement_scores_zero_and_its_negative_does_not(protocol: CKLandmarks) -> None:
    motion = np.array([2.0, -1.0], np.float32)
    pair = pair_of(landmarks(1), landmarks(1) + motion)
    flow = np.tile(motion, (SIZE[1], SIZE[0], 1))
    terms = protocol.score(pair, Flows(flow), None).terms
    assert (terms["epe"].sum, terms["epe"].count) == (pytest.approx(0, abs=1e-12), 68)
    reversed_terms = protocol.score(pair, Flows(-flow), None).terms
    assert reversed_terms["epe"].sum == pytest.approx(68 * 2 * 5**0.5)
    assert reversed_terms["outliers_3px"].sum == 6800
    assert reversed_terms["epe_nonrigid"].sum == pytest.approx(0, abs=1e-9)


def test_landmarks_outside_of_the_image_are_counted_out_and_told(protocol: CKLandmarks) -> None:
    first = landmarks(1)
    first[0] = (-0.001, 5)
    first[20] = (5, SIZE[1] - 1 + 0.001)
    first[60] = (SIZE[0] - 1, SIZE[1] - 1)  # the centre of the last pixel
    terms = protocol.score(pair_of(first, landmarks(2)), random_flow(), None).terms
    assert [terms[name].count for name in ("epe", "epe/jaw", "epe/brows", "epe/lips")] == [66, 16, 9, 20]
    assert terms["epe_nonrigid"].count == terms["outliers_3px"].count == 66
    assert terms["landmarks_inside"] == Term(6600.0, 68.0)


def test_all_landmarks_outside_of_the_image(protocol: CKLandmarks) -> None:
    terms = protocol.score(pair_of(landmarks(1) - 100, landmarks(2)), random_flow(), None).terms
    assert terms == {"landmarks_inside": Term(0.0, 68.0)}


@pytest.mark.parametrize("value", [np.nan, 1e10])
def test_a_flow_with_holes_at_landmarks_is_refused(protocol: CKLandmarks, value: float) -> None:
    flow = random_flow()
    x, y = np.round(landmarks(1)[7]).astype(int)
    flow.facial[y - 1 : y + 2, x - 1 : x + 2] = value
    with pytest.raises(DataError, match=r"S001_001: the flow is unknown at \d+ landmarks"):
        protocol.score(pair_of(landmarks(1), landmarks(2)), flow, None)


def test_summary_by_part_and_emotion_with_intervals_over_subjects(tmp_path: Path) -> None:
    for number in range(1, 6):
        for take in ("001", "002"):
            add_sequence(tmp_path, f"S{number:03d}", take, frames=2 + number, emotion=5 if take == "001" else 7)
    protocol = load(tmp_path)
    pairs = map(protocol.load, protocol.keys())
    scores = [protocol.score(pair, random_flow(), None) for pair in pairs]
    summary = {(s.metric, s.group): s for s in protocol.summarize(scores)}
    overall = summary["epe", "all"]
    assert overall.pairs == 10
    assert overall.value == pytest.approx(np.mean([s.terms["epe"].sum / 68 for s in scores]))
    assert {group for metric, group in summary if metric == "epe"} == {
        "all",
        *GROUPS,
        "emotion=happiness",
        "emotion=surprise",
        *(f"subject=S{number:03d}" for number in range(1, 6)),
    }
    of_one = summary["epe", "subject=S002"]
    members = [s.terms["epe"].sum / 68 for s in scores if s.key.startswith("S002")]
    assert (of_one.value, of_one.pairs, of_one.ci_low) == (pytest.approx(np.mean(members)), 2, None)
    by_subject = summary["epe", "emotion=happiness"]
    # Both takes of a subject are alike here: resampled as one they are as uncertain as one.
    assert overall.ci_high is not None
    assert overall.ci_low is not None
    assert (overall.ci_low, overall.ci_high) == pytest.approx((by_subject.ci_low, by_subject.ci_high))
    assert set(protocol.card.metrics) == {metric for metric, _ in summary}


def test_real_folder_is_an_annotation_and_its_counts_are_only_told(protocol: CKLandmarks) -> None:
    card = protocol.dataset
    assert (card.name, card.origin, card.reference, card.problems) == ("CK+", "real", "annotation", ())
    assert "3 of its 593 sequences" in card.reference_note
    assert card.facts == {
        "sequences": 3,
        "subjects": 2,
        "emotion_labels": 2,
        "official_sequences": 593,
        "official_emotion_labels": 327,
    }


def test_problems_go_into_the_card(tmp_path: Path) -> None:
    make_ck_plus(tmp_path)
    (tmp_path / "Landmarks/S005/001/S005_001_00000001_landmarks.txt").write_text("1 2\n" * 67)
    protocol = load(tmp_path)
    assert protocol.keys() == ["S005_002", "S010_001"]
    assert "67 rows, expected 68" in protocol.dataset.problems[0]


@pytest.mark.parametrize("given", ["data/mini", "data", "data/mini/inner"])
def test_a_folder_that_ffbench_made_is_synthetic_at_any_depth(tmp_path: Path, given: str) -> None:
    make_ck_plus(tmp_path / "data" / "mini" / "inner")
    (tmp_path / "data" / "mini" / SYNTHETIC_MARK).write_text("{}")
    card = load(tmp_path / given).dataset
    assert (card.origin, card.reference) == ("synthetic", "ground truth")
    assert "official_sequences" not in card.facts


def test_one_made_sequence_behind_a_link_is_enough(tmp_path: Path) -> None:
    real = make_ck_plus(tmp_path / "real")
    add_sequence(tmp_path / "made", "S900", "001")
    assert load(real).dataset.origin == "real"
    (tmp_path / "made" / SYNTHETIC_MARK).write_text("{}")
    for folder in ("cohn-kanade-images", "Landmarks"):
        (real / folder / "S900").symlink_to(tmp_path / "made" / folder / "S900")
    assert "S900_001" in list(load(real).keys())
    assert load(real).dataset.origin == "synthetic"


@pytest.mark.parametrize("name", ["CK+", "ck_plus", "ckplus"])
def test_default_is_ck_plus_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    make_ck_plus(tmp_path / name)
    monkeypatch.setenv("FFBENCH_DATA", str(tmp_path))
    assert load(None).dataset.origin == "real"


@pytest.mark.parametrize("data", ["", "no_such_folder"])
def test_without_ck_plus_the_default_is_the_mini_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    monkeypatch.setenv("FFBENCH_DATA", data and str(tmp_path / data))
    monkeypatch.setattr(registry, "mini_dataset", lambda dataset: make_ck_plus(tmp_path / dataset.id))
    assert len(load(None).keys()) == 3


def test_options_and_other_variants_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ck_landmarks has no option 'gaps'; it has none"):
        load(tmp_path, options={"gaps": "1"})
    with pytest.raises(UsageError, match="variant is 'official', expected paper"):
        load(tmp_path, variant="official")


def test_an_image_that_breaks_off_is_named_when_it_is_read(tmp_path: Path) -> None:
    protocol = load(make_ck_plus(tmp_path))
    path = tmp_path / "cohn-kanade-images/S005/001/S005_001_00000004.png"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"S005_001_00000004\.png"):
        protocol.load("S005_001")


def test_landmarks_are_read_as_they_are(protocol: CKLandmarks, tmp_path: Path) -> None:
    path = tmp_path / "data/Landmarks/S005/001/S005_001_00000001_landmarks.txt"
    assert np.array_equal(protocol.load("S005_001").reference.first, read_landmarks(path))


def mean_motion(protocol: CKLandmarks) -> float:
    marks = [protocol.load(key).reference for key in protocol.keys()]  # noqa: SIM118
    return float(np.mean([np.hypot(*(one.last - one.first).T).mean() for one in marks]))


def test_zero_flow_scores_the_mean_motion_and_a_problem_makes_the_record_incomplete(tmp_path: Path) -> None:
    protocol = load(make_ck_plus(tmp_path / "data"))
    record = evaluate(load_method("zero"), protocol, out=tmp_path / "runs")
    assert record.primary.value == pytest.approx(mean_motion(protocol), rel=1e-12)
    assert record.interval.unit == "subject"
    assert record.complete
    (tmp_path / "data/Landmarks/S005/001/S005_001_00000001_landmarks.txt").unlink()
    damaged = load(tmp_path / "data")
    record = evaluate(load_method("zero"), damaged, out=tmp_path / "runs")
    assert record.primary.value == pytest.approx(mean_motion(damaged), rel=1e-12)
    assert (record.pairs, record.complete) == (2, False)


@pytest.mark.assets
@pytest.mark.slow
def test_the_mini_dataset_is_whole_and_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FFBENCH_DATA", raising=False)
    protocol = load(None)
    assert (protocol.dataset.name, protocol.dataset.origin, protocol.dataset.problems) == ("CK+ mini", "synthetic", ())
    assert protocol.dataset.facts["sequences"] > 10
    assert 1 < mean_motion(protocol) < 20
