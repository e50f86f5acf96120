"""Differences of flows, one pixel at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

Vector = tuple[float, float]


def terms(clean: Sequence[Vector], corrupted: Sequence[Vector | None]) -> dict[str, tuple[float, float]]:
    """Sums and counts; None is a pixel that is hidden."""
    seen = [(before, after) for before, after in zip(clean, corrupted, strict=True) if after is not None]
    differences = [math.dist(before, after) for before, after in seen]
    return {
        "robustness": (sum(differences), len(seen)),
        "robustness_relative": (100 * sum(differences), sum(math.hypot(*before) for before, _ in seen)),
        "changed_1px": (100.0 * sum(d > 1 for d in differences), len(seen)),
        "hidden": (100.0 * (len(clean) - len(seen)), len(clean)),
    }
