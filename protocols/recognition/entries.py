"""What may be asked of the recognition protocols, and their entries."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict, get_args

from ffbench.datasets.casme2 import scan as casme2
from ffbench.datasets.casme2.coding import SelectionRule
from ffbench.datasets.registry import find_data
from ffbench.engines import EngineName
from ffbench.errors import UsageError
from ffbench.metrics.head_motion import Derive
from ffbench.microexpressions.flow_choice import Kind
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
from .clips import CASME2_TASKS, OWN, TASKS, ClassRule
from .learner import DEFAULT_RECOGNISER, RECOGNISER_OPTIONS
from .protocol import CLASS_MARK, TITLES, Recognition, Variant, card_of
from .scores import RecognitionScoring
from .shift import MOST_SHIFT

MOST_TRAINING = 10_000
"""The most epochs, and the most seeds."""
RECIPES = ("released", "main_branch")
"""Of MMNet, the one recogniser that has several."""
_OWN_RECOGNISER = "FILE.py:CLASS"


def recogniser_choices() -> tuple[str, ...]:
    """Return what may be named as a recogniser: what is installed, the default first, or a class of the user's own."""
    others = [name for name in recogniser_names() if name != DEFAULT_RECOGNISER]
    return (DEFAULT_RECOGNISER, *others, _OWN_RECOGNISER)


MOST_CLASSES = 100
OPTIONS = {
    "flow": one_of(get_args(Kind)),
    "derive_head": f"{one_of(get_args(Derive))}; for methods without head flow",
    "shift": f"{a_number(None, MOST_SHIFT)}: frames by which onset and apex are moved at most; default: none",
    "recogniser": one_of(recogniser_choices()),
    "recipe": f"{one_of(RECIPES, '')}; of recogniser=mmnet",
    "epochs": f"{a_number(None, MOST_TRAINING)}; default: that of the classifier",
    "seeds": a_number(1, MOST_TRAINING),
    "workers": f"{a_number(1, usable_cores())}, processes that learn at once",
    "engine": one_of(get_args(EngineName)),
}
CASME2_OPTIONS = {**OPTIONS, "selection": f"{one_of(get_args(SelectionRule), '')}; default: that of the variant"}
OWN_OPTIONS = {**OPTIONS, "classes": f"{one_of(get_args(ClassRule))}; three: those of MEGC 2019"}

_FIVE, _THREE = (tuple(dict.fromkeys(classes.values())) for classes in (casme2.FIVE, casme2.THREE))


def load(request: ProtocolRequest) -> Recognition:
    """Build the protocol on `request.data`, or its dataset in the data folder, or else the mini dataset.

    Raises:
        UsageError: an unknown option, value or variant; or the dataset is not there and has no mini dataset.
        MethodError: the recogniser cannot be loaded.
        DataError: the dataset is not usable.
    """
    refuse_unknown(request, options_of(request.name))
    rules: tuple[SelectionRule, ...] = get_args(SelectionRule)
    variants: tuple[Variant, ...] = get_args(Variant)
    class_rules: tuple[ClassRule, ...] = get_args(ClassRule)
    named = functools.partial(
        Recognition,
        request.name,
        variant=variant(request, variants),
        selection=choice(request, "selection", rules) if "selection" in request.options else None,
        classes=choice(request, "classes", class_rules),
        shift=whole_number(request, "shift", 1, most=MOST_SHIFT) if "shift" in request.options else 0,
        **learning_arguments(request),
    )
    # A misspelt option is said before a dataset that is not there.
    return named(request.data or find_data(_dataset_of(request.name)))


def options_of(name: str) -> dict[str, str]:
    """Return what may be asked of a protocol."""
    return CASME2_OPTIONS if name in CASME2_TASKS else OWN_OPTIONS if name == OWN else OPTIONS


def _dataset_of(name: str) -> str:
    return "casme2" if name in CASME2_TASKS else TASKS[name].dataset


def recogniser_of(request: ProtocolRequest) -> str:
    """Return the recogniser that is asked for.

    Raises:
        UsageError: there is none of that name.
    """
    name = request.options.get("recogniser", DEFAULT_RECOGNISER)
    return name if is_recogniser_name(name) else choice(request, "recogniser", recogniser_choices())


class LearningArguments(TypedDict):
    """What is learnt from, what learns and how: arguments that all protocols with a recogniser take."""

    flow: Kind
    derive_head: Derive
    recogniser: str
    recipe: str | None
    epochs: int | None
    seeds: int
    workers: int
    engine: EngineName


def learning_arguments(request: ProtocolRequest) -> LearningArguments:
    """Return these arguments as the options ask for them.

    Raises:
        UsageError: an unknown value.
    """
    flows: tuple[Kind, ...] = get_args(Kind)
    derive: tuple[Derive, ...] = get_args(Derive)
    engines: tuple[EngineName, ...] = get_args(EngineName)
    return {
        "flow": choice(request, "flow", flows),
        "derive_head": choice(request, "derive_head", derive),
        "recogniser": recogniser_of(request),
        "recipe": choice(request, "recipe", RECIPES) if "recipe" in request.options else None,
        "epochs": whole_number(request, "epochs", 1, most=MOST_TRAINING) if "epochs" in request.options else None,
        "seeds": whole_number(request, "seeds", 1, most=MOST_TRAINING),
        "workers": whole_number(request, "workers", 1, most=usable_cores()),
        "engine": choice(request, "engine", engines),
    }


def check_stated_learning(stated: ProtocolCard) -> None:
    """Check what a record's card states of what is learnt from, what learns and how.

    Raises:
        UsageError: a value that no protocol with a recogniser states.
    """
    stated_choice(stated, "flow", get_args(Kind))
    stated_choice(stated, "derive_head", get_args(Derive))
    for option in RECOGNISER_OPTIONS:
        stated_text(stated, option)
    for option in ("epochs", "seeds"):
        stated_number(stated, option)


def _stated_classes(stated: ProtocolCard, known: Sequence[str] | None) -> Sequence[str]:
    """Return the classes of a protocol, or those that a record's card states of a dataset of the user's own.

    Raises:
        UsageError: it states none, one, or one twice.
    """
    if known is not None:
        return known
    said = stated.options.get("classes")
    classes = said.split(CLASS_MARK) if isinstance(said, str) else []
    if not 2 <= len(classes) <= MOST_CLASSES or not all(classes) or len(set(classes)) < len(classes):
        raise UsageError(
            f"{stated.id}: option 'classes' is {said!r}, expected 2 to {MOST_CLASSES} names with / between"
        )
    return classes


def _entry(name: str, summary: str, classes: Sequence[str] | None) -> ProtocolEntry:
    def scoring(stated: ProtocolCard) -> RecognitionScoring:
        variants: tuple[Variant, ...] = get_args(Variant)
        stated_choice(stated, "selection", get_args(SelectionRule))
        check_stated_learning(stated)
        stated_text(stated, "shift_frames")
        stated_number(stated, "shift")
        card = card_of(stated.id, stated_variant(stated, variants), stated.options)
        return RecognitionScoring(card, _stated_classes(stated, classes))

    return ProtocolEntry(
        summary,
        load,
        scoring,
        title=TITLES[name],
        task="recognition",
        variants=get_args(Variant),
        options=options_of(name),
    )


def _task_entry(name: str, summary: str) -> ProtocolEntry:
    known = TASKS[name].classes
    classes = None if known is None else tuple(dict.fromkeys(of for of in known.values() if of is not None))
    return replace(_entry(name, summary, classes), needs_data=not TASKS[name].mini)


casme2_5 = _entry("casme2_5", "CASME II: micro-expressions of 5 classes from onset-apex flow (paper, Table 4)", _FIVE)
casme2_3 = _entry("casme2_3", "CASME II: micro-expressions of 3 classes from onset-apex flow (paper, Table 4)", _THREE)
megc_casme2 = _entry(
    "megc_casme2", "CASME II: its part of the Micro-Expression Grand Challenge 2019", casme2.MEGC_CLASSES
)
megc2019 = _task_entry("megc2019", "MEGC 2019: CASME II, SMIC-HS and SAMM in 3 classes, 68 subjects left out in turn")
samm_5 = _task_entry("samm_5", "SAMM: micro-expressions of 5 classes from onset-apex flow")
smic_hs = _task_entry("smic_hs", "SMIC-HS: 3 classes of micro-expressions; the middle frame stands for the apex")
casme3_7 = _task_entry("casme3_7", "CAS(ME)^3 part A: micro-expressions of 7 classes from onset-apex flow")
mmew_7 = _task_entry("mmew_7", "MMEW: micro-expressions of 7 classes from onset-apex flow")
own_clips = _task_entry("own_clips", "clips of your own, listed in clips.csv: micro-expressions from onset-apex flow")
