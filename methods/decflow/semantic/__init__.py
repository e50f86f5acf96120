"""Face-semantic encoders: E_D of Eq. 5, and what can stand in for it.

| name | what it is | trained on |
|---|---|---|
| `dad3d` | encoder of DAD-3DNet, ResNet-50 to 1/8 | 3D heads; the user's `dad_3dheads.trcd` |
| `facemesh` | face mesh network, 1/8 to 1/32 | faces; asset `face_mesh` |
| `synthetic` | a small network of the project's own | regions and UV of the face engine |
| `imagenet` | torchvision's ResNet-50 to 1/8 | ImageNet |
| `pytorchcv` | pytorchcv's ResNet-50 to 1/8, as in the authors' released code | ImageNet; the user's file |
| `none` | no encoder: the paper's ablation (Table 5) | |
"""

from __future__ import annotations

from ..config import SemanticInput, SemanticName
from .base import SemanticEncoder
from .resnet import ResNetEncoder
from .synthetic import SemanticTrainer, SyntheticEncoder, semantic_loss
from .weights import load_semantic_weights

__all__ = [
    "ResNetEncoder",
    "SemanticEncoder",
    "SemanticTrainer",
    "SyntheticEncoder",
    "create_semantic_encoder",
    "load_semantic_weights",
    "semantic_loss",
]


def create_semantic_encoder(name: SemanticName, range: SemanticInput = "imagenet") -> SemanticEncoder | None:
    """Build a semantic encoder, or None for `none`.

    `facemesh` comes with its trained values; the others are untrained until a checkpoint or
    `load_semantic_weights` fills them.

    Raises:
        DataError: the asset of `facemesh` cannot be fetched.
    """
    if name == "facemesh":
        from .facemesh import FaceMeshEncoder

        return FaceMeshEncoder()
    if name == "synthetic":
        return SyntheticEncoder()
    if name == "none":
        return None
    return ResNetEncoder(stride_first=name in ("dad3d", "pytorchcv"), range=range)
