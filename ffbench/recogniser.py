"""What a recogniser is: it learns classes from the registered flows of some people, and predicts those of others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FACE_SIZE = 224
"""Height and width in px of the registered face that recognisers see."""

Features = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Predictions = npt.NDArray[np.int8]


@dataclass(frozen=True)
class RegisteredFace:
    """What a recogniser may look at of a clip.

    Attributes:
        flow: (224, 224, 2), from onset to apex, in px of the registered face; x to the right, y down.
        onset: (224, 224, 3), the registered face at onset, RGB from 0 to 1.
    """

    flow: Features
    onset: Features


class Recogniser(ABC):
    """A classifier of registered flows. One object serves all folds: what a fold learns must not stay in it."""

    epochs: int = 1
    """How many predictions `fit_predict` gives for a clip; a classifier that is not trained in epochs gives one."""
    device: str = "cpu"
    """Where it computes."""
    recipe_name: str | None = None
    """Which of several ways it is set up, where it has several; it stands in the record."""

    @abstractmethod
    def features(self, face: RegisteredFace) -> Features:
        """Return what is learnt from of a clip: float32, of one shape for all. Sees no label and no other clip."""

    @abstractmethod
    def fit_predict(self, features: Features, labels: Labels, others: Features, classes: int, seed: int) -> Predictions:
        """Learn from clips of some people, and predict those of another after every epoch.

        What is learnt, and what is predicted of a clip, must not depend on the other clips of `others`.

        Args:
            features: (N, ...), as `features` gives them.
            labels: (N,), class numbers from 0 to `classes` - 1; a class may be missing.
            others: (M, ...).
            classes: how many there are.
            seed: of all that is drawn: the same seed gives the same predictions.

        Returns:
            Class numbers, (epochs, M).
        """


@dataclass(frozen=True)
class RecogniserRequest:
    """A recogniser as the user named it.

    Attributes:
        name: of the entry.
        classes: how many classes the protocol has.
        epochs: how many to train for; None for the recogniser's own number.
        recipe: which way of setting it up, of a recogniser that has several; None for the one that fits the data.
        synthetic: whether the data are.
    """

    name: str
    classes: int
    epochs: int | None = None
    recipe: str | None = None
    synthetic: bool = False


@dataclass(frozen=True)
class RecogniserEntry:
    """What an entry point of the group `ffbench.recognisers` gives.

    Attributes:
        summary: a line for lists.
        load: makes the recogniser.
        paper: whose it is.
    """

    summary: str
    load: Callable[[RecogniserRequest], Recogniser]
    paper: str = ""
