"""Networks small enough for tests, with random weights that make flows of some pixels."""

from __future__ import annotations

import torch

from ffbench.methods.decflow.config import CorrectorConfig, LightConfig, PaperConfig
from ffbench.methods.decflow.networks.base import FlowNetwork
from ffbench.methods.decflow.networks.corrector import DecFlowCorrector
from ffbench.methods.decflow.weights import create_network

TINY = LightConfig(semantic="none", channels=(8, 12, 16, 16, 16), features=16, hidden=16, motion=16)
TINY_CORRECTOR = CorrectorConfig(semantic="none", channels=(8, 12, 16, 16))
CONFIGS = {
    "decflow": PaperConfig(semantic="none", iterations=2),
    "decflow-dad3d": PaperConfig(iterations=2),
    "decflow-s": TINY,
    "decflow-s-synthetic": TINY.model_copy(update={"semantic": "synthetic"}),
    "decflow-c": TINY_CORRECTOR,
    "decflow-c-synthetic": TINY_CORRECTOR.model_copy(update={"semantic": "synthetic"}),
    "decflow-c-matching": TINY_CORRECTOR.model_copy(update={"matching": True}),
    "decflow-c-learned": TINY_CORRECTOR.model_copy(update={"decomposition": "learned"}),
}


def network(name: str, seed: int = 0) -> FlowNetwork:
    torch.manual_seed(seed)
    made = create_network(CONFIGS[name]).eval()
    with torch.no_grad():
        for decoder in (made.facial_decoder, made.head_decoder):
            if isinstance(made, DecFlowCorrector):
                decoder.get_parameter("out.weight").mul_(300)
                if made.matcher is not None:
                    made.matcher.join.weight.normal_(std=0.05)
                continue
            decoder.get_parameter("aggregator.gamma").fill_(0.5)
            decoder.get_parameter("flow_head.2.weight").mul_(4)
    return made


def pair(height: int, width: int, batch: int = 1, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    image1, image2 = torch.rand(2, batch, 3, height, width, generator=generator)
    return image1, image2
