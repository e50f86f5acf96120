"""A method's network as an ONNX file, for runtimes other than PyTorch, and how well the file agrees with PyTorch."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

from ffbench.errors import UsageError
from ffbench.io.atomic import atomic_path
from ffbench.method import ExportableNetwork, Method
from ffbench.threads import limited

OPSET = 20
MOST_DIFFERENCE = 1e-3
"""Of an output from PyTorch's: px of flows."""
_SPATIAL = {0: "batch", 2: "height", 3: "width"}


@dataclass(frozen=True)
class Agreement:
    """One pair through an ONNX file and through PyTorch, on one thread of the CPU.

    Attributes:
        differences: greatest absolute difference of each output, in its unit (px for flows).
        seconds: of one run in onnxruntime, the fastest of those made.
        torch_seconds: of one run in PyTorch, alike.
    """

    differences: dict[str, float]
    seconds: float
    torch_seconds: float


def export_onnx(method: Method, path: Path) -> ExportableNetwork:
    """Write the network of a method as an ONNX file for any batch and size; return what was exported.

    The file's metadata hold the id of the method, the SHA-256 of its weights and what the method says of its inputs.

    Raises:
        UsageError: the method has no network that can be exported, or runs on another device than the CPU.
        MissingExtraError: the extra `onnx` is not installed.
        DataError: the file cannot be written.
    """
    from ffbench.extras import naming_extra

    exportable = method.exportable()
    if method.device.type != "cpu":
        raise UsageError(f"method '{method.card.id}' is on {method.device}; it is exported from the CPU: --device cpu")
    with naming_extra("ffbench methods export"):
        import onnx
    weights = method.card.weights
    metadata = {
        "method": method.card.id,
        "license": method.card.licence or "unknown",
        "weights": "none" if weights is None else weights.label,
        "weights.sha256": "" if weights is None or weights.sha256 is None else weights.sha256,
        **exportable.metadata,
    }
    names = [*exportable.inputs, *exportable.outputs]
    fastpath = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # its fused operation has no counterpart in ONNX
    try:
        with atomic_path(path) as temporary:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # each branch on a size, and that another exporter is to come
                torch.onnx.export(
                    exportable.network.eval(),
                    tuple(exportable.inputs.values()),
                    str(temporary),
                    dynamo=False,
                    opset_version=OPSET,
                    input_names=list(exportable.inputs),
                    output_names=list(exportable.outputs),
                    dynamic_axes=dict.fromkeys(names, _SPATIAL),
                )
            model = onnx.load(str(temporary))
            onnx.helper.set_model_props(model, metadata)
            onnx.checker.check_model(model)
            onnx.save(model, str(temporary))
    finally:
        torch.backends.mha.set_fastpath_enabled(fastpath)
    return exportable


def compare_with_torch(exportable: ExportableNetwork, path: Path, runs: int = 2) -> Agreement:
    """Run an ONNX file and the network that it was made of on the same images, on one thread, in turn.

    Args:
        exportable: what was exported; it is run on its `check`.
        path: the ONNX file.
        runs: how often each is run.

    Raises:
        MissingExtraError: the extra `onnx` is not installed.
    """
    from ffbench.extras import naming_extra

    with naming_extra("ffbench methods export"):
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    arrays = {name: value.numpy() for name, value in exportable.check.items()}
    seconds, torch_seconds = [], []
    with limited(1):
        for _ in range(runs):
            start = time.perf_counter()
            found = session.run(list(exportable.outputs), arrays)
            seconds.append(time.perf_counter() - start)
            start = time.perf_counter()
            with torch.no_grad():
                expected = exportable.network(*exportable.check.values())
            torch_seconds.append(time.perf_counter() - start)
    differences = {
        name: float((torch.from_numpy(array) - tensor).abs().max())
        for name, array, tensor in zip(exportable.outputs, found, expected, strict=True)
    }
    return Agreement(differences, min(seconds), min(torch_seconds))
