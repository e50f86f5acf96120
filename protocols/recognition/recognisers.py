"""Recognisers behind one interface: they learn classes from registered flows of some people and predict others'."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
import numpy.typing as npt

from .faces import SIZE
from .flows import FLOW_VALUES

RecogniserName = Literal["roi", "mmnet"]
RecipeName = Literal["released", "main_branch"]
Features = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Predictions = npt.NDArray[np.int8]

CELLS, DIRECTIONS = 7, 8
ROI_EPOCHS = 30
_PENALTY = 0.01


class Recogniser(ABC):
    """A classifier of registered flows."""

    epochs: int
    device: str = "cpu"

    @abstractmethod
    def features(self, descriptor: npt.NDArray[np.float16]) -> Features:
        """Return what is learnt from of one pair. Sees no label and no other pair.

        Args:
            descriptor: the flow (SIZE, SIZE, 2), then the onset face (SIZE, SIZE, 3), flat.
        """

    @abstractmethod
    def fit_predict(self, features: Features, labels: Labels, others: Features, classes: int, seed: int) -> Predictions:
        """Learn from `features` (N, ...) and `labels` (N,), and predict `others` (M, ...) after every epoch.

        What is learnt must not depend on `others`: they are looked at, never used.

        Returns:
            Class numbers, (epochs, M).
        """


class RegionHistograms(Recogniser):
    """Flow histograms of the cells of a grid, and a linear classifier.

    In each of 7 x 7 cells of the registered face and for each of 8 directions d: the mean over the cell's pixels of
    max(0, F . d). The 392 numbers are standardised by those that are learnt from, and go to multinomial logistic
    regression one class against the rest, by averaged stochastic gradient descent; an epoch is one pass.
    """

    def __init__(self, epochs: int | None = None) -> None:
        self.epochs = epochs or ROI_EPOCHS

    def features(self, descriptor: npt.NDArray[np.float16]) -> Features:
        """Return the 392 means of one pair."""
        flow, _ = split(descriptor)
        angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
        along = np.maximum(flow @ np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32), 0)
        cell = SIZE // CELLS
        means = along.reshape(CELLS, cell, CELLS, cell, DIRECTIONS).mean(axis=(1, 3), dtype=np.float64)
        return np.asarray(means.ravel(), np.float32)

    def fit_predict(self, features: Features, labels: Labels, others: Features, classes: int, seed: int) -> Predictions:
        """Learn and predict."""
        from sklearn.linear_model import SGDClassifier
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(features.astype(np.float64))
        known, unknown = (scaler.transform(part.astype(np.float64)) for part in (features, others))
        model = SGDClassifier(
            loss="log_loss", alpha=_PENALTY, average=True, random_state=np.random.RandomState(seed), n_jobs=1
        )
        predicted = np.empty((self.epochs, len(others)), np.int8)
        for epoch in range(self.epochs):
            model.partial_fit(known, labels, classes=np.arange(classes))
            predicted[epoch] = model.predict(unknown)
        return predicted


def split(descriptor: npt.NDArray[np.float16]) -> tuple[Features, Features]:
    """Return the flow (SIZE, SIZE, 2) and the onset face (SIZE, SIZE, 3) of a descriptor."""
    values = descriptor.astype(np.float32)
    return values[:FLOW_VALUES].reshape(SIZE, SIZE, 2), values[FLOW_VALUES:].reshape(SIZE, SIZE, 3)
