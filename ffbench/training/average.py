"""A running mean of a network's weights (Polyak averaging), which scores better than the last step's do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import nn


class RunningAverage:
    """The mean of a network's trained values and running statistics, each step weighing `1 - decay`.

    It starts as the first values and forgets them quickly: the decay is at most (1 + n) / (10 + n) after n steps.
    With a decay of 0 it is the network itself and costs nothing.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network, self._decay, self._steps = network, decay, 0
        self._mean = {key: value.detach().clone() for key, value in self._values().items()} if decay else {}

    def update(self) -> None:
        """Take in the network as it is now."""
        if not self._decay:
            return
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        for key, value in self._values().items():
            self._mean[key].lerp_(value.detach(), 1 - decay)

    def apply(self) -> None:
        """Set the network to the mean, for good."""
        with torch.no_grad():
            for key, value in self._values().items():
                if self._decay:
                    value.copy_(self._mean[key])

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Set the network to the mean for a while."""
        before = {key: value.detach().clone() for key, value in self._values().items()} if self._decay else {}
        self.apply()
        try:
            yield
        finally:
            with torch.no_grad():
                for key, value in self._values().items():
                    if key in before:
                        value.copy_(before[key])

    def state(self) -> dict[str, torch.Tensor]:
        """Return what a checkpoint keeps."""
        kept = {key: value.cpu().clone() for key, value in self._mean.items()}
        return {**kept, "": torch.tensor(self._steps)}

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from `state`."""
        self._steps = int(state[""])
        for key, value in self._mean.items():
            value.copy_(state[key])

    def _values(self) -> dict[str, torch.Tensor]:
        return {key: value for key, value in self._network.state_dict().items() if value.is_floating_point()}
