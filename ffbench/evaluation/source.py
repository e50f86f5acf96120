"""Where the flows of an evaluation come from: a method that estimates them, or files that hold them.

Who scores files needs no PyTorch: it is imported with the first method.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ffbench.cards import MethodCard
from ffbench.errors import MethodError
from ffbench.flows import Flows, NumpyFlows
from ffbench.packages.distribution import Distribution
from ffbench.protocol import Pair
from ffbench.typing import Image

if TYPE_CHECKING:
    import torch

    from ffbench.method import Method
    from ffbench.results.record.run_record import Clock, Submission


class FlowKeeper(ABC):
    """Keeps the flows of a run beside its record, as files that others read."""

    @abstractmethod
    def has(self, key: str) -> bool:
        """Whether the flows of a pair are there already, from a run that was interrupted."""

    @abstractmethod
    def write(self, key: str, forward: NumpyFlows, backward: NumpyFlows | None) -> None:
        """Write the flows of a pair.

        Raises:
            DataError: they cannot be written.
        """


class FlowSource(ABC):
    """Where the flows of a batch of pairs come from; all that follows is the same code for every source."""

    card: MethodCard
    device: torch.device | None = None
    """Where the method runs; None: the flows come from files."""
    submission: Submission | None = None
    """Where the flows came from, when they were made elsewhere."""
    method: Method | None = None
    """What estimates them, where they are estimated here."""
    distribution: Distribution | None = None
    """The package that holds the method."""
    clock: Clock = "elapsed"
    """What the seconds that `flows` gives are of."""

    @abstractmethod
    def flows(
        self, batch: Sequence[Pair[Any]], backward: bool
    ) -> tuple[list[NumpyFlows], list[NumpyFlows] | list[None], float]:
        """Return the forward flows of a batch, the backward ones if wanted and there, and the seconds taken."""

    def parameters_sha256(self) -> str | None:
        """Return the hash of the method's parameters; None where there are none."""
        return None

    def peak_memory_mb(self) -> float | None:
        """Return the largest allocation on the device, in MiB; None on a CPU."""
        return None


class MethodSource(FlowSource):
    """Flows that a method estimates. The card says whose weights they are, also where the method does not."""

    method: Method
    device: torch.device

    def __init__(self, method: Method, clock: Clock = "elapsed") -> None:
        """Take a method.

        Args:
            method: what estimates.
            clock: `cpu` counts the processor time of the thread that calls the method, and nothing of what it has
                other threads or a GPU do: only inside of `one_thread`.
        """
        from ffbench.vouching import vouched_card

        self.method, self.card, self.device = method, vouched_card(method), method.device
        self.distribution, self.clock = method.distribution, clock
        if self.device.type == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats(self.device)

    def parameters_sha256(self) -> str | None:
        """Return the hash of the method's parameters; None where there are none."""
        from ffbench.vouching import parameters_sha256

        return parameters_sha256(self.method)

    def peak_memory_mb(self) -> float | None:
        """Return the largest allocation on the device since this source was made, in MiB; None on a CPU."""
        if self.device.type != "cuda":
            return None
        import torch

        return torch.cuda.max_memory_allocated(self.device) / 2**20

    def flows(
        self, batch: Sequence[Pair[Any]], backward: bool
    ) -> tuple[list[NumpyFlows], list[NumpyFlows] | list[None], float]:
        """Run the method on a batch, and again on the swapped images for the backward flow.

        Raises:
            MethodError: the method failed; the message names the pairs.
        """
        clock = time.thread_time if self.clock == "cpu" else time.perf_counter
        start = clock()
        image1 = _to_tensor([pair.image1 for pair in batch], self.device)
        image2 = _to_tensor([pair.image2 for pair in batch], self.device)
        try:
            forward = _to_arrays(self.method.estimate(image1, image2))
            back: list[NumpyFlows] | list[None] = [None] * len(batch)
            if backward:
                back = _to_arrays(self.method.estimate(image2, image1))
        except MethodError as error:
            raise MethodError(f"{error} (pair {', '.join(pair.key for pair in batch)})") from error
        return forward, back, clock() - start


def _to_tensor(images: Sequence[Image], device: torch.device) -> torch.Tensor:
    """Return (B, 3, H, W) float32 in [0, 1] on `device`; bytes travel, since they are a quarter of the floats."""
    import torch

    stacked = torch.from_numpy(np.ascontiguousarray(images[0][None] if len(images) == 1 else np.stack(images)))
    # Out of pinned memory a GPU fetches them while this process goes on.
    there = stacked.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else stacked.to(device)
    return there.permute(0, 3, 1, 2).float().div_(255)


def _to_arrays(flows: Flows[torch.Tensor]) -> list[NumpyFlows]:
    """Return one (H, W, 2) view a pair; the copy to the CPU also waits for the GPU, so that timings are true."""
    facial = flows.facial.float().permute(0, 2, 3, 1).cpu().numpy()
    head = None if flows.head is None else flows.head.float().permute(0, 2, 3, 1).cpu().numpy()
    confidence = None if flows.confidence is None else flows.confidence.float()[:, 0].cpu().numpy()
    found = flows.found
    return [
        Flows(
            facial[i],
            None if head is None else head[i],
            found=None if found is None else found[i : i + 1],
            confidence=None if confidence is None else confidence[i],
        )
        for i in range(len(facial))
    ]
