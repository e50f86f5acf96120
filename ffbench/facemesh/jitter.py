"""How much tracked points tremble against each other, and the endpoint error that no flow can get below because of it.

The tremble is read off fourth differences in time, d[t] = p[t+2] - 4 p[t+1] + 6 p[t] - 4 p[t-1] + p[t-2].
Motion that is smooth over five frames (a cubic in time) leaves nothing in them but noise, and if the noise
is independent from frame to frame with standard deviation sigma in x and in y, theirs is sqrt(70) sigma. The
median of |d| is 0.6745 times that, and the few moments of sudden motion hardly change a median. (Second
differences would do for slow faces; on real clips they still hold motion and read a third too high.)

What all points share is taken out first, because a camera that shakes moves them as a tracker does whose box
trembles: in a clip from a moving car it was 93 % of d's variance, and flow showed that most of it is real.
Noise that neighbouring frames share cancels in d and is not seen, though it does err displacements over many
frames. So the figure is a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError

_MEDIAN_OF_GAUSSIAN = 0.6744897501960817  # median of |z| for a standard normal z
_FRAMES = 5


def jitter(points: Sequence[npt.NDArray[np.float64] | None]) -> npt.NDArray[np.float64]:
    """Estimate the standard deviation of each point's noise in x and in y, px, less what all points share.

    Args:
        points: for each frame of a clip the (N, 2) points, N > 1, or None where there are none.

    Returns:
        (N,) float64.

    Raises:
        DataError: no five frames in a row have points.
    """
    windows = (points[start : start + _FRAMES] for start in range(len(points) - _FRAMES + 1))
    whole = [window for window in windows if all(frame is not None for frame in window)]
    if not whole:
        raise DataError(
            f"jitter is measured on {_FRAMES} frames in a row with a face; of {len(points)} frames there are no such"
        )
    differences = np.array([np.diff(np.array(window, np.float64), n=4, axis=0)[0] for window in whole])
    count = differences.shape[1]
    own = (differences - differences.mean(axis=1, keepdims=True)) * math.sqrt(count / (count - 1))
    spread: npt.NDArray[np.float64] = np.median(np.abs(own), axis=(0, 2))
    return spread / (_MEDIAN_OF_GAUSSIAN * math.sqrt(70))


def epe_floor(sigma: npt.NDArray[np.float64] | float) -> float:
    """Return the mean endpoint error, px, that a perfect flow would show against displacements of such points.

    A displacement is the difference of two noisy points, so its noise is sqrt(2) sigma in x and in y, and the
    mean length of such a Gaussian vector is sqrt(2) sigma sqrt(pi / 2).
    """
    return float(np.mean(sigma)) * math.sqrt(math.pi)
