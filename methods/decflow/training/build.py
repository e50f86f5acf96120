"""Training of the family: which parts and losses a recipe's stages may name.

| `trains` | what takes a gradient |
|---|---|
| `all` | everything but the face-semantic encoder, which is frozen (Eq. 5) |
| `facial` | the same without the head decoder: the paper's first stage |
| `head` | the head decoder alone; all that facial flow depends on is frozen for real: the paper's second stage |
| `semantic` | the face-semantic encoder `synthetic`, on the face engine's regions and texture coordinates |

| `loss` | |
|---|---|
| `facial` | optical flow loss of the facial flow |
| `decomposition` | L_head + L_expression (section 4.3) |
| `official` | facial + 0.8 head + 1.5 expression, as in the released code |
| `joint` | facial + head + expression by the stage's `weights` (1 each); the last two where head flow is known |
| `semantic` | cross-entropy of regions + error of texture coordinates |
| `rigid` | of the network that corrects a classical flow: see `corrector_loss`, its parts by the stage's `weights` |
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from pydantic import TypeAdapter, ValidationError

from ffbench.errors import MethodError, UsageError
from ffbench.io.json_models import first_fault
from ffbench.method import RANDOM_WEIGHTS, Method, MethodCard
from ffbench.synth.heads.head import Region
from ffbench.training.joint import processes
from ffbench.training.loss import in_range, sequence_loss
from ffbench.training.trainee import TrainableNetwork, Training, TrainRequest

from ..adapter import DecFlowMethod
from ..config import CorrectorConfig, LightConfig, NetworkConfig, PaperConfig
from ..networks.base import FlowNetwork, FlowPredictions
from ..networks.classical_start import add_classical_flows
from ..networks.corrector import CorrectorPredictions, DecFlowCorrector
from ..networks.gma import DecFlow
from ..official import load_gma
from ..semantic import SemanticTrainer, SyntheticEncoder, load_semantic_weights, semantic_loss
from ..tensors import read_tensor_file
from ..weights import create_network, load_weights, save_weights
from .corrector_loss import WEIGHTS, corrector_loss
from .loss import decomposition_loss, facial_loss, official_loss

if TYPE_CHECKING:
    from ffbench.training.recipe import Recipe, Stage
    from ffbench.training.samples import Batch

_CONFIG: TypeAdapter[PaperConfig | LightConfig | CorrectorConfig] = TypeAdapter(NetworkConfig)
_LOSSES = ("facial", "decomposition", "official", "joint", "semantic", "rigid")
_PARTS = ("all", "facial", "head", "semantic")
_INITIAL = ("gma", "gma-facial")
_SEMANTIC_FILES = {
    "dad3d": ("DAD-3DNet's", "dad_3dheads.trcd", "synthetic"),
    "pytorchcv": ("pytorchcv's ResNet-50", "its file, such as one in ~/.torch/models,", "imagenet"),
}
"""Encoders that need a file: whose they are, the file, and an encoder that needs none."""


class DecFlowTrainee(TrainableNetwork):
    """A network of the family under training."""

    def __init__(self, name: str, network: FlowNetwork) -> None:
        super().__init__()
        self.name = name
        self.network = network
        encoder = getattr(network, "semantic", None)
        # The heads that its labels need; they are not saved with the weights.
        self.semantic = SemanticTrainer(encoder, len(Region)) if isinstance(encoder, SyntheticEncoder) else None

    def prepare(self, stage: Stage) -> None:
        """See `Trainee.prepare`."""
        if stage.loss not in _LOSSES or stage.trains not in _PARTS:
            raise UsageError(
                f"stage '{stage.name}': loss '{stage.loss}' of '{stage.trains}'; {self.name} has the losses "
                f"{', '.join(_LOSSES)} and the parts {', '.join(_PARTS)}"
            )
        if stage.loss == "rigid" and not isinstance(self.network, DecFlowCorrector):
            raise UsageError(f"stage '{stage.name}': the loss 'rigid' is of decflow-c; {self.name} has no rigid fit")
        if (stage.loss == "semantic") != (stage.trains == "semantic"):
            raise UsageError(f"stage '{stage.name}': the loss 'semantic' goes with the part 'semantic'")
        self.network.unfreeze()
        if self.semantic is not None:
            self.semantic.requires_grad_(stage.trains == "semantic")
        if stage.trains == "semantic":
            if self.semantic is None:
                raise UsageError(f"stage '{stage.name}': the network's semantic encoder is not 'synthetic'")
            self.network.requires_grad_(False)
            self.semantic.requires_grad_(True)
        elif stage.trains == "facial":
            if stage.loss != "facial":
                raise UsageError(f"stage '{stage.name}': without the head decoder there is only the loss 'facial'")
            self.network.head_decoder.requires_grad_(False)
        elif stage.trains == "head":
            self.network.freeze_facial()

    def begin(self, stage: Stage) -> None:
        """See `Trainee.begin`."""
        for part, source in stage.copies.items():
            if (part, source) != ("head", "facial") or isinstance(self.network, DecFlowCorrector):
                raise UsageError(
                    f"stage '{stage.name}': copies: '{part}' of '{source}'; {self.name} can start the decoder "
                    '"head" as a copy of "facial"'
                )
            self.network.head_decoder.load_state_dict(self.network.facial_decoder.state_dict())

    def dense_labels(self, stage: Stage) -> frozenset[str]:
        """See `Trainee.dense_labels`."""
        if stage.loss == "semantic":
            return frozenset({"region", "uv"})
        return frozenset({"region", "depth"}) if stage.loss == "rigid" else frozenset()

    def completion(self, stage: Stage) -> Callable[[Batch], Batch] | None:
        """See `TrainableNetwork.completion`."""
        config = self.network.config
        return add_classical_flows if isinstance(config, CorrectorConfig) and config.start == "dis" else None

    def trains_flow(self, stage: Stage) -> bool:
        """See `Trainee.trains_flow`."""
        return stage.trains != "semantic"

    def forward(self, batch: Batch, stage: Stage) -> dict[str, torch.Tensor]:
        """See `Trainee.forward`."""
        if stage.loss == "semantic":
            assert self.semantic is not None
            logits, uv = self.semantic(batch["image1"])
            return {"semantic": semantic_loss(logits, uv, batch["region"], batch["uv"])}
        known = {} if self._own_start(batch) else {"start": (batch["start"], batch["start_back"])}
        flows = self.network(
            batch["image1"],
            batch["image2"],
            iterations=stage.iterations,
            head=stage.loss != "facial",
            every_step=True,
            **known,
        )
        facial, head, gamma = batch["facial"], batch["head"], stage.gamma
        if stage.loss == "facial":
            return {"facial": facial_loss(flows, facial, gamma=gamma)}
        if stage.loss == "joint":
            return _joint_loss(flows, batch, stage)
        if isinstance(flows, CorrectorPredictions):
            parts = corrector_loss(flows, batch, gamma)
            return {name: stage.weights.get(name, WEIGHTS[name]) * part for name, part in parts.items()}
        loss = decomposition_loss if stage.loss == "decomposition" else official_loss
        return {stage.loss: loss(flows, facial, head, batch["head_valid"], gamma)}

    def _own_start(self, batch: Batch) -> bool:
        """Whether the network finds the flow that it corrects itself.

        With several levels it does so in every other batch: it is used on what its coarser levels lead to, and
        the coarsest of them on plain DIS, which the workers have made.
        """
        if "start" not in batch:
            return True
        config = self.network.config
        levels = config.levels if isinstance(config, CorrectorConfig) else 1
        joint = len(batch["index"]) * processes()
        return levels > 1 and int(batch["index"][0]) // joint % 2 == 0

    def method(self, device: str) -> Method:
        """See `Trainee.method`."""
        card = MethodCard(id=self.name, title=self.name, decomposes=True)
        return DecFlowMethod(card, self.network, device)

    def save(self, path: Path, training: Training) -> None:
        """See `Trainee.save`."""
        save_weights(path, self.network, training)


def build(request: TrainRequest) -> TrainableNetwork:
    """Build the network that a recipe describes, with the weights that training starts from.

    `recipe.initial` may be `gma`: the facial and head decoders, encoders and attention then start as those of
    GMA, whose checkpoint `request.weights` names; with `gma-facial` the head decoder starts as it was drawn. Without it
    `request.weights` may be a file of this family. The encoders `dad3d`, `pytorchcv` and `imagenet` are filled from
    `request.semantic_weights`; torchvision can fetch the last.

    Raises:
        UsageError: the recipe is of another method, or needs weights that are not named.
        MethodError: the weights do not fit.
    """
    recipe = request.recipe
    try:
        config = _CONFIG.validate_python({"architecture": request.name, **recipe.network})
    except ValidationError as error:
        raise UsageError(f"recipe '{recipe.name}': network: {first_fault(error)}") from error
    if config.architecture != request.name:
        raise UsageError(f"recipe '{recipe.name}' is of {config.architecture}, not of {request.name}")
    start = None if request.weights in (None, RANDOM_WEIGHTS) else Path(str(request.weights))
    if recipe.initial not in (None, "", *_INITIAL):
        raise UsageError(
            f"recipe '{recipe.name}': initial '{recipe.initial}' is not known; it may be {' or '.join(_INITIAL)}"
        )
    if start is not None and not recipe.initial:
        network, _ = load_weights(start, request.name)
        if network.config != config:
            raise MethodError(f"{start}: its network has other widths or parts than the recipe's")
        return DecFlowTrainee(request.name, network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = create_network(config)
    if recipe.initial and request.weights != RANDOM_WEIGHTS:
        _start_from_gma(network, recipe, start)
    _fill_semantic_encoder(network, request)
    return DecFlowTrainee(request.name, network)


def _start_from_gma(network: FlowNetwork, recipe: Recipe, path: Path | None) -> None:
    if not isinstance(network, DecFlow):
        raise UsageError(f"recipe '{recipe.name}': only decflow can start from GMA's weights")
    if path is None:
        raise UsageError(
            f"recipe '{recipe.name}' starts from GMA's weights: name ptlflow's gma-sintel-98d6f3d0.ckpt with "
            "--weights, or start from nothing with --weights random"
        )
    load_gma(network, read_tensor_file(path), str(path), head=recipe.initial == "gma")


def _fill_semantic_encoder(network: FlowNetwork, request: TrainRequest) -> None:
    name, path = network.config.semantic, request.semantic_weights
    encoder = getattr(network, "semantic", None)
    if name in _SEMANTIC_FILES and path is None:
        whose, file, other = _SEMANTIC_FILES[name]
        raise UsageError(
            f"recipe '{request.recipe.name}': its face-semantic encoder is {whose}: name {file} with "
            f"--semantic-weights, or take another encoder, such as --set network.semantic={other}"
        )
    if encoder is not None and (name == "imagenet" or path is not None):
        load_semantic_weights(encoder, name, path)


def _joint_loss(flows: FlowPredictions, batch: Batch, stage: Stage) -> dict[str, torch.Tensor]:
    """Facial flow everywhere; head and expression flow where the head flow is known."""
    facial, head = batch["facial"], batch["head"]
    known = in_range(head, batch["head_valid"])
    parts = {
        "facial": facial_loss(flows, facial, gamma=stage.gamma),
        "head": sequence_loss(flows.head, head, known, stage.gamma),
        "expression": sequence_loss(flows.expression, facial - head, known, stage.gamma),
    }
    return {name: stage.weights.get(name, 1.0) * loss for name, loss in parts.items()}
