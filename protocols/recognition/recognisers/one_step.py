"""Learning and predicting in one step, by classifiers of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from ffbench.recogniser import Features, Labels, Predictions


def fit_once(model: Any, features: Features, labels: Labels, others: Features) -> Predictions:
    """Fit a classifier and predict: (1, M). Where all labels are one class, that is what is predicted.

    Args:
        model: an estimator of scikit-learn, not fitted.
        features: (N, ...); flattened here.
        labels: (N,).
        others: (M, ...).
    """
    if len(np.unique(labels)) == 1:  # classifiers of scikit-learn want two at least
        return np.full((1, len(others)), labels[0], np.int8)
    known, unknown = (part.reshape(len(part), -1).astype(np.float64) for part in (features, others))
    return np.asarray(model.fit(known, labels).predict(unknown), np.int8)[None]
