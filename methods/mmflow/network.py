"""Building a network from one of mmflow's configs and running it as a `Method`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from ffbench.errors import MethodError, UsageError, reason
from ffbench.io.hashing import file_sha256
from ffbench.method import RANDOM_WEIGHTS, Flows, Method, MethodCard, MethodRequest, WeightsCard

from ..third_party import quiet
from ..weights import build_seeded, load_state, read_checkpoint, state_of
from .configs import InputRule, import_mmflow, input_rule, published_weights, read_config

# The configs that pad are those of RAFT and GMA, whose pyramid of four levels from 1/8 down needs this much.
_SMALLEST_PADDED = 128


class MmflowNetwork(Method):
    """A network of mmflow, fed as its config says."""

    def __init__(self, card: MethodCard, network: Any, rule: InputRule, device: torch.device) -> None:
        self.card = card
        self.device = device
        self._network = network.to(device).eval().requires_grad_(False)
        self._rule = rule

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        """Estimate the flow of a batch.

        Raises:
            MethodError: the network fails; the message gives its first line.
        """
        height, width = image1.shape[2:]
        prepared = torch.cat([prepare(image, self._rule) for image in (image1, image2)], 1)
        try:
            results = self._network.forward_test(imgs=prepared)
        except Exception as error:  # whatever a third party's network may raise
            raise MethodError(f"{self.card.id} failed on {height}x{width} images: {reason(error)}") from error
        # Networks that also give the flow backward call the forward one so.
        fields = [result["flow_fw" if "flow_fw" in result else "flow"] for result in results]
        flow = torch.from_numpy(np.stack(fields)).permute(0, 3, 1, 2).float().to(self.device)
        return Flows(restore(flow, height, width, self._rule))


def prepare(image: torch.Tensor, rule: InputRule) -> torch.Tensor:
    """Turn (B, 3, H, W) RGB in [0, 1] into what the config's own pipeline makes of the same image file."""
    mean, std = (torch.tensor(values, device=image.device)[:, None, None] for values in (rule.mean, rule.std))
    image = ((image if rule.rgb else image.flip(1)) * 255 - mean) / std
    height, width = image.shape[2:]
    smallest = _SMALLEST_PADDED if rule.fit == "InputPad" else 1
    new_height, new_width = (-(-max(side, smallest) // rule.multiple) * rule.multiple for side in (height, width))
    if rule.fit == "InputResize":
        return F.interpolate(image, (new_height, new_width), mode="bilinear", align_corners=False)
    top, left = (new_height - height) // 2, (new_width - width) // 2
    return F.pad(image, (left, new_width - width - left, top, new_height - height - top), mode="replicate")


def restore(flow: torch.Tensor, height: int, width: int, rule: InputRule) -> torch.Tensor:
    """Bring a (B, 2, H', W') flow of prepared images back to the size, and the pixels, of the images."""
    new_height, new_width = flow.shape[2:]
    if rule.fit == "InputResize":
        scale = torch.tensor([width / new_width, height / new_height], device=flow.device)[:, None, None]
        return F.interpolate(flow, (height, width), mode="bilinear", align_corners=False) * scale
    top, left = (new_height - height) // 2, (new_width - width) // 2
    return flow[:, :, top : top + height, left : left + width].contiguous()


def load_network(request: MethodRequest) -> Method:
    """Build the network that a request names, with the user's weights.

    Raises:
        UsageError: mmflow has no such config, or a checkpoint or precision is named that there is not.
        MethodError: mmflow is not installed, weights are not given or do not fit, the network has no iterations,
            or it cannot be built here.
    """
    name = request.variant or ""
    config = read_config(name)
    if request.checkpoint is not None:
        raise UsageError(f"{request.name}: mmflow's configs have no named checkpoints; give --weights FILE")
    if request.precision != "fp32":
        raise UsageError(f"{request.name}: mmflow hands flows on as numpy arrays and runs in fp32 only")
    weights, file = _weights(request, name)
    iterations = _set_iterations(request, config)
    network = _build(request, config)
    if file is not None:
        load_state(network, state_of(read_checkpoint(file, _numpy_types()), file), file, name)
    card = MethodCard(
        id=request.name,
        title=name,
        licence="Apache-2.0",
        weights=weights,
        iterations=iterations,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        options={"mmflow": version("mmflow"), "mmcv": version("mmcv"), "torch": torch.__version__},
    )
    return MmflowNetwork(card, network, input_rule(config), torch.device(request.device))


def _weights(request: MethodRequest, name: str) -> tuple[WeightsCard, Path | None]:
    if request.weights is None:
        url = published_weights(name)
        raise MethodError(
            f"{request.name}: give --weights FILE{f' (OpenMMLab published {url})' if url else ''} "
            "or, for speed runs, --weights random"
        )
    if str(request.weights) == RANDOM_WEIGHTS:
        return WeightsCard(name=RANDOM_WEIGHTS, source="seed 0", random=True), None
    file = Path(request.weights)
    if not file.is_file():
        raise MethodError(f"{file}: no such weights file")
    return WeightsCard(name=file.name, source="file", sha256=file_sha256(file)), file


def _set_iterations(request: MethodRequest, config: Any) -> int | None:
    """Write the number of update steps into the config of RAFT or GMA; None for a network without."""
    counted: int | None = config.model.decoder.get("iters") if config.model.type == "RAFT" else None
    if request.iterations is not None:
        if counted is None:
            raise MethodError(f"{request.name} is not recurrent and does not take --iterations")
        config.model.test_cfg = {"iters": request.iterations}
    tested: int | None = (config.model.get("test_cfg") or {}).get("iters")
    return tested or counted


def _build(request: MethodRequest, config: Any) -> Any:
    mmflow = import_mmflow()
    from mmcv.cnn.utils import revert_sync_batchnorm

    config.model.train_cfg = None
    try:
        with quiet():
            network = build_seeded(lambda: mmflow.models.build_flow_estimator(config.model))
    except Exception as error:  # a missing compiled operator, ...
        raise MethodError(f"{request.name} cannot be built here: {reason(error)}") from error
    # Synchronised batch normalisation exists on GPUs only and is the same outside of training.
    return revert_sync_batchnorm(network)


def _numpy_types() -> list[Any]:
    """List what old checkpoints of mmcv have in their `meta`: numpy's numbers and arrays, but not of objects."""
    from numpy._core import multiarray

    functions = [
        (getattr(multiarray, name), f"numpy.{core}.multiarray.{name}")
        for core in ("core", "_core")  # numpy 1 and 2
        for name in ("scalar", "_reconstruct")
    ]
    numbers = [np.dtype(code) for code in np.typecodes["All"] if code != "O"]
    return [*functions, np.dtype, np.ndarray, *{type(number) for number in numbers}]
