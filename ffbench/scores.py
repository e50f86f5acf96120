"""What is known of a pair once it has been scored, and of many pairs once they have been summed up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

NOT_FOUND = "no"
"""Value of the label `found` of pairs in which the method found nothing to go by."""


@dataclass(frozen=True)
class Term:
    """A sum over points or pixels of one pair, and how many there were. The mean is sum / count."""

    sum: float
    count: float


@dataclass(frozen=True)
class PairScore:
    """The scores of one pair: float64 sums and counts by `metric` or `metric/group`."""

    key: str
    terms: Mapping[str, Term]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DescribedPair(PairScore):
    """A pair whose scores wait for those of all others.

    `descriptor` is what a learning protocol keeps of the pair's flow, any shape, float16 or float32. It lies on disk
    beside the journal, and is no part of the table of scores. `terms` are those that need no other pair.
    """

    descriptor: npt.NDArray[np.floating] = field(compare=False, repr=False, kw_only=True)


def count_not_found(scores: Iterable[PairScore]) -> int:
    """Return in how many pairs the method found nothing to go by, in one of the directions that were wanted."""
    return sum(score.labels.get("found") == NOT_FOUND for score in scores)


class Confusion(BaseModel):
    """How often pairs of each class were taken for each: `counts` has a row a true class, a column a predicted one."""

    model_config = ConfigDict(frozen=True)

    classes: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...] = Field(description="means over seeds, where a protocol learns several times")


class Score(BaseModel):
    """One number of a summary, with its 95 % confidence interval; where it has none, `no_interval` says why."""

    model_config = ConfigDict(frozen=True)

    metric: str
    group: str = Field(default="all", description="`all`, a group inside pairs, or `label=value`")
    value: float
    ci_low: float | None = None
    ci_high: float | None = None
    no_interval: str | None = Field(default=None, description="why there is no interval, such as too few subjects")
    pairs: int
    units: int | None = Field(
        default=None, description="independent units that count, such as subjects; None in records before version 5"
    )
