"""Records whose numbers are not their protocol's, or do not follow from their pairs, or are of other pairs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from ffbench.protocol import MetricCard, PairScore, Term
from ffbench.results.report.leaderboard import leaderboard
from ffbench.results.store.recompute import score_faults
from ffbench.results.store.records import read_rows
from tests.attacks.conftest import Without
from tests.attacks.forging import STORE, edited, forge, honest, net, publish, record_of, scaled, verify
from tests.toys import STRIPES

_FAULTS = "ffbench.results.store.verification"


def board() -> dict[str, tuple[int | None, bool]]:
    """Rank and direction of each title, of all boards of the store."""
    tables = leaderboard(read_rows([STORE], []))
    return {line.title: (line.position, table.higher_is_better) for table in tables for line in table.lines}


def metric(**changes: Any) -> dict[str, MetricCard]:
    return {"epe": STRIPES.metrics["epe"].model_copy(update=changes)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"metrics": metric(higher_is_better=True)},
            "'epe' is in px, higher is better, the protocol's is in px",
        ),
        ({"metrics": metric(unit="mm")}, "'epe' is in mm"),
        ({"metrics": {**metric(), "ease": MetricCard(title="ease", unit="1")}}, "a metric 'ease', which the protocol"),
        ({"group_by": ()}, "its group_by is ()"),
        ({"resample_by": "parity"}, "its resample_by is 'parity'"),
        ({"options": {"easy": True}}, "its options is {'easy': True}"),
    ],
)
def test_metric_unit_direction_and_rules_come_from_the_protocol(change: dict[str, Any], words: str, without: Without):
    """A record that is bad at the protocol's metric brings a card of its own."""
    good = publish(honest(), "verified")
    card = STRIPES.model_copy(update=change)
    interval = record_of(good).interval.model_copy(update={"unit": card.resample_by or "pair"})
    bad = forge(honest(), "bad", lambda scores: [scaled(s, 9.0) for s in scores], card=card, interval=interval)
    path = publish(bad, "verified")
    assert any(words in fault and str(path) in fault for fault in verify().faults)
    problems: list[str] = []
    assert [row.path for row in read_rows([STORE], problems)] == [str(good)]
    assert any(words in problem for problem in problems)
    assert board() == {"Speckle": (1, False)}
    checks = (f"{_FAULTS}.card_faults", "ffbench.results.store.records.card_faults")
    with without(*checks), without(f"{_FAULTS}.score_faults", f"{_FAULTS}.check_together", gives=[]):
        with without(f"{_FAULTS}.check_together", gives=([], [])):
            assert verify().faults == []
        assert "Bad" in board()


def test_another_primary_than_the_cards(without: Without) -> None:
    path = honest()
    primary = record_of(path).primary.model_copy(update={"unit": "furlong"})
    publish(edited(path, primary=primary))
    assert any("its primary is in furlong" in fault for fault in verify().faults)
    with without(f"{_FAULTS}.card_faults"):
        assert verify().faults == []


@pytest.mark.parametrize("field", ["value", "ci_high", "pairs"])
def test_scores_intervals_and_counts_follow_from_the_table(field: str, without: Without) -> None:
    """The primary is honest; a group is not, or an interval is too narrow, or a count too large."""
    path = honest()
    record = record_of(path)
    which = 0 if field == "ci_high" else 1
    score = record.scores[which]
    forged = {"value": score.value / 2, "pairs": 10 * score.pairs, "ci_high": score.value}[field]
    scores = list(record.scores)
    scores[which] = score.model_copy(update={field: forged})
    primary = record.primary.model_copy(update={field: forged} if field == "ci_high" else {})
    publish(edited(path, scores=tuple(scores), primary=primary))
    words = {"value": "value: epe of", "ci_high": "interval: epe of all", "pairs": "number of pairs: epe of"}[field]
    assert any(words in fault for fault in verify().faults)
    with without(f"{_FAULTS}.score_faults"):
        assert verify().faults == []


def test_errors_below_zero(without: Without) -> None:
    """One pair with an error of -1000 px outweighs all others."""

    def change(scores: list[PairScore]) -> list[PairScore]:
        return [scaled(scores[0], -100.0), *scores[1:]]

    publish(honest(), "verified")
    publish(forge(honest(), "deep", change), "verified")
    assert any("epe is -" in fault and "cannot be below 0" in fault for fault in verify().faults)
    with without("ffbench.protocol.Scoring.impossible", gives=None):
        assert verify().faults == []
    assert board()["Deep"][0] == 1  # value before rank: until the fault is dealt with, which CI sees to


def moved(scores: list[PairScore]) -> list[PairScore]:
    """Let the two easiest pairs count a thousand times as much, and make the sums fit."""
    ordered = sorted(scores, key=lambda score: score.terms["epe"].sum)
    easy = {score.key for score in ordered[:2]}
    return [
        dataclasses.replace(s, terms={n: Term(t.sum * 1000, t.count * 1000) for n, t in s.terms.items()})
        if s.key in easy
        else s
        for s in scores
    ]


@pytest.mark.parametrize("data", [True, False])
def test_weights_moved_to_easy_pairs(data: bool, without: Without) -> None:
    """Found by the dataset, or where that is not at hand by the other records of the board."""
    publish(honest(), "verified")
    path = publish(forge(honest(), "light", moved), "claimed")
    faults = verify(data=data).faults
    assert any("has the weight 192000, expected 192" in fault for fault in faults)
    assert all(str(path) in fault for fault in faults)
    with without(f"{_FAULTS}.disagreement", "ffbench.results.store.together.disagreement", gives=None):
        assert verify(data=data).faults == []


def easiest(scores: list[PairScore]) -> list[PairScore]:
    return sorted(sorted(scores, key=lambda score: score.terms["epe"].sum)[:3], key=lambda score: score.key)


@pytest.mark.parametrize("data", [True, False])
def test_the_three_easiest_pairs_called_complete(data: bool, without: Without) -> None:
    publish(honest(), "verified")
    path = publish(forge(honest(), "few", easiest), "claimed")
    faults = verify(data=data).faults
    assert any(f"{path}: lacks 3 pairs" in fault for fault in faults)
    assert all(str(path) in fault for fault in faults)
    with without(f"{_FAULTS}.disagreement", "ffbench.results.store.together.disagreement", gives=None):
        assert verify(data=data).faults == []


def test_honest_rows_keep_their_rank_beside_forged_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three easy pairs have the best value; ranks used to be relative to the pairs of the best."""
    publish(honest(), "verified")
    publish(honest("brightness"), "verified")
    before = board()
    publish(forge(honest(), "few", lambda scores: [scaled(s, 0.01) for s in easiest(scores)]), "verified")
    assert board() == {**before, "Few": (None, False)}
    (table,) = leaderboard(read_rows([STORE], []))
    assert table.lines[-1].title == "Few"
    # Control: the pairs of the best as reference.
    monkeypatch.setattr("ffbench.results.ranking.order._with_other_pairs", lambda columns, verified: list(columns)[1:])
    assert board() == {"Few": (1, False), "Speckle": (None, False), "Brightness": (None, False)}


def test_pairs_put_into_another_group(without: Without) -> None:
    """The groups of the paper's tables are labels: a bad pair is moved out of the group that is looked at."""

    def change(scores: list[PairScore]) -> list[PairScore]:
        return [dataclasses.replace(s, labels={"parity": "odd"}) if s.key == "002" else s for s in scores]

    publish(honest(), "verified")
    path = publish(forge(honest(), "tidy", change), "claimed")
    assert any(f"{path}: pair 002 is labelled parity=odd, expected parity=even" in f for f in verify().faults)
    assert any("expected parity=even (its dataset has 6 pairs)" in f for f in verify(data=True).faults)
    with without(f"{_FAULTS}.disagreement", "ffbench.results.store.together.disagreement", gives=None):
        assert verify(data=True).faults == []


def test_many_claims_do_not_outvote_what_was_scored_here() -> None:
    """Claims cost nothing: five of the same three pairs, and one honest verified record."""
    good = publish(honest(), "verified")
    forged = [
        publish(forge(honest(), f"few{k}", lambda s, k=k: [scaled(x, 1 + k) for x in easiest(s)], **net(f"Few{k}",
                sha256=f"{k}" * 64, contact=f"few{k}@example.org")))
        for k in range(5)
    ]  # fmt: skip
    faults = verify().faults
    assert all(any(str(path) in fault for fault in faults) for path in forged)
    assert not any(fault.startswith(str(good)) for fault in faults)


def test_a_version_that_nobody_has_yet_cannot_be_stated() -> None:
    """An unknown version is its own board, where nothing is worked out again: only earlier ones are let pass."""
    for version, kind in (("0.9", "remarks"), ("9.0", "faults"), ("x", "faults")):
        card = STRIPES.model_copy(update={"version": version})
        path = publish(forge(honest(), f"new{version}", card=card, fingerprint=version))
        assert any(str(path) in line and "present version is 1.0" in line for line in getattr(verify(), kind))


def test_votes_and_confusion_of_recognition_follow_from_each_other() -> None:
    """Accuracy is 100 % in every pair, and the votes say otherwise."""
    import numpy as np

    from ffbench.protocols.recognition.scores import RecognitionScoring, pair_terms

    card = STRIPES.model_copy(update={"primary": "accuracy", "options": {"seeds": 1}})
    scoring = RecognitionScoring(card, ("a", "b"))
    wrong = np.array([1], np.int8)
    terms = pair_terms(("a", "b"), 0, counting=wrong, counting_f1=wrong, last=wrong, best=wrong)
    labels = {"class": "a", "subject": "s"}
    fair = PairScore("1", terms, labels)
    assert scoring.impossible(fair) is None
    cases = {
        "accuracy is 100 %, its votes say 0 %": {"accuracy": Term(100.0, 1)},
        "do not add up to 1": {"vote/a": Term(1.0, 1)},
        "once for each seed is 1": {"accuracy": Term(0.0, 9)},
    }
    for words, forged in cases.items():
        assert words in str(scoring.impossible(PairScore("1", {**terms, **forged}, labels)))
    assert "is none of a, b" in str(scoring.impossible(PairScore("1", terms, {"class": "c"})))


def test_a_table_without_what_the_protocol_needs_is_a_fault_not_a_crash(tmp_path: Path) -> None:
    from ffbench.protocols.recognition.scores import RecognitionScoring

    record = record_of(honest())
    scoring = RecognitionScoring(STRIPES, ("a", "b"))
    scores = [PairScore("1", {"accuracy": Term(1.0, 1.0)}, {"class": "a", "subject": "s"})]
    assert "lacks what the protocol needs" in score_faults(record, scores, scoring)[-1]
