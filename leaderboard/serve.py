"""What a server does before its first visitor comes: it imports all that the pages import, and reads the records.

Loading PyTorch alone would cost the first visitor more than the page does. `python -m ffbench.leaderboard.serve run
SCRIPT ...` takes what `streamlit run SCRIPT ...` takes, and Ctrl-C ends it without a word.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import AsyncIterator, Sequence

from click import Abort
from streamlit.web.cli import main

from ffbench.errors import FfbenchError

from .boards.records import existing_places, load_rows
from .shell import PAGES
from .startup import prepare

_LATER = ("pandas", "pyarrow.dataset", "pyarrow.parquet", "scipy.stats")
"""Packages that are imported inside functions, at the first table and at the first ranks."""


@contextlib.asynccontextmanager
async def before_visitors(app: object) -> AsyncIterator[None]:
    """Do it while the server starts; the command's arguments name the records."""
    prepare()
    load()
    read_ahead(sys.argv[1:])
    yield


def load() -> None:
    """Import the pages and what they import when they are drawn."""
    for name in (*(f"{__package__}.views.{card.module}" for card in PAGES), *_LATER):
        importlib.import_module(name)


def read_ahead(named: Sequence[str]) -> None:
    """Read the records that the pages will show; what is wrong with them the pages say."""
    with contextlib.suppress(FfbenchError, OSError):
        load_rows(existing_places(named))


if __name__ == "__main__":
    with contextlib.suppress(Abort):
        main(sys.argv[1:], prog_name="streamlit", standalone_mode=False)
