"""Spread of feature vectors restated slowly: loops over people, pairs and numbers."""

from __future__ import annotations

import itertools
import math

import numpy as np


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    dot = math.fsum(float(x) * float(y) for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(math.fsum(float(x) ** 2 for x in a) * math.fsum(float(y) ** 2 for y in b))


def spread(features: np.ndarray, people: list[int]) -> tuple[float, float, float]:
    """Standard deviation, coefficient of variation and mean similarity of a draw of people.

    The variance is half the mean squared difference over pairs; pairs of one person with himself are no pairs.
    """
    rows = [[float(x) / math.sqrt(math.fsum(float(y) ** 2 for y in row)) for x in row] for row in features]
    pairs = [(i, j) for i, j in itertools.permutations(range(len(people)), 2) if people[i] != people[j]]
    deviations, ratios = [], []
    for number in range(len(rows[0])):
        values = [rows[person][number] for person in people]
        deviation = math.sqrt(math.fsum((values[i] - values[j]) ** 2 for i, j in pairs) / len(pairs) / 2)
        deviations.append(deviation)
        if any(row[number] for row in rows):
            ratios.append(deviation / abs(math.fsum(values) / len(values)) if deviation else 0.0)
    similar = [cosine(features[people[i]], features[people[j]]) for i, j in pairs]
    return math.fsum(deviations) / len(deviations), math.fsum(ratios) / len(ratios), math.fsum(similar) / len(pairs)


def similarity_to_others(features: np.ndarray, sources: np.ndarray, people: list[int]) -> float:
    found = [cosine(features[a], sources[b]) for a, b in itertools.product(people, people) if a != b]
    return math.fsum(found) / len(found)
