"""Optical-flow networks of mmflow 0.5.2 (OpenMMLab), by the name of their config; extra `mmflow`.

Importing mmflow takes seconds and is optional, so nothing of it is imported here.
"""

from __future__ import annotations

from collections.abc import Sequence

from ffbench.method import Method, MethodEntry, MethodRequest


def _load(request: MethodRequest) -> Method:
    from .network import load_network

    return load_network(request)


def _variants() -> Sequence[str]:
    from .configs import config_names

    return config_names()


any_config = MethodEntry(
    "any network of mmflow, as mmflow/CONFIG, with the user's checkpoint (extra: mmflow)",
    _load,
    _variants,
    title="A network of mmflow",
    # Its weights are always a file of the user's.
    missing=lambda: "a checkpoint of the user's",
)
