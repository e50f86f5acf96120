"""What a network of the family is made of; it travels with the weights."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

SemanticName = Literal["dad3d", "facemesh", "synthetic", "imagenet", "pytorchcv", "none"]
SemanticInput = Literal["imagenet", "symmetric"]
Width = Annotated[int, Field(gt=0, le=1024)]
Count = Annotated[int, Field(gt=0, le=1000)]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PaperConfig(_Config):
    """`decflow`: the paper's network (section 4).

    `semantic_input` is how a residual network is fed: normalised by ImageNet's mean and deviation, which
    such networks are trained with, or stretched to [-1, 1], which the authors' released code does.
    `semantic_statistics` is how BatchNorm of the semantic encoder works while the network is trained: by the
    statistics that it came with, or by those of each batch, which the released code does: its running ones move on.
    """

    architecture: Literal["decflow"] = "decflow"
    semantic: SemanticName = "dad3d"
    semantic_input: SemanticInput = "imagenet"
    semantic_statistics: Literal["kept", "batch"] = "kept"
    iterations: Count = 12


class LightConfig(_Config):
    """`decflow-s`: coarse to fine, small enough to be trained on a CPU.

    `channels` are the encoders' widths at strides 2, 4, 8, 16 and 32; `iterations` the update steps at
    strides 32, 16, 8 and 4. `mirrored`: when used, not when trained, the network sees each pair and its mirror
    image, and the two flows are averaged.
    """

    architecture: Literal["decflow-s"] = "decflow-s"
    semantic: SemanticName = "synthetic"
    semantic_input: SemanticInput = "imagenet"
    channels: tuple[Width, Width, Width, Width, Width] = (32, 48, 64, 96, 128)
    features: Width = 64
    hidden: Width = 48
    motion: Width = 48
    iterations: tuple[Count, Count, Count, Count] = (2, 3, 3, 2)
    mirrored: bool = False


class CorrectorConfig(_Config):
    """`decflow-c`: corrects a classical flow; small enough to be trained on a CPU.

    `channels` are the widths at strides 2, 4, 8 and 16. `start` is the flow that is corrected: OpenCV's DIS, or none.
    `levels`: with 3 the network runs on the images at 1/4, 1/2 and 1/1 of their size, and what it finds at one is where
    DIS begins at the next. `decomposition`: head flow as the fitted motion of a rigid body, or as the head decoder
    learns it. `matching`: it also correlates features of the two images around where the flow points. `mirrored` as for
    the light network.
    """

    architecture: Literal["decflow-c"] = "decflow-c"
    semantic: SemanticName = "synthetic"
    semantic_input: SemanticInput = "imagenet"
    channels: tuple[Width, Width, Width, Width] = (32, 64, 96, 128)
    start: Literal["dis", "none"] = "dis"
    levels: Annotated[int, Field(ge=1, le=4)] = 1
    decomposition: Literal["rigid", "learned"] = "rigid"
    matching: bool = False
    mirrored: bool = False

    @model_validator(mode="after")
    def _levels_need_dis(self) -> CorrectorConfig:
        if self.levels > 1 and self.start == "none":
            raise ValueError("several levels are joined by DIS, so they need start = 'dis'")
        return self


NetworkConfig = Annotated[PaperConfig | LightConfig | CorrectorConfig, Field(discriminator="architecture")]
