"""What methods, metrics, protocols and datasets say of themselves."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Option = str | int | float | bool
Precision = Literal["fp32", "bf16", "fp16"]
RANDOM_WEIGHTS = "random"
"""In place of a file: untrained parameters."""
OWN_PREFIX = "own/"
"""What ids of methods begin with that are code of the user's own, so that none is taken for an installed method."""


class WeightsCard(BaseModel):
    """Where a network's parameters came from."""

    model_config = ConfigDict(frozen=True)

    name: str
    source: str = Field(description="URL, asset, or `file` for a file that the user named")
    sha256: str | None = Field(
        default=None, description="hash of the file; where no file was named, of the parameters that were loaded"
    )
    random: bool = Field(default=False, description="not trained: good for speed, never for ranking")
    stated: bool = Field(
        default=True, description="the method itself names them; if not, ffbench found them and nothing is ranked"
    )

    @property
    def label(self) -> str:
        """The name and the first eight digits of the hash, which tell checkpoints of one name apart."""
        return self.name if self.sha256 is None else f"{self.name} {self.sha256[:8]}"


class MethodCard(BaseModel):
    """What a method says of itself; all of it goes into the run record."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    paper: str | None = Field(default=None, description="citation or URL")
    licence: str | None = None
    weights: WeightsCard | None = None
    iterations: int | None = None
    precision: Precision = "fp32"
    parameters: int | None = Field(default=None, description="number of trained values")
    decomposes: bool = Field(default=False, description="gives head and expression flow beside facial flow")
    options: dict[str, Option] = Field(default_factory=dict)

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two cards of one name the same method, whatever versions of libraries run it."""
        return {
            "id": self.id,
            "weights": self.weights and self.weights.sha256,
            "iterations": self.iterations,
            "precision": self.precision,
            "parameters": self.parameters,
            "decomposes": self.decomposes,
        }


class MetricCard(BaseModel):
    """One measured quantity. Its bounds keep its confidence interval inside; without them the interval is symmetric."""

    model_config = ConfigDict(frozen=True)

    title: str
    unit: str
    higher_is_better: bool = False
    minimum: float | None = Field(default=None, description="smallest value that there can be: 0 of an error")
    maximum: float | None = Field(default=None, description="largest value that there can be: 100 of a percentage")


class ProtocolCard(BaseModel):
    """What a protocol says of itself; all of it goes into the run record."""

    model_config = ConfigDict(frozen=True)

    id: str
    version: str
    title: str
    variant: str = "paper"
    primary: str = Field(description="name of the metric that ranks, a key of `metrics`")
    metrics: dict[str, MetricCard]
    group_by: tuple[str, ...] = Field(default=(), description="labels of pairs whose values make groups of the summary")
    resample_by: str | None = Field(
        default=None,
        description="label whose values are the independent units of confidence intervals; None: single pairs",
    )
    options: dict[str, Option] = Field(default_factory=dict)


Task = Literal["facial flow", "head and expression flow", "points on the face", "robustness", "recognition", "other"]
"""What a protocol asks of a method, in the order in which readers are shown the protocols."""
Origin = Literal["real", "reanimated", "synthetic"]
"""Of data; results on data of two origins never share a table."""


class DatasetCard(BaseModel):
    """What was measured on."""

    model_config = ConfigDict(frozen=True)

    name: str
    origin: Origin = Field(description="reanimated: photographs of people with a motion that is made")
    origin_note: str = Field(default="", description="what it rests on that the data count as real")
    reference: Literal["ground truth", "annotation", "pseudo", "no"]
    reference_note: str = Field(default="", description="how the reference was made, and how good it is")
    reference_networks: tuple[str, ...] = Field(
        default=(),
        description="SHA-256 of the networks that made the reference; a method with the same weights is refused",
    )
    manifest_sha256: str = Field(description="hash that changes when any file that is used changes")
    problems: tuple[str, ...] = Field(
        default=(), description="faults of the files, one line each; not empty: the record is not complete"
    )
    left_out: tuple[str, ...] = Field(
        default=(), description="what the protocol's own rules leave out (a face that is lost), one line each"
    )
    facts: dict[str, float] = Field(default_factory=dict, description="measured properties, such as jitter in px")
