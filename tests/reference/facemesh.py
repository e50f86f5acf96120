"""TensorFlow Lite's operators in float64 numpy, by their definitions, and the face mesh network run by them.

Arrays are (H, W, C), kernels as in the file. Strides, padding and order are read from the file's own graph,
which the fast network does not look at.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

Array = npt.NDArray[np.float64]


def pad_same(x: Array, kernel: int, stride: int, value: float = 0.0) -> Array:
    """Pad so that the output has ceil(size / stride) entries; the odd one of the padding goes last."""
    pads = []
    for size in x.shape[:2]:
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads.append((total // 2, total - total // 2))
    return np.pad(x, [*pads, (0, 0)], constant_values=value)


def windows(x: Array, kernel: int, stride: int) -> Array:
    """Every window of x: (H', W', kernel, kernel, C)."""
    rows = range(0, x.shape[0] - kernel + 1, stride)
    columns = range(0, x.shape[1] - kernel + 1, stride)
    return np.array([[x[r : r + kernel, c : c + kernel] for c in columns] for r in rows])


def convolution(x: Array, kernel: Array, bias: Array, stride: int, same: bool) -> Array:
    """Correlate with a kernel (out, kh, kw, in)."""
    size = kernel.shape[1]
    seen = windows(pad_same(x, size, stride) if same else x, size, stride)
    return np.tensordot(seen, kernel, axes=([2, 3, 4], [1, 2, 3])) + bias


def depthwise(x: Array, kernel: Array, bias: Array, stride: int, same: bool) -> Array:
    """Correlate each channel with its own kernel, (1, kh, kw, C)."""
    size = kernel.shape[1]
    seen = windows(pad_same(x, size, stride) if same else x, size, stride)
    return (seen * kernel[0]).sum(axis=(2, 3)) + bias


def max_pool(x: Array, size: int, stride: int) -> Array:
    """Largest value of each window."""
    return windows(x, size, stride).max(axis=(2, 3))


def prelu(x: Array, slope: Array) -> Array:
    """x, or slope times x where x is negative."""
    return np.where(x < 0, slope * x, x)


def run(path: Path, image: Array) -> tuple[Array, Array]:
    """Run the file on one (192, 192, 3) image in [0, 1]: landmarks (468, 3) and the logit of the score."""
    model = tflite.Model.GetRootAs(path.read_bytes(), 0)
    graph = model.Subgraphs(0)
    values: dict[int, Any] = {int(graph.Inputs(0)): image}
    dtypes = {0: np.float32, 1: np.float16, 2: np.int32}
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        data = model.Buffers(tensor.Buffer())
        if data.DataLength():
            array = np.frombuffer(data.DataAsNumpy(), dtypes[tensor.Type()])
            values[index] = array.reshape(tensor.ShapeAsNumpy()).astype(np.float64)
    names = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        x, *rest = [values[i] for i in operator.InputsAsNumpy().tolist()]
        values[int(operator.Outputs(0))] = _apply(kind, x, rest, operator)
    return values[int(graph.Outputs(0))].reshape(468, 3), values[int(graph.Outputs(1))].reshape(())


def _apply(kind: str, x: Array, rest: list[Array], operator: Any) -> Array:
    if kind == "CONV_2D":
        options = _options(operator, tflite.Conv2DOptions())
        return convolution(x, *rest, options.StrideH(), options.Padding() == tflite.Padding.SAME)  # type: ignore[call-arg]
    if kind == "DEPTHWISE_CONV_2D":
        options = _options(operator, tflite.DepthwiseConv2DOptions())
        return depthwise(x, *rest, options.StrideH(), options.Padding() == tflite.Padding.SAME)  # type: ignore[call-arg]
    if kind == "MAX_POOL_2D":
        options = _options(operator, tflite.Pool2DOptions())
        return max_pool(x, options.FilterHeight(), options.StrideH())
    if kind == "PAD":
        return np.pad(x, rest[0].astype(int)[1:])
    if kind == "PRELU":
        return prelu(x, rest[0])
    if kind == "ADD":
        return x + rest[0]
    assert kind == "DEQUANTIZE", kind
    return x


def _options(operator: Any, options: Any) -> Any:
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options
