"""DecFlow as a method: any image size, weights, precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F

from ffbench.errors import MethodError, UsageError
from ffbench.flow.confidence import confidence_of
from ffbench.io.hashing import file_sha256
from ffbench.method import (
    RANDOM_WEIGHTS,
    ExportableNetwork,
    Flows,
    Method,
    MethodCard,
    MethodRequest,
    Precision,
    WeightsCard,
)

from .config import CorrectorConfig, LightConfig, PaperConfig
from .networks.base import FlowNetwork, FlowPredictions
from .networks.classical_start import SETTINGS as START_SETTINGS
from .networks.corrector import CorrectorPredictions
from .networks.light import STRIDES
from .onnx_graph import exportable_corrector
from .weights import create_network, load_weights

WEIGHTS_FOLDER = Path(__file__).parent / "trained"
PAPER = "Lu et al., FacialFlowNet: Advancing Facial Optical Flow Estimation with a Diverse Dataset, ACM MM 2024"
_TITLES = {"decflow": "DecFlow", "decflow-s": "DecFlow-S (light)", "decflow-c": "DecFlow-C (corrects DIS)"}
_CONFIGS = {"decflow": PaperConfig, "decflow-s": LightConfig, "decflow-c": CorrectorConfig}
_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_RANDOM_SEED = 0
_STAND_IN = "decflow-c"  # what `decflow` runs as long as no weights of the paper's size ship


class DecFlowMethod(Method):
    """A network of the family as a method; it decomposes."""

    def __init__(self, card: MethodCard, network: FlowNetwork, device: str, iterations: int | None = None) -> None:
        self.card = card
        self.device = torch.device(device)
        self.network = network.to(self.device).eval()
        self._iterations = iterations
        config = network.config
        self._mirrored = not isinstance(config, PaperConfig) and config.mirrored

    def exportable(self) -> ExportableNetwork:
        """See `Method.exportable`; the flows that are corrected become inputs.

        Raises:
            UsageError: the network does not correct a classical flow.
        """
        return exportable_corrector(self.network, self.card.id)

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        """Repeat the border until the size fits the network, estimate, and cut it off again."""
        height, width = image1.shape[2:]
        padding = [*_split(width, self.network), *_split(height, self.network)]
        if self._mirrored:
            image1, image2 = (torch.cat([image, image.flip(3)]) for image in (image1, image2))
        first, second = (F.pad(image, padding, mode="replicate") for image in (image1, image2))
        dtype = _DTYPES.get(self.card.precision)
        with torch.autocast(self.device.type, dtype=dtype, enabled=dtype is not None):
            predictions = self.network(first, second, iterations=self._iterations, every_step=False)
        left, _, top, _ = padding
        facial, head, *log_errors = (
            steps[-1][:, :, top : top + height, left : left + width]
            for steps in (predictions.facial, predictions.head, *_log_errors(predictions))
        )
        # The loss makes exp(log_error) the expected length of the error (`corrector_loss`).
        error = log_errors[0].float().exp() if log_errors else None
        if self._mirrored:
            facial, head = (_mean_of_mirrored(flows) for flows in (facial, head))
            if error is not None:
                straight, mirrored = error.chunk(2)
                # By the triangle inequality the mean of two flows is off by no more than they are on average.
                error = (straight + mirrored.flip(3)) / 2
        return Flows(facial=facial, head=head, confidence=None if error is None else confidence_of(error))


def load(request: MethodRequest) -> Method:
    """Build `decflow`, `decflow-s` or `decflow-c`.

    `request.weights` is a file, `random`, or None for the weights that ship. Where none of the paper's size ship,
    `decflow` is the light network `decflow-c`, and its card says so.

    Raises:
        UsageError: an option that the method does not have.
        MethodError: no weights ship, or a file that cannot be used.
    """
    if request.family == "decflow" and request.weights is None and not _shipped("decflow") and _shipped(_STAND_IN):
        method = load(replace(request, name=_STAND_IN))
        note = {"stands for": "decflow, of which no trained weights of the paper's size ship"}
        method.card = method.card.model_copy(update={"options": method.card.options | note})
        return method
    name = request.family
    if request.checkpoint is not None:
        raise UsageError(
            f"method '{name}' has no checkpoint '{request.checkpoint}' to choose by name; name a file with --weights"
        )
    _check_precision(request.precision, request.device, name)
    if request.iterations is not None and name == "decflow-c":
        raise UsageError(f"method '{name}' makes one step at each of two scales of a level; leave out --iterations")
    if request.iterations is not None and request.iterations < 1:
        raise UsageError(f"method '{name}' needs at least 1 iteration, got {request.iterations}")
    options: dict[str, str | int | float | bool] = {}
    if request.weights == RANDOM_WEIGHTS:
        weights = WeightsCard(name=RANDOM_WEIGHTS, source=f"seed {_RANDOM_SEED}", random=True)
        network = _random_network(name)
    else:
        path = WEIGHTS_FOLDER / f"{name}.safetensors" if request.weights is None else Path(request.weights)
        if request.weights is None and not _shipped(name):
            raise MethodError(
                f"{name}: no trained weights ship with this version of ffbench; name a file with --weights "
                "(for decflow, the authors' decflow-facialflownet.pth will do), "
                f"make one with `ffbench train {name}`, or run untrained with --weights random"
            )
        network, training = load_weights(path, name)
        source = path.name if request.weights is None else "file"
        weights = WeightsCard(name=path.stem, source=source, sha256=file_sha256(path))
        options |= {f"training/{key}": value for key, value in training.items()}
    config = network.config
    options["semantic"] = config.semantic
    steps = request.iterations or network.steps
    if isinstance(config, LightConfig):
        counts = config.iterations if request.iterations is None else (request.iterations,) * len(STRIDES)
        options["iterations at strides 32, 16, 8, 4"] = ", ".join(map(str, counts))
        options["mirrored"] = config.mirrored
        steps = sum(counts)
    if isinstance(config, CorrectorConfig):
        options |= {"starts from": _start(config), "decomposition": config.decomposition, "mirrored": config.mirrored}
        options["levels"] = config.levels
    card = MethodCard(
        id=request.name,
        title=_TITLES[name],
        paper=PAPER,
        licence="Apache-2.0",
        weights=weights,
        iterations=steps,
        precision=request.precision,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        decomposes=True,
        options=options,
    )
    return DecFlowMethod(card, network, request.device, request.iterations)


def _shipped(name: str) -> bool:
    return (WEIGHTS_FOLDER / f"{name}.safetensors").is_file()


def _start(config: CorrectorConfig) -> str:
    if config.start == "none":
        return "zero flow"
    return "OpenCV's DIS: " + ", ".join(f"{name} {value}" for name, value in START_SETTINGS.items())


def _random_network(name: str) -> FlowNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_RANDOM_SEED)
        return create_network(_CONFIGS[name]())


def _check_precision(precision: Precision, device: str, name: str) -> None:
    if precision == "fp16" and torch.device(device).type == "cpu":
        raise UsageError(f"method '{name}' does not run in fp16 on a CPU; use --precision bf16 or fp32")


def _log_errors(predictions: FlowPredictions) -> tuple[tuple[torch.Tensor, ...], ...]:
    """Return the logs of expected errors of every step, where the network gives any."""
    return (predictions.log_error,) if isinstance(predictions, CorrectorPredictions) else ()


def _mean_of_mirrored(flows: torch.Tensor) -> torch.Tensor:
    """Average the flows (2 B, 2, H, W) of B pairs and then of their mirror images: (B, 2, H, W) of the pairs."""
    straight, mirrored = flows.chunk(2)
    return (straight + mirrored.flip(3) * mirrored.new_tensor([-1, 1]).view(2, 1, 1)) / 2


def _split(size: int, network: FlowNetwork) -> tuple[int, int]:
    """Return the padding before and after that makes a side fit the network."""
    stride = network.stride
    missing = max(-(-size // stride) * stride, network.smallest) - size
    return missing // 2, missing - missing // 2
