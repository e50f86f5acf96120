"""Which method runs, and how: what commands take as options and a file says in TOML."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from ffbench.errors import DataError

if TYPE_CHECKING:
    from ffbench.method import Method

_KIND = "a run configuration, such as method = 'raft'"


@dataclass(frozen=True)
class RunConfig:
    """A method and the arguments of `ffbench.load_method`.

    Attributes:
        method: its name, `family[/variant][:checkpoint]`.
        weights, device, iterations, precision, compile, refine, face_size: as `load_method` takes them.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    method: str
    weights: str | Path | None = None
    device: str = "auto"
    iterations: int | None = None
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    compile: bool = False
    refine: str | None = None
    face_size: int | None = None

    def load(self, *, installed_only: bool = False) -> Method:
        """Build the method.

        Args:
            installed_only: run no code of the user's, as `load_method` says.

        Raises:
            UsageError, MethodError: as of `load_method`.
        """
        from ffbench.registry import load_method

        how = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "method"}
        return load_method(self.method, installed_only=installed_only, **how)


DECFLOW = RunConfig("decflow")
"""What commands on a clip of the user's run where no method is named."""


def read_run_config(path: Path) -> RunConfig:
    """Read a run configuration: a TOML file of the fields of `RunConfig`; relative weights are of the file's folder.

    Raises:
        DataError: the file cannot be read, or says what is no run configuration; the message names the field.
    """
    from pydantic import TypeAdapter, ValidationError

    from ffbench.cards import RANDOM_WEIGHTS
    from ffbench.hub.names import is_hub_name
    from ffbench.io.json_models import first_fault
    from ffbench.io.toml_files import read_toml

    table = read_toml(path, _KIND)
    try:
        config = TypeAdapter(RunConfig).validate_python(table)
    except ValidationError as error:
        raise DataError(path, f"is no run configuration: {first_fault(error)}; expected {_KIND}") from error
    if config.iterations is not None and config.iterations < 1:
        raise DataError(path, f"iterations is {config.iterations}, expected at least 1")
    if config.weights is None or config.weights == RANDOM_WEIGHTS or is_hub_name(config.weights):
        return config
    return replace(config, weights=path.parent / config.weights)
