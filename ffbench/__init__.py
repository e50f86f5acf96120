"""ffbench: a benchmark and leaderboard suite for facial optical flow.

The names below are imported on first use, so that `import ffbench` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ffbench.evaluation import evaluate
    from ffbench.flow import flow_to_color, read_flow, write_flow
    from ffbench.method import Flows, Method, MethodCard, MethodEntry, MethodRequest, WeightsCard
    from ffbench.protocol import (
        DescribedPair,
        LearningProtocol,
        Pair,
        PairScore,
        Protocol,
        ProtocolCard,
        ProtocolEntry,
        ProtocolRequest,
        Term,
    )
    from ffbench.recogniser import Recogniser, RecogniserEntry, RecogniserRequest, RegisteredFace
    from ffbench.registry import list_methods, list_protocols, load_method, load_protocol
    from ffbench.results.named import compare
    from ffbench.results.ranking.comparison import Comparison
    from ffbench.results.record.dataframe import read_pairs
    from ffbench.results.record.run_record import RunRecord, read_record

_HOME = {
    "evaluate": "ffbench.evaluation",
    "flow_to_color": "ffbench.flow",
    "read_flow": "ffbench.flow",
    "write_flow": "ffbench.flow",
    "Flows": "ffbench.method",
    "Method": "ffbench.method",
    "MethodCard": "ffbench.method",
    "MethodEntry": "ffbench.method",
    "MethodRequest": "ffbench.method",
    "WeightsCard": "ffbench.method",
    "DescribedPair": "ffbench.protocol",
    "LearningProtocol": "ffbench.protocol",
    "Pair": "ffbench.protocol",
    "PairScore": "ffbench.protocol",
    "Protocol": "ffbench.protocol",
    "ProtocolCard": "ffbench.protocol",
    "ProtocolEntry": "ffbench.protocol",
    "ProtocolRequest": "ffbench.protocol",
    "Term": "ffbench.protocol",
    "Comparison": "ffbench.results.ranking.comparison",
    "compare": "ffbench.results.named",
    "Recogniser": "ffbench.recogniser",
    "RecogniserEntry": "ffbench.recogniser",
    "RecogniserRequest": "ffbench.recogniser",
    "RegisteredFace": "ffbench.recogniser",
    "list_methods": "ffbench.registry",
    "list_protocols": "ffbench.registry",
    "load_method": "ffbench.registry",
    "load_protocol": "ffbench.registry",
    "RunRecord": "ffbench.results.record.run_record",
    "read_pairs": "ffbench.results.record.dataframe",
    "read_record": "ffbench.results.record.run_record",
}
__all__ = [
    "Comparison",
    "DescribedPair",
    "Flows",
    "LearningProtocol",
    "Method",
    "MethodCard",
    "MethodEntry",
    "MethodRequest",
    "Pair",
    "PairScore",
    "Protocol",
    "ProtocolCard",
    "ProtocolEntry",
    "ProtocolRequest",
    "Recogniser",
    "RecogniserEntry",
    "RecogniserRequest",
    "RegisteredFace",
    "RunRecord",
    "Term",
    "WeightsCard",
    "compare",
    "evaluate",
    "flow_to_color",
    "list_methods",
    "list_protocols",
    "load_method",
    "load_protocol",
    "read_flow",
    "read_pairs",
    "read_record",
    "write_flow",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ffbench' has no attribute '{name}'")
    from ffbench.extras import naming_extra

    with naming_extra(f"ffbench.{name}"):
        return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
