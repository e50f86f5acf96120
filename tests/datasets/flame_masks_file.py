"""FLAME's vertex masks with the names, sizes and overlaps of the real ones, at vertices chosen by lot."""

from __future__ import annotations

import numpy as np

VERTICES = 5023
DOUBLED = (1590, 1593, 2726, 2729)
"""Vertices that the mask of the lips lists twice."""
_ORDER = (
    "eye_region", "neck", "left_eyeball", "right_eyeball", "right_ear", "right_eye_region", "forehead", "lips", "nose",
    "scalp", "boundary", "face", "left_ear", "left_eye_region",
)  # fmt: skip


def flame_masks() -> dict[str, np.ndarray]:
    """As in `FLAME_masks.pkl`: 7,002 numbers of int64 in 14 entries, in the order in which Python 2 has them."""
    rng = np.random.RandomState(4)
    mixed = rng.permutation(np.setdiff1d(np.arange(VERTICES), DOUBLED))
    eyes, lips, nose, forehead, cheeks, rest = np.split(mixed, np.cumsum([751, 246, 280, 76, 430]))

    def some(count: int, of: np.ndarray | int = VERTICES) -> np.ndarray:
        return np.sort(rng.choice(of, count, replace=False))

    masks = {
        "eye_region": eyes,
        "right_ear": some(588),
        "neck": some(253, rest),
        "left_eyeball": np.arange(3931, 4477),
        "right_eyeball": np.arange(4477, 5023),
        "right_eye_region": some(287, eyes),
        "forehead": np.concatenate([forehead, eyes[:57]]),
        "lips": np.concatenate([lips, DOUBLED, DOUBLED]),
        "nose": np.concatenate([nose, eyes[60:63], rest[:96]]),
        "left_eye_region": some(287, eyes),
        "face": np.concatenate([eyes, lips, nose, forehead, cheeks, DOUBLED]),
        "scalp": some(489, rest),
        "boundary": some(114),
        "left_ear": some(588),
    }
    return {name: np.sort(masks[name]) for name in _ORDER}
