"""What must be on a machine before a method can run; looked up without importing it and without a network."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from ffbench.assets import find

Missing = Callable[[], str | None]
"""Says what is not there; None: nothing."""


def needs(*, package: str | None = None, asset: str | None = None, weights: str | None = None) -> Missing:
    """Return what looks for a package that can be imported, a fetched asset, and a published checkpoint.

    Args:
        package: its name on import.
        asset: its name in `assets.toml`.
        weights: glob of the file's name in the folders of published checkpoints.
    """

    def missing() -> str | None:
        if package is not None and find_spec(package) is None:
            return f"the package {package}"
        if asset is not None and not find(asset).path.is_file():
            return f"the asset {asset}"
        if weights is not None and not any(True for folder in _folders() for _ in folder.glob(weights)):
            return f"weights {weights}"
        return None

    return missing


def _folders() -> list[Path]:
    from .weights import weight_folders  # imports PyTorch

    return [folder for folder in weight_folders() if folder.is_dir()]
