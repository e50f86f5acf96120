"""Arrays by the names that the field has for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FlowField = npt.NDArray[np.float32]
"""(H, W, 2) flow in px: x to the right, then y down."""
Image = npt.NDArray[np.uint8]
"""(H, W, 3) RGB."""
Mask = npt.NDArray[np.bool_]
"""(H, W), or (N,) over points."""
Points = npt.NDArray[np.float64]
"""(N, 2) x and y in px, unless stated otherwise."""
Floats = npt.NDArray[np.float64]
"""Numbers of any shape."""
