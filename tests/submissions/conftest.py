"""The command line over toys; no test reads or writes the user's cache."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ffbench import registry
from tests.commands import run_command

METHODS = {"speckle": "tests.submissions.toys:speckle"}
PROTOCOLS = {"stripes": "tests.toys:stripes", "torn_stripes": "tests.toys:torn_stripes"}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def ffbench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Run a command in an empty folder, with the toys as the only methods and protocols; gives its exit code."""
    points = {registry.METHOD_GROUP: METHODS, registry.PROTOCOL_GROUP: PROTOCOLS}
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [EntryPoint(*item, group) for item in points[group].items()]
    )
    monkeypatch.chdir(tmp_path)

    return functools.partial(run_command, monkeypatch)
