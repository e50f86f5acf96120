"""What micro-expression recognisers are fed with: u, v, magnitude and optical strain of one flow, each defined once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.flow.strain import optical_strain
from ffbench.typing import FlowField

Feature = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FeatureDefinition:
    """What an array of features holds, in words that stand in every manifest."""

    unit: str
    definition: str


_DERIVATIVES = "derivatives by central differences over 2 px, one-sided over 1 px at the border; not normalised"
DEFINITIONS = {
    "u": FeatureDefinition("px", "x of the flow, to the right; not normalised"),
    "v": FeatureDefinition("px", "y of the flow, downwards; not normalised"),
    "magnitude": FeatureDefinition("px", "sqrt(u^2 + v^2); not normalised"),
    "strain": FeatureDefinition("1", f"sqrt(u_x^2 + v_y^2 + (u_y + v_x)^2 / 2), the variant `tensor`; {_DERIVATIVES}"),
    "strain_shear_once": FeatureDefinition(
        "1", f"sqrt(u_x^2 + v_y^2 + (u_y + v_x)^2 / 4), the variant `shear_once`; {_DERIVATIVES}"
    ),
}
"""Of the arrays that `flow_features` gives, in their order."""
ONSET = "onset"
ONSET_DEFINITION = FeatureDefinition("1", "the registered face at onset, RGB from 0 to 1, rounded to float16")


def flow_features(flow: FlowField) -> dict[str, Feature]:
    """Return the features of a flow by name, (H, W) float32 each; `DEFINITIONS` says what they are.

    Args:
        flow: (H, W, 2) in px, H and W at least 2.

    Raises:
        ValueError: the flow is too small, or has another shape.

    >>> found = flow_features(np.full((4, 5, 2), (3, 4), np.float32))
    >>> [(name, float(values[0, 0])) for name, values in found.items()]
    [('u', 3.0), ('v', 4.0), ('magnitude', 5.0), ('strain', 0.0), ('strain_shear_once', 0.0)]
    """
    strains = (optical_strain(flow, variant) for variant in ("tensor", "shear_once"))
    u, v = (np.ascontiguousarray(flow[..., axis], np.float32) for axis in (0, 1))
    values = (u, v, np.hypot(u, v), *strains)
    return dict(zip(DEFINITIONS, values, strict=True))
