"""Skin tone and age of rendered people, drawn again from the manifest; earlier records keep their groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffbench.datasets.ffn import scan as ffn
from ffbench.datasets.registry import find_data
from ffbench.protocol import PairScore, ProtocolCard, ProtocolRequest, Term
from ffbench.protocols.ffn.protocol import EARLIER_GROUP_BY, GROUP_BY, ffn_motion_scale
from ffbench.protocols.options import stated_groups
from ffbench.protocols.rendered_people import look_and_age, people_labels
from ffbench.results.store.pair_facts import disagreement, facts_of
from ffbench.results.store.recompute import Scorings
from ffbench.synth.appearance.look import Appearance
from ffbench.synth.heads.head import Region
from ffbench.synth.scenes import scene
from tests.datasets.ffn_folder import make_ffn


class DrawnHead:
    """As much of a head as draws its people: identities take from the generator before the appearance does."""

    def sample_identity(self, rng: np.random.Generator) -> np.ndarray:
        return rng.random(7)

    def traits(self, identity: np.ndarray) -> tuple[float, float]:
        return float(identity[0]), float(identity[1])


def test_the_appearance_is_that_of_the_person_who_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    head: Any = DrawnHead()
    made: list[Appearance] = []
    monkeypatch.setattr(scene, "make_person", lambda head, identity, look, *rest: made.append(look))
    for seed in range(20):
        scene.sample_person(head, seed)
    assert [look_and_age(head, seed)[0] for seed in range(20)] == made
    assert look_and_age(head, 21)[0] != made[20 - 1]  # the control: another seed, another person
    assert len({look.skin for look in made}) == 20
    assert look_and_age(head, 3)[1] == np.random.default_rng([3, 0]).random(7)[1]


def test_a_dataset_without_a_manifest_says_nothing_of_people(tmp_path: Path) -> None:
    assert people_labels(ffn.scan(make_ffn(tmp_path), "test")) == {}


@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", '{"synthetic": true, "origin": {}}', "\x00"])
def test_a_damaged_manifest_says_nothing_of_people(tmp_path: Path, content: str) -> None:
    folder = make_ffn(tmp_path)
    (folder / "ffbench-mini.json").write_text("{}")
    (folder / "manifest.json").write_text(content)
    assert people_labels(ffn.scan(folder, "test")) == {}


def card_of(group_by: tuple[str, ...], tmp_path: Path) -> ProtocolCard:
    card = ffn_motion_scale.load(ProtocolRequest("ffn_motion_scale", make_ffn(tmp_path))).card
    return card.model_copy(update={"group_by": group_by})


def test_earlier_records_group_as_they_did(tmp_path: Path) -> None:
    now = card_of(GROUP_BY, tmp_path / "a")
    before = card_of(EARLIER_GROUP_BY, tmp_path / "b")
    assert ffn_motion_scale.scoring is not None
    assert ffn_motion_scale.scoring(now).card == now
    assert ffn_motion_scale.scoring(before).card == before
    forged = before.model_copy(update={"group_by": ("emotion",)})
    assert ffn_motion_scale.scoring(forged).card.group_by == GROUP_BY
    # A store may hold both, in any order.
    known = Scorings()
    found = [known.of(card)[0] for card in (before, now, before)]
    assert [scoring and scoring.card for scoring in found] == [before, now, before]
    assert stated_groups(forged, GROUP_BY, EARLIER_GROUP_BY) == GROUP_BY


def test_records_from_before_a_label_agree_with_later_ones(tmp_path: Path) -> None:
    now = card_of(GROUP_BY, tmp_path / "a")
    before = card_of(EARLIER_GROUP_BY, tmp_path / "b")
    old = {"scale": "1/5", "emotion": "sad", "sequence": "sad/1"}
    new = {**old, "skin_tone": "6 dark", "age": "older"}

    def facts(labels: dict[str, str], card: ProtocolCard) -> Any:
        return facts_of([PairScore("sad/1/1", {"epe": Term(1, 1)}, labels)], card, fixed_weights=True)

    assert disagreement(facts(old, before), facts(new, now)) is None
    assert disagreement(facts(new, now), facts(new, now)) is None
    other = disagreement(facts({**new, "skin_tone": "2 light"}, now), facts(new, now))
    assert other is not None
    assert "skin_tone=2 light" in other
    assert disagreement(facts({**old, "emotion": "fear"}, before), facts(new, now)) is not None


@pytest.mark.assets
@pytest.mark.slow
def test_the_people_of_the_mini_dataset() -> None:
    found = ffn.scan(find_data("ffn"), "test")
    people = people_labels(found)
    assert people.keys() == found.sequences().keys()
    tones = [labels["skin_tone"] for labels in people.values()]
    assert {tone: tones.count(tone) for tone in sorted(set(tones))} == {
        "1 very light": 1,
        "2 light": 3,
        "3 intermediate": 2,
        "4 tan": 4,
        "5 brown": 1,
        "6 dark": 1,
    }
    assert people["sad/00002"] == {"skin_tone": "6 dark", "age": "middle"}
    pair = ffn_motion_scale.load(ProtocolRequest("ffn_motion_scale", found.root)).load("sad/00002/0001")
    assert pair.labels["skin_tone"] == "6 dark"
    # The control: the engine's dark skin is dark in the picture, its light skin light.
    light = ffn_motion_scale.load(ProtocolRequest("ffn_motion_scale", found.root)).load("neutral/00000/0001")
    skin = [one.image1[np.isin(one.reference.region, [Region.FOREHEAD, Region.CHEEKS])] for one in (pair, light)]
    assert np.median(skin[0]) < 0.9 * np.median(skin[1])  # in brighter light
