"""Entries say what readers see of a method, and what it lacks on a machine, without importing or fetching anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffbench.methods import presence
from ffbench.methods.presence import needs
from ffbench.registry import load_method, method_entry, method_names


def test_every_method_has_a_title_of_its_own() -> None:
    titles = [method_entry(name).title for name in method_names()]
    assert all(titles)
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", ["zero", "dis", "dis_fine", "farneback", "ilk", "tvl1", "decflow-s", "decflow-c"])
def test_a_title_is_that_of_the_card(name: str) -> None:
    assert method_entry(name).title == load_method(name, device="cpu").card.title


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(presence, "_folders", lambda: [tmp_path])
    assert needs(package="numpy")() is None
    assert needs(package="no_such_package")() == "the package no_such_package"
    assert needs(asset="face_mesh")() == "the asset face_mesh"
    wanted = needs(package="numpy", weights="raft-*.ckpt")
    assert wanted() == "weights raft-*.ckpt"
    (tmp_path / "raft-things-0123.ckpt").touch()
    assert wanted() is None
