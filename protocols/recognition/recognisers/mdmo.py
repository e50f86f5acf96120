"""Main directions of the flow in each region of the face, and a support vector machine (after Liu et al., 2016).

The paper's MDMO takes 36 regions between tracked landmarks, and the mean over all frames of a clip. Here the face is
registered and there is one flow, from onset to apex: the regions are a grid of 6 x 6.
"""

from __future__ import annotations

import numpy as np

from ffbench.recogniser import FACE_SIZE, Features, Labels, Predictions, Recogniser, RegisteredFace

from .one_step import fit_once

REGIONS, DIRECTIONS = 6, 8


class MainDirections(Recogniser):
    """The mean flow along the main direction of each region, by a polynomial support vector machine."""

    def features(self, face: RegisteredFace) -> Features:
        """Return x and y of the main flow of 36 regions, (72,), the longest of length 1; 0 where nothing moves."""
        main = main_directions(face.flow)
        longest = float(np.linalg.norm(main, axis=1).max())
        return np.asarray((main / longest if longest else main).ravel(), np.float32)

    def fit_predict(self, features: Features, labels: Labels, others: Features, classes: int, seed: int) -> Predictions:
        """Fit and predict; nothing is drawn."""
        from sklearn.svm import SVC

        return fit_once(SVC(kernel="poly", degree=4, gamma=0.1, coef0=1.0, C=1.0), features, labels, others)


def main_directions(flow: Features) -> Features:
    """Return the mean of the flow vectors in the fullest of 8 bins of direction, for each region: (36, 2) in px.

    Bins are 45 degrees wide, the first centred on x, so that small noise does not share out a motion along an axis. Of
    equally full bins the first counts.

    Args:
        flow: (224, 224, 2) in px.
    """
    edges = np.linspace(0, FACE_SIZE, REGIONS + 1).round().astype(int)
    found = np.empty((REGIONS * REGIONS, 2))
    for number in range(len(found)):
        row, column = divmod(number, REGIONS)
        region = flow[edges[row] : edges[row + 1], edges[column] : edges[column + 1]].reshape(-1, 2).astype(np.float64)
        angle = np.arctan2(region[:, 1], region[:, 0])
        bins = np.round(angle / (2 * np.pi / DIRECTIONS)).astype(int) % DIRECTIONS
        fullest = int(np.bincount(bins, minlength=DIRECTIONS).argmax())
        found[number] = region[bins == fullest].mean(axis=0)
    return found.astype(np.float32)
