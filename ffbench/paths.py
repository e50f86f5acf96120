"""Where ffbench, its records and the printed tables lie, where it keeps what can be made again, where datasets are."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

PACKAGE = Path(__file__).parent
"""Folder of the package `ffbench`."""


def cache_dir() -> Path:
    """Folder of fetched assets and made datasets: `FFBENCH_CACHE`, or the user's cache folder."""
    override = os.environ.get("FFBENCH_CACHE")
    return Path(override) if override else Path(platformdirs.user_cache_dir("ffbench"))


def data_dir() -> Path | None:
    """Folder that holds licensed datasets, one subfolder each: `FFBENCH_DATA`, or None when it is not set."""
    override = os.environ.get("FFBENCH_DATA")
    return Path(override) if override else None


def shipped_store() -> Path | None:
    """Folder of the records that ship with ffbench, installed or in a checkout; None where there is none."""
    installed, checkout = PACKAGE / "shipped", PACKAGE.parent / "submissions"
    if (installed / "verified").is_dir():
        return installed
    is_checkout = (PACKAGE.parent / "pyproject.toml").is_file() and (checkout / "verified").is_dir()
    return checkout if is_checkout else None


def reported_tables() -> Path:
    """Folder of the paper's tables as data, installed or in a checkout, where the protocols stand beside the kernel."""
    installed = PACKAGE / "protocols" / "reported"
    return installed if installed.is_dir() else PACKAGE.parent / "protocols" / "reported"
