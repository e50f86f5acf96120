"""The face engine: exact optical flow of rendered heads (paper, section 3)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ffbench.synth.piecewise_affine import piecewise_affine_flow

# Imported on first use: numba takes a second.
_HOME = {"piecewise_affine_flow": "ffbench.synth.piecewise_affine"}
__all__ = ["piecewise_affine_flow"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
