"""Claims under another's name, better than what was scored, or repeated until one is lucky."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ffbench.results.record.row import Row
from ffbench.results.report import leaderboard as board_module
from ffbench.results.report.leaderboard import BoardLine, leaderboard
from ffbench.results.store.names import look_alike
from ffbench.results.store.records import read_rows
from tests.attacks.forging import STORE, forge, honest, net, publish, record_of, scaled, verify

LATER = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=20)
"""As late as clocks may differ: a later date is a fault by itself."""


def lines() -> list[BoardLine]:
    return [line for table in leaderboard(read_rows([STORE], [])) for line in table.lines]


def claim(name: str, factor: float, key: str, contact: str = "net@example.org", level: str = "claimed") -> Path:
    """Send in flows with `factor` times the errors, from the future."""
    base = honest()
    cost = record_of(base).cost.model_copy(update={"started": LATER})
    submission = net("Net" if name == "net" else name, sha256=key * 64, contact=contact)
    path = forge(base, name, lambda s: [scaled(x, factor) for x in s], fingerprint=key + level, cost=cost, **submission)
    return publish(path, level)  # type: ignore[arg-type]


def test_a_later_claim_under_anothers_name_replaces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rival sends in bad flows under my name and with a date in the future."""
    mine = publish(forge(honest(), "net", fingerprint="a", **net()))
    value = record_of(mine).primary.value
    theirs = claim("net", 5.0, "1", "rival@example.org")
    assert sorted(line.claimed or 0 for line in lines()) == pytest.approx([value, 5 * value])
    assert any(str(theirs) in fault and "a name has one owner" in fault for fault in verify().faults) or any(
        str(mine) in fault and "a name has one owner" in fault for fault in verify().faults
    )

    def latest(rows: list[Row]) -> dict[tuple[str, str, str], Row]:
        return {(row.level, row.identity, ""): row for row in sorted(rows, key=lambda row: (row.started, row.path))}

    monkeypatch.setattr(board_module, "latest_rows", latest)
    assert [line.claimed for line in lines()] == pytest.approx([5 * value])  # control: the latest counted


def test_nor_does_one_with_the_owners_own_address() -> None:
    """An address is public. Claims never replace each other: their owner removes the earlier file."""
    publish(forge(honest(), "net", fingerprint="a", **net()))
    claim("net", 5.0, "1")
    assert len(lines()) == 2
    assert any("Net: 2 attempts of one submitter on stripes" in remark for remark in verify().remarks)


def test_a_verified_record_of_one_owner_stays_beside_that_of_another() -> None:
    publish(forge(honest(), "net", fingerprint="a", **net()), "verified")
    claim("net", 5.0, "1", "rival@example.org", "verified")
    assert [line.position for line in lines()] == [1, 2]
    assert any("a name has one owner" in fault for fault in verify().faults)


@pytest.mark.parametrize("name", ["nEt", "N-e-t", "Nеt", "ΝET", "n e t"])
def test_a_name_that_looks_like_anothers(name: str) -> None:
    """Capitals, marks, Cyrillic and Greek letters."""
    publish(forge(honest(), "net", fingerprint="a", **net()))
    path = claim(name, 0.9, "1", "rival@example.org")
    assert any("a name has one owner" in fault and "/claimed/" in fault for fault in verify().faults)
    assert path.exists()
    assert look_alike("Net2") != look_alike("Net")  # control: another name is another name
    assert look_alike("Net 3") != look_alike("Net 5")


def test_a_claim_better_than_what_was_scored_here() -> None:
    """Of the same flows, and of the same method with other flows."""
    publish(forge(honest(), "net", fingerprint="a", **net()), "verified")
    for key in ("0", "1"):
        path = claim("net", 0.5, key)
        assert any(f"{path}: claims " in fault and "better than" in fault for fault in verify().faults)
        for file in (path, path.with_suffix(".parquet")):
            file.unlink()
    worse = claim("net", 1.5, "1")  # control: a worse one is none
    assert not any(str(worse) in fault for fault in verify().faults)


def test_of_several_claims_of_one_verified_method_the_worst_is_shown() -> None:
    value = record_of(publish(forge(honest(), "net", fingerprint="a", **net()), "verified")).primary.value
    claim("net", 0.5, "1")
    claim("net", 0.9, "2")
    (line,) = lines()
    assert line.claimed == pytest.approx(0.9 * value)
    assert line.attempts == 3


def test_ones_own_number_does_not_beat_ones_own_flows() -> None:
    """`--claimed 0.001` used to put bad flows above honest claims."""
    good = publish(forge(honest(), "good", fingerprint="a", **net("Good", contact="g@example.org")))
    bad = forge(honest(), "bad", lambda s: [scaled(x, 9.0) for x in s], **net("Bad", sha256="1" * 64, claimed=0.001))
    publish(bad)
    shown = lines()
    assert [line.title for line in shown] == ["Good", "Bad"]
    assert shown[1].claimed == pytest.approx(9 * record_of(good).primary.value)
    assert any("claims 0.001, its predictions score" in remark for remark in verify().remarks)
