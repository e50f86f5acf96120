"""What may be asked of `casme2_spot`, and its entry."""

from __future__ import annotations

import functools
from typing import get_args

from ffbench.datasets.registry import find_data
from ffbench.engines import EngineName
from ffbench.metrics.head_motion import Derive
from ffbench.microexpressions.flow_choice import Kind
from ffbench.protocol import ProtocolCard, ProtocolEntry, ProtocolRequest
from ffbench.threads import usable_cores

from ..options import (
    a_number,
    choice,
    refuse_unknown,
    stated_choice,
    stated_number,
    stated_text,
    stated_variant,
    variant,
    whole_number,
)
from ..recognition.entries import MOST_TRAINING, RECIPES, recogniser_of
from ..recognition.entries import OPTIONS as RECOGNITION_OPTIONS
from ..recognition.protocol import RECOGNISER_OPTIONS
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
    flows: tuple[Kind, ...] = get_args(Kind)
    derive: tuple[Derive, ...] = get_args(Derive)
    engines: tuple[EngineName, ...] = get_args(EngineName)
    variants: tuple[Variant, ...] = get_args(Variant)
    named = functools.partial(
        SpotThenRecognise,
        variant=variant(request, variants),
        window=whole_number(request, "window", 1, most=MOST_WINDOW) if "window" in request.options else None,
        flow=choice(request, "flow", flows),
        derive_head=choice(request, "derive_head", derive),
        recogniser=recogniser_of(request),
        recipe=choice(request, "recipe", RECIPES) if "recipe" in request.options else None,
        epochs=whole_number(request, "epochs", 1, most=MOST_TRAINING) if "epochs" in request.options else None,
        seeds=whole_number(request, "seeds", 1, most=MOST_TRAINING),
        workers=whole_number(request, "workers", 1, most=usable_cores()),
        engine=choice(request, "engine", engines),
    )
    # A misspelt option is said before a dataset that is not there.
    return named(request.data or find_data(NAME))


def scoring(stated: ProtocolCard) -> SpottingScoring:
    """Return the scoring for what a record's card states.

    Raises:
        UsageError: the protocol has no such variant, option or value.
    """
    variants: tuple[Variant, ...] = get_args(Variant)
    for option, kind in (("flow", Kind), ("derive_head", Derive)):
        stated_choice(stated, option, get_args(kind))
    for option in RECOGNISER_OPTIONS:
        stated_text(stated, option)
    for option in ("window", "epochs", "seeds"):
        stated_number(stated, option)
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
