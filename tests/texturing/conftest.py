from __future__ import annotations

import pytest

from ffbench.synth.heads.makehuman import MakeHumanHead, load_makehuman
from tests.one_thread import one_thread
from tests.texturing.round_trip import Portrait, portrait

__all__ = ["one_thread"]


@pytest.fixture(scope="session")
def head() -> MakeHumanHead:
    """The real head; tests that use it are marked `assets`."""
    return load_makehuman()


@pytest.fixture(scope="session")
def known(head: MakeHumanHead) -> Portrait:
    """A rendered portrait."""
    return portrait(head, 7)
