"""ResNet-50 up to stride 8 (He et al., CVPR 2016), for weights of torchvision and of pytorchcv (DAD-3DNet)."""

from __future__ import annotations

import re

import torch
import torch.nn.functional as F
from torch import nn

from ..config import SemanticInput
from .base import SemanticEncoder

_BLOCKS = [(64, 256, 1), (256, 256, 1), (256, 256, 1), (256, 512, 2), (512, 512, 1), (512, 512, 1), (512, 512, 1)]
_STAGE_STARTS = {1: 0, 2: 3}
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


class ResNetEncoder(SemanticEncoder):
    """ResNet-50's stem and first two stages: 512 channels at 1/8.

    Args:
        stride_first: where a bottleneck that halves the size does so: in its first 1x1 convolution
            (pytorchcv's resnet50, hence DAD-3DNet's) or in its 3x3 convolution (torchvision's).
        range: see `PaperConfig`.
    """

    channels = 512
    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, stride_first: bool, range: SemanticInput) -> None:
        super().__init__()
        mean, deviation = (_MEAN, _DEVIATION) if range == "imagenet" else ((0.5,) * 3, (0.5,) * 3)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(3, 1, 1), persistent=False)
        self.stem = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(64)
        self.blocks = nn.Sequential(*(_Bottleneck(*widths, stride_first) for widths in _BLOCKS))
        self.freeze()

    def encode(self, image: torch.Tensor) -> torch.Tensor:
        """See `SemanticEncoder.encode`."""
        x = F.relu(self.norm(self.stem((image - self.mean) / self.deviation)))
        encoded: torch.Tensor = self.blocks(F.max_pool2d(x, 3, stride=2, padding=1))
        return encoded


class _Bottleneck(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, stride_first: bool) -> None:
        super().__init__()
        width = outputs // 4
        first, second = (stride, 1) if stride_first else (1, stride)
        self.conv1 = nn.Conv2d(inputs, width, 1, first, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, second, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch = F.relu(self.norm1(self.conv1(x)))
        branch = F.relu(self.norm2(self.conv2(branch)))
        return F.relu(self.norm3(self.conv3(branch)) + self.shortcut(x))


def from_torchvision(key: str) -> str | None:
    """Translate a key of torchvision's resnet50; None for what lies beyond stride 8."""
    if match := re.fullmatch(r"(conv1|bn1)\.(.+)", key):
        return f"{'stem' if match[1] == 'conv1' else 'norm'}.{match[2]}"
    if match := re.fullmatch(r"layer([12])\.(\d)\.(.+)", key):
        rest = re.sub(r"^bn(\d)", r"norm\1", match[3]).replace("downsample", "shortcut")
        return f"blocks.{_STAGE_STARTS[int(match[1])] + int(match[2])}.{rest}"
    return None


def from_pytorchcv(key: str) -> str | None:
    """Translate a key of pytorchcv's resnet50 features; None for what lies beyond stride 8.

    Stages are named (`init_block`, `stage1`, ...) or, as in the authors' DecFlow, numbered (`0`, `1`, ...).
    """
    if match := re.fullmatch(r"(?:init_block|0)\.conv\.(conv|bn)\.(.+)", key):
        return f"{'stem' if match[1] == 'conv' else 'norm'}.{match[2]}"
    if match := re.fullmatch(r"(?:stage)?([12])\.unit(\d)\.(body\.conv(\d)|identity_conv)\.(conv|bn)\.(.+)", key):
        block = _STAGE_STARTS[int(match[1])] + int(match[2]) - 1
        if match[4]:
            part = f"{'conv' if match[5] == 'conv' else 'norm'}{match[4]}"
        else:
            part = f"shortcut.{0 if match[5] == 'conv' else 1}"
        return f"blocks.{block}.{part}.{match[6]}"
    return None
