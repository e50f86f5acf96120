"""DecFlow: facial flow, and its parts head flow and expression flow (paper, section 4).

`decflow` is the paper's network, `decflow-c` a light one that corrects DIS, `decflow-s` a light one that matches from
nothing. Weights of the light ones ship; `decflow` without `--weights` runs those of `decflow-c`.
"""

from __future__ import annotations

from ffbench.method import Method, MethodEntry, MethodRequest


def _load(request: MethodRequest) -> Method:
    # The networks are imported when one is built, not when methods are listed.
    from .adapter import load

    return load(request)


decflow = MethodEntry("DecFlow, the paper's network: facial, head and expression flow", _load, title="DecFlow")
decflow_s = MethodEntry("light DecFlow for the CPU: facial, head and expression flow", _load, title="DecFlow-S (light)")
decflow_c = MethodEntry(
    "light DecFlow that corrects DIS: facial, head and expression flow", _load, title="DecFlow-C (corrects DIS)"
)
