"""What a protocol is: pairs of images, a score for each, and a summary of the scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from ffbench.cards import DatasetCard as DatasetCard
from ffbench.cards import MetricCard as MetricCard
from ffbench.cards import Option as Option
from ffbench.cards import Origin as Origin
from ffbench.cards import ProtocolCard as ProtocolCard
from ffbench.cards import Task as Task
from ffbench.flows import NumpyFlows as NumpyFlows
from ffbench.metrics.statistics.summary import summarize_means
from ffbench.scores import Confusion as Confusion
from ffbench.scores import DescribedPair as DescribedPair
from ffbench.scores import PairScore as PairScore
from ffbench.scores import Score as Score
from ffbench.scores import Term as Term
from ffbench.typing import Image as Image

Progress = Callable[[int, int], None]
"""Called with how much is done, and how much there is."""
Reference = TypeVar("Reference")
FlowPart = Literal["facial", "head", "expression"]
"""All that moves, its rigid part, and the rest."""
FLOW_PARTS: tuple[FlowPart, ...] = get_args(FlowPart)
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Pair(Generic[Reference]):
    """Two (H, W, 3) uint8 RGB images of one size and what the protocol compares a flow with."""

    key: str
    image1: Image
    image2: Image
    reference: Reference
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Annotation:
    """What a pair's reference says in the coordinates of image 1, for pictures; what it does not know is left out.

    Attributes:
        facial, head: true flows, (H, W, 2) float32 in px.
        mask: (H, W), the pixels that a score looks at.
        regions, region_names: (H, W) uint8 numbers, and the names of those that are regions.
        first, second: (N, 2) float64 x and y in px, the same points in image 1 and in image 2.
    """

    facial: npt.NDArray[np.float32] | None = None
    head: npt.NDArray[np.float32] | None = None
    mask: npt.NDArray[np.bool_] | None = None
    regions: npt.NDArray[np.uint8] | None = None
    region_names: Mapping[int, str] = field(default_factory=dict)
    first: npt.NDArray[np.float64] | None = None
    second: npt.NDArray[np.float64] | None = None


class Scoring:
    """The part of a protocol that needs no data: what it is, and how the scores of pairs become numbers."""

    card: ProtocolCard
    fixed_weights: bool = False
    """Whether the count of a pair's primary term follows from the dataset alone, whatever the flow."""

    def summarize(self, scores: Sequence[PairScore]) -> list[Score]:
        """Turn the scores of all pairs into the numbers of the record. Pure, and blind to the order of `scores`."""
        return summarize_means(
            scores, self.card.metrics, group_by=self.card.group_by, resample_by=self.card.resample_by
        )

    def confusion(self, scores: Sequence[PairScore]) -> Confusion | None:
        """Return the confusion matrix of a protocol that recognises classes. Pure."""
        return None

    def impossible(self, score: PairScore) -> str | None:
        """Say what of a pair's terms no flow can give, in words; None: nothing. Pure."""
        for name, term in score.terms.items():
            metric = self.card.metrics.get(name.partition("/")[0])
            if metric is None or not term.count:
                continue
            mean, slack = term.sum / term.count, _ROUNDING * max(1.0, abs(metric.maximum or 0.0))
            if metric.minimum is not None and mean < metric.minimum - slack:
                return f"{name} is {mean:g} {metric.unit}, and cannot be below {metric.minimum:g}"
            if metric.maximum is not None and mean > metric.maximum + slack:
                return f"{name} is {mean:g} {metric.unit}, and cannot be above {metric.maximum:g}"
        return None


class StatedScoring(Scoring):
    """The scoring of a protocol whose card says all that there is to say."""

    def __init__(self, card: ProtocolCard, *, fixed_weights: bool = False) -> None:
        self.card, self.fixed_weights = card, fixed_weights


class Protocol(Scoring, ABC, Generic[Reference]):
    """An exact, versioned way to measure a method. It knows nothing of any method."""

    dataset: DatasetCard
    needs_backward: bool = False
    """Whether `score` wants the flow from image 2 to image 1 too."""
    scored_part: FlowPart = "facial"
    """The flow that the metric which ranks is of."""

    @abstractmethod
    def keys(self) -> Sequence[str]:
        """Name every pair, in the order in which they are evaluated; names are unique and stable."""

    @abstractmethod
    def load(self, key: str) -> Pair[Reference]:
        """Read one pair. May be called from several threads at once.

        Raises:
            DataError: a file cannot be read; the message names it.
        """

    @abstractmethod
    def score(self, pair: Pair[Reference], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        """Score the flows of one pair, given as (H, W, 2) arrays. Pure."""

    def scored_flows(self, pair: Pair[Reference], forward: NumpyFlows) -> NumpyFlows:
        """Return the flows that `score` looks at: with a head flow where it derives one for methods without. Pure."""
        return forward

    def annotation(self, pair: Pair[Reference]) -> Annotation:
        """Tell what of a pair's reference can be drawn. Pure."""
        return Annotation()


class LearningProtocol(Protocol[Reference]):
    """A protocol that scores no pair before it has seen all: `score` describes a pair, `learn` makes the scores."""

    learning_options: frozenset[str] = frozenset()
    """Options that only `learn` reads: runs that differ in them alone share one set of flows."""
    learner: object | None = None
    """What learns, where its code is not the protocol's: that code is part of a run's fingerprint."""
    learning_seconds: float | None = None
    """Processor time that learning took, resumed parts included; `learn` sets it, or leaves None."""

    @abstractmethod
    def score(self, pair: Pair[Reference], forward: NumpyFlows, backward: NumpyFlows | None) -> DescribedPair:
        """Describe the flows of one pair, given as (H, W, 2) arrays. Pure."""

    @abstractmethod
    def learn(self, pairs: Sequence[DescribedPair], folder: Path, progress: Progress | None = None) -> list[PairScore]:
        """Return the scores of all pairs, in the order given. Called once.

        Args:
            pairs: what `score` gave, in the order of `keys`.
            folder: for what an interrupted run is to find again; removed when the record is written.
            progress: told how much is done.
        """


@dataclass(frozen=True)
class ProtocolRequest:
    """A protocol as the user named it. `data` None means the default dataset of the protocol."""

    name: str
    data: Path | None = None
    variant: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ProtocolEntry:
    """What an entry point of the group `ffbench.protocols` gives.

    `scoring` gives the scoring for the variant and the options that a record's card states, without any data, so that
    a record can be checked where its dataset is not; it raises UsageError for what the protocol never states.
    `earlier_versions` are those that the protocol still runs when it is given the option `version`, which its card does
    not list: a record of an earlier version and a new run of it are on one board.
    `variants`, the first of which is the default, and `options`, what may be typed for each in words, are what
    `ffbench protocols show` lists.
    `title`, `task` and `scored_part`, the flow that the metric which ranks is of unless an option says another, are for
    readers who choose among protocols; records do not hold them, so that they can change.
    `needs_data` says that no mini dataset stands in for the user's own data.
    """

    summary: str
    load: Callable[[ProtocolRequest], Protocol[Any]]
    scoring: Callable[[ProtocolCard], Scoring] | None = None
    earlier_versions: tuple[str, ...] = ()
    title: str = ""
    task: Task = "other"
    scored_part: FlowPart = "facial"
    variants: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    needs_data: bool = False
