"""Flow histograms of the cells of a grid, and a linear classifier."""

from __future__ import annotations

import numpy as np

from ffbench.recogniser import FACE_SIZE, Features, Labels, Predictions, Recogniser, RegisteredFace

CELLS, DIRECTIONS = 7, 8
ROI_EPOCHS = 30
_PENALTY = 0.01


class RegionHistograms(Recogniser):
    """Flow histograms of the cells of a grid, and a linear classifier.

    In each of 7 x 7 cells of the registered face and for each of 8 directions d: the mean over the cell's pixels of
    max(0, F . d). The 392 numbers are standardised by those that are learnt from, and go to multinomial logistic
    regression one class against the rest, by averaged stochastic gradient descent; an epoch is one pass.
    """

    def __init__(self, epochs: int | None = None) -> None:
        self.epochs = epochs or ROI_EPOCHS

    def features(self, face: RegisteredFace) -> Features:
        """Return the 392 means of one pair."""
        return cell_histograms(face.flow)

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


def cell_histograms(flow: Features) -> Features:
    """Return the mean of max(0, F . d) over each of 7 x 7 cells and for each of 8 directions d: (392,), in px.

    Args:
        flow: (224, 224, 2) in px.
    """
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    along = np.maximum(flow @ np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32), 0)
    cell = FACE_SIZE // CELLS
    means = along.reshape(CELLS, cell, CELLS, cell, DIRECTIONS).mean(axis=(1, 3), dtype=np.float64)
    return np.asarray(means.ravel(), np.float32)
