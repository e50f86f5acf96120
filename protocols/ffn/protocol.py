"""FacialFlowNet: facial, head and expression flow (paper, section 5.3, Table 2): docs/protocols/ffn.md."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from collections.abc import Sequence as Ordered
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ffbench.datasets.ffn import scan as ffn
from ffbench.datasets.ffn.dataset import card_ffn
from ffbench.datasets.ffn.files import FFNArrays, read_pair
from ffbench.datasets.registry import find_data
from ffbench.errors import UsageError
from ffbench.metrics.head_motion import Derive, fit_head_flow, native_head_flow_term
from ffbench.metrics.leakage import expression_in_head, head_in_expression
from ffbench.protocol import (
    Annotation,
    NumpyFlows,
    Option,
    Pair,
    PairScore,
    Protocol,
    ProtocolCard,
    ProtocolEntry,
    ProtocolRequest,
    Task,
    Term,
)
from ffbench.synth.heads.head import Region
from ffbench.typing import FlowField

from ..options import choice, one_of, refuse_unknown, stated_choice, stated_groups, stated_variant, variant
from ..rendered_people import people_labels
from .metrics import (
    LEAKAGE,
    OFFICIAL_METRICS,
    REGION_NAMES,
    FFNScoring,
    FFNSummary,
    Target,
    confidence_terms,
    mean_terms,
    metrics,
    official_terms,
)

VERSION = "1.0"
STABLE_REGIONS = (Region.FOREHEAD, Region.NOSE, Region.EARS, Region.SCALP)
"""What expressions move least; the fit is robust against the brows that wrinkle a forehead."""
INEXPRESSIVE_REGIONS = (Region.EARS, Region.SCALP, Region.NECK, Region.TORSO)
"""What expressions do not move at all; neck and torso do not move rigidly with the head either."""

GROUP_BY = ("scale", "emotion", "skin_tone", "age")
EARLIER_GROUP_BY = ("scale", "emotion")
"""Of records from before December 2026; no number of theirs is another one now."""

Variant = Literal["paper", "official"]
Confidence = Literal["native", "forward_backward"]

_TITLES: Mapping[Target, str] = {
    "facial": "FFN facial flow by motion scale",
    "head": "FFN head flow",
    "expression": "FFN expression flow",
}
_IDS: Mapping[Target, str] = {"facial": "ffn_motion_scale", "head": "ffn_head", "expression": "ffn_expression"}


def _card(
    target: Target, variant: Variant, options: Mapping[str, Option], group_by: tuple[str, ...] = GROUP_BY
) -> ProtocolCard:
    return ProtocolCard(
        id=_IDS[target],
        version=VERSION,
        title=_TITLES[target],
        variant=variant,
        primary="epe",
        metrics=OFFICIAL_METRICS if variant == "official" else metrics(target),
        group_by=group_by,
        # The pairs of a sequence share face, light and one motion that is cut into equal steps.
        resample_by="sequence",
        options={name: options[name] for name in _options(target) if name in options},
    )


def _variants(target: Target) -> tuple[Variant, ...]:
    return get_args(Variant) if target == "facial" else ("paper",)


def _options(target: Target) -> dict[str, str]:
    split = one_of(ffn.SPLITS)
    if target == "facial":
        return {"split": split, "confidence": f"{one_of(get_args(Confidence))}; variant paper"}
    return {"split": split, "derive_head": f"{one_of(get_args(Derive), 'rigid')}; for methods without head flow"}


class FFNFlow(FFNSummary, Protocol[FFNArrays]):
    """Dense errors of the facial, head or expression flow between consecutive frames."""

    # Every pair counts once, however many pixels its face has.
    fixed_weights = True

    def __init__(
        self,
        data: Path,
        target: Target = "facial",
        *,
        variant: Variant = "paper",
        split: str = "test",
        derive_head: Derive = "rigid",
        confidence: Confidence = "native",
    ) -> None:
        """Scan the split of the dataset at `data`.

        Args:
            data: the dataset's folder.
            target: the flow that is scored.
            variant: `paper`, or `official` for what the released code computes (facial flow only).
            split: `test`, `val` or `train`.
            derive_head: how a method with one flow gets a head flow: a fit to its facial flow, or none (it is zero).
            confidence: what orders pixels for AUSE: what a method itself gives, or forward-backward consistency for
                every method, which takes a second run of each (facial flow only).

        Raises:
            DataError: `data` does not hold FFN, or has no usable sequence.
        """
        found = ffn.scan(data, split, head=target != "facial")
        self._found = found
        self._pairs = {pair.key: pair for pair in found.pairs}
        self._target = self.scored_part = target
        self._official = variant == "official"
        self._derive_head = derive_head
        options: dict[str, Option] = {"split": split, "derive_head": derive_head}
        if confidence != "native":  # records from before there was the option do not state it
            options["confidence"] = confidence
        self.needs_backward = confidence == "forward_backward"
        self.card = _card(target, variant, options)
        self.dataset = card_ffn(found)

    def keys(self) -> Ordered[str]:
        """Name the pairs, such as `happy/0012/0001`: emotion, subject and first frame."""
        return list(self._pairs)

    def load(self, key: str) -> Pair[FFNArrays]:
        """Read the two frames and the labels of the first."""
        pair = self._pairs[key]
        arrays = read_pair(pair)
        labels = {
            "scale": pair.scale,
            "emotion": pair.emotion,
            "subject": pair.subject,
            "sequence": pair.sequence,
            **self._people.get(pair.sequence, {}),
        }
        return Pair(key, arrays.image1, arrays.image2, arrays, labels)

    @functools.cached_property
    def _people(self) -> Mapping[str, Mapping[str, str]]:
        return people_labels(self._found)

    def scored_flows(self, pair: Pair[FFNArrays], forward: NumpyFlows) -> NumpyFlows:
        """Return the flows with a head flow where it is scored: the method's own, or that which is derived."""
        if self._target == "facial" or forward.head is not None:
            return forward
        return replace(forward, head=self._derived_head(forward.facial, self._counted(pair.reference, forward)))

    @staticmethod
    def _counted(truth: FFNArrays, forward: NumpyFlows) -> FFNArrays:
        """Return the truth with a mask of the pixels that count: of a bundle only those that it was made from."""
        return truth if forward.exact is None else replace(truth, mask=truth.mask & forward.exact)

    def annotation(self, pair: Pair[FFNArrays]) -> Annotation:
        """Return the true flows, the mask and the regions."""
        truth = pair.reference
        return Annotation(truth.facial, truth.head, truth.mask, truth.region, REGION_NAMES)

    def score(self, pair: Pair[FFNArrays], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        """Compare the flow with the true one inside the mask, and head and expression with each other.

        Raises:
            DataError: the flow has values that are not finite.
        """
        truth = self._counted(pair.reference, forward)
        if self._official:
            terms = official_terms(forward.facial, truth.facial, truth.mask, forward.exact)
            return PairScore(pair.key, terms, pair.labels)
        if self._target == "facial":
            terms = mean_terms(forward.facial, truth.facial, truth)
            return PairScore(pair.key, {**terms, **confidence_terms(forward, backward, truth)}, pair.labels)
        head = self.scored_flows(pair, forward).head
        assert head is not None
        return PairScore(pair.key, self._part_terms(forward, head, truth), pair.labels)

    def _part_terms(self, forward: NumpyFlows, head: FlowField, truth: FFNArrays) -> dict[str, Term]:
        assert truth.head is not None
        expression = truth.facial - truth.head
        if self._target == "head":
            terms = mean_terms(head, truth.head, truth)
            leaks = expression_in_head(head, truth.head, expression, truth.mask)
        else:
            predicted = forward.facial - head
            terms = mean_terms(predicted, expression, truth)
            leaks = head_in_expression(predicted, truth.head, expression, truth.mask)
        names = list(LEAKAGE[self._target])
        return {
            **terms,
            names[0]: leaks[0],
            names[1]: leaks[1],
            "own_head": native_head_flow_term(forward.head),
        }

    def _derived_head(self, facial: FlowField, truth: FFNArrays) -> FlowField:
        if self._derive_head == "none":
            return np.zeros_like(facial)
        if truth.region is None:
            return fit_head_flow(facial, truth.mask, self._derive_head)
        fitted = fit_head_flow(facial, truth.mask, self._derive_head, np.isin(truth.region, STABLE_REGIONS))
        return np.where(np.isin(truth.region, INEXPRESSIVE_REGIONS)[..., None], facial, fitted)


def load(request: ProtocolRequest, target: Target) -> FFNFlow:
    """Build a protocol on `request.data`, or FFN in the data folder, or else the mini dataset.

    Raises:
        UsageError: an unknown option, value or variant.
        DataError: the dataset is not usable.
    """
    refuse_unknown(request, _options(target))
    derive: tuple[Derive, ...] = get_args(Derive)
    reading = variant(request, _variants(target))
    if reading == "official" and "confidence" in request.options:
        raise UsageError(f"{request.name}: the variant 'official' measures no confidence; leave out -o confidence=...")
    return FFNFlow(
        request.data or find_data("ffn"),
        target,
        variant=reading,
        split=choice(request, "split", ffn.SPLITS),
        derive_head=choice(request, "derive_head", derive, default="rigid"),
        confidence=choice(request, "confidence", get_args(Confidence)),
    )


def _entry(summary: str, target: Target) -> ProtocolEntry:
    def scoring(stated: ProtocolCard) -> FFNScoring:
        stated_choice(stated, "split", ffn.SPLITS)
        stated_choice(stated, "derive_head", get_args(Derive))
        stated_choice(stated, "confidence", ("forward_backward",))
        group_by = stated_groups(stated, GROUP_BY, EARLIER_GROUP_BY)
        card = _card(target, stated_variant(stated, _variants(target)), stated.options, group_by)
        return FFNScoring(card, fixed_weights=True)

    task: Task = "facial flow" if target == "facial" else "head and expression flow"
    return ProtocolEntry(
        summary,
        lambda request: load(request, target),
        scoring,
        title=_TITLES[target],
        task=task,
        scored_part=target,
        variants=_variants(target),
        options=_options(target),
    )


ffn_motion_scale = _entry("FFN: facial flow by motion scale (paper, Table 2)", "facial")
ffn_head = _entry("FFN: head flow, and the expression that leaks into it", "head")
ffn_expression = _entry("FFN: expression flow, and the head motion that is left in it", "expression")
