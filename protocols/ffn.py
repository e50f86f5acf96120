"""FacialFlowNet: facial, head and expression flow (paper, section 5.3, Table 2): docs/protocols/ffn.md."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Ordered
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from ffbench.datasets import ffn
from ffbench.datasets.ffn_files import FFNArrays, read_pair
from ffbench.datasets.mini import default_dataset
from ffbench.metrics.dense import DENSE_METRICS, dense_terms, per_image
from ffbench.metrics.head_motion import Derive, fit_head_flow
from ffbench.metrics.leakage import expression_in_head, head_in_expression
from ffbench.protocol import (
    Annotation,
    DatasetCard,
    MetricCard,
    NumpyFlows,
    Pair,
    PairScore,
    Protocol,
    ProtocolCard,
    ProtocolEntry,
    ProtocolRequest,
    Term,
)
from ffbench.synth.head import Region

from .options import choice, refuse_unknown, variant

VERSION = "1.0"
REGION_NAMES = {int(region): region.name.lower() for region in Region if region != Region.BACKGROUND}
STABLE_REGIONS = (Region.FOREHEAD, Region.NOSE, Region.EARS, Region.SCALP)
"""What expressions move least; the fit is robust against the brows that wrinkle a forehead."""
INEXPRESSIVE_REGIONS = (Region.EARS, Region.SCALP, Region.NECK, Region.TORSO)
"""What expressions do not move at all; neck and torso do not move rigidly with the head either."""

Target = Literal["facial", "head", "expression"]
Variant = Literal["paper", "official"]
FlowField = npt.NDArray[np.float32]

_FOLDERS = ("FFN", "FacialFlowNet", "ffn")
_OWN_HEAD = MetricCard(title="pairs whose head flow the method itself gave", unit="%", higher_is_better=True)
_LEAKAGE: Mapping[Target, Mapping[str, MetricCard]] = {
    "facial": {},
    "head": {
        "expression_in_head": MetricCard(title="factor of the expression in the head flow (0 is best)", unit="1"),
        "expression_energy_in_head": MetricCard(title="energy of the expression in the head flow", unit="%", minimum=0),
        "own_head": _OWN_HEAD,
    },
    "expression": {
        "head_in_expression": MetricCard(title="factor of the head flow in the expression flow (0 is best)", unit="1"),
        "head_energy_in_expression": MetricCard(
            title="energy of the head flow in the expression flow", unit="%", minimum=0
        ),
        "own_head": _OWN_HEAD,
    },
}
_OFFICIAL_METRICS = {
    "epe": MetricCard(title="endpoint errors of the whole image over mask pixels", unit="px", minimum=0),
    **{
        f"below_{pixels}px": MetricCard(
            title=f"pixels of the whole image off by less than {pixels} px, over mask pixels",
            unit="%",
            higher_is_better=True,
            minimum=0,
        )
        for pixels in (1, 3, 5)
    },
}
_TITLES: Mapping[Target, str] = {
    "facial": "FFN facial flow by motion scale",
    "head": "FFN head flow",
    "expression": "FFN expression flow",
}
_IDS: Mapping[Target, str] = {"facial": "ffn_motion_scale", "head": "ffn_head", "expression": "ffn_expression"}


class FFNFlow(Protocol[FFNArrays]):
    """Dense errors of the facial, head or expression flow between consecutive frames."""

    def __init__(
        self,
        data: Path,
        target: Target = "facial",
        *,
        variant: Variant = "paper",
        split: str = "test",
        derive_head: Derive = "none",
    ) -> None:
        """Scan the split of the dataset at `data`.

        Args:
            data: the dataset's folder.
            target: the flow that is scored.
            variant: `paper`, or `official` for what the released code computes (facial flow only).
            split: `test`, `val` or `train`.
            derive_head: how a method with one flow gets a head flow: none (it is zero), or a fit to its facial flow.

        Raises:
            DataError: `data` does not hold FFN, or has no usable sequence.
        """
        found = ffn.scan(data, split, head=target != "facial")
        self._pairs = {pair.key: pair for pair in found.pairs}
        self._target = target
        self._official = variant == "official"
        self._derive_head = derive_head
        options: dict[str, str | int | float | bool] = {"split": split}
        if target != "facial":
            options["derive_head"] = derive_head
        self.card = ProtocolCard(
            id=_IDS[target],
            version=VERSION,
            title=_TITLES[target],
            variant=variant,
            primary="epe",
            metrics=_OFFICIAL_METRICS if self._official else {**DENSE_METRICS, **_LEAKAGE[target]},
            group_by=("scale", "emotion"),
            # The pairs of a sequence share face, light and one motion that is cut into equal steps.
            resample_by="sequence",
            options=options,
        )
        self.dataset = _dataset_card(found)

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
        }
        return Pair(key, arrays.image1, arrays.image2, arrays, labels)

    def annotation(self, pair: Pair[FFNArrays]) -> Annotation:
        """Give the true flows, the mask and the regions."""
        truth = pair.reference
        return Annotation(truth.facial, truth.head, truth.mask, truth.region, REGION_NAMES)

    def score(self, pair: Pair[FFNArrays], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        """Hold the flow against the true one inside the mask, and head and expression against each other.

        Raises:
            DataError: the flow has values that are not finite.
        """
        truth = pair.reference
        if forward.exact is not None:
            truth = replace(truth, mask=truth.mask & forward.exact)
        if self._official:
            terms = official_terms(forward.facial, truth.facial, truth.mask, forward.exact)
            return PairScore(pair.key, terms, pair.labels)
        if self._target == "facial":
            return PairScore(pair.key, _mean_terms(forward.facial, truth.facial, truth), pair.labels)
        return PairScore(pair.key, self._part_terms(forward, truth), pair.labels)

    def _part_terms(self, forward: NumpyFlows, truth: FFNArrays) -> dict[str, Term]:
        assert truth.head is not None
        head = self._derived_head(forward.facial, truth) if forward.head is None else forward.head
        expression = truth.facial - truth.head
        if self._target == "head":
            terms = _mean_terms(head, truth.head, truth)
            leaks = expression_in_head(head, truth.head, expression, truth.mask)
        else:
            predicted = forward.facial - head
            terms = _mean_terms(predicted, expression, truth)
            leaks = head_in_expression(predicted, truth.head, expression, truth.mask)
        names = list(_LEAKAGE[self._target])
        return {
            **terms,
            names[0]: leaks[0],
            names[1]: leaks[1],
            "own_head": Term(0.0 if forward.head is None else 100.0, 1.0),
        }

    def _derived_head(self, facial: FlowField, truth: FFNArrays) -> FlowField:
        if self._derive_head == "none":
            return np.zeros_like(facial)
        if truth.region is None:
            return fit_head_flow(facial, truth.mask, self._derive_head)
        fitted = fit_head_flow(facial, truth.mask, self._derive_head, np.isin(truth.region, STABLE_REGIONS))
        return np.where(np.isin(truth.region, INEXPRESSIVE_REGIONS)[..., None], facial, fitted)


def official_terms(
    prediction: FlowField, truth: FlowField, mask: npt.NDArray[np.bool_], exact: npt.NDArray[np.bool_] | None = None
) -> dict[str, Term]:
    """Compute what the released evaluation computes: sums over ALL pixels, divided by the number of mask pixels.

    The shares of pixels below 1, 3 and 5 px are made in the same way and pass 100 % where the background is right.
    Each term is the value of the image with a count of 1: the code takes the mean over images. Where only some pixels
    of the prediction are `exact`, the sums and the number are of those alone.
    """
    error = np.sqrt(((prediction.astype(np.float64) - truth) ** 2).sum(axis=2))
    if exact is not None:
        error = error[exact]
    pixels = np.count_nonzero(mask)
    if not pixels:  # of a small mask no pixel need be exact
        return {name: Term(0.0, 0.0) for name in _OFFICIAL_METRICS}
    return {
        "epe": Term(float(error.sum()) / pixels, 1.0),
        **{
            f"below_{threshold}px": Term(100.0 * np.count_nonzero(error < threshold) / pixels, 1.0)
            for threshold in (1, 3, 5)
        },
    }


def _mean_terms(prediction: FlowField, true_flow: FlowField, truth: FFNArrays) -> dict[str, Term]:
    return per_image(
        dense_terms(
            prediction,
            true_flow,
            truth.mask,
            regions=truth.region,
            region_names=REGION_NAMES,
            occluded=truth.occlusion,
        )
    )


def load(request: ProtocolRequest, target: Target) -> FFNFlow:
    """Build a protocol on `request.data`, or FFN in the data folder, or else the mini dataset.

    Raises:
        UsageError: an unknown option, value or variant.
        DataError: the dataset is not usable.
    """
    refuse_unknown(request, ("split",) if target == "facial" else ("split", "derive_head"))
    variants: tuple[Variant, ...] = get_args(Variant) if target == "facial" else ("paper",)
    derive: tuple[Derive, ...] = get_args(Derive)
    return FFNFlow(
        request.data or default_dataset(_FOLDERS, "ffn"),
        target,
        variant=variant(request, variants),
        split=choice(request, "split", ffn.SPLITS),
        derive_head=choice(request, "derive_head", derive),
    )


def _dataset_card(found: ffn.FFN) -> DatasetCard:
    lengths = list(found.sequences().values())
    facts = {"pairs": float(len(found.pairs)), "sequences": float(len(lengths))}
    facts |= {f"sequences_1/{length}": float(lengths.count(length)) for length in sorted(set(lengths))}
    if found.synthetic:
        return DatasetCard(
            name="FFN mini",
            origin="synthetic",
            reference="ground truth",
            reference_note=f"heads of ffbench's face engine in the layout of FacialFlowNet, {found.split} split",
            manifest_sha256=found.manifest_sha256(),
            problems=found.problems,
            facts=facts,
        )
    return DatasetCard(
        name="FFN",
        origin="real",
        reference="ground truth",
        reference_note=(
            f"FacialFlowNet as distributed: rendered heads with flows from the renderer; {found.split} split, "
            f"{len(found.pairs)} of the paper's {ffn.OFFICIAL_PAIRS[found.split]} pairs"
        ),
        manifest_sha256=found.manifest_sha256(),
        problems=found.problems,
        facts={**facts, "official_pairs": float(ffn.OFFICIAL_PAIRS[found.split])},
    )


ffn_motion_scale = ProtocolEntry(
    "FFN: facial flow by motion scale (paper, Table 2)", lambda request: load(request, "facial")
)
ffn_head = ProtocolEntry("FFN: head flow, and the expression that leaks into it", lambda request: load(request, "head"))
ffn_expression = ProtocolEntry(
    "FFN: expression flow, and the head motion that is left in it", lambda request: load(request, "expression")
)
