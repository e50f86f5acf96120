"""What `ffbench app` runs: Streamlit, with all that the pages import, and the records, read before a visitor comes.

`python -m ffbench.leaderboard.serve run SCRIPT ...` takes what `python -m streamlit run SCRIPT ...` takes. Loading
PyTorch alone would cost the first visitor more than the page does.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Sequence

from streamlit.web.cli import main

from ffbench.errors import FfbenchError

from .boards.records import existing_places, load_rows
from .shell import PAGES
from .startup import prepare

_LATER = ("pandas", "pyarrow.dataset", "pyarrow.parquet", "scipy.stats")
"""Packages that are imported inside functions, at the first table and at the first ranks."""


def load() -> None:
    """Import the pages and what they import when they are drawn."""
    for name in (*(f"{__package__}.views.{card.module}" for card in PAGES), *_LATER):
        importlib.import_module(name)


def read_ahead(arguments: Sequence[str]) -> None:
    """Read the records that the pages will show; what is wrong with them the pages say.

    Args:
        arguments: of this module; those of the pages come after `--`.
    """
    named = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    with contextlib.suppress(FfbenchError, OSError):
        load_rows(existing_places(named))


if __name__ == "__main__":
    prepare()
    load()
    read_ahead(sys.argv[1:])
    main(sys.argv[1:], prog_name="streamlit")
