"""The numbers of the paper: what its claims say of them, and where they do not hold."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ffbench.datasets.ffn.scan import OFFICIAL_PAIRS
from ffbench.errors import UsageError
from ffbench.results.report.paper_tables import NUMBERS, reported_table

TABLES = [reported_table(number) for number in NUMBERS]


def percent(before: Decimal, after: Decimal) -> float:
    return float(100 * (before - after) / before)


def test_sizes() -> None:
    assert [(len(table.rows), len(table.columns)) for table in TABLES] == [(9, 5), (13, 3), (10, 4), (3, 3)]


def test_precision_is_as_printed() -> None:
    assert [[table.decimals(column) for column in range(len(table.columns))] for table in TABLES] == [
        [3] * 5, [2] * 3, [1, 3, 1, 3], [3, 2, 2]
    ]  # fmt: skip
    assert str(reported_table(4).value("GMA+FFN", "F1 (5 classes)")) == "0.730"
    for table in TABLES:
        for row in table.rows:
            decimals = [-int(value.as_tuple().exponent) for value in row.values]
            assert decimals == [table.decimals(column) for column in range(len(table.columns))]


def test_sums_of_table_2_are_means_weighted_by_pairs() -> None:
    """A sequence of n frames has n - 1 pairs, so that with equally many of each the weights are 19, 14, 9 and 4."""
    worst = 0.0
    for row in reported_table(2).rows:
        *scales, printed = row.values
        mean = sum(weight * value for weight, value in zip((19, 14, 9, 4), scales, strict=True)) / 46
        worst = max(worst, abs(float(mean - printed)))
    assert worst < 0.0012
    # With one weight for all it would not do: the worst row is then far off.
    assert max(abs(float(sum(row.values[:4]) / 4 - row.values[4])) for row in reported_table(2).rows) > 0.05


@pytest.mark.parametrize("table", [table for table in TABLES if any(row.changes for row in table.rows)])
def test_printed_changes_are_differences_of_printed_numbers(table: object) -> None:
    assert table in TABLES
    for row in table.rows:  # type: ignore[attr-defined]
        if row.against is None:
            continue
        base = table.row(row.against)  # type: ignore[attr-defined]
        assert tuple(new - old for new, old in zip(row.values, base.values, strict=True)) == row.changes


def test_claims_of_the_text() -> None:
    two, three, four = (reported_table(number) for number in (2, 3, 4))
    # Abstract and section 5.4: 11.0 % (3.91 to 3.48), the largest reduction of any method at the landmarks.
    reductions = {
        name: percent(three.value(name, "CK+(L.)"), three.value(f"{name}+FFN", "CK+(L.)"))
        for name in ("RAFT", "SKFlow", "FlowFormer", "GMA")
    }
    assert max(reductions, key=lambda name: reductions[name]) == "FlowFormer"
    assert reductions["FlowFormer"] == pytest.approx(11.0, abs=0.05)
    assert percent(three.value("GMA", "CK+(L.)"), three.value("DecFlow(Ours)", "CK+(L.)")) == pytest.approx(
        10.1, abs=0.05
    )
    # Section 5.4: 5.8 % (4.96 to 4.67) and 4.9 % (4.91 to 4.67) at the vertices.
    assert percent(three.value("FlowFormer", "CK+(V.)"), three.value("FlowFormer+FFN", "CK+(V.)")) == pytest.approx(
        5.8, abs=0.05
    )
    assert percent(three.value("GMA", "CK+(V.)"), three.value("DecFlow(Ours)", "CK+(V.)")) == pytest.approx(
        4.9, abs=0.05
    )
    # Section 5.3: 7.0 % better than GMA, that is, than GMA finetuned on FFN.
    assert percent(two.value("GMA+FFN", "Sum."), two.value("DecFlow(Ours)", "Sum.")) == pytest.approx(7.0, abs=0.05)
    # Section 5.5: 13.0 / 0.191 and 9.6 / 0.154 better than GMA.
    best, base = four.row("DecFlow(E)"), four.row("GMA")
    assert [str(new - old) for new, old in zip(best.values, base.values, strict=True)] == [
        "13.0", "0.191", "9.6", "0.154"
    ]  # fmt: skip


def test_table_5_repeats_tables_2_and_3() -> None:
    two, three, five = (reported_table(number) for number in (2, 3, 5))
    for name, other in (("GMA", "GMA+FFN"), ("DecFlow (Ours)", "DecFlow(Ours)")):
        row = five.row(name)
        assert row.values == (two.value(other, "Sum."), three.value(other, "CK+(V.)"), three.value(other, "CK+(L.)"))


def test_what_does_not_hold() -> None:
    """Each of these is a claim of the paper that its own numbers contradict; docs/tables.md lists them."""
    # Section 5.2: a split of 97:2:1.
    total = sum(OFFICIAL_PAIRS.values())
    assert total == 105_970
    shares = [round(100 * OFFICIAL_PAIRS[split] / total, 1) for split in ("train", "test", "val")]
    assert shares == [85.1, 9.8, 5.1]
    # Section 5.4: FFN enhances the accuracy of all methods. SKFlow on MEAD gets worse.
    worse = [
        (row.name, column.name)
        for row in reported_table(3).rows
        if row.name.endswith("+FFN")
        for column, change in zip(reported_table(3).columns, row.changes, strict=True)
        if change >= 0
    ]
    assert worse == [("SKFlow+FFN", "MEAD(V.)")]
    # Abstract: 18 % (from 69.1 % to 82.1 %). It is 18.8 %, cut off.
    assert -percent(Decimal("69.1"), Decimal("82.1")) == pytest.approx(18.8, abs=0.05)
    # Section 5.7: DecFlow without its encoder is no better than GMA on FFN, but it is better on CK+.
    five = reported_table(5)
    gma, without = five.row("GMA").values, five.row("DecFlow w/o Enc.").values
    assert [old < new for old, new in zip(gma, without, strict=True)] == [True, False, False]


def test_accuracies_of_table_4_are_counts_cut_off() -> None:
    """They fit 246 videos in 5 classes (CASME II has 249 of them) and 156 in 3 classes, cut off after one decimal."""
    for column, videos in (("Accuracy (5 classes)", 246), ("Accuracy (3 classes)", 156)):
        possible = {Decimal(1000 * right // videos) / 10 for right in range(videos + 1)}
        values = {reported_table(4).value(row.name, column) for row in reported_table(4).rows}
        assert values <= possible
    rounded = {round(Decimal(100 * right) / 246, 1) for right in range(247)}
    assert not {row.values[0] for row in reported_table(4).rows} <= rounded
    whole = {Decimal(1000 * right // 249) / 10 for right in range(250)}
    assert not {row.values[0] for row in reported_table(4).rows} <= whole


def test_tables_that_are_none() -> None:
    with pytest.raises(UsageError, match="Table 1 is not here"):
        reported_table(1)
    with pytest.raises(UsageError, match="no row 'PWC'"):
        reported_table(2).row("PWC")
