from __future__ import annotations

import pytest

from ffbench.synth.heads.makehuman import MakeHumanHead, load_makehuman
from tests.synth.toy_head import ToyHead


@pytest.fixture(scope="session")
def toy() -> ToyHead:
    return ToyHead()


@pytest.fixture(scope="session")
def head() -> MakeHumanHead:
    """The real head; tests that use it are marked `assets`."""
    return load_makehuman()
