"""Protocol reanimated_faces: pairs of persons, exact scores, origin, options, and a user's folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffbench.datasets.mark import mark_synthetic
from ffbench.errors import DataError, UsageError
from ffbench.facemesh import tracker
from ffbench.method import Flows
from ffbench.protocol import ProtocolRequest, Term
from ffbench.protocols import reanimated_faces as module
from ffbench.protocols.reanimated_faces import ReanimatedFaces
from ffbench.reanimation.portraits import portrait as portraits
from tests.reanimation.test_sources import fake_meshes, photo
from tests.reanimation.toy_face import toy_triangles


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faces")
    (root / "anna").mkdir()
    for name in ("anna/1.png", "anna/2.png", "bob.png"):
        Image.fromarray(photo("good")).save(root / name)
    Image.fromarray(photo("two")).save(root / "group.png")
    return root


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tracker, "find_face_meshes", fake_meshes)
    monkeypatch.setattr(portraits, "face_triangles", toy_triangles)
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))


def load(data: Path, variant: str | None = None, **options: str) -> ReanimatedFaces:
    loaded = module.entry.load(ProtocolRequest("reanimated_faces", data, variant, options))
    assert isinstance(loaded, ReanimatedFaces)
    return loaded


def test_pairs_of_every_person_and_what_the_card_says(folder: Path) -> None:
    protocol = load(folder, draws="2")
    keys = list(protocol.keys())
    assert len(set(keys)) == len(keys) == 2 * 2 * 5
    assert [key for key in keys if key.startswith("bob")][:2] == ["bob.png/bob.png/micro-0", "bob.png/bob.png/small-0"]
    assert {key.split("/")[1] for key in keys if key.startswith("anna/")} == {"1.png", "2.png"}
    smaller = set(load(folder, draws="1").keys())
    assert smaller < set(keys)  # more draws add pairs and change none
    card = protocol.dataset
    assert card.origin == "reanimated"
    assert card.reference == "ground truth"
    assert card.facts["people"] == 2
    assert card.facts["left_out"] == 1
    assert len(card.left_out) == 1
    assert "group.png: 2 faces" in card.left_out[0]
    assert protocol.card.resample_by == "person"
    assert {key.rsplit("/", 1)[1] for key in load(folder, "smooth", draws="1")._pairs} == {
        "micro-0", "small-0", "medium-0", "large-0",
    }  # fmt: skip


@pytest.mark.parametrize("variant", ["surface", "smooth"])
def test_the_truth_scores_zero_and_zero_flow_the_motion(folder: Path, variant: str) -> None:
    protocol = load(folder, variant, draws="1")
    for key in ("bob.png/bob.png/small-0", "bob.png/bob.png/large-0"):
        pair, again = protocol.load(key), protocol.load(key)
        np.testing.assert_array_equal(pair.image2, again.image2)
        truth = pair.reference
        np.testing.assert_array_equal(truth.facial, again.reference.facial)
        right = protocol.score(pair, Flows(facial=truth.facial, head=truth.head), None)
        for metric in ("epe", "epe_head", "epe_expression"):
            assert right.terms[metric] == Term(0.0, 1.0)
        assert right.terms["own_head"] == Term(100.0, 1.0)
        still = protocol.score(pair, Flows(facial=np.zeros_like(truth.facial)), None)
        motion = np.linalg.norm(truth.facial.astype(np.float64), axis=2)[truth.mask]
        assert still.terms["epe"].sum == pytest.approx(motion.mean())
        assert still.terms["own_head"] == Term(0.0, 1.0)
        told = {"scale": key[-7:-2].strip("/"), "person": "bob.png", "source": "bob.png"}
        assert still.labels == {**told, "measured_tone": "ITA > 28", "view": "00-10 deg"}
        one_flow = protocol.score(pair, Flows(facial=truth.facial), None)
        head = np.linalg.norm(truth.head.astype(np.float64), axis=2)[truth.mask].mean()
        assert 0 < one_flow.terms["epe_head"].sum < 0.7 * head
        assert one_flow.terms["epe_head"].sum == pytest.approx(one_flow.terms["epe_expression"].sum)
        groups = {name.partition("/")[2] for name in one_flow.terms if name.startswith("epe_expression/")}
        assert {"visible", "nose", "cheeks"} <= groups
        annotation = protocol.annotation(pair)
        assert annotation.facial is truth.facial
        broken = truth.facial.copy()
        broken[np.nonzero(truth.mask)[0][0], np.nonzero(truth.mask)[1][0]] = np.nan
        with pytest.raises(DataError, match="not finite"):
            protocol.score(pair, Flows(facial=broken, head=truth.head), None)


def test_without_a_derived_head_it_is_zero(folder: Path) -> None:
    protocol = load(folder, draws="1", derive_head="none")
    pair = protocol.load("bob.png/bob.png/medium-0")
    scored = protocol.score(pair, Flows(facial=pair.reference.facial), None)
    head = np.linalg.norm(pair.reference.head.astype(np.float64), axis=2)[pair.reference.mask].mean()
    assert scored.terms["epe_head"].sum == pytest.approx(head)


def test_what_ffbench_rendered_has_no_real_skin(tmp_path: Path) -> None:
    Image.fromarray(photo("good")).save(tmp_path / "a.png")
    assert load(tmp_path).dataset.origin == "reanimated"
    mark_synthetic(tmp_path, "toy", "1", 0)
    assert load(tmp_path).dataset.origin == "synthetic"


def test_options_and_records(folder: Path) -> None:
    for options in ({"draws": "0"}, {"draws": "101"}, {"head": "x"}, {"derive_head": "bent"}):
        with pytest.raises(UsageError):
            load(folder, **options)
    with pytest.raises(UsageError, match="variant"):
        load(folder, "bumpy")
    protocol = load(folder, draws="1")
    assert module.entry.scoring is not None
    stated = module.entry.scoring(protocol.card)
    assert stated.card == protocol.card
    assert stated.fixed_weights
    pair = protocol.load(next(iter(protocol.keys())))
    score = protocol.score(pair, Flows(facial=np.zeros_like(pair.reference.facial)), None)
    assert stated.impossible(score) is None
    with pytest.raises(UsageError):
        module.entry.scoring(protocol.card.model_copy(update={"variant": "bumpy"}))


def test_heads_that_turn_are_labelled_so_and_earlier_records_keep_their_groups(folder: Path) -> None:
    protocol = load(folder, draws="4")
    views = {key: protocol.load(key).labels["view"] for key in list(protocol.keys()) if key.startswith("bob")}
    assert {view for key, view in views.items() if "/micro" in key} == {"00-10 deg"}
    assert any(view > "00-10 deg" for key, view in views.items() if "/turn" in key)
    assert module.entry.scoring is not None
    before = protocol.card.model_copy(update={"group_by": ("scale", "person")})
    assert module.entry.scoring(protocol.card).card == protocol.card
    assert module.entry.scoring(before).card == before
