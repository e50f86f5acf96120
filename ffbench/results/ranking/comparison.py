"""What a comparison of two methods says: differences by group, with intervals, and the pairs that differ most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from ffbench.metrics.statistics.intervals import LEVEL
from ffbench.metrics.statistics.paired import McNemar
from ffbench.results.groups import listed_groups
from ffbench.results.numbers import (
    format_p,
    format_signed,
    format_signed_interval,
    format_value,
    p_equals,
)
from ffbench.results.tables import Table, as_html

if TYPE_CHECKING:
    import pandas as pd


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Side(_Frozen):
    """One of the two methods."""

    method: str
    title: str
    value: float
    record: str


class GroupDifference(_Frozen):
    """The difference A - B in one group, with its 95 % interval; None where there are too few units."""

    group: str
    pairs: int
    units: int = Field(description="pairs, or values of `Comparison.unit_label`, in which both count")
    a: float
    b: float
    difference: float
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_holm: float | None = Field(description="p_value corrected for the number of groups; that of `all` stands alone")
    no_test: str | None = Field(default=None, description="why there is no interval and no p-value")


class PairDifference(_Frozen):
    """One pair on which the two differ."""

    key: str
    a: float
    b: float
    difference: float


class Standing(_Frozen):
    """Where a method stands on its board: position by value, and the ends of its 95 % rank set."""

    position: int
    rank_best: int
    rank_worst: int


class OnBoard(_Frozen):
    """What the leaderboard says of A and B: all methods of the board are compared there, not these two alone."""

    methods: int
    a: Standing
    b: Standing
    p_adjusted: float = Field(description="the p-value of `all`, corrected for the comparisons of either method")
    told_apart: bool


class Comparison(_Frozen):
    """A against B in the primary metric of a protocol."""

    a: Side
    b: Side
    board: str
    metric: str
    unit: str
    higher_is_better: bool
    unit_label: str = Field(description="what is independent: `pair`, or a label")
    pairs: int
    only_a: int = Field(default=0, description="pairs that only the record of A has; they are left out")
    only_b: int = Field(default=0, description="pairs that only the record of B has; they are left out")
    groups: tuple[GroupDifference, ...] = Field(description="the first is `all`")
    win_rate: float = Field(description="share of pairs on which A is better, equal ones by half")
    mcnemar: McNemar | None = Field(default=None, description="where a pair is either right (100 %) or wrong (0 %)")
    worst_for_a: tuple[PairDifference, ...]
    worst_for_b: tuple[PairDifference, ...]
    on_board: OnBoard | None = Field(default=None, description="set where the rows of the board were given")

    @property
    def verdict(self) -> str:
        """Say in words which of the two is better, if that can be said of these two alone."""
        whole = self.groups[0]
        if whole.p_value is None:
            return f"too few units to say which of the two is better ({whole.no_test})"
        if whole.p_value >= 1 - LEVEL:
            return f"the two are not separable ({p_equals(whole.p_value)})"
        a_is_better = (whole.difference > 0) == self.higher_is_better
        return f"{'A' if a_is_better else 'B'} is better ({p_equals(whole.p_value)})"

    @property
    def left_out(self) -> list[str]:
        """Say in words which pairs are left out; empty where the two records have the same."""
        parts = [f"{count} only {side} has" for side, count in (("A", self.only_a), ("B", self.only_b)) if count]
        return [f"on the pairs that both have; left out: {', '.join(parts)}"] if parts else []

    def to_dataframe(self) -> pd.DataFrame:
        """Return a DataFrame with a row a group and the columns of `GroupDifference`; values are in `unit`."""
        import pandas as pd

        return pd.DataFrame([group.model_dump() for group in self.groups], columns=list(GroupDifference.model_fields))

    def _repr_html_(self) -> str:
        """Return the groups as a table for notebooks."""
        groups = {group.group: group for group in self.groups}
        listed, crowds = listed_groups(groups)
        rows = [
            (
                group.group, str(group.pairs), format_value(group.a), format_value(group.b),
                format_signed(group.difference), format_signed_interval(group.ci_low, group.ci_high),
                format_p(group.p_value), format_p(group.p_holm),
            )
            for group in map(groups.__getitem__, listed)
        ]  # fmt: skip
        notes = [f"{count} groups {label}=... are in `to_dataframe()`" for label, count in crowds.items()]
        better = "higher" if self.higher_is_better else "lower"
        table = Table(
            title=f"A: {self.a.title} ({self.a.method}) against B: {self.b.title} ({self.b.method}); {self.board}; "
            f"{self.metric} [{self.unit}], {better} is better",
            header=("group", "pairs", "A", "B", "A - B", "95 % interval", "p", "p (Holm)"),
            rows=tuple(rows),
            text_columns=frozenset({0}),
            notes=(
                self.verdict,
                *self.left_out,
                f"A is better on {100 * self.win_rate:.1f} % of {self.pairs} pairs (equal pairs count one half)",
                *notes,
            ),
        )
        return as_html(table)
