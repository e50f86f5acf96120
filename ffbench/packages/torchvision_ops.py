"""Lets torchvision be imported beside a torch that its compiled extension was not built for."""

from __future__ import annotations

import torch

_SCHEMA = "{}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
# A library's definitions end with the object, so it is kept for the life of the process.
_definitions: list[torch.library.Library] = []


def make_importable() -> None:
    """Import torchvision, declaring the two operators without which its import fails where they are missing.

    torchvision on PyPI is a CUDA build. Beside a CPU build of torch its extension cannot be loaded, which it
    passes over, but it then attaches shape rules to `torchvision::nms` and `torchvision::qnms`, which the
    extension would have declared, and fails with `operator torchvision::nms does not exist`. On exactly that
    error the two are declared here, without an implementation. Models and transforms then work; the compiled
    operators still raise torchvision's own error when called. A torchvision that can be imported is left alone.

    Call this before anything that imports torchvision: ptlflow, timm, mmcv.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(_SCHEMA.format(name))  # type: ignore[no-untyped-call]
        _definitions.append(library)
        import torchvision  # noqa: F401
