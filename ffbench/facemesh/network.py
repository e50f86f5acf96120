"""The face mesh network in PyTorch: 468 landmarks of a face crop, and the feature maps on the way to them.

Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019: residual
blocks of a depthwise 3x3 and a 1x1 convolution down to stride 32, then one head for the landmarks and one
for the presence of a face. The trained values are read from its TensorFlow Lite file (asset `face_mesh`).
"""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from ffbench.datasets.tracks.plain import LANDMARKS
from ffbench.errors import DataError
from ffbench.facemesh.crop import CROP_SIZE
from ffbench.io.bounds import read_bounded

FEATURE_CHANNELS = (16, 32, 64, 128, 128)
"""Channels of the feature maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input's size."""
_MAX_FILE_BYTES = 16 << 20


class _Residual(nn.Module):
    """Depthwise 3x3 and pointwise 1x1 convolution beside a shortcut; at stride 2 the shortcut is max-pooled."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, padding=1 if stride == 1 else 0, groups=inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1)
        self.activation = nn.PReLU(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch = self.pointwise(self.depthwise(x if self.stride == 1 else _pad_for_stride_2(x)))
        shortcut = x if self.stride == 1 else F.max_pool2d(x, 2)
        missing = branch.shape[1] - shortcut.shape[1]
        if missing:
            shortcut = F.pad(shortcut, (0, 0, 0, 0, 0, missing))
        activated: torch.Tensor = self.activation(shortcut + branch)
        return activated


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(_Residual(inputs, outputs, 2), _Residual(outputs, outputs), _Residual(outputs, outputs))


def _head(outputs: int) -> nn.Sequential:
    return nn.Sequential(
        _Residual(128, 128, 2),
        *(() if outputs == 1 else (_Residual(128, 128), _Residual(128, 128))),
        nn.Conv2d(128, 32, 1),
        nn.PReLU(32),
        _Residual(32, 32),
        nn.Conv2d(32, outputs, 3),
    )


class FaceMeshNetwork(nn.Module):
    """Landmarks of face crops; frozen, and differentiable with respect to the crop.

    Args:
        path: the file `face_landmark.tflite`, `asset_path("face_mesh")`.

    Raises:
        DataError: the file is not that network.
    """

    def __init__(self, path: Path | str) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.PReLU(16))
        channels = FEATURE_CHANNELS
        self.stages = nn.ModuleList(
            [nn.Sequential(_Residual(16, 16), _Residual(16, 16))]
            + [_stage(*pair) for pair in itertools.pairwise(channels)]
        )
        self.landmark_head = _head(LANDMARKS * 3)
        self.score_head = _head(1)
        trunk = [*self.stem.parameters(), *self.stages.parameters()]
        landmark_values, score_values = _read_values(Path(path))
        _fill([*trunk, *self.landmark_head.parameters()], landmark_values, path)
        _fill([*trunk, *self.score_head.parameters()], score_values, path)
        self.requires_grad_(False)
        # Depthwise and 1x1 convolutions run up to twice as fast on a CPU when the channels lie together.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types

    def features(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the feature maps of images (B, 3, H, W), RGB in [0, 1], H and W multiples of 32.

        Returns:
            Maps (B, C, H / s, W / s) with s = 2, 4, 8, 16, 32 and C of `FEATURE_CHANNELS`.

        Raises:
            ValueError: the images have another shape.
        """
        if x.ndim != 4 or x.shape[1] != 3 or x.shape[2] % 32 or x.shape[3] % 32:
            raise ValueError(f"images must be (B, 3, H, W), H and W multiples of 32, got {tuple(x.shape)}")
        maps = []
        x = self.stem(_pad_for_stride_2(x).contiguous(memory_format=torch.channels_last))
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Find the landmarks in crops (B, 3, 192, 192), RGB in [0, 1].

        Returns:
            Landmarks (B, 468, 3): x and y in pixels of the crop, where 0 is the outer edge of the first
            pixel and 192 that of the last, and depth in the same unit, smaller is nearer; and the
            probability (B,) that there is a face.

        Raises:
            ValueError: the crops have another shape.
        """
        if x.shape[2:] != (CROP_SIZE, CROP_SIZE):
            raise ValueError(f"crops must be (B, 3, {CROP_SIZE}, {CROP_SIZE}), got {tuple(x.shape)}")
        last = self.features(x)[-1]
        landmarks = self.landmark_head(last).reshape(-1, LANDMARKS, 3)
        return landmarks, self.score_head(last).reshape(-1).sigmoid()


def _pad_for_stride_2(x: torch.Tensor) -> torch.Tensor:
    """Pad as TensorFlow's SAME does for a 3x3 convolution of stride 2 on an even size: right and bottom only."""
    return F.pad(x, (0, 1, 0, 1))


def _fill(parameters: list[nn.Parameter], values: list[npt.NDArray[np.float32]], path: Path | str) -> None:
    expected = [tuple(parameter.shape) for parameter in parameters]
    found = [value.shape for value in values]
    if expected != found:
        raise DataError(
            path,
            f"not the face mesh network: {len(found)} trained arrays of other shapes than expected "
            f"({len(expected)}); fetch it with `ffbench assets pull face_mesh`",
        )
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(torch.from_numpy(value))


def _read_values(path: Path) -> tuple[list[npt.NDArray[np.float32]], list[npt.NDArray[np.float32]]]:
    """Read the trained arrays that lead to each of the file's two outputs, in the order in which they are used.

    They come in PyTorch's layouts. The file orders its operators so that the trunk comes first and the two
    heads take turns: following each output back to the input tells them apart.
    """
    content = read_bounded(path, _MAX_FILE_BYTES, "{size} bytes is too big for the face mesh network")
    if content[4:8] != b"TFL3":
        raise DataError(path, "not a TensorFlow Lite file (no TFL3 mark)")
    try:
        operators, outputs = _read_graph(content)
        return _used_by(outputs[0], operators), _used_by(outputs[1], operators)
    # What a damaged file makes the reader and numpy raise; all of it means the same to the user.
    except (struct.error, IndexError, KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(path, f"damaged TensorFlow Lite file ({error})") from error


_Operator = tuple[list[int], int, list[npt.NDArray[np.float32]]]
"""Inputs that are computed, output, and trained arrays."""


def _read_graph(content: bytes) -> tuple[list[_Operator], list[int]]:
    import tflite

    model = tflite.Model.GetRootAs(content, 0)
    graph = model.Subgraphs(0)
    names = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
    constants: dict[int, npt.NDArray[Any]] = {}
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        data = model.Buffers(tensor.Buffer())
        dtype = {tflite.TensorType.FLOAT16: np.float16, tflite.TensorType.FLOAT32: np.float32}.get(tensor.Type())
        if data.DataLength() and dtype is not None:
            constants[index] = np.frombuffer(data.DataAsNumpy(), dtype).reshape(tensor.ShapeAsNumpy())
    operators: list[_Operator] = []
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        inputs, output = operator.InputsAsNumpy().tolist(), int(operator.Outputs(0))
        if kind == "DEQUANTIZE":
            constants[output] = constants[inputs[0]]
            continue
        trained = [_torch_layout(kind, constants[i]) for i in inputs if i in constants]
        operators.append(([i for i in inputs if i not in constants], output, trained))
    return operators, [int(graph.Outputs(index)) for index in range(2)]


def _torch_layout(kind: str, value: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    value = value.astype(np.float32)
    if kind == "CONV_2D" and value.ndim == 4:
        value = value.transpose(0, 3, 1, 2)
    elif kind == "DEPTHWISE_CONV_2D" and value.ndim == 4:
        value = value.transpose(3, 0, 1, 2)
    elif kind == "PRELU":
        value = value.reshape(-1)
    return np.ascontiguousarray(value)


def _used_by(output: int, operators: list[_Operator]) -> list[npt.NDArray[np.float32]]:
    wanted = {output}
    used: list[list[npt.NDArray[np.float32]]] = []
    for inputs, result, trained in reversed(operators):
        if result in wanted:
            wanted.update(inputs)
            used.append(trained)
    return [array for arrays in reversed(used) for array in arrays]
