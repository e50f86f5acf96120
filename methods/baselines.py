"""The zero flow: the score of doing nothing, which every method has to beat."""

from __future__ import annotations

import torch

from ffbench.method import Flows, Method, MethodCard, MethodEntry, MethodRequest

from .options import refuse_network_options


class Zero(Method):
    """Says that nothing moves, neither face nor head."""

    def __init__(self, name: str) -> None:
        self.card = MethodCard(id=name, title="Zero flow", decomposes=True)

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        """Return zeros."""
        flow = image1.new_zeros(image1.shape[0], 2, *image1.shape[2:])
        return Flows(facial=flow, head=flow)


def _load(request: MethodRequest) -> Method:
    refuse_network_options(request)
    return Zero(request.name)


zero = MethodEntry("no motion at all: the floor under every score", _load, quick=True, title="Zero flow")
