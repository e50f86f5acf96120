"""An empty folder, a cache of its own, and two toys as the only method and protocol."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from ffbench import registry

METHODS = {"speckle": "tests.submissions.toys:speckle", "brightness": "tests.toys:brightness"}
PROTOCOLS = {"stripes": "tests.toys:stripes"}


@pytest.fixture(autouse=True)
def _toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = {registry.METHOD_GROUP: METHODS, registry.PROTOCOL_GROUP: PROTOCOLS}
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [EntryPoint(*item, group) for item in points[group].items()]
    )
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


Without = Callable[..., contextlib.AbstractContextManager[None]]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Without:
    """Switch a check off within a block, to show that the attack would work but for it: the control."""

    @contextlib.contextmanager
    def switch_off(*checks: str, gives: Any = ()) -> Iterator[None]:
        with monkeypatch.context() as patch:
            for check in checks:
                patch.setattr(check, lambda *args, **named: gives)
            yield

    return switch_off
