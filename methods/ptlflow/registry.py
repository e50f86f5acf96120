"""What ptlflow says of its models: names, checkpoints, iterations, licence, paper."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ffbench.errors import MethodError, UsageError
from ffbench.extras import install
from ffbench.packages.entry_points import nearest
from ffbench.packages.torchvision_ops import make_importable

from ..third_party import quiet

# What ptlflow's models call the number of update steps. `decoder_depth` (FlowFormer) counts the same:
# it repeats one decoder and adds no parameters.
_ITERATIONS = ("iters", "iters_per_level", "decoder_depth")
_LICENCES = {
    "Attribution-NonCommercial-ShareAlike 4.0": "CC-BY-NC-SA-4.0",
    "Apache License": "Apache-2.0",
    "MIT License": "MIT",
    "BSD 3-Clause": "BSD-3-Clause",
    "DO WHAT THE F": "WTFPL",
    "military facility": "BSD-3-Clause, not for military use",
    "research purposes": "research only",
}
_BIBTEX = [re.compile(rf'^\s*{key}\s*=\s*["{{]+(.+?)["}}]+,?\s*$', re.M | re.I) for key in ("title", "year")]


def model_names() -> Sequence[str]:
    """Name every model of ptlflow's registry, sorted."""
    names: Sequence[str] = _ptlflow().get_model_names()
    return names


def model_class(name: str) -> Any:
    """Return the class of a model.

    Raises:
        UsageError: no model has that name.
    """
    known = model_names()
    if name not in known:
        hint = nearest(name, known) or " (`ffbench methods show ptlflow` lists them)"
        raise UsageError(f"ptlflow has no model '{name}'{hint}")
    return _ptlflow().get_model_reference(name)


def checkpoints(model: Any) -> dict[str, str]:
    """Return the published checkpoints of a model class: URL by name."""
    return dict(getattr(model, "pretrained_checkpoints", None) or {})


def iteration_argument(model: Any) -> str | None:
    """Name the argument that sets the number of update steps, or None where there is none or one for each scale."""
    for name in _ITERATIONS:
        for base in model.__mro__:
            parameter = inspect.signature(base.__init__).parameters.get(name)
            if parameter is not None and isinstance(parameter.default, int):
                return name
    return None


def own_lists(model: Any) -> dict[str, list[int]]:
    """Return the arguments that a model writes into (SEA-RAFT and its kin), as lists.

    Their defaults are tuples, which ptlflow's command line turns into lists on the way.
    """
    parameters = {name: p for base in model.__mro__ for name, p in inspect.signature(base.__init__).parameters.items()}
    default = parameters["block_dims"].default if "block_dims" in parameters else ()
    return {"block_dims": list(default)} if default else {}


def paper(model: Any) -> str | None:
    """Return title and year of the paper that ptlflow cites for the model, None where it cites several."""
    found = [pattern.findall(_read(model, "README.md")) for pattern in _BIBTEX]
    if any(len(values) != 1 for values in found):
        return None
    return ", ".join(re.sub("[{}]", "", value).strip() for (value,) in found)


def licence(model: Any) -> str | None:
    """Return the licence of the model's code, by its text, and that of its published weights where that is said."""
    code, weights = (_known_licence(_read(model, file)) for file in ("LICENSE", "WEIGHTS_LICENSE"))
    return code if weights is None else f"{code} (published weights: {weights})"


def _ptlflow() -> Any:
    """Import ptlflow (5 to 7 s)."""
    try:
        with quiet():
            make_importable()
            import ptlflow
            from loguru import logger
    except ImportError as error:
        raise MethodError(f"ptlflow cannot be imported: {error}; {install('networks')}") from error
    logger.disable("ptlflow")
    return ptlflow


def _read(model: Any, file: str) -> str:
    path = Path(inspect.getfile(model)).parent / file
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def _known_licence(text: str) -> str | None:
    text = " ".join(text.split())
    named = next((name for mark, name in _LICENCES.items() if mark in text), "see its LICENSE")
    return named if text else None
