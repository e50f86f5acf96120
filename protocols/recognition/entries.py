"""What may be asked of the recognition protocols, and their entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from ffbench.datasets.casme2 import scan as casme2
from ffbench.datasets.casme2.coding import SelectionRule
from ffbench.datasets.registry import find_data
from ffbench.engines import EngineName
from ffbench.metrics.head_motion import Derive
from ffbench.protocol import ProtocolCard, ProtocolEntry, ProtocolRequest
from ffbench.recogniser_registry import is_recogniser_name, recogniser_names
from ffbench.threads import usable_cores

from ..options import (
    a_number,
    choice,
    one_of,
    refuse_unknown,
    stated_choice,
    stated_number,
    stated_text,
    stated_variant,
    variant,
    whole_number,
)
from .flows import Kind
from .protocol import DEFAULT_RECOGNISER, RECOGNISER_OPTIONS, TITLES, Recognition, Variant, card_of
from .scores import RecognitionScoring

MOST_TRAINING = 10_000
"""The most epochs, and the most seeds."""
RECIPES = ("released", "main_branch")
"""Of MMNet, the one recogniser that has several."""
_OWN_RECOGNISER = "FILE.py:CLASS"


def recogniser_choices() -> tuple[str, ...]:
    """Return what may be named as a recogniser: what is installed, the default first, or a class of the user's own."""
    others = [name for name in recogniser_names() if name != DEFAULT_RECOGNISER]
    return (DEFAULT_RECOGNISER, *others, _OWN_RECOGNISER)


OPTIONS = {
    "flow": one_of(get_args(Kind)),
    "derive_head": f"{one_of(get_args(Derive))}; for methods without head flow",
    "selection": f"{one_of(get_args(SelectionRule), '')}; default: that of the variant",
    "recogniser": one_of(recogniser_choices()),
    "recipe": f"{one_of(RECIPES, '')}; of recogniser=mmnet",
    "epochs": f"{a_number(None, MOST_TRAINING)}; default: that of the classifier",
    "seeds": a_number(1, MOST_TRAINING),
    "workers": f"{a_number(1, usable_cores())}, processes that learn at once",
    "engine": one_of(get_args(EngineName)),
}

_FIVE, _THREE = (tuple(dict.fromkeys(classes.values())) for classes in (casme2.FIVE, casme2.THREE))


def load(request: ProtocolRequest) -> Recognition:
    """Build the protocol on `request.data`, or CASME II in the data folder, or else the mini dataset.

    Raises:
        UsageError: an unknown option, value or variant.
        MethodError: the recogniser cannot be loaded.
        DataError: the dataset is not usable.
    """
    refuse_unknown(request, OPTIONS)
    rules: tuple[SelectionRule, ...] = get_args(SelectionRule)
    flows: tuple[Kind, ...] = get_args(Kind)
    derive: tuple[Derive, ...] = get_args(Derive)
    engines: tuple[EngineName, ...] = get_args(EngineName)
    variants: tuple[Variant, ...] = get_args(Variant)
    return Recognition(
        request.name,
        request.data or find_data("casme2"),
        variant=variant(request, variants),
        selection=choice(request, "selection", rules) if "selection" in request.options else None,
        flow=choice(request, "flow", flows),
        derive_head=choice(request, "derive_head", derive),
        recogniser=_recogniser(request),
        recipe=choice(request, "recipe", RECIPES) if "recipe" in request.options else None,
        epochs=whole_number(request, "epochs", 1, most=MOST_TRAINING) if "epochs" in request.options else None,
        seeds=whole_number(request, "seeds", 1, most=MOST_TRAINING),
        workers=whole_number(request, "workers", 1, most=usable_cores()),
        engine=choice(request, "engine", engines),
    )


def _recogniser(request: ProtocolRequest) -> str:
    """Return the recogniser that is asked for.

    Raises:
        UsageError: there is none of that name.
    """
    name = request.options.get("recogniser", DEFAULT_RECOGNISER)
    return name if is_recogniser_name(name) else choice(request, "recogniser", recogniser_choices())


def _entry(name: str, summary: str, classes: Sequence[str]) -> ProtocolEntry:
    def scoring(stated: ProtocolCard) -> RecognitionScoring:
        variants: tuple[Variant, ...] = get_args(Variant)
        words = {
            "selection": SelectionRule,
            "flow": Kind,
            "derive_head": Derive,
        }
        for option, kind in words.items():
            stated_choice(stated, option, get_args(kind))
        for option in RECOGNISER_OPTIONS:
            stated_text(stated, option)
        for option in ("epochs", "seeds"):
            stated_number(stated, option)
        return RecognitionScoring(card_of(stated.id, stated_variant(stated, variants), stated.options), classes)

    return ProtocolEntry(
        summary,
        load,
        scoring,
        title=TITLES[name],
        task="recognition",
        variants=get_args(Variant),
        options=OPTIONS,
    )


casme2_5 = _entry("casme2_5", "CASME II: micro-expressions of 5 classes from onset-apex flow (paper, Table 4)", _FIVE)
casme2_3 = _entry("casme2_3", "CASME II: micro-expressions of 3 classes from onset-apex flow (paper, Table 4)", _THREE)
megc_casme2 = _entry(
    "megc_casme2", "CASME II: its part of the Micro-Expression Grand Challenge 2019", casme2.MEGC_CLASSES
)
