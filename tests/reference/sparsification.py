"""Sparsification as a loop over every share of pixels: what the sorted form is compared with."""

from __future__ import annotations

from collections.abc import Sequence


def curve(error: Sequence[float], confidence: Sequence[float]) -> list[float]:
    """Mean error of what is left with the j least confident pixels gone, j = 0 .. n - 1; ties count by their mean."""
    n = len(error)
    shared = [
        sum(error[k] for k in range(n) if confidence[k] == confidence[i])
        / sum(confidence[k] == confidence[i] for k in range(n))
        for i in range(n)
    ]
    kept = sorted(range(n), key=lambda i: confidence[i], reverse=True)
    return [sum(shared[i] for i in kept[: n - j]) / (n - j) for j in range(n)]


def oracle(error: Sequence[float]) -> list[float]:
    kept = sorted(error)
    return [sum(kept[: len(kept) - j]) / (len(kept) - j) for j in range(len(kept))]


def ause(error: Sequence[float], confidence: Sequence[float]) -> float:
    return sum(s - o for s, o in zip(curve(error, confidence), oracle(error), strict=True)) / len(error)
