"""The configs that come with mmflow: which there are, and what they say of model and input."""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Literal

import torch

from ffbench.errors import MethodError, UsageError
from ffbench.packages.entry_points import nearest
from ffbench.packages.torchvision_ops import make_importable

from ..third_party import quiet
from .correlation import Correlation

_INSTALL = "`pip install ffbench[mmflow]` brings it (its build needs setuptools below 81)"


@dataclass(frozen=True)
class InputRule:
    """How a config turns images into what its network was trained on."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    rgb: bool
    """Whether the network sees RGB; mmflow reads images as BGR and leaves most of its networks so."""
    multiple: int
    """Height and width are brought to a multiple of this."""
    fit: Literal["InputPad", "InputResize"]
    """By extending the border on all sides, or by resizing."""


def config_names() -> Sequence[str]:
    """Name the configs of all networks, sorted.

    Those named `*_kitti_test` are left out: they say how one benchmark is run, not how the network was trained
    (for RAFT the two contradict each other in the range of the input).

    Raises:
        MethodError: mmflow is not installed.
    """
    return sorted(path.stem for path in _config_files())


def read_config(name: str) -> Any:
    """Read a config of the package.

    Raises:
        UsageError: there is none of that name.
        MethodError: mmflow is not installed or cannot be imported.
    """
    paths = {path.stem: path for path in _config_files()}
    if name not in paths:
        hint = nearest(name, paths) or " (`ffbench methods show mmflow` lists them)"
        raise UsageError(f"mmflow has no config '{name}'{hint}")
    import_mmflow()
    import mmcv

    return mmcv.Config.fromfile(str(paths[name]))


def input_rule(config: Any) -> InputRule:
    """Take from a config the normalisation it was trained with and the way its test pipeline makes images fit."""
    normalize = config.img_norm_cfg
    tests = config.data.test.get("datasets", [config.data.test])
    fits = [step for test in tests for step in test.pipeline if step.type in ("InputPad", "InputResize")]
    # Where datasets differ, the larger multiple serves images of any size.
    fit = max(fits, key=lambda step: int(step.exponent))
    return InputRule(
        mean=tuple(normalize["mean"]),
        std=tuple(normalize["std"]),
        rgb=bool(normalize["to_rgb"]),
        multiple=2 ** int(fit.exponent),
        fit=fit.type,
    )


def published_weights(name: str) -> str | None:
    """Return the URL under which OpenMMLab published the weights of a config, as the package says."""
    import yaml

    (path,) = (path for path in _config_files() if path.stem == name)
    models = yaml.safe_load((path.parent / "metafile.yml").read_text("utf-8"))["Models"]
    return next((model.get("Weights") for model in models if model["Name"] == name), None)


def import_mmflow() -> Any:
    """Import mmflow's models, with `mmcv.ops` made up where mmcv comes without its compiled operators.

    mmflow imports two of them by name. `Correlation` is always the one written in PyTorch, so that a network
    computes the same on every device; `DeformConv2d`, which MaskFlowNet alone needs, exists only compiled.

    Raises:
        MethodError: mmflow or mmcv is not installed or cannot be imported.
    """
    try:
        with quiet():
            make_importable()
            _ensure_operators()
            import mmflow.models
            import mmflow.ops
    except ImportError as error:
        raise MethodError(f"mmflow cannot be imported: {error}; {_INSTALL}") from error
    # RAFT and GMA make a grid at every call, in a way that PyTorch warns of.
    warnings.filterwarnings("ignore", message="torch.meshgrid", category=UserWarning)
    mmflow.ops.OPERATORS.register_module(name="Correlation", module=Correlation, force=True)
    return mmflow


class _DeformConv2d(torch.nn.Module):
    def __init__(self, *_: object, **__: object) -> None:
        raise NotImplementedError("it needs mmcv's compiled deformable convolution (mmcv-full)")


def _ensure_operators() -> None:
    try:
        import mmcv.ops  # noqa: F401
    except ImportError:
        # What was imported of it before it failed would shadow the stand-in.
        for name in [name for name in sys.modules if name == "mmcv.ops" or name.startswith("mmcv.ops.")]:
            del sys.modules[name]
        stand_in: Any = types.ModuleType("mmcv.ops")
        stand_in.Correlation = Correlation
        stand_in.DeformConv2d = _DeformConv2d
        sys.modules["mmcv.ops"] = stand_in


def _config_files() -> list[Path]:
    try:
        folder = Path(str(distribution("mmflow").locate_file("mmflow/.mim/configs")))
    except PackageNotFoundError as error:
        raise MethodError(f"mmflow is not installed; {_INSTALL}") from error
    return [
        path for path in folder.glob("*/*.py") if path.parent.name != "_base_" and not path.stem.endswith("_kitti_test")
    ]
