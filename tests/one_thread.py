"""For packages whose networks are so small that handing work between threads costs more than it brings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ffbench.threads import limited


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Let libraries compute with one thread; a package's conftest imports this."""
    with limited(1):
        yield
