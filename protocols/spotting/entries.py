"""What may be asked of `casme2_spot`, and its entry."""

from __future__ import annotations

import functools
from typing import get_args

from ffbench.datasets.registry import find_data
from ffbench.protocol import ProtocolCard, ProtocolEntry, ProtocolRequest

from ..options import (
    a_number,
    refuse_unknown,
    stated_number,
    stated_variant,
    variant,
    whole_number,
)
from ..recognition.entries import OPTIONS as RECOGNITION_OPTIONS
from ..recognition.entries import check_stated_learning, learning_arguments
from .protocol import CLASSES, MINI_WINDOW, NAME, TITLE, WINDOW, SpotThenRecognise, Variant, card_of
from .scores import SpottingScoring

MOST_WINDOW = 1000
OPTIONS = {
    "window": f"{a_number(None, MOST_WINDOW)}: frames between both frames of a pair, half of an expected interval; "
    f"default: {WINDOW}, of the mini dataset {MINI_WINDOW}",
    **{name: words for name, words in RECOGNITION_OPTIONS.items() if name != "shift"},
}


def load(request: ProtocolRequest) -> SpotThenRecognise:
    """Build the protocol on `request.data`, or CASME II in the data folder, or else the mini dataset of whole clips.

    Raises:
        UsageError: an unknown option, value or variant.
        MethodError: the recogniser cannot be loaded.
        DataError: the dataset is not usable.
    """
    refuse_unknown(request, OPTIONS)
    variants: tuple[Variant, ...] = get_args(Variant)
    named = functools.partial(
        SpotThenRecognise,
        variant=variant(request, variants),
        window=whole_number(request, "window", 1, most=MOST_WINDOW) if "window" in request.options else None,
        **learning_arguments(request),
    )
    # A misspelt option is said before a dataset that is not there.
    return named(request.data or find_data(NAME))


def scoring(stated: ProtocolCard) -> SpottingScoring:
    """Return the scoring for what a record's card states.

    Raises:
        UsageError: the protocol has no such variant, option or value.
    """
    variants: tuple[Variant, ...] = get_args(Variant)
    check_stated_learning(stated)
    stated_number(stated, "window")
    return SpottingScoring(card_of(stated_variant(stated, variants), stated.options), CLASSES)


casme2_spot = ProtocolEntry(
    "CASME II: find the micro-expressions of whole clips by their flow, then name them (STRS of MEGC)",
    load,
    scoring,
    title=TITLE,
    task="recognition",
    variants=get_args(Variant),
    options=OPTIONS,
)
