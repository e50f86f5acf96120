"""DecFlow: facial flow, and its parts head flow and expression flow (paper, section 4).

`decflow` is the paper's network, `decflow-s` a light one of the same kind.
"""

from __future__ import annotations

from ffbench.method import Method, MethodEntry, MethodRequest


def _load(request: MethodRequest) -> Method:
    # The networks are imported when one is built, not when methods are listed.
    from .adapter import load

    return load(request)


decflow = MethodEntry("DecFlow, the paper's network: facial, head and expression flow", _load)
decflow_s = MethodEntry("light DecFlow for the CPU: facial, head and expression flow", _load)
