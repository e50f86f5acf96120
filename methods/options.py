"""Options that a method without a network does not have."""

from __future__ import annotations

from ffbench.errors import UsageError
from ffbench.method import MethodRequest


def refuse_network_options(request: MethodRequest) -> None:
    """Refuse weights, iterations, precision and checkpoints rather than pass over them in silence.

    Raises:
        UsageError: one of them is set.
    """
    given = {
        "--weights": request.weights is not None,
        "--iterations": request.iterations is not None,
        "--precision": request.precision != "fp32",
        f"the checkpoint ':{request.checkpoint}'": request.checkpoint is not None,
    }
    for option, is_given in given.items():
        if is_given:
            raise UsageError(f"method '{request.family}' is not a network and does not take {option}")
