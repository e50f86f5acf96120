"""DecFlow: facial flow, and its parts head flow and expression flow (paper, section 4).

`decflow` is the paper's network, `decflow-c` a light one that corrects DIS, `decflow-s` a light one that matches from
nothing. Weights of the light ones ship; `decflow` without `--weights` runs those of `decflow-c`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ffbench.method import Method, MethodEntry, MethodRequest

if TYPE_CHECKING:
    from ffbench.training.trainee import TrainEntry

_RECIPES = Path(__file__).parent / "recipes"


def _load(request: MethodRequest) -> Method:
    # The networks are imported when one is built, not when methods are listed.
    from .adapter import load

    return load(request)


def _training(method: str, *recipes: str) -> Callable[[], TrainEntry]:
    def entry() -> TrainEntry:
        from ffbench.training.trainee import TrainEntry

        from .training import build

        return TrainEntry({name: _RECIPES / f"{method}-{name}.toml" for name in recipes}, build)

    return entry


decflow = MethodEntry(
    "DecFlow, the paper's network: facial, head and expression flow",
    _load,
    train=_training("decflow", "ffbench", "paper", "official"),
)
decflow_s = MethodEntry(
    "light DecFlow for the CPU: facial, head and expression flow", _load, train=_training("decflow-s", "ffbench")
)
decflow_c = MethodEntry(
    "light DecFlow that corrects DIS: facial, head and expression flow", _load, train=_training("decflow-c", "ffbench")
)
