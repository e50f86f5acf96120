"""How much tracked points tremble, and the endpoint error that no flow can get below because of it.

The tremble is read off second differences in time, d[t] = p[t+1] - 2 p[t] + p[t-1]. Where a point moves
evenly over three frames they hold noise alone, and if the noise is independent from frame to frame with
standard deviation sigma in x and in y, theirs is sqrt(1 + 4 + 1) sigma. The median of |d| is 0.6745 times
that, and the few moments of sudden motion hardly change a median. Noise that is shared by neighbouring
frames cancels in d, so the figure is a lower bound of what the tracker errs by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError

_MEDIAN_OF_GAUSSIAN = 0.6744897501960817  # median of |z| for a standard normal z


def jitter(points: Sequence[npt.NDArray[np.float64] | None]) -> npt.NDArray[np.float64]:
    """Estimate the standard deviation of each point's noise in x and in y, px.

    Args:
        points: for each frame of a clip the (N, 2) points, or None where there are none.

    Returns:
        (N,) float64.

    Raises:
        DataError: no three consecutive frames have points.
    """
    triples = [
        [a, b, c]
        for a, b, c in zip(points, points[1:], points[2:], strict=False)
        if a is not None and b is not None and c is not None
    ]
    if not triples:
        raise DataError(f"jitter needs three frames in a row with a face; of {len(points)} frames none are such")
    differences = np.array([a - 2 * b + c for a, b, c in triples], dtype=np.float64)
    spread: npt.NDArray[np.float64] = np.median(np.abs(differences), axis=(0, 2))
    return spread / (_MEDIAN_OF_GAUSSIAN * math.sqrt(6))


def epe_floor(sigma: npt.NDArray[np.float64] | float) -> float:
    """Give the mean endpoint error, px, that a perfect flow would show against displacements of such points.

    A displacement is the difference of two noisy points, so its noise is sqrt(2) sigma in x and in y, and the
    mean length of such a Gaussian vector is sqrt(2) sigma sqrt(pi / 2).
    """
    return float(np.mean(sigma)) * math.sqrt(math.pi)
