"""A confusion matrix as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ffbench.io.atomic import atomic_path
from ffbench.protocol import Confusion
from ffbench.visual.figure import new_figure

_DARK = 0.55
"""Share of a row from which numbers are white."""


def write_confusion(path: Path | str, confusion: Confusion, title: str) -> None:
    """Write a confusion matrix as PNG: shade and percentage are shares of the true class, below them the clips.

    Args:
        path: the file.
        confusion: rows are true classes.
        title: stands above.

    Raises:
        MissingExtraError: Matplotlib is not installed.
        DataError: the file cannot be written.
    """
    counts = np.array(confusion.counts, np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    size = len(confusion.classes)
    side = max(4.0, 1.1 * size + 1.8)
    figure = new_figure("a confusion matrix", (side + 0.8, side), 150)
    axes = figure.subplots()
    image = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for row in range(size):
        for column in range(size):
            text = f"{100 * shares[row, column]:.0f} %\n{counts[row, column]:.4g}"
            color = "white" if shares[row, column] > _DARK else "black"
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=9)
    axes.set_xticks(range(size), confusion.classes, rotation=30, ha="right")
    names = [f"{name} ({total:.4g})" for name, total in zip(confusion.classes, totals[:, 0], strict=True)]
    axes.set_yticks(range(size), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class (clips)")
    axes.set_title(title, fontsize=9)
    figure.colorbar(image, label="share of the true class", shrink=0.8)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")
