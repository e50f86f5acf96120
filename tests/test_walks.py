"""The walks of the design notes name what is there, and stay short."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest

WALKS = (Path(__file__).parents[1] / "docs" / "design" / "walks.md").read_text(encoding="utf-8")
NAMES = sorted(set(re.findall(r"`(ffbench\.[\w.]+)`", WALKS)))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_exists(name: str) -> None:
    assert pkgutil.resolve_name(name)


def test_a_walk_has_at_most_ten_lines() -> None:
    walks = re.split(r"^## ", WALKS, flags=re.MULTILINE)[1:]
    assert len(walks) == 3
    assert all(2 <= len(re.findall(r"^\d+\. ", walk, flags=re.MULTILINE)) <= 10 for walk in walks)
    with pytest.raises((AttributeError, ImportError)):
        pkgutil.resolve_name("ffbench.evaluation.runner.walk")  # the control
