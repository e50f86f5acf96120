"""Figures of Matplotlib, which the core does without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ffbench.extras import MissingExtraError, install

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(of: str, size: tuple[float, float], dpi: int) -> Figure:
    """Return an empty figure, laid out so that nothing overlaps.

    Args:
        of: what it shows, as the error names it.
        size: width and height in inches.
        dpi: pixels an inch.

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(f"a picture of {of} needs Matplotlib: {install('faces')}") from error
    return Figure(figsize=size, dpi=dpi, layout="constrained")
