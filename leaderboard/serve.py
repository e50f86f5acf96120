"""What `ffbench app` runs: Streamlit, with all that the pages import loaded before the first visitor comes.

`python -m ffbench.leaderboard.serve run SCRIPT ...` takes what `python -m streamlit run SCRIPT ...` takes. Loading
PyTorch alone would cost the first visitor more than the page does.
"""

from __future__ import annotations

import importlib
import sys

from streamlit.web.cli import main

from .shell import PAGES
from .startup import prepare

_LATER = ("pandas", "pyarrow.dataset", "pyarrow.parquet", "scipy.stats")
"""Packages that are imported inside functions, at the first table and at the first ranks."""


def load() -> None:
    """Import the pages and what they import when they are drawn."""
    for name in (*(f"{__package__}.views.{card.module}" for card in PAGES), *_LATER):
        importlib.import_module(name)


if __name__ == "__main__":
    prepare()
    load()
    main(sys.argv[1:], prog_name="streamlit")
