"""The nearest class mean: a floor for every recogniser, since nothing is optimised."""

from __future__ import annotations

import numpy as np

from ffbench.recogniser import Features, Labels, Predictions, Recogniser, RegisteredFace

from .one_step import fit_once
from .roi import cell_histograms


class NearestCentroid(Recogniser):
    """The class whose mean flow histogram is nearest, by Euclidean distance.

    The histograms are those of `roi`, each scaled to unit length: how strongly a person moves does not count, only
    where and in which direction.
    """

    def features(self, face: RegisteredFace) -> Features:
        """Return the 392 means of one pair, of unit length; 0 where nothing moves."""
        means = cell_histograms(face.flow)
        length = float(np.linalg.norm(means))
        return means / np.float32(length) if length else means

    def fit_predict(self, features: Features, labels: Labels, others: Features, classes: int, seed: int) -> Predictions:
        """Average and compare; nothing is drawn."""
        from sklearn.neighbors import NearestCentroid as ByMeans

        return fit_once(ByMeans(), features, labels, others)
