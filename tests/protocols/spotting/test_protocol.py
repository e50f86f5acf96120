"""`casme2_spot`: a whole run on planted clips, what folds learn from, its numbers, and clips that cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import ffbench
from ffbench import Flows, Method, MethodCard
from ffbench.errors import DataError, UsageError
from ffbench.protocol import PairScore, Term
from ffbench.protocols.spotting import protocol as spotting
from ffbench.protocols.spotting.descriptors import SIDE, chosen_flow, enlarged, packed
from ffbench.protocols.spotting.entries import scoring
from ffbench.protocols.spotting.protocol import CLASSES, SpotThenRecognise, card_of
from ffbench.protocols.spotting.scores import SpottingScoring, add_terms, found_terms, lost_terms, summarize_spotting
from ffbench.recogniser import FACE_SIZE, Recogniser, RecogniserRequest, RegisteredFace
from ffbench.recogniser_registry import LoadedRecogniser
from ffbench.results.record.pair_table import read_pair_table
from ffbench.results.store.recompute import score_faults
from tests.datasets.casme2_folder import Row, workbook
from tests.reference.spotting import strs_of_names

WINDOW, HALF = 4, 4
FRAMES = 40
Predicted = npt.NDArray[np.int8]
ROWS: list[Row] = [
    (subject, f"EP{take:02d}_01", None, apex - HALF, apex, apex + HALF, None, "4", CLASSES[(subject + take + at) % 5])
    for subject in (1, 2, 3)
    for take in range(4)
    for at, apex in enumerate((12, 28) if take == 0 else (20,))
]
SHOWN = len(ROWS)


class Planted(Method):
    """Says in its flow what the test's frames hold: how far an expression is, and its class, as gray levels."""

    card = MethodCard(id="planted", title="Planted")

    def forward(self, image1, image2):  # type: ignore[no-untyped-def]
        first, second = (255 * image[:, 0, 4, 4] / 200 for image in (image1, image2))
        moved = (second - first).abs()
        moved = torch.where(moved < 0.05, torch.zeros_like(moved), moved)
        angle = 2 * np.pi * (255 * image1[:, 0, 20, 20] / 40).round() / 5
        flow = moved[:, None] * torch.stack([torch.cos(angle), torch.sin(angle)], 1)
        height, width = image1.shape[-2:]
        return Flows(facial=flow[:, :, None, None].expand(-1, -1, height, width))


def plant(root: Path, rows: Sequence[Row], frames: int = FRAMES) -> Path:
    """Write whole clips and their coding; a block of each frame says how far an expression is, another its class."""
    for row in rows:
        folder = root / "CASME2-RAW" / f"sub{int(str(row[0])):02d}" / str(row[1])
        folder.mkdir(parents=True, exist_ok=True)
        mine = [other for other in rows if other[:2] == row[:2]]
        for number in range(1, frames + 1):
            image = np.zeros((48, 64, 3), np.uint8)
            nearest = min(mine, key=lambda one: abs(int(str(one[4])) - number))
            away = abs(int(str(nearest[4])) - number) / HALF
            image[:16] = round(200 * max(0.0, 1 - away))
            image[16:32] = 40 * CLASSES.index(str(nearest[8])) if nearest[8] in CLASSES else 0
            Image.fromarray(image).save(folder / f"img{number}.jpg", quality=100, subsampling=0)
    (root / "CASME2-coding-20140508.xlsx").write_bytes(workbook(list(rows)))
    return root


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("planted") / "CASME2", ROWS)


@pytest.fixture(autouse=True)
def no_face_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registered face is the whole frame: nobody is in it."""
    whole = np.array([[FACE_SIZE / 64, 0.0, 0.0], [0.0, FACE_SIZE / 64, 0.0]])
    monkeypatch.setattr(spotting, "_registered", lambda frame: whole)


def load(root: Path, **options: str) -> SpotThenRecognise:
    found = ffbench.load_protocol("casme2_spot", data=root, options={"window": str(WINDOW), **options})
    assert isinstance(found, SpotThenRecognise)
    return found


def test_a_whole_run_and_its_record(planted: Path, tmp_path: Path) -> None:
    record = ffbench.evaluate(Planted(), load(planted, seeds="2", epochs="20"), out=tmp_path)
    found = {score.metric: score for score in record.scores if score.group == "all"}
    assert found["spotting_f1"].value == found["spotting_precision"].value == found["spotting_recall"].value == 1
    assert record.primary.metric == "spotted_named"
    assert record.primary.value == found["strs"].value == found["annotated_f1"].value == 1
    assert found["seed_sd"].value == 0
    assert (record.dataset.facts["expressions"], record.dataset.facts["clips"]) == (SHOWN, 12)
    # Of twelve middles the nine of clips with one expression hit, and six expressions of the others are missed.
    assert record.dataset.facts["middle_f1"] == 2 * 9 / (2 * 9 + 3 + 6)
    assert record.protocol.options["window"] == WINDOW
    assert record.complete
    # What a record states is enough to check it where the clips are not at hand.
    assert record.path is not None
    stated = scoring(record.protocol)
    scores = read_pair_table(Path(record.path).parent / record.pair_table.file)
    assert score_faults(record, scores, stated) == []
    # The control: one name more than was spotted.
    hit = next(at for at, score in enumerate(scores) if score.terms.get("spotting_recall"))
    terms = {**scores[hit].terms, "named/others/disgust": Term(1.0, 1.0)}
    assert stated.impossible(PairScore(scores[hit].key, terms, scores[hit].labels)) == (
        "1 intervals are spotted, and 2 are named"
    )


class Still(Planted):
    """A method that sees nothing move."""

    card = MethodCard(id="still", title="Still")

    def forward(self, image1, image2):  # type: ignore[no-untyped-def]
        return Flows(facial=0 * super().forward(image1, image2).facial)


def test_where_nothing_moves_nothing_is_spotted(planted: Path, tmp_path: Path) -> None:
    record = ffbench.evaluate(Still(), load(planted, epochs="2"), out=tmp_path)
    found = {score.metric: score.value for score in record.scores if score.group == "all"}
    assert [found[name] for name in ("spotted_named", "strs", "spotting_f1", "spotting_precision")] == [0, 0, 0, 0]


class Remembering(Recogniser):
    """Keeps what it was given."""

    epochs = 1

    def __init__(self) -> None:
        self.labels: list[list[int]] = []

    def features(self, face: RegisteredFace) -> npt.NDArray[np.float32]:
        return face.flow.mean(axis=(0, 1))

    def fit_predict(
        self,
        features: npt.NDArray[np.float32],
        labels: npt.NDArray[np.int64],
        others: npt.NDArray[np.float32],
        classes: int,
        seed: int,
    ) -> Predicted:
        self.labels.append(labels.tolist())
        return np.zeros((1, len(others)), np.int8)


def test_folds_learn_from_annotated_intervals_of_other_subjects_alone(planted: Path, tmp_path: Path) -> None:
    protocol = load(planted)
    remembering = Remembering()
    protocol._recogniser = LoadedRecogniser(RecogniserRequest("remembering", len(CLASSES)), remembering, "remembering")
    ffbench.evaluate(Planted(), protocol, out=tmp_path)
    coded = {subject: [CLASSES.index(str(row[8])) for row in ROWS if row[0] == subject] for subject in (1, 2, 3)}
    assert [Counter(labels) for labels in remembering.labels] == [
        Counter(coded[2] + coded[3]),
        Counter(coded[1] + coded[3]),
        Counter(coded[1] + coded[2]),
    ]


COUNTED = st.tuples(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=6), st.integers(0, 3), st.integers(0, 3)
)


@given(st.lists(COUNTED, min_size=2, max_size=6))
def test_numbers_are_those_of_counting(subjects: list[tuple[list[tuple[int, int]], int, int]]) -> None:
    scores, named, false, missed = [], [], 0, 1
    for number, (found, in_vain, lost) in enumerate(subjects):
        terms: dict[str, Term] = {}
        for true, predicted in found:
            add_terms(terms, found_terms(CLASSES, true, np.array([predicted], np.int8)))
            named.append((CLASSES[true], CLASSES[predicted]))
        for kind, count in ((False, in_vain), (True, lost + (number == 0))):
            for _ in range(count):
                add_terms(terms, lost_terms(1, missed=kind))
        false, missed = false + in_vain, missed + lost
        scores.append(PairScore(f"p{number}", terms, {"subject": f"s{number}"}))
    values = {score.metric: score.value for score in summarize_spotting(scores, CLASSES)}
    spotting_f1, recognition, strs = strs_of_names(named, false, missed, CLASSES)
    assert values["spotting_f1"] == pytest.approx(spotting_f1)
    assert values["recognition_f1"] == pytest.approx(recognition)
    assert values["strs"] == pytest.approx(strs)
    right = sum(true == predicted for true, predicted in named)
    # F1 of what is spotted and named is F1 of spotting times the accuracy on what was spotted.
    assert values["spotted_named"] == pytest.approx(spotting_f1 * right / len(named) if named else 0)
    card = card_of("standard", {"seeds": 1})
    assert all(SpottingScoring(card, CLASSES).impossible(score) is None for score in scores)
    assert summarize_spotting(scores[::-1], CLASSES) == summarize_spotting(scores, CLASSES)


def test_what_is_kept_of_a_pair() -> None:
    rng = np.random.default_rng(0)
    facial, head = (rng.normal(size=(FACE_SIZE, FACE_SIZE, 2)).astype(np.float32) for _ in range(2))
    face = rng.random((FACE_SIZE, FACE_SIZE, 3)).astype(np.float32)
    values = packed(facial, head, face)
    assert values.shape == (SIDE, SIDE, 7)
    assert np.allclose(values[3, 5, :2], facial[12:16, 20:24].mean(axis=(0, 1)), atol=1e-6)
    expression, kept = chosen_flow(values, "expression", "none")
    assert np.allclose(expression, values[..., :2] - values[..., 2:4])
    seen = enlarged(expression, kept)
    assert (seen.flow.shape, seen.onset.shape) == ((FACE_SIZE, FACE_SIZE, 2), (FACE_SIZE, FACE_SIZE, 3))
    assert (seen.flow[12:16, 20:24] == expression[3, 5]).all()
    with pytest.raises(UsageError, match="derive_head"):
        chosen_flow(packed(facial, None, face), "head", "none")


def test_a_derived_head_flow_is_in_px_of_the_face() -> None:
    rows, columns = np.mgrid[0:FACE_SIZE, 0:FACE_SIZE]
    # A head that turns by a hundredth about the middle of the face, and a mouth that moves down.
    middle = (FACE_SIZE - 1) / 2
    turn = np.stack([-0.01 * (rows - middle), 0.01 * (columns - middle)], 2).astype(np.float32)
    facial = turn.copy()
    facial[160:184, 80:144, 1] += 2
    head, _ = chosen_flow(packed(facial, None, np.zeros((FACE_SIZE, FACE_SIZE, 3), np.float32)), "head", "rigid")
    assert np.allclose(head, packed(turn, None, np.zeros((FACE_SIZE, FACE_SIZE, 3), np.float32))[..., :2], atol=0.01)


def test_pairs_of_lost_frames_are_left_out_and_the_rest_is_measured(tmp_path: Path) -> None:
    root = plant(tmp_path / "CASME2", ROWS)
    lost = root / "CASME2-RAW" / "sub01" / "EP01_01"
    (lost / "img5.jpg").unlink()
    protocol = load(root, epochs="20")
    assert not {"sub01/EP01_01/1", "sub01/EP01_01/5"} & set(protocol.keys())  # where it is second, and first
    assert "sub01/EP01_01/3" in set(protocol.keys())
    (lost / "img31.jpg").write_bytes(b"no image")
    record = ffbench.evaluate(Planted(), load(root, epochs="20"), out=tmp_path / "runs")
    assert not record.complete
    assert record.score("spotting_recall").value == 1


def test_what_cannot_be_run_is_said(planted: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="casme2_spot has no option 'shift'"):
        load(planted, shift="2")
    with pytest.raises(UsageError, match=r"recipe=released is of recogniser=mmnet; 'roi' has none"):
        load(planted, recipe="released")
    with pytest.raises(DataError, match="all 12 clips are shorter than the window of 50 frames; set a smaller one"):
        load(planted, window="50")
    with pytest.raises(UsageError, match="derive_head"):
        ffbench.evaluate(Planted(), load(planted, flow="expression"), out=tmp_path)
    alone = plant(tmp_path / "alone" / "CASME2", [row for row in ROWS if row[0] == 1])
    with pytest.raises(DataError, match="leaving one subject out needs two subjects and two classes at least"):
        load(alone)
    with pytest.raises(UsageError, match="option 'window' is 0"):
        scoring(card_of("standard", {"window": 0}))
