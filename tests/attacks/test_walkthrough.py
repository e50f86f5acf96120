"""A forger's afternoon: ten forgeries beyond the usual ones. docs/reliability.md tells what came of each."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ffbench.errors import UsageError
from ffbench.protocol import PairScore, ProtocolCard
from ffbench.registry import protocol_entry
from ffbench.results.report.leaderboard import leaderboard
from ffbench.results.store.records import read_rows
from tests.attacks.conftest import Without
from tests.attacks.forging import STORE, edited, forge, honest, publish, record_of, scaled, verify
from tests.toys import STRIPES

_FAULTS = "ffbench.results.store.verification"


def faults() -> str:
    return "\n".join(verify().faults)


def test_1_two_values_under_one_key() -> None:
    """A reviewer reads the first, a parser the last; the name is made from the bytes, so it fits."""
    path = publish(honest(), "verified")
    value = record_of(path).primary.value
    text = path.read_text().replace('"value": ', f'"value": {value}, "value": ', 1)
    forged = path.with_name(f"speckle-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json")
    forged.write_text(text)
    path.with_suffix(".parquet").rename(forged.with_suffix(".parquet"))
    path.unlink()
    assert record_of(forged).primary.value == value  # control: it reads, and its name fits
    assert "is not written as ffbench writes records" in faults()
    problems: list[str] = []
    assert read_rows([STORE], problems) == []
    assert len(problems) == 1


def test_2_hard_pairs_are_there_without_their_error(without: Without) -> None:
    """All keys are there; the three hardest pairs only have no error in the table."""

    def change(scores: list[PairScore]) -> list[PairScore]:
        ordered = sorted(scores, key=lambda score: score.terms["epe"].sum)
        hard = {score.key for score in ordered[3:]}
        return [dataclasses.replace(s, terms={}) if s.key in hard else s for s in scores]

    publish(honest(), "verified")
    publish(forge(honest(), "gaps", change))
    assert "has the weight 0, expected 192, compared with" in faults()
    assert any("has the weight 0, expected 192 (its dataset" in fault for fault in verify(data=True).faults)
    with without(f"{_FAULTS}.disagreement", "ffbench.results.store.together.disagreement", gives=None):
        assert verify(data=True).faults == []


def test_3_an_interval_of_a_kind_of_its_own(without: Without) -> None:
    """What nobody can work out again is not compared: so 68 % are stated as the level, and an interval at will."""
    path = honest()
    record = record_of(path)
    interval = record.interval.model_copy(update={"level": 0.68})
    value = record.primary.value
    ends = {"ci_low": value, "ci_high": value}
    scores = tuple(s.model_copy(update=ends) if s.group == "all" else s for s in record.scores)
    publish(edited(path, interval=interval, scores=scores, primary=record.primary.model_copy(update=ends)))
    assert "its intervals were made in a way that no version of ffbench has" in faults()
    with without("ffbench.results.store.recompute.intervals_known", gives=True):
        assert verify().faults == []  # control: the interval itself is not compared


@pytest.mark.parametrize("change", [{"origin": "real"}, {"name": "CK+"}, {"reference": "annotation"}])
def test_4_the_same_files_called_real(change: dict[str, str]) -> None:
    """The hash is that of the mini dataset, the words around it are another's."""
    good = publish(honest(), "verified")
    dataset = record_of(good).dataset.model_copy(update=change)
    path = publish(forge(honest(), "real", dataset=dataset))
    assert f"{path}: its dataset's {next(iter(change))} is " in faults()
    good.unlink()
    good.with_suffix(".parquet").unlink()
    assert faults() == ""  # control: alone in a store, without the dataset, it goes through
    assert any("that of the same files is" in fault for fault in verify(data=True).faults)


def test_5_an_option_that_looks_like_another() -> None:
    """`rigid ` and 1.0 make boards of their own, on which the forger is alone and first."""
    stated = {
        "ffn_head": {"split": "test", "derive_head": "rigid "},
        "casme2_5": {"flow": "facial", "seeds": 1.0},
        "clip_landmarks": {"gaps": "1,5,10,20", "stride": True},
        "mead_vertices": {"tracks": "exact", "gap": -1},
    }
    from importlib.metadata import entry_points

    points = {point.name: point for point in entry_points(group="ffbench.protocols")}
    for name, options in stated.items():
        entry = points[name].load()
        variant = {"clip_landmarks": "standard", "casme2_5": "clean"}.get(name, "paper")
        card = ProtocolCard(
            id=name, version="1.0", title="", variant=variant, primary="", metrics={}, options=options  # type: ignore[arg-type]
        )  # fmt: skip
        with pytest.raises(UsageError, match="expected"):
            entry.scoring(card)
        with pytest.raises(UsageError, match="variant is 'paper2'"):
            entry.scoring(card.model_copy(update={"variant": "paper2", "options": {}}))
    assert protocol_entry("stripes").scoring is not None


def test_6_a_title_for_everybodys_metric() -> None:
    """The caption of a board was that of its first record."""
    metrics = {"epe": STRIPES.metrics["epe"].model_copy(update={"title": "error (Forged Net is state of the art)"})}
    card = STRIPES.model_copy(update={"metrics": metrics})
    publish(forge(honest(), "aaa", lambda s: [scaled(x, 0.5) for x in s], card=card), "verified")
    (table,) = leaderboard(read_rows([STORE]))
    assert table.metric_title == "Endpoint error"
    assert record_of(next(STORE.rglob("*.json"))).protocol.metrics["epe"].title.startswith("error (")  # control


def test_7_a_date_in_the_future() -> None:
    """The latest of several records of one method counts, for ever."""
    path = honest()
    cost = record_of(path).cost.model_copy(update={"started": datetime(2099, 1, 1, tzinfo=timezone.utc)})
    publish(edited(path, cost=cost), "verified")
    assert "it was started in the future (2099-01-01)" in faults()
    assert read_rows([STORE], []) == []


def test_8_a_speed_that_its_own_seconds_do_not_bear_out() -> None:
    """First in accuracy against cost. Seconds that fit are believed: no other machine can measure them."""
    path = honest()
    cost = record_of(path).cost
    publish(edited(path, cost=cost.model_copy(update={"pairs_per_second": 1e6})))
    assert "it states 1e+06 pairs/s" in faults()


def test_9_a_rivals_method_made_worse() -> None:
    """A claim of an installed method with all its errors doubled; consistent, and its pairs are right."""
    path = publish(forge(honest(), "speckle", lambda s: [scaled(x, 2.0) for x in s]))
    assert faults() == ""  # control
    assert any(f"{path}: claimed " in fault for fault in verify(rescore=True).faults)


def test_10_a_table_beside_anothers_record() -> None:
    """The table of a better record under the name of mine; and one whose rows come twice."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = publish(honest(), "verified")
    other = publish(forge(honest(), "other", lambda s: [scaled(x, 0.1) for x in s]), "verified")
    mine = path.with_suffix(".parquet")
    kept = mine.read_bytes()
    mine.write_bytes(other.with_suffix(".parquet").read_bytes())
    assert f"{mine}: is not the table that its record names" in faults()
    mine.write_bytes(kept)
    base = honest()
    table = pq.read_table(base.with_name("pairs.parquet"))
    twice = Path("forged/twice")
    pq.write_table(pa.concat_tables([table, table]), base.with_name("pairs.parquet"))
    forged = record_of(base)
    content = base.with_name("pairs.parquet").read_bytes()
    named = forged.pair_table.model_copy(update={"sha256": hashlib.sha256(content).hexdigest(), "rows": 12})
    assert not twice.exists()
    publish(edited(base, pair_table=named, pairs=12, fingerprint="twice"))
    assert "with one name twice" in faults()
