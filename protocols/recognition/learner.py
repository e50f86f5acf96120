"""The recogniser of a protocol: how it is asked for, and what a card says of it."""

from __future__ import annotations

from ffbench.errors import UsageError
from ffbench.protocol import Option
from ffbench.recogniser import RecogniserRequest
from ffbench.recogniser_registry import LoadedRecogniser, load_recogniser

DEFAULT_RECOGNISER = "roi"
RECOGNISER_OPTIONS = ("recogniser", "recogniser_code", "recogniser_package", "recipe")
"""What a card says of what learns: its name, the hash of the user's own code or the package, and how it is set up."""
LEARNING_OPTIONS = ("flow", "derive_head", *RECOGNISER_OPTIONS, "epochs", "seeds")
"""All that a card says of what is learnt from, what learns and how."""


def load_learner(name: str, classes: int, epochs: int | None, recipe: str | None, synthetic: bool) -> LoadedRecogniser:
    """Return a recogniser.

    Args:
        name: an installed recogniser, or `FILE.py:CLASS`.
        classes: how many it is to tell apart.
        epochs: how long it learns; None for its own number.
        recipe: how `mmnet` learns; None for the one that fits the data.
        synthetic: whether the data are.

    Raises:
        UsageError: an unknown recogniser, or a recipe or epochs for one that has none.
        MethodError: it cannot be loaded.
    """
    if recipe and name != "mmnet":
        raise UsageError(f"recipe={recipe} is of recogniser=mmnet; '{name}' has none")
    return load_recogniser(RecogniserRequest(name, classes, epochs, recipe, synthetic))


def facts_of(recogniser: LoadedRecogniser) -> dict[str, Option]:
    """Return what a card says of a recogniser: those of `RECOGNISER_OPTIONS` that it has."""
    facts = {
        "recogniser": recogniser.id,
        "recogniser_code": recogniser.code_sha256 and recogniser.code_sha256[:16],
        "recogniser_package": recogniser.package,
        "recipe": recogniser.recipe_name,
    }
    return {**{name: fact for name, fact in facts.items() if fact}, "epochs": recogniser.epochs}
