"""Recipes: how a network is trained, as one typed file. What was run is stored whole with the weights."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ffbench.errors import DataError, UsageError
from ffbench.io.toml_files import read_toml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(gt=0)]
Side = Annotated[int, Field(ge=64, le=2048, multiple_of=32)]
TrainingPrecision = Literal["fp32", "bf16", "fp16"]
SourceName = Literal["faces", "layers"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Augmentation(_Part):
    """How samples are varied; the defaults are those of RAFT's and DecFlow's released code.

    Attributes:
        scale: range of the base-2 logarithm of the zoom.
        scale_probability: how often it is zoomed at all.
        stretch: the same for each axis on its own, plus and minus.
        stretch_probability: how often it is stretched when it is zoomed.
        flip_horizontal, flip_vertical: how often.
        brightness, contrast, saturation, hue: largest changes, hue in turns of the color circle.
        asymmetric: how often the two images are changed each in its own way.
        eraser: how often one or two boxes of image 2 are painted over with its mean color.
        eraser_sides: range of their sides, px.
        margin: how much larger than the crop, px, an image is at least that was zoomed.
        color_first: colors and boxes are changed before zoom and crop, as RAFT's code does, not after them: a box is
            then zoomed too and may lie outside of the crop, and the mean color is that of the whole image.
        sharpen: largest factor of the detail that both images are given on top, as cameras do; 0 to 4.
        sharpen_probability: how often.
        pan: deviation of a shift of all of image 2, px: a camera that moves.
        pan_probability: how often.
    """

    scale: tuple[float, float] = (-0.2, 0.6)
    scale_probability: Share = 0.8
    stretch: Amount = 0.2
    stretch_probability: Share = 0.8
    flip_horizontal: Share = 0.5
    flip_vertical: Share = 0.1
    brightness: Share = 0.4
    contrast: Share = 0.4
    saturation: Share = 0.4
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.5 / 3.14
    asymmetric: Share = 0.2
    eraser: Share = 0.5
    eraser_sides: tuple[int, int] = (50, 100)
    margin: Annotated[int, Field(ge=0)] = 0
    color_first: bool = False
    sharpen: Annotated[float, Field(ge=0, le=4)] = 0.0
    sharpen_probability: Share = 0.0
    pan: Amount = 0.0
    pan_probability: Share = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> Augmentation:
        if self.scale[0] > self.scale[1] or not 0 < self.eraser_sides[0] <= self.eraser_sides[1]:
            raise ValueError("a range must go from its lower to its upper end")
        return self


class Stage(_Part):
    """One stretch of training; the optimiser starts anew with each.

    Attributes:
        name: for `--stage` and the logs.
        trains: which part is trained, a name that the method knows (`all`, `head`, ...).
        copies: parts that start this stage as copies of others, names that the method knows: `{ head = "facial" }`.
        loss: which loss, a name that the method knows.
        weights: factors of the loss's parts, where it has some.
        steps, batch, crop: how long, how many pairs at once, height and width of what is cut out of them.
        data: the sources of pairs and how often each comes up: `faces`, rendered or read from FFN, and `layers`.
        render: height and width of what is made; FFN has its own.
        arbitrary_start: share of rendered faces that do not start from rest.
        cluttered: share of rendered people before cut-outs of photographs; the others stand before painted rooms.
        jaw: what opening the mouth is on rendered faces: expression flow, or head flow as in FFN (`pose`).
        head_motion_damping: share of rendered faces whose head makes only a part of its motion, from none to all of it.
        learning_rate, weight_decay, epsilon: of AdamW.
        warm_up: share of the steps in which the learning rate rises; then it falls, both linearly (OneCycle).
        clip: largest norm of the gradient.
        gamma: weight of each prediction against the next.
        average: decay of the running mean of the weights (EMA) that is validated and saved; 0 for none.
        iterations: update steps; None for the network's own.
        accumulate: how many batches make one step.

    Earlier recipes say `anywhere` for `arbitrary_start`, and `calm` for `head_motion_damping`.
    """

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_-]*$")]
    trains: str = "all"
    copies: Mapping[str, str] = Field(default_factory=dict)
    loss: str
    weights: Mapping[str, float] = Field(default_factory=dict)
    steps: Count
    batch: Count
    crop: tuple[Side, Side]
    data: Mapping[SourceName, Amount] = Field(min_length=1)
    render: Side = 256
    arbitrary_start: Share = Field(default=0.0, validation_alias=AliasChoices("arbitrary_start", "anywhere"))
    cluttered: Share = 0.0
    jaw: Literal["expression", "pose"] = "expression"
    head_motion_damping: Share = Field(default=0.0, validation_alias=AliasChoices("head_motion_damping", "calm"))
    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Amount = 1e-5
    epsilon: Annotated[float, Field(gt=0)] = 1e-8
    warm_up: Share = 0.05
    clip: Annotated[float, Field(gt=0)] = 1.0
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.85
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    iterations: Count | None = None
    accumulate: Count = 1
    augmentation: Augmentation = Augmentation()

    @model_validator(mode="after")
    def _usable(self) -> Stage:
        if sum(self.data.values()) <= 0:
            raise ValueError("data: no source has a weight")
        if max(self.crop) > self.render:
            raise ValueError(f"crop {self.crop} is larger than what is rendered, {self.render}")
        return self


class Validation(_Part):
    """What is measured on the `val` split while training: protocols, by their own code.

    `pairs` bounds how many of each, spread evenly; `every` is in steps, and 0 is never.
    """

    every: Annotated[int, Field(ge=0)] = 1000
    protocols: tuple[str, ...] = ("ffn_motion_scale",)
    pairs: Count = 64


class Recipe(_Part):
    """How a network is trained. `precision` is what it computes in, by autocast.

    `network` is the method's affair: what it builds from it. `initial` names what training starts from, likewise.
    """

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_-]*$")]
    summary: str
    seed: Annotated[int, Field(ge=0)] = 0
    network: Mapping[str, Any] = Field(default_factory=dict)
    initial: str | None = None
    precision: TrainingPrecision = "fp32"
    validation: Validation = Validation()
    stages: tuple[Stage, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Recipe:
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError(f"stages must have names of their own, got {', '.join(names)}")
        return self

    def stage(self, name: str) -> Stage:
        """Return the stage of a name.

        Raises:
            UsageError: there is none.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        known = ", ".join(stage.name for stage in self.stages)
        raise UsageError(f"recipe '{self.name}' has no stage '{name}'; it has {known}")


def read_recipe(path: Path | str, changes: Sequence[tuple[str, str]] = ()) -> Recipe:
    """Read a recipe file.

    Args:
        path: a TOML file of the fields of `Recipe`.
        changes: `("stages.flow.steps", "500")`: fields to set to other values, written as in TOML (quotes around
            words may be left out); stages go by their names.

    Raises:
        DataError: no such file, or not a recipe; the message names the field.
        UsageError: a change to a field that is not there, or to a value that does not fit.
    """
    table = read_toml(Path(path), "a recipe")
    try:
        recipe = Recipe.model_validate(table)
    except ValidationError as error:
        raise DataError(path, f"not a valid recipe: {_first(error)}") from error
    if not changes:
        return recipe
    changed = recipe.model_dump()
    for key, value in changes:
        _set(changed, key, value)
    try:
        return Recipe.model_validate(changed)
    except ValidationError as error:
        raise UsageError(f"--set: {_first(error)}") from error


def recipe_toml(recipe: Recipe) -> str:
    """Return a recipe as TOML that `read_recipe` reads back as the same; what is None is left out."""
    import tomli_w

    return tomli_w.dumps(recipe.model_dump(mode="json", exclude_none=True))


def _set(table: dict[str, Any], key: str, text: str) -> None:
    *path, last = key.split(".")
    here: Any = table
    for part in path:
        here = _step(here, part, key)
    # A table of free keys (network, data, weights, copies) takes new ones; the fields of a recipe are known.
    free = bool(path) and path[-1] in ("network", "data", "weights", "copies")
    if not isinstance(here, dict) or (last not in here and not free):
        known = list(here) if isinstance(here, dict) else []
        near = difflib.get_close_matches(last, known, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"known there: {', '.join(known) or 'nothing'}"
        raise UsageError(f"--set {key}: a recipe has no such field; {hint}")
    here[last] = _value(text)


def _step(here: Any, part: str, key: str) -> Any:
    inner = here.get(part) if isinstance(here, dict) else next((s for s in here if s.get("name") == part), None)
    if not isinstance(inner, dict | list | tuple):
        raise UsageError(f"--set {key}: a recipe has no '{part}' there")
    return inner


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _first(error: ValidationError) -> str:
    return "; ".join(_problems(error))


def _problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False)[:3]:
        place = ".".join(str(part) for part in problem["loc"])
        yield f"{place}: {problem['msg']}" if place else problem["msg"]
