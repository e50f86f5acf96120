"""Training of ptlflow's networks by the same trainer: Table 2's "+FFN" rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ffbench.errors import MethodError, UsageError
from ffbench.io.atomic import atomic_path
from ffbench.method import Method, MethodRequest
from ffbench.training.loss import in_range, sequence_loss
from ffbench.training.trainee import TrainableNetwork, Training, TrainRequest

from .network import PtlflowNetwork, load_network

if TYPE_CHECKING:
    from ffbench.training.recipe import Stage
    from ffbench.training.samples import Batch


class PtlflowTrainee(TrainableNetwork):
    """A network of ptlflow under training, with RAFT's sequence loss over its `flow_preds`."""

    suffix = ".ckpt"

    def __init__(self, method: PtlflowNetwork) -> None:
        super().__init__()
        self.card = method.card
        self.network: Any = method.network

    def prepare(self, stage: Stage) -> None:
        """See `Trainee.prepare`."""
        if stage.loss != "facial" or stage.trains != "all":
            raise UsageError(
                f"stage '{stage.name}': loss '{stage.loss}' of '{stage.trains}'; "
                f"{self.card.id} has the loss 'facial' of 'all'"
            )
        if stage.iterations is not None:
            raise UsageError(f"stage '{stage.name}': ptlflow's networks set their iterations when they are built")
        self.network.requires_grad_(True)

    def forward(self, batch: Batch, stage: Stage) -> dict[str, torch.Tensor]:
        """See `Trainee.forward`.

        Raises:
            MethodError: the network gives no predictions to train on.
        """
        # ptlflow takes BGR, see `PtlflowNetwork`.
        images = torch.stack([batch["image1"].flip(1), batch["image2"].flip(1)], dim=1)
        predictions = self.network({"images": images}).get("flow_preds")
        if not predictions:
            raise MethodError(f"{self.card.id} gives no flow_preds in training, so that this trainer cannot train it")
        flows = [flow[:, 0] if flow.ndim == 5 else flow for flow in predictions]
        facial = batch["facial"]
        if any(flow.shape != facial.shape for flow in flows):
            raise MethodError(
                f"{self.card.id}: its flow_preds are not of the size of the images; it needs a loss of its own"
            )
        return {"facial": sequence_loss(flows, facial, in_range(facial), stage.gamma)}

    def method(self, device: str) -> Method:
        """See `Trainee.method`."""
        return PtlflowNetwork(self.card, self.network, torch.device(device))

    def save(self, path: Path, training: Training) -> None:
        """See `Trainee.save`."""
        state = {key: value.detach().cpu() for key, value in self.network.state_dict().items()}
        with atomic_path(path) as temporary:
            torch.save({"state_dict": state, "training": dict(training)}, temporary)


def build(request: TrainRequest, model: str) -> TrainableNetwork:
    """Build a network with the weights that training starts from: the published ones, a file's, or `random`.

    Raises:
        UsageError: the recipe describes a network, or names what it starts from.
        MethodError: the weights cannot be had or do not fit.
    """
    if request.recipe.network or request.recipe.initial:
        raise UsageError(f"recipe '{request.recipe.name}' describes another network; {request.name} is ptlflow's own")
    method = load_network(MethodRequest(request.name, request.weights), model)
    assert isinstance(method, PtlflowNetwork)
    return PtlflowTrainee(method)
