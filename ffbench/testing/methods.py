"""What a method must do beside being accurate."""

from __future__ import annotations

import torch

from ffbench.cards import MethodCard
from ffbench.errors import reason
from ffbench.flows import Flows
from ffbench.method import Method
from ffbench.testing.canary import canary_pair, try_canary
from ffbench.testing.checks import Check, Outcome, run_checks

SIZES = ((128, 160), (97, 131), (130, 90))
"""Height and width: padding is the method's affair, so odd ones too."""
MULTIPLES = (2, 4, 8, 16, 32, 64, 128)
"""What networks want sides to be multiples of."""
_SAME, _SAME_IN_BATCH = 1e-4, 1e-2
"""Px that flows of the same pair may differ by: alone, and in a batch, where sums are made in another order."""


def check_method(method: Method) -> list[Check]:
    """Check a method against its contract: sizes, repetition, batches, order, its card, and a known motion.

    Args:
        method: as `load_method` gives it.
    """
    return list(
        run_checks(
            {
                "any size": lambda: _sizes(method),
                "images stay as they are": lambda: _images_stay(method),
                "the same pair, the same flow": lambda: _repeats(method),
                "a batch as its pairs": lambda: _batch(method),
                "grey and uint8 images": lambda: _numpy(method),
                "card": lambda: _card(method),
                "weights": lambda: _weights(method),
                "known motion": lambda: try_canary(method),
            }
        )
    )


def _pair(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    first, second = (torch.nn.functional.interpolate(image, (height, width), mode="area") for image in canary_pair())
    return first, second


def _difference(one: Flows[torch.Tensor], other: Flows[torch.Tensor], row: int = 0) -> float:
    if (one.head is None) != (other.head is None):
        return float("inf")
    worst = float((one.facial[0] - other.facial[row]).abs().max())
    if one.head is not None and other.head is not None:
        worst = max(worst, float((one.head[0] - other.head[row]).abs().max()))
    return worst


def _sizes(method: Method) -> tuple[Outcome, str]:
    # `estimate` raises where shape or values are wrong.
    for size in SIZES:
        try:
            method.estimate(*_pair(*size))
        except Exception as error:  # whatever other people's code may raise
            return "wrong", f"{reason(error)} (images of {size[1]}x{size[0]}{_padding_hint(method, *size)})"
    return "ok", ", ".join(f"{width}x{height}" for height, width in SIZES)


def _padding_hint(method: Method, height: int, width: int) -> str:
    """Return what to pad to, where the method answers at the next multiple of some number."""
    for multiple in MULTIPLES:
        padded = -(-height // multiple) * multiple, -(-width // multiple) * multiple
        try:
            method.estimate(*_pair(*padded))
        except Exception:
            continue
        return (
            f"; {padded[1]}x{padded[0]} works: pad the images to a multiple of {multiple}, "
            "and cut the flow back to their size"
        )
    return ""


def _images_stay(method: Method) -> tuple[Outcome, str]:
    images = canary_pair()
    kept = [image.clone() for image in images]
    method.estimate(*images)
    if all(torch.equal(image, copy) for image, copy in zip(images, kept, strict=True)):
        return "ok", "the method writes into none of them"
    return "wrong", "the method writes into the images that it is given; work on a copy"


def _repeats(method: Method) -> tuple[Outcome, str]:
    pair, other = canary_pair(), _pair(*SIZES[1])
    first = method.estimate(*pair)
    method.estimate(*other)
    worst = _difference(first, method.estimate(*pair))
    if worst <= _SAME:
        return "ok", f"again, with another pair between: {worst:.1g} px apart"
    return "wrong", f"again, with another pair between: {worst:.2g} px apart; is the network in eval mode, or seeded?"


def _batch(method: Method) -> tuple[Outcome, str]:
    first, second = canary_pair()
    pairs = [(first, second), (second, first)]
    alone = [method.estimate(*pair) for pair in pairs]
    try:
        together = method.estimate(torch.cat([pair[0] for pair in pairs]), torch.cat([pair[1] for pair in pairs]))
    except Exception as error:
        return "wrong", (
            f"two pairs at once: {reason(error)}; each alone works: is a batch of one taken for granted somewhere?"
        )
    worst = max(_difference(flows, together, row) for row, flows in enumerate(alone))
    if worst <= _SAME_IN_BATCH:
        return "ok", f"two pairs at once: {worst:.1g} px apart"
    return "wrong", f"two pairs at once: {worst:.2g} px from each alone; does something run over the batch?"


def _numpy(method: Method) -> tuple[Outcome, str]:
    first, second = ((image[0, 0] * 255).round().byte().numpy() for image in canary_pair())
    flows = method.estimate(first, second)
    return "ok", f"a flow of {flows.facial.shape}"


def _card(method: Method) -> tuple[Outcome, str]:
    card = method.card
    if MethodCard.model_validate_json(card.model_dump_json()) != card:
        return "wrong", "the card does not survive JSON; use plain values for its options"
    return "ok", f"{card.title} ({card.id})"


def _weights(method: Method) -> tuple[Outcome, str]:
    weights = method.card.weights
    if weights is None:
        return "ok", "none"
    if weights.random:
        return "note", "random: a record with them is not ranked"
    if not weights.stated:
        return "note", "the method holds parameters and names no weights: a record is not ranked"
    return "ok", f"{weights.name} (SHA-256 {(weights.sha256 or '')[:8]})"
