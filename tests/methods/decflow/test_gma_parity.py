"""With the same parameters and no semantic encoder, each of our flows is the flow of ptlflow's GMA."""

from __future__ import annotations

import pytest
import torch

from ffbench.methods.decflow.config import PaperConfig
from ffbench.methods.decflow.networks.gma import DecFlow
from ffbench.methods.decflow.official import load_gma
from ffbench.packages.torchvision_ops import make_importable

ITERATIONS = 4


@pytest.mark.slow
def test_both_flows_are_those_of_gma() -> None:
    make_importable()
    import ptlflow

    torch.manual_seed(0)
    gma = ptlflow.get_model_reference("gma")(iters=ITERATIONS).eval()
    # Untrained, much of the network does next to nothing; these values make all of it matter.
    with torch.no_grad():
        gma.update_block.aggregator.gamma.fill_(0.7)
        for key, value in gma.named_buffers():
            if key.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif key.endswith("running_mean"):
                value.normal_(0, 0.2)
        for key, value in gma.named_parameters():
            if ".gru." in key or ".flow_head." in key or ".encoder." in key:
                value.mul_(1.5)
    network = DecFlow(PaperConfig(semantic="none")).eval()
    report = load_gma(network, gma.state_dict())
    assert report.kept == ()

    image1, image2 = torch.rand(2, 2, 3, 128, 160)
    with torch.inference_mode():
        # ptlflow takes BGR.
        expected = gma({"images": torch.stack([image1, image2], dim=1).flip(2)})["flows"][:, 0]
        flows = network(image1, image2, iterations=ITERATIONS)
        network.correlation = "on_demand"
        on_demand = network(image1, image2, iterations=ITERATIONS)
    assert expected.abs().mean() > 2
    for flow in (flows.facial[-1], flows.head[-1], on_demand.facial[-1]):
        assert (flow - expected).abs().max() < 1e-3
