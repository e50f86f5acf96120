from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from ffbench.synth.makehuman import MakeHumanHead, load_makehuman
from tests.texturing.round_trip import Portrait, portrait


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """The network is so small that threads which wait for each other cost more than they bring."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def head() -> MakeHumanHead:
    """The real head; tests that use it are marked `assets`."""
    return load_makehuman()


@pytest.fixture(scope="session")
def known(head: MakeHumanHead) -> Portrait:
    """A rendered portrait."""
    return portrait(head, 7)
