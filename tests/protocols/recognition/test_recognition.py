"""The recognition protocols: registered faces, folds, what is selected how, and that nothing leaks."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import ffbench
from ffbench import Flows, Method, MethodCard
from ffbench.datasets.mark import SYNTHETIC_MARK
from ffbench.engines import EngineName, engine
from ffbench.errors import DataError, MethodError, UsageError
from ffbench.extras import MissingExtraError
from ffbench.flow.sampling import sample_flow
from ffbench.microexpressions.flow_choice import FACE_VALUES, FLOW_VALUES, choose, pack, split
from ffbench.microexpressions.registration import SIZE, align_flow, register, to_recogniser
from ffbench.protocol import PairScore
from ffbench.protocols.recognition import folds as recognition_folds
from ffbench.protocols.recognition.folds import Task, chosen_epochs, leave_one_subject_out
from ffbench.protocols.recognition.protocol import Recognition
from ffbench.protocols.recognition.recognisers.roi import RegionHistograms
from ffbench.protocols.recognition.scores import pair_terms, summarize_recognition
from ffbench.recogniser import Recogniser, RegisteredFace
from ffbench.results.record.run_record import read_record
from tests.datasets.casme2_folder import Row, workbook

Predicted = npt.NDArray[np.int8]


def textured(seed: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.asarray(np.clip(128 + smooth * 60 / smooth.std(), 0, 255), np.uint8)


SIMILARITY = np.array([[0.83, -0.21, -40.0], [0.21, 0.83, -60.0]])


def test_the_crop_is_found_where_it_was_cut_out() -> None:
    frame = textured(0, 240, 320)
    crop = np.asarray(cv2.warpAffine(frame, SIMILARITY, (150, 170)), np.uint8)
    found = register(frame, crop, "clip")
    corners = np.array([[60, 90], [200, 90], [60, 200], [200, 200]], np.float64)
    moved, expected = (corners @ t[:, :2].T + t[:, 2] for t in (found, SIMILARITY))
    assert np.abs(moved - expected).max() < 0.25
    assert np.array_equal(register(frame, crop, "clip"), found)


def test_a_crop_of_something_else_is_refused() -> None:
    with pytest.raises(DataError, match=r"sub01/EP02_01f: the cropped face cannot be found"):
        register(textured(0, 240, 320), textured(1, 170, 150), "sub01/EP02_01f")
    with pytest.raises(DataError, match="cannot be found"):
        register(np.zeros((50, 60, 3), np.uint8), np.zeros((50, 60, 3), np.uint8), "black")


def test_aligned_flow_moves_the_face_as_the_frame_was_moved() -> None:
    """The reference: where a point of the frame lies in the face before and after, without any rule for vectors."""
    height, width = 240, 320
    rows, columns = np.mgrid[0:height, 0:width]
    flow = np.stack([2 + 0.01 * rows, 0.02 * columns - 3], axis=2).astype(np.float32)
    crop_size = (150, 170)
    aligned = align_flow(flow, to_recogniser(SIMILARITY, crop_size), "clip")

    def in_face(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        crop = np.array([SIMILARITY[:, :2] @ point + SIMILARITY[:, 2] for point in points])
        return np.asarray((crop + 0.5) * SIZE / np.array(crop_size) - 0.5)

    points = np.array([[110.0, 120.0], [150.0, 100.0], [180.0, 130.0], [130.0, 160.0]])
    motion = np.array([flow[int(y), int(x)] for x, y in points])
    before, after = in_face(points), in_face(points + motion)
    assert (before > 0).all()
    assert (before < SIZE - 1).all()
    values, known = sample_flow(aligned, before)
    assert known.all()
    assert np.allclose(values, after - before, atol=1e-3)


def test_outside_of_the_frame_nothing_moves() -> None:
    transform = to_recogniser(np.array([[1.0, 0, 100], [0, 1, 0]]), (SIZE, SIZE))
    aligned = align_flow(np.ones((SIZE, SIZE, 2), np.float32), transform, "clip")
    assert (aligned[:, :100] == 0).all()
    assert np.allclose(aligned[:-1, 101:], 1)


def test_region_histograms_are_the_means_that_they_say() -> None:
    rng = np.random.default_rng(0)
    descriptor = rng.normal(size=FLOW_VALUES + FACE_VALUES).astype(np.float16)
    face = split(descriptor)
    features = RegionHistograms().features(face).reshape(7, 7, 8)
    flow = face.flow
    assert face.onset.shape == (SIZE, SIZE, 3)
    for row, column, direction in ((0, 0, 0), (3, 6, 5), (6, 2, 3)):
        angle = 2 * np.pi * direction / 8
        cell = flow[32 * row : 32 * row + 32, 32 * column : 32 * column + 32].reshape(-1, 2).astype(np.float64)
        expected = np.mean([max(0.0, u * np.cos(angle) + v * np.sin(angle)) for u, v in cell])
        assert features[row, column, direction] == pytest.approx(expected, rel=1e-5)


def task(folder: Path, labels: npt.NDArray[np.int64], features: npt.NDArray[np.float32], subjects: int) -> Task:
    np.save(folder / "inputs.npy", features)
    people = np.arange(len(labels), dtype=np.int64) % subjects
    return Task(RegionHistograms(20), folder / "inputs.npy", labels, people, int(labels.max()) + 1, folder)


def accuracy(shared: Task, predicted: Predicted, by: str) -> float:
    chosen = chosen_epochs(predicted, shared.labels, shared.subjects, shared.classes, by)
    return float((chosen == shared.labels).mean())


def test_shuffled_labels_give_chance_when_nothing_leaks_and_more_than_chance_the_official_way(tmp_path: Path) -> None:
    """96 pairs whose features say the class without fault; then labels that say nothing of the features."""
    rng = np.random.default_rng(3)
    labels = rng.permutation(np.arange(96, dtype=np.int64) % 4)
    features = (np.eye(4)[labels] @ rng.normal(size=(4, 30)) + 0.3 * rng.normal(size=(96, 30))).astype(np.float32)
    (tmp_path / "true").mkdir()
    honest = task(tmp_path / "true", labels, features, 16)
    assert accuracy(honest, leave_one_subject_out(honest, 1).predicted, "last") > 0.95
    clean, official = [], []
    for shuffle in range(6):
        folder = tmp_path / str(shuffle)
        folder.mkdir()
        noise = task(folder, rng.permutation(labels), rng.normal(size=(96, 30)).astype(np.float32), 16)
        predicted = leave_one_subject_out(noise, 1).predicted
        clean.append(accuracy(noise, predicted, "last"))
        official.append(accuracy(noise, predicted, "accuracy"))
    # Chance is 1/4; the mean over 576 pairs has a standard error of 0.018.
    assert abs(np.mean(clean) - 0.25) < 0.06
    assert np.mean(official) > np.mean(clean) + 0.08, "the official way finds signal in noise"


class Memory(Recogniser):
    """Remembers what it was given: predicts whether the held-out pairs were among those it learnt from."""

    epochs = 1

    def features(self, face: RegisteredFace) -> npt.NDArray[np.float32]:
        return face.flow

    def fit_predict(
        self,
        features: npt.NDArray[np.float32],
        labels: npt.NDArray[np.int64],
        others: npt.NDArray[np.float32],
        classes: int,
        seed: int,
    ) -> Predicted:
        seen = set(features.ravel().tolist())
        return np.array([[int(value in seen) for value in others.ravel().tolist()]], np.int8)


def three_classes() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Labels of 24 pairs, and features that have nothing to do with them."""
    labels = np.arange(24, dtype=np.int64) % 3
    return labels, np.random.default_rng(0).normal(size=(24, 10)).astype(np.float32)


def test_no_fold_sees_a_pair_of_the_subject_that_it_predicts(tmp_path: Path) -> None:
    subjects = np.array([0, 0, 1, 2, 2, 2], np.int64)
    np.save(tmp_path / "inputs.npy", np.arange(6, dtype=np.float32)[:, None])
    shared = Task(Memory(), tmp_path / "inputs.npy", np.zeros(6, np.int64), subjects, 2, tmp_path)
    assert (leave_one_subject_out(shared, 2).predicted == 0).all()


def test_an_interrupted_run_goes_on_with_the_same_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, features = three_classes()
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    expected = leave_one_subject_out(task(tmp_path / "whole", labels, features, 4), 2).predicted
    cut = task(tmp_path / "cut", labels, features, 4)
    run, runs = recognition_folds._run, []

    def stop_after_three(*fold: object) -> None:
        runs.append(fold)
        if len(runs) == 4:
            raise KeyboardInterrupt
        run(*fold)  # type: ignore[arg-type]

    monkeypatch.setattr(recognition_folds, "_run", stop_after_three)
    with pytest.raises(KeyboardInterrupt):
        leave_one_subject_out(cut, 2)
    # A fold whose file was cut off is run again.
    (tmp_path / "cut" / "fold-0-1.npy").write_bytes(b"\x93NUMPY")
    told: list[tuple[int, int]] = []
    again = leave_one_subject_out(cut, 2, progress=lambda *done: told.append(done))
    assert np.array_equal(again.predicted, expected)
    assert again.seconds > 0
    assert told[0] == (2, 8)
    assert told[-1] == (8, 8)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["processes", "ray"])
def test_engines_change_no_digit_and_take_the_folds_that_are_done(tmp_path: Path, name: EngineName) -> None:
    if name == "ray":
        pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    labels, features = three_classes()
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    expected = leave_one_subject_out(task(tmp_path / "here", labels, features, 4), 2).predicted
    cut = task(tmp_path / "there", labels, features, 4)
    leave_one_subject_out(cut, 1)
    told: list[tuple[int, int]] = []
    found = leave_one_subject_out(cut, 2, engine(name, 2), lambda *done: told.append(done))
    assert np.array_equal(found.predicted, expected)
    assert told == [(done, 8) for done in range(4, 9)]


def test_without_ray_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r'engine=ray: Ray is not installed: pip install "ffbench\[ray\]"'):
        engine("ray", 2)


def test_epochs_are_chosen_as_stated() -> None:
    labels, subjects = np.array([0, 1, 1, 0]), np.array([0, 0, 0, 1])
    # Three epochs of one seed: the second is best for subject 0, the first for subject 1.
    predicted = np.array([[[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 0, 1]]], np.int8)
    assert chosen_epochs(predicted, labels, subjects, 2, "last").tolist() == [[0, 0, 0, 1]]
    assert chosen_epochs(predicted, labels, subjects, 2, "accuracy").tolist() == [[0, 1, 1, 0]]
    assert chosen_epochs(predicted, labels, subjects, 2, "f1").tolist() == [[0, 1, 1, 0]]


def test_of_equal_epochs_the_first_counts_for_accuracy_and_the_last_for_f1() -> None:
    """As in MMNet's released code, which asks `>` of hits and `>=` of F1."""
    labels, subjects = np.array([0, 0, 1]), np.zeros(3, np.int64)
    # Epochs 0 and 2 are equally good and name other clips; epoch 3 is worse by both.
    predicted = np.array([[[0, 1, 1], [1, 1, 0], [1, 0, 1], [0, 0, 0]]], np.int8)
    assert chosen_epochs(predicted, labels, subjects, 2, "accuracy").tolist() == [[0, 1, 1]]
    assert chosen_epochs(predicted, labels, subjects, 2, "f1").tolist() == [[1, 0, 1]]
    # Where every epoch is wrong the released code keeps the last too: its best F1 so far starts at 0.
    wrong = np.array([[[1, 1, 0], [2, 1, 0], [2, 2, 2]]], np.int8)
    assert chosen_epochs(wrong, labels, subjects, 3, "f1").tolist() == [[2, 2, 2]]
    # The same three fractions added in another order: equal, though the last digit of their mean is not.
    labels, subjects = np.array([0, 0, 1, 1, 2, 2]), np.zeros(6, np.int64)
    first, last = [0, 1, 0, 1, 0, 2], [0, 2, 1, 2, 0, 2]
    assert chosen_epochs(np.array([[first, last]], np.int8), labels, subjects, 3, "f1").tolist() == [last]


class Planted(Method):
    """Says the class in its flow: reads it from a corner of the second image, where the test's frames have it."""

    card = MethodCard(id="planted", title="Planted")

    def forward(self, image1, image2):  # type: ignore[no-untyped-def]
        value = image2[:, 0, 0, 0] * 255 / 40
        angle = value.round() * 2 * np.pi / 5
        flow = np.stack([np.cos(angle.numpy()), np.sin(angle.numpy())], 1).astype(np.float32)
        import torch

        height, width = image1.shape[-2:]
        return Flows(facial=torch.from_numpy(flow)[:, :, None, None].expand(-1, -1, height, width))


CLASSES = ("happiness", "repression", "disgust", "surprise", "others")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three subjects, two clips of each class each; the second frame's first pixel says the class."""
    root = tmp_path_factory.mktemp("planted") / "CASME2"
    plant(root, REGULAR)
    return root


REGULAR: list[Row] = [
    (subject, f"EP{take:02d}_01", None, 1, 2, 3, None, "12", CLASSES[take % 5])
    for subject in (1, 2, 3)
    for take in range(10)
]
IRREGULAR: list[Row] = [
    (2, "EP21_01", None, 1, 1, 3, None, "4", "disgust"),
    (3, "EP20_01", None, 1, "/", 4, None, "4", "disgust"),
]


def plant(root: Path, rows: list[Row]) -> None:
    """Write frames 1 and 2 of clips, and their coding."""
    for subject, name, *_, emotion in rows:
        frame = textured(int(str(subject)), 120, 160)
        crop = np.asarray(cv2.warpAffine(frame, np.array([[1.0, 0, -20], [0, 1, -10]]), (100, 100)))
        apex = frame.copy()
        apex[:8, :8] = 40 * CLASSES.index(str(emotion))
        for folder, prefix, images in (("CASME2-RAW", "img", (frame, apex)), ("Cropped", "reg_img", (crop, crop))):
            place = root / folder / f"sub{subject:02d}" / str(name)
            place.mkdir(parents=True)
            for number, image in enumerate(images, start=1):
                Image.fromarray(image).save(place / f"{prefix}{number}.jpg", quality=100)
    (root / "CASME2-coding-20140508.xlsx").write_bytes(workbook(rows))


def test_a_whole_run_and_its_record(planted: Path, tmp_path: Path) -> None:
    protocol = ffbench.load_protocol("casme2_5", data=planted, options={"seeds": "2", "epochs": "5"})
    learnt: list[tuple[int, int]] = []
    record = ffbench.evaluate(Planted(), protocol, out=tmp_path, learning=lambda *done: learnt.append(done))
    assert record.primary.value == 100
    assert learnt[-1] == (6, 6)
    assert (record.score("uf1").value, record.score("uar").value, record.score("optimism").value) == (1, 1, 0)
    assert record.score("accuracy", "class=disgust").pairs == 6
    assert record.score("accuracy", "seed 1").value == 100
    assert record.score("seed_sd").value == 0
    assert record.confusion is not None
    assert record.confusion.classes == CLASSES
    assert np.array_equal(record.confusion.counts, 6 * np.eye(5))
    assert record.protocol.variant == "clean"
    assert record.dataset.origin == "real"
    assert record.complete
    folder = next((tmp_path / "casme2_5" / "planted").glob("*/record.json")).parent
    assert read_record(folder / "record.json") == record
    assert not (folder / "learning").exists()
    # Another seed or variant learns from the flows that are there, and no flow is estimated again.
    again = ffbench.load_protocol("casme2_5", data=planted, variant="official", options={"epochs": "3"})
    official = ffbench.evaluate(Planted(), again, out=tmp_path)
    assert official.cost.resumed_pairs == official.pairs == 30
    assert official.protocol.options["seeds"] == 1
    assert "recipe" not in official.protocol.options
    # A descriptor that is lost is made again.
    lost = next((tmp_path / "casme2_5" / "planted").glob("pairs-*/descriptors/*.npy"))
    lost.write_bytes(b"")
    assert ffbench.evaluate(Planted(), again, out=tmp_path).scores == official.scores


def test_selections_and_what_their_records_say(tmp_path: Path) -> None:
    root = tmp_path / "CASME2"
    plant(root, REGULAR + IRREGULAR)

    def load(variant: str, **options: str) -> Recognition:
        loaded = ffbench.load_protocol("casme2_5", data=root, variant=variant, options=options)
        assert isinstance(loaded, Recognition)
        return loaded

    clean, official, paper = load("clean"), load("official"), load("clean", selection="paper")
    assert [len(protocol.keys()) for protocol in (clean, official, paper)] == [30, 31, 32]
    assert clean.dataset.left_out == (
        "sub02/EP21_01: apex and onset are one frame (1)",
        "sub03/EP20_01: no apex is coded",
    )
    assert official.dataset.left_out == clean.dataset.left_out[1:]
    assert paper.dataset.left_out == ()
    assert "sub02/EP21_01 counts though its apex is its onset" in official.dataset.reference_note
    assert "the apex of sub03/EP20_01 is the middle of onset and offset" in paper.dataset.reference_note
    assert "apex" not in clean.dataset.reference_note
    # The variant's own selection is no option: records that were made before there was a choice stay comparable.
    assert "selection" not in clean.card.options
    assert load("clean", selection="clean").card == clean.card
    assert load("official", selection="official").card == official.card
    assert paper.card.options["selection"] == "paper"
    assert load("official", selection="clean").card.options["selection"] == "clean"
    with pytest.raises(UsageError, match="option 'selection' is 'all', expected clean or official or paper"):
        load("clean", selection="all")
    record = ffbench.evaluate(Planted(), paper, out=tmp_path / "runs")
    assert (record.pairs, record.complete) == (32, True)


def test_only_what_version_1_1_changed_has_that_version(planted: Path) -> None:
    def version(**options: object) -> str:
        return Recognition("casme2_5", planted, **options).card.version  # type: ignore[arg-type]

    assert version() == version(recogniser="mmnet", recipe="main_branch") == version(selection="paper") == "1.0"
    assert version(variant="official") == version(recogniser="mmnet", recipe="released") == "1.1"


def test_what_lies_below_the_mark_of_a_mini_dataset_is_synthetic(planted: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    (outer / "CASME2").symlink_to(planted)
    for given in (outer / "CASME2", outer):
        assert Recognition("casme2_5", given).dataset.origin == "real"
        assert Recognition("casme2_5", given, recogniser="mmnet").card.options["recipe"] == "released"
        (outer / SYNTHETIC_MARK).write_text("{}")
        assert Recognition("casme2_5", given).dataset.origin == "synthetic"
        # What a CPU can do is never chosen for real data by itself.
        assert Recognition("casme2_5", given, recogniser="mmnet").card.options["recipe"] == "main_branch"
        (outer / SYNTHETIC_MARK).unlink()


class Turning(Planted):
    """`Planted` whose head flow is known: it decomposes, or it gives the sum alone."""

    card = MethodCard(id="turning", title="Turning")
    decomposes = True

    def forward(self, image1, image2):  # type: ignore[no-untyped-def]
        facial = super().forward(image1, image2).facial
        assert facial is not None
        return Flows(facial=facial, head=facial * 0.25 if self.decomposes else None)


@pytest.mark.parametrize("decomposes", [True, False])
def test_one_flow_stage_serves_all_flows(planted: Path, tmp_path: Path, decomposes: bool) -> None:
    method = Turning()
    method.decomposes = decomposes
    given = {"epochs": "2"} if decomposes else {"epochs": "2", "derive_head": "rigid"}
    for number, flow in enumerate(("facial", "head", "expression")):
        protocol = ffbench.load_protocol("casme2_5", data=planted, options={**given, "flow": flow})
        record = ffbench.evaluate(method, protocol, out=tmp_path)
        assert record.cost.resumed_pairs == (30 if number else 0)
        assert record.protocol.options["flow"] == flow
    assert len(list((tmp_path / "casme2_5" / "turning").glob("pairs-*"))) == 1


def test_the_chosen_flow() -> None:
    rng = np.random.default_rng(0)
    facial, head = rng.normal(size=(2, SIZE, SIZE, 2)).astype(np.float32)
    onset = rng.random((SIZE, SIZE, 3)).astype(np.float32)
    both, one = pack(facial, head, onset), pack(facial, None, onset)
    for kind, expected in (("facial", facial), ("head", head), ("expression", facial - head)):
        face = split(choose(both, kind, "none"))  # type: ignore[arg-type]
        assert np.array_equal(face.flow, expected.astype(np.float16))
        assert np.array_equal(face.onset, onset.astype(np.float16))
    # A head flow of the method's own is never replaced by a fit.
    assert np.array_equal(choose(both, "head", "rigid"), choose(both, "head", "none"))
    moved = split(choose(pack(np.full_like(facial, 2), None, onset), "head", "rigid"))
    assert np.allclose(moved.flow, 2, atol=1e-2)
    assert np.array_equal(split(choose(one, "facial", "none")).flow, facial.astype(np.float16))
    with pytest.raises(UsageError, match="flow=head needs a method that decomposes"):
        choose(one, "head", "none")


def test_seeds_have_a_mean_and_a_spread() -> None:
    votes = [np.array(seeds, np.int8) for seeds in ([0, 0, 1], [1, 0, 1], [0, 0, 0], [1, 1, 0])]
    scores = [
        PairScore(
            f"clip{index}",
            pair_terms(("a", "b"), index % 2, counting=seeds, counting_f1=seeds, last=seeds, best=seeds),
            {"subject": f"sub{index // 2}", "class": "ab"[index % 2]},
        )
        for index, seeds in enumerate(votes)
    ]
    summary = {(score.metric, score.group): score for score in summarize_recognition(scores, ("a", "b"))}
    by_seed = [summary["accuracy", f"seed {seed}"].value for seed in range(3)]
    assert by_seed == [100, 75, 50]
    assert summary["accuracy", "all"].value == pytest.approx(np.mean(by_seed))
    assert summary["seed_sd", "all"].value == pytest.approx(25)


def test_flows_that_are_not_numbers_stop_the_run_and_lose_nothing(planted: Path, tmp_path: Path) -> None:
    class Fails(Planted):
        card = MethodCard(id="fails", title="Fails")
        pairs, fails_at = 0, 7

        def forward(self, image1, image2):  # type: ignore[no-untyped-def]
            flows = super().forward(image1, image2)
            self.pairs += 1
            return Flows(facial=flows.facial * float("nan")) if self.pairs == self.fails_at else flows

    method, protocol = Fails(), ffbench.load_protocol("casme2_5", data=planted, options={"epochs": "1"})
    with pytest.raises(MethodError, match=r"not finite \(pair sub01/EP06_01\)"):
        ffbench.evaluate(method, protocol, out=tmp_path)
    record = ffbench.evaluate(method, protocol, out=tmp_path)
    assert (record.cost.resumed_pairs, record.pairs, method.pairs) == (6, 30, 31)
    # What a file marks as unknown has no place in a face either.
    hole = np.ones((60, 60, 2), np.float32)
    hole[30, 30] = 1e10
    with pytest.raises(DataError, match=r"sub01/EP01_01: the flow is unknown at .* pixels of the face"):
        align_flow(hole, to_recogniser(np.array([[1.0, 0, 0], [0, 1, 0]]), (60, 60)), "sub01/EP01_01")


def test_a_class_of_one_subject_is_named_and_the_rest_is_measured(planted: Path, tmp_path: Path) -> None:
    root = tmp_path / "CASME2"
    shutil.copytree(planted, root)
    for subject in ("sub01", "sub02"):
        for take in (3, 8):  # surprise
            (root / "CASME2-RAW" / subject / f"EP{take:02d}_01" / "img2.jpg").unlink()
    protocol = ffbench.load_protocol("casme2_5", data=root, options={"epochs": "5"})
    record = ffbench.evaluate(Planted(), protocol, out=tmp_path / "runs")
    assert not record.complete
    assert len(record.dataset.problems) == 5
    assert "img2.jpg: no such frame" in record.dataset.problems[0]
    assert "class surprise: clips of one subject only (sub03)" in record.dataset.problems[-1]
    assert record.score("accuracy", "class=surprise").value == 0
    assert record.score("accuracy", "class=disgust").value == 100


def test_what_cannot_be_run_is_said(planted: Path, tmp_path: Path) -> None:
    def load(name: str = "casme2_5", variant: str | None = None, **options: str) -> object:
        return ffbench.load_protocol(name, data=planted, variant=variant, options=options)

    with pytest.raises(UsageError, match="option 'flow' is 'mouth', expected facial or head or expression"):
        load(flow="mouth")
    with pytest.raises(UsageError, match="casme2_5 has no option 'seed'; it has flow, "):
        load(seed="1")
    with pytest.raises(UsageError, match="option 'seeds' is '0', expected a whole number from 1"):
        load(seeds="0")
    for name in ("seeds", "epochs"):
        with pytest.raises(UsageError, match=f"option '{name}' is '10001', expected a whole number from 1 to 10000"):
            load(**{name: "10001"})
    with pytest.raises(UsageError, match="recipe=main_branch is of recogniser=mmnet; 'roi' has none"):
        load(recipe="main_branch")
    with pytest.raises(UsageError, match="variant is 'paper', expected clean or official"):
        load(variant="paper")
    with pytest.raises(DataError, match=r"combined_3class_gt\.csv"):
        load("megc_casme2")
    with pytest.raises(UsageError, match="needs a method that decomposes"):
        ffbench.evaluate(Planted(), ffbench.load_protocol("casme2_5", data=planted, options={"flow": "head"}),
                         out=tmp_path)  # fmt: skip
    protocol = ffbench.load_protocol("casme2_3", data=planted)
    with pytest.raises(DataError, match="one subject only"):
        ffbench.evaluate(Planted(), protocol, out=tmp_path, limit=2)


def test_a_pair_whose_crop_is_of_another_face_is_left_out(planted: Path, tmp_path: Path) -> None:
    root = tmp_path / "CASME2"
    shutil.copytree(planted, root)
    Image.fromarray(textured(99, 100, 100)).save(root / "Cropped/sub02/EP03_01/reg_img1.jpg")
    record = ffbench.evaluate(Planted(), ffbench.load_protocol("casme2_5", data=root), out=tmp_path)
    assert record.pairs == 29
    assert not record.complete
    assert "sub02/EP03_01: the cropped face cannot be found" in record.dataset.problems[0]


def test_two_records_are_compared_by_mcnemar(planted: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from ffbench.cli import app

    ffbench.evaluate(Planted(), ffbench.load_protocol("casme2_5", data=planted), out=tmp_path)
    zero = ffbench.load_method("zero")
    ffbench.evaluate(zero, ffbench.load_protocol("casme2_5", data=planted), out=tmp_path)
    records = [str(next((tmp_path / "casme2_5" / name).glob("*/record.json"))) for name in ("planted", "zero")]
    result = CliRunner().invoke(app, ["compare", *records])
    assert result.exit_code == 0, result.output
    assert "McNemar, pairs taken for independent: only A is right on" in result.stdout
    found = json.loads(CliRunner().invoke(app, ["compare", *records, "--json"]).stdout)["mcnemar"]
    assert found["only_b"] == 0
    assert found["only_a"] >= 20
    assert found["p_value"] == pytest.approx(2.0 ** (1 - found["only_a"]))
