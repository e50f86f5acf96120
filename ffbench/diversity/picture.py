"""Expressions in a plane, colored by emotion, as in the paper's Fig. 5."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from ffbench.diversity.measure import Diversity
from ffbench.io.atomic import atomic_path
from ffbench.visual.colors import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILION, hex_color

# Grey, brown and violet are beside those that the color-blind tell apart; shapes help where they do not.
_COLORS = (*map(hex_color, (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY_BLUE)), "#444444", "#7F4A21", "#5E3C99")
_SHAPES = ("o", "^", "s", "D", "v", "P", "X")
_SPINE = "#999999"


def write_expressions(path: Path, found: Diversity) -> None:
    """Write the plane of `found.expressions` as PNG.

    Raises:
        DataError: the file cannot be written.
    """
    emotions = sorted({expression.emotion for expression in found.expressions})
    count = len(found.expressions)
    figure = Figure(figsize=(7.5, 5.6), dpi=120, layout="constrained")
    axes = figure.subplots()
    for index, emotion in enumerate(emotions):
        places = [e for e in found.expressions if e.emotion == emotion]
        axes.scatter(
            [e.x for e in places],
            [e.y for e in places],
            s=46 if count < 500 else 14,
            color=_COLORS[index % len(_COLORS)],
            marker=_SHAPES[index % len(_SHAPES)],
            alpha=0.85,
            linewidths=0,
            label=f"{emotion} ({len(places)})",
        )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(_SPINE)
    axes.set_aspect("equal", adjustable="datalim")
    figure.legend(loc="outside right center", frameon=False)
    title = f"{found.dataset}, {found.origin}: {count} expressions by t-SNE of face mesh motion, pose taken out"
    share = f"nearest neighbour of the same emotion: {100 * (found.neighbours or 0):.0f} %, "
    axes.set_title(f"{title}\n{share}by chance {100 * (found.neighbours_by_chance or 0):.0f} %", fontsize=9, loc="left")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")
