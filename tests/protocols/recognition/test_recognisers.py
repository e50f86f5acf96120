"""The recognisers that ship: what they see, that they learn, and that nothing leaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from ffbench.errors import UsageError
from ffbench.protocols.recognition.folds import Task, leave_one_subject_out
from ffbench.protocols.recognition.recognisers.mdmo import main_directions
from ffbench.protocols.recognition.recognisers.mmnet_recogniser import MMNetRecogniser
from ffbench.protocols.recognition.recognisers.ststnet import STSTNet, STSTNetRecogniser
from ffbench.recogniser import FACE_SIZE, Recogniser, RecogniserRequest, RegisteredFace
from ffbench.recogniser_registry import load_recogniser, recogniser_names

CLASSES = 4
PLACES = ((60, 60, (0, -2)), (60, 160, (0, 2)), (160, 60, (2, -1)), (160, 60, (-2, 1)))
"""Row, column and direction of the motion of each class; MMNet mirrors faces, so none is another's mirror image."""
ONSET = np.zeros((FACE_SIZE, FACE_SIZE, 3), np.float32)
FEW_EPOCHS = {"ststnet": 150}
"""Enough for what the tests plant."""
PEOPLE_AND_SHUFFLES = {"mmnet": (5, 1), "ststnet": (8, 2)}
"""Fewer of both for what takes long; otherwise 8 people and 8 shuffles."""
LIGHT, HEAVY = ("centroid", "mdmo", "roi", "ststnet"), ("mmnet",)
QUICK = [pytest.param(name, marks=[pytest.mark.slow] if name == "ststnet" else []) for name in LIGHT]
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in HEAVY]


def a_face(of: int, rng: np.random.Generator) -> RegisteredFace:
    """Return a face that shows a class: a motion in one place, over a head that drifts."""
    rows, columns = np.mgrid[0:FACE_SIZE, 0:FACE_SIZE]
    row, column, direction = PLACES[of]
    spot = np.exp(-((columns - column) ** 2 + (rows - row) ** 2) / 3000) * rng.uniform(0.7, 1.3)
    return RegisteredFace((spot[:, :, None] * direction + rng.normal(size=2) * 0.02).astype(np.float32), ONSET)


def loaded(name: str, epochs: int | None = None) -> Recogniser:
    found = load_recogniser(RecogniserRequest(name, CLASSES, epochs or FEW_EPOCHS.get(name), synthetic=True))
    if isinstance(found.recogniser, MMNetRecogniser):
        found.recogniser.recipe = replace(found.recogniser.recipe, batch=4)  # many steps out of few clips
    return found


def accuracy(
    recogniser: Recogniser, features: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], folder: Path
) -> float:
    """Return the share that is right when each of the subjects is left out in turn, by the last epoch."""
    folder.mkdir()
    np.save(folder / "inputs.npy", features)
    subjects = np.arange(len(labels), dtype=np.int64) // CLASSES
    task = Task(recogniser, folder / "inputs.npy", labels, subjects, CLASSES, folder)
    return float((leave_one_subject_out(task, 1).predicted[0, -1] == labels).mean())


def test_every_recogniser_that_ships_is_tried_with_shuffled_labels() -> None:
    assert {*LIGHT, *HEAVY} == set(recogniser_names())


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_shuffled_labels_give_chance_and_true_ones_are_learnt(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    people, shuffles = PEOPLE_AND_SHUFFLES.get(name, (8, 8))
    labels = np.tile(np.arange(CLASSES, dtype=np.int64), people)
    recogniser = loaded(name)
    features = np.stack([recogniser.features(a_face(int(of), rng)) for of in labels])
    # The control: what is there to learn is learnt, so that chance below is not that of a recogniser that is broken.
    assert accuracy(recogniser, features, labels, tmp_path / "true") > (0.75 if name == "mmnet" else 0.9)
    shuffled = [accuracy(recogniser, features, rng.permutation(labels), tmp_path / f"{n}") for n in range(shuffles)]
    # Chance is 1/4; a class that the held-out subject has more of is rarer in what is learnt from.
    # Of MMNet there are 20 clips in one shuffle.
    assert (0 if name == "mmnet" else 0.05) <= np.mean(shuffled) < (0.5 if name == "mmnet" else 0.37), shuffled


@pytest.mark.parametrize("name", QUICK)
def test_a_clip_is_predicted_alike_whoever_is_beside_it(name: str) -> None:
    rng = np.random.default_rng(1)
    labels = np.tile(np.arange(CLASSES, dtype=np.int64), 4)
    recogniser = loaded(name, 5 if name in ("roi", "ststnet") else None)
    features = np.stack([recogniser.features(a_face(int(of), rng)) for of in labels])
    others = np.stack([recogniser.features(a_face(int(of), rng)) for of in (3, 1, 0, 2, 2)])
    state = torch.random.get_rng_state()
    together = recogniser.fit_predict(features, labels, others, CLASSES, seed=7)
    assert together.shape == (recogniser.epochs, 5)
    alone = recogniser.fit_predict(features, labels, others[3:4], CLASSES, seed=7)
    assert np.array_equal(together[:, 3:4], alone)
    assert torch.equal(torch.random.get_rng_state(), state), "it draws from numbers of others"


@pytest.mark.parametrize("name", ["centroid", "mdmo", "roi"])
def test_a_fold_may_hold_one_class_and_still_faces(name: str) -> None:
    still = RegisteredFace(np.zeros((FACE_SIZE, FACE_SIZE, 2), np.float32), ONSET)
    recogniser = loaded(name)
    features = np.stack([recogniser.features(still)] * 3)
    predicted = recogniser.fit_predict(features, np.full(3, 2, np.int64), features[:2], CLASSES, seed=0)
    assert predicted.shape == (recogniser.epochs, 2)
    if name != "roi":  # which is told of all classes beforehand
        assert (predicted == 2).all()


def test_the_main_direction_is_that_of_most_vectors() -> None:
    rng = np.random.default_rng(2)
    flow = rng.normal(size=(FACE_SIZE, FACE_SIZE, 2)).astype(np.float32)
    flow[:37, :37] = (-1, 0.1)  # the first region: 180 degrees less a little
    flow[:12, :37] = (5, 0)  # longer vectors, and fewer
    found = main_directions(flow)
    assert np.allclose(found[0], (-1, 0.1), atol=1e-6)
    # A slow restatement of one other region: row 2, column 4 of 6 x 6.
    part = flow[75:112, 149:187].reshape(-1, 2).astype(np.float64)
    bins: dict[int, list[npt.NDArray[np.float64]]] = {}
    for vector in part:
        turn = np.degrees(np.arctan2(vector[1], vector[0]))
        nearest = min(range(8), key=lambda bin: abs((turn - 45 * bin + 180) % 360 - 180))
        bins.setdefault(nearest, []).append(vector)
    most = max(len(members) for members in bins.values())
    fullest = next(members for _, members in sorted(bins.items()) if len(members) == most)
    assert np.allclose(found[2 * 6 + 4], np.mean(fullest, axis=0), atol=1e-6)


def test_how_strongly_a_face_moves_does_not_count_where_it_is_said_so() -> None:
    face = a_face(1, np.random.default_rng(3))
    twice = RegisteredFace(2 * face.flow, face.onset)
    for name in ("centroid", "mdmo", "ststnet"):
        recogniser = loaded(name)
        assert np.allclose(recogniser.features(face), recogniser.features(twice), atol=1e-3)
    assert not np.allclose(loaded("roi").features(face), loaded("roi").features(twice))  # the control


def test_ststnet_has_the_sizes_of_its_paper() -> None:
    network = STSTNet(3)
    assert sum(parameter.numel() for parameter in network.parameters()) == 1683
    assert network(torch.zeros(2, 3, 28, 28)).shape == (2, 3)
    rng = np.random.default_rng(4)
    both = a_face(0, rng).flow + a_face(2, rng).flow  # one motion alone leaves the other channel the same everywhere
    features = STSTNetRecogniser().features(RegisteredFace(both, ONSET))
    assert features.shape == (3, 28, 28)
    assert features.reshape(3, -1).min(axis=1).tolist() == [0, 0, 0]
    assert np.allclose(features.reshape(3, -1).max(axis=1), 255)
    still = RegisteredFace(np.ones((FACE_SIZE, FACE_SIZE, 2), np.float32), ONSET)
    assert (STSTNetRecogniser().features(still) == 0).all()


def test_what_ships_is_found_by_name() -> None:
    assert recogniser_names() == ["centroid", "mdmo", "mmnet", "roi", "ststnet"]
    assert load_recogniser(RecogniserRequest("ststnet", 5)).epochs == 800
    assert load_recogniser(RecogniserRequest("mmnet", 5)).recipe_name == "released"
    assert load_recogniser(RecogniserRequest("mmnet", 5, synthetic=True)).recipe_name == "main_branch"
    for name in ("centroid", "mdmo"):
        with pytest.raises(UsageError, match=f"'{name}' is not trained in epochs; leave epochs=3 out"):
            load_recogniser(RecogniserRequest(name, 5, epochs=3))
    with pytest.raises(UsageError, match="unknown recogniser 'ststnett' - did you mean 'ststnet'"):
        load_recogniser(RecogniserRequest("ststnett", 5))
