"""The options that say which method runs and how: one list for all commands, and a `RunConfig` out of it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Optional, get_args

import typer

from ffbench.cli.shared import options
from ffbench.run_config import RunConfig, read_run_config

CONFIG, CONFIGS = "config", "configs"
"""Parameters of a command that stand for the options: of one method, or of several that run in the same way."""


def _take_file(context: typer.Context, path: Optional[Path]) -> Optional[Path]:  # noqa: UP045
    """Make what a file says the defaults of the command's options, so that options given beside it win."""
    if path is not None:
        config = read_run_config(path)
        said = {field.name: getattr(config, field.name) for field in fields(config)}
        repeated = {parameter.name for parameter in context.command.params if getattr(parameter, "multiple", False)}
        defaults = {name: [value] if name in repeated else value for name, value in said.items() if value is not None}
        context.default_map = {**(context.default_map or {}), **defaults}
    return path


ConfigFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--config",
        metavar="FILE",
        is_eager=True,
        callback=_take_file,
        help="TOML file of method, weights, device, iterations, ...; options given beside it win.",
    ),
]
Methods = Annotated[
    list[str], typer.Option("--method", "-m", help="Method, as `ffbench eval` takes it; repeat it to compare.")
]


def _options(
    method: options.Method,
    weights: options.Weights = None,
    device: options.Device = "auto",
    iterations: options.Iterations = None,
    precision: options.PrecisionOption = options.PrecisionName.fp32,
    compile: options.Compile = False,
    refine: options.Refine = None,
    face_size: options.FaceSize = None,
    config_file: ConfigFile = None,
) -> None:
    """Stand for the options themselves; never called."""


def takes_run_config(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the options of a `RunConfig` in place of its parameter `config: RunConfig`.

    With a parameter `configs: list[RunConfig]` instead, `--method` may be repeated. The method of a default of `config`
    is that of `--method`. Of a `config: Annotated[RunConfig, typer.Argument(...)]` the method is an argument.
    """
    signature = inspect.signature(command, eval_str=True)
    own = dict(inspect.signature(_options, eval_str=True).parameters)
    if CONFIG in signature.parameters and (as_argument := get_args(signature.parameters[CONFIG].annotation)[1:]):
        own["method"] = own["method"].replace(annotation=Annotated[str, as_argument[0]])
    if CONFIG in signature.parameters and signature.parameters[CONFIG].default is not inspect.Parameter.empty:
        own["method"] = own["method"].replace(default=signature.parameters[CONFIG].default.method)
    several = CONFIGS in signature.parameters
    if several:
        own["method"] = own["method"].replace(annotation=Methods)
    shown: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        shown += own.values() if parameter.name in (CONFIG, CONFIGS) else [parameter]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        how = {name: given.pop(name) for name in own}
        methods = how["method"] if several else [how["method"]]
        configs = [_config(method, how) for method in methods]
        command(**({CONFIGS: configs} if several else {CONFIG: configs[0]}), **given)

    # Typer reads both; by keyword, options with defaults may stand before ones without.
    shown = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in shown]
    run.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return run


def _config(method: str, how: Mapping[str, Any]) -> RunConfig:
    precision: options.PrecisionName = how["precision"]
    return RunConfig(
        method,
        how["weights"],
        how["device"],
        how["iterations"],
        precision.value,
        how["compile"],
        how["refine"],
        how["face_size"],
    )
