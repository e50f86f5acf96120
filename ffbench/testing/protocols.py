"""What a protocol must do beside measuring the right thing."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from ffbench.cards import DatasetCard, ProtocolCard
from ffbench.flows import Flows, NumpyFlows
from ffbench.protocol import LearningProtocol, Pair, PairScore, Protocol
from ffbench.testing.checks import Check, Outcome, run_checks

PAIRS = 4


def check_protocol(protocol: Protocol[Any]) -> list[Check]:
    """Check a protocol against its contract, over its first pairs and zero flow.

    Args:
        protocol: as `load_protocol` gives it.
    """

    @functools.cache
    def first() -> list[Pair[Any]]:
        return [protocol.load(key) for key in list(protocol.keys())[:PAIRS]]

    return list(
        run_checks(
            {
                "keys": lambda: _keys(protocol),
                "pairs": lambda: _pairs(protocol, first()),
                "cards": lambda: _cards(protocol),
                "scores are pure": lambda: _pure(protocol, first()),
                "a summary blind to order": lambda: _summary(protocol, first()),
                "pickling": lambda: _pickling(protocol),
                "what is drawn": lambda: _annotation(protocol, first()[0]),
            }
        )
    )


def _zero(pair: Pair[Any]) -> NumpyFlows:
    flow = np.zeros((*pair.image1.shape[:2], 2), np.float32)
    return Flows(flow, flow.copy())


def _score(protocol: Protocol[Any], pair: Pair[Any]) -> PairScore:
    return protocol.score(pair, _zero(pair), _zero(pair) if protocol.needs_backward else None)


def _keys(protocol: Protocol[Any]) -> tuple[Outcome, str]:
    keys = list(protocol.keys())
    if not keys or len(set(keys)) < len(keys):
        return "wrong", f"{len(keys)} keys, {len(set(keys))} different; expected one a pair, each unique"
    if list(protocol.keys()) != keys:
        return "wrong", "they are in another order when asked again"
    return "ok", f"{len(keys)} pairs, from {keys[0]} to {keys[-1]}"


def _pairs(protocol: Protocol[Any], pairs: Sequence[Pair[Any]]) -> tuple[Outcome, str]:
    for pair in pairs:
        again = protocol.load(pair.key)
        for image, other in ((pair.image1, again.image1), (pair.image2, again.image2)):
            if image.dtype != np.uint8 or image.shape != (*pair.image1.shape[:2], 3):
                return "wrong", f"{pair.key}: {image.dtype} {image.shape}; expected two uint8 (H, W, 3) of one size"
            if not np.array_equal(image, other):
                return "wrong", f"{pair.key}: another image when it is loaded again"
        if again.labels != pair.labels:
            return "wrong", f"{pair.key}: other labels when it is loaded again"
    return "ok", f"{len(pairs)} loaded twice"


def _cards(protocol: Protocol[Any]) -> tuple[Outcome, str]:
    card, dataset = protocol.card, protocol.dataset
    if ProtocolCard.model_validate_json(card.model_dump_json()) != card:
        return "wrong", "the protocol's card does not survive JSON"
    if DatasetCard.model_validate_json(dataset.model_dump_json()) != dataset:
        return "wrong", "the dataset's card does not survive JSON"
    if card.primary not in card.metrics:
        return "wrong", f"the primary metric {card.primary} is none of {', '.join(card.metrics)}"
    return "ok", f"{card.id} {card.version} on {dataset.name} ({dataset.origin})"


def _pure(protocol: Protocol[Any], pairs: Sequence[Pair[Any]]) -> tuple[Outcome, str]:
    for pair in pairs:
        score = _score(protocol, pair)
        if _score(protocol, pair) != score:
            return "wrong", f"{pair.key}: another score of the same flow"
        if score.key != pair.key:
            return "wrong", f"{pair.key}: its score has the key {score.key}"
        if not all(np.isfinite((term.sum, term.count)).all() for term in score.terms.values()):
            return "wrong", f"{pair.key}: a term that is not finite"
        if not isinstance(protocol, LearningProtocol) and (fault := protocol.impossible(score)) is not None:
            return "wrong", f"{pair.key}: by its own card impossible: {fault}"
    return "ok", "zero flow, scored twice"


def _summary(protocol: Protocol[Any], pairs: Sequence[Pair[Any]]) -> tuple[Outcome, str]:
    if isinstance(protocol, LearningProtocol):
        return "note", "the protocol learns from all pairs: not looked at here"
    scores = [_score(protocol, pair) for pair in pairs]
    summary = protocol.summarize(scores)
    if protocol.summarize(scores[::-1]) != summary:
        return "wrong", "other numbers when the pairs come in another order"
    primary = [score for score in summary if score.metric == protocol.card.primary and score.group == "all"]
    if len(primary) != 1:
        return "wrong", f"{len(primary)} values of {protocol.card.primary} over all pairs, expected one"
    return "ok", f"{protocol.card.primary} {primary[0].value:.4g} of zero flow over {len(scores)} pairs"


def _pickling(protocol: Protocol[Any]) -> tuple[Outcome, str]:
    copy = pickle.loads(pickle.dumps(protocol))
    if list(copy.keys()) != list(protocol.keys()) or copy.card != protocol.card:
        return "wrong", "a copy in another process has other keys or another card"
    return "ok", "so that other processes can have it"


def _annotation(protocol: Protocol[Any], pair: Pair[Any]) -> tuple[Outcome, str]:
    annotation, size = protocol.annotation(pair), pair.image1.shape[:2]
    for name in ("facial", "head", "mask", "regions"):
        drawn = getattr(annotation, name)
        if drawn is not None and drawn.shape[:2] != size:
            return "wrong", f"{name} is {drawn.shape}, the image {size}"
    there = [name for name in ("facial", "head", "mask", "regions", "first") if getattr(annotation, name) is not None]
    return ("ok", ", ".join(there)) if there else ("note", "nothing of the reference can be drawn")
