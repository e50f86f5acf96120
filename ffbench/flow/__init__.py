"""Flow arrays, (H, W, 2) float32 in pixels (x right, y down): files, sampling, warping, colors.

    >>> from ffbench.flow import read_flow, write_flow, flow_to_color

The names below are loaded on first use: some need numba, which is slow to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ffbench.flow.checks import UNKNOWN, is_known
    from ffbench.flow.color import color_wheel_legend, flow_to_color
    from ffbench.flow.files import read_flow, read_flow_valid, write_flow
    from ffbench.flow.sampling import sample_flow, sample_flow_file
    from ffbench.flow.warp import forward_backward_error, warp_backward

_HOMES = {
    "UNKNOWN": "checks",
    "color_wheel_legend": "color",
    "flow_to_color": "color",
    "forward_backward_error": "warp",
    "is_known": "checks",
    "read_flow": "files",
    "read_flow_valid": "files",
    "sample_flow": "sampling",
    "sample_flow_file": "sampling",
    "warp_backward": "warp",
    "write_flow": "files",
}

__all__ = [
    "UNKNOWN",
    "color_wheel_legend",
    "flow_to_color",
    "forward_backward_error",
    "is_known",
    "read_flow",
    "read_flow_valid",
    "sample_flow",
    "sample_flow_file",
    "warp_backward",
    "write_flow",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
