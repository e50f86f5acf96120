"""Which groups a table lists, and in which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ffbench.results.groups import in_order, listed_groups

NAMES = st.lists(st.sampled_from(["all", "lips", "0-2 px", "2-5 px", ">5 px", "gap=2", "gap=10", "eyes", "view=>30"]))


def test_bins_stand_together_in_the_order_of_their_numbers() -> None:
    groups = ["all", "lips", "eyes", "motion_0-1px", "oval", "motion_5-15px", "motion_1-2px", "motion_15px+", "gap=01"]
    assert in_order(groups) == [
        "all", "motion_0-1px", "motion_1-2px", "motion_5-15px", "motion_15px+", "lips", "eyes", "oval", "gap=01",
    ]  # fmt: skip
    assert in_order(["emotion=fear", "scale=1/5", "lips", "scale=1/20", "all"]) == [
        "all", "lips", "emotion=fear", "scale=1/20", "scale=1/5",
    ]  # fmt: skip


@given(NAMES)
def test_none_is_lost_or_doubled(groups: list[str]) -> None:
    made = in_order(groups)
    assert sorted(made) == sorted(set(groups))
    assert in_order(made) == made


def test_crowds_are_counted() -> None:
    listed, crowds = listed_groups(["all", *(f"subject={n}" for n in range(40)), "gap=2"])
    assert (listed, crowds) == (["all", "gap=2"], {"subject": 40})
