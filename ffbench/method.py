"""What a method is: two images in, flow fields out, and a card that says what was run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import torch

from ffbench.cards import RANDOM_WEIGHTS as RANDOM_WEIGHTS
from ffbench.cards import MethodCard as MethodCard
from ffbench.cards import Precision as Precision
from ffbench.cards import WeightsCard as WeightsCard
from ffbench.errors import FfbenchError, MethodError, UsageError, reason, user_line
from ffbench.flows import Flows as Flows
from ffbench.packages.distribution import Distribution

COMPILER = "inductor"


@dataclass(frozen=True)
class ExportableNetwork:
    """A network as an ONNX file can hold it: tensors (B, C, H, W) of any batch and size in and out.

    Attributes:
        network: takes the tensors of `inputs` in their order, and gives a tuple of tensors, on the CPU.
        inputs: an example of each input by its name, with which the graph is traced.
        outputs: the names of what it gives.
        check: inputs like `inputs`, of a size that is used, on which the file is compared with PyTorch.
        metadata: what a user of the file must know of its inputs and outputs.
    """

    network: torch.nn.Module
    inputs: Mapping[str, torch.Tensor]
    outputs: Sequence[str]
    check: Mapping[str, torch.Tensor]
    metadata: Mapping[str, str]


class Method(ABC):
    """A way to estimate facial optical flow.

    A subclass sets `card` and writes `forward`, and puts its `torch.nn.Module`, if it is one, into `network`. Callers
    use `estimate`, which takes tensors or numpy images and checks what `forward` gives.
    """

    card: MethodCard
    """What the method says of itself; a subclass sets it."""
    device: torch.device = torch.device("cpu")
    """Where `forward` gets its images."""
    distribution: Distribution | None = None
    """The package that the method came from; set by `load_method`."""

    @abstractmethod
    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        """Estimate the flow from `image1` to `image2`, both (B, 3, H, W) float32 RGB in [0, 1] on `self.device`.

        Any H and W come in and the same size must go out: padding is the method's affair.
        """

    def compile(self) -> None:
        """Have PyTorch compile the network: the first pair of each size takes long, and the others less.

        Raises:
            UsageError: the method is none of PyTorch's networks.
        """
        network = getattr(self, "network", None)
        if not isinstance(network, torch.nn.Module):
            raise UsageError(f"method '{self.card.id}' cannot be compiled: it is no network of PyTorch's")
        # Every size is compiled for itself: PyTorch's compiler stumbles over sizes left open in these networks.
        network.compile(backend=COMPILER, dynamic=False)
        self.card = self.card.model_copy(update={"options": {**self.card.options, "compiled": True}})

    def exportable(self) -> ExportableNetwork:
        """Return the network as `ffbench methods export` writes it into an ONNX file.

        Raises:
            UsageError: the method offers none.
        """
        raise UsageError(
            f"method '{self.card.id}' cannot be exported: it offers no network for ONNX, as decflow-c does"
        )

    @overload
    def estimate(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]: ...
    @overload
    def estimate(self, image1: npt.NDArray[Any], image2: npt.NDArray[Any]) -> Flows[npt.NDArray[np.float32]]: ...

    def estimate(self, image1: Any, image2: Any) -> Any:
        """Estimate the flow from `image1` to `image2`.

        Args:
            image1, image2: tensors (B, 3, H, W), RGB float in [0, 1]; or numpy images (H, W, 3) or grey
                (H, W), uint8.

        Returns:
            `Flows` of tensors (B, 2, H, W) for tensors, of arrays (H, W, 2) float32 for numpy images.

        Raises:
            MethodError: images that do not fit each other; `forward` raised an error or gave no `Flows`; a flow of the
                wrong shape or with values that are not finite; or a confidence of the wrong shape or outside of 0 to 1.
        """
        if isinstance(image1, np.ndarray):
            flows = self._checked(image_to_tensor(image1)[None], image_to_tensor(image2)[None])
            head = None if flows.head is None else _to_numpy(flows.head)
            confidence = None if flows.confidence is None else _to_numpy(flows.confidence)[:, :, 0]
            return Flows(_to_numpy(flows.facial), head, found=flows.found, confidence=confidence)
        return self._checked(image1, image2)

    def _checked(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        if image1.shape != image2.shape or image1.ndim != 4 or image1.shape[1] != 3:
            raise MethodError(
                f"{self.card.id}: images must be (B, 3, H, W) and of one size, "
                f"got {tuple(image1.shape)} and {tuple(image2.shape)}"
            )
        try:
            with torch.inference_mode():
                flows = self.forward(image1.to(self.device), image2.to(self.device))
        except (FfbenchError, MemoryError):
            raise
        except Exception as error:  # whatever other people's code may raise
            raise MethodError(f"{self.card.id}: failed: {reason(error)}{user_line(error)}") from error
        if not isinstance(flows, Flows):
            raise MethodError(f"{self.card.id}: `forward` gave {type(flows).__name__}, expected Flows(facial=...)")
        expected = (image1.shape[0], 2, *image1.shape[2:])
        if flows.found is not None and flows.found.shape != expected[:1]:
            raise MethodError(f"{self.card.id}: `found` is {flows.found.shape}, expected {expected[:1]}")
        for name, flow in (("facial", flows.facial), ("head", flows.head)):
            if flow is None:
                continue
            if tuple(flow.shape) != expected:
                raise MethodError(f"{self.card.id}: {name} flow is {tuple(flow.shape)}, expected {expected}")
            if not torch.isfinite(flow).all():
                raise MethodError(f"{self.card.id}: {name} flow has values that are not finite")
        if flows.confidence is not None:
            self._check_confidence(flows.confidence, (expected[0], 1, *expected[2:]))
        return flows

    def _check_confidence(self, confidence: torch.Tensor, expected: tuple[int, ...]) -> None:
        if tuple(confidence.shape) != expected:
            raise MethodError(f"{self.card.id}: confidence is {tuple(confidence.shape)}, expected {expected}")
        # A comparison with NaN is false.
        if not ((confidence >= 0) & (confidence <= 1)).all():
            raise MethodError(f"{self.card.id}: confidence has values outside of 0 to 1")


def image_to_tensor(image: npt.NDArray[Any]) -> torch.Tensor:
    """Turn an (H, W, 3) RGB or (H, W) grey uint8 image into a (3, H, W) float32 tensor in [0, 1]."""
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise MethodError(f"an image must be (H, W, 3) RGB or (H, W) grey in uint8, got {image.shape} {image.dtype}")
    if image.ndim == 2:
        image = np.repeat(image[:, :, None], 3, axis=2)
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float().div_(255)


def _to_numpy(flow: torch.Tensor) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(flow[0].permute(1, 2, 0).cpu().float().numpy())


@dataclass(frozen=True)
class MethodRequest:
    """A method as the user named it: `family[/variant][:checkpoint]` and how it is to be run."""

    name: str
    weights: str | Path | None = None
    device: str = "cpu"
    iterations: int | None = None
    precision: Precision = "fp32"
    config: Mapping[str, Any] = field(default_factory=dict)
    """What `config.json` of a model folder says, where the weights came in one."""
    family: str = field(init=False)
    variant: str | None = field(init=False)
    checkpoint: str | None = field(init=False)

    def __post_init__(self) -> None:
        path, _, checkpoint = self.name.partition(":")
        family, _, variant = path.partition("/")
        for key, value in (("family", family), ("variant", variant or None), ("checkpoint", checkpoint or None)):
            object.__setattr__(self, key, value)


@dataclass(frozen=True)
class MethodEntry:
    """What an entry point of the group `ffbench.methods` gives: a line for the list and how to build the method.

    `variants` names what may follow `family/`; None when the family is one method. `quick`: a pair takes less than a
    second on one core, so pages run it unasked. `title` is what readers who choose among methods see. `missing` says in
    words what is not on this machine that the method needs with its own weights (None: nothing), without a network.
    """

    summary: str
    load: Callable[[MethodRequest], Method]
    variants: Callable[[], Sequence[str]] | None = None
    quick: bool = False
    title: str = ""
    missing: Callable[[], str | None] | None = None
