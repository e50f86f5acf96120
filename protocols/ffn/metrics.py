"""What the protocols on FacialFlowNet measure of a pair, and how that becomes the numbers of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from ffbench.datasets.ffn.files import FFNArrays
from ffbench.flow.checks import is_known
from ffbench.flow.confidence import forward_backward_confidence
from ffbench.metrics.dense.buckets import BUCKET_METRICS, METRIC, bucket_terms, summarize_buckets
from ffbench.metrics.dense.errors import DENSE_METRICS, dense_terms, per_image
from ffbench.metrics.dense.gradients import GRADIENT_METRIC, gradient_noise_term
from ffbench.metrics.dense.sparsification import SPARSIFICATION_METRICS, sparsification_terms
from ffbench.metrics.head_motion import NATIVE_HEAD_FLOW
from ffbench.metrics.statistics.summary import summarize_means
from ffbench.protocol import MetricCard, NumpyFlows, PairScore, Score, Scoring, StatedScoring, Term
from ffbench.synth.heads.head import Region
from ffbench.typing import FlowField

REGION_NAMES = {int(region): region.name.lower() for region in Region if region != Region.BACKGROUND}
SKIN = (Region.FOREHEAD, Region.CHEEKS, Region.CHIN)
"""Where flow is smooth but for the brows and what the lips fold: the gradient of its error is noise."""

Target = Literal["facial", "head", "expression"]

LEAKAGE: Mapping[Target, Mapping[str, MetricCard]] = {
    "facial": {},
    "head": {
        "expression_in_head": MetricCard(title="factor of the expression in the head flow (0 is best)", unit="1"),
        "expression_energy_in_head": MetricCard(title="energy of the expression in the head flow", unit="%", minimum=0),
        "own_head": NATIVE_HEAD_FLOW,
    },
    "expression": {
        "head_in_expression": MetricCard(title="factor of the head flow in the expression flow (0 is best)", unit="1"),
        "head_energy_in_expression": MetricCard(
            title="energy of the head flow in the expression flow", unit="%", minimum=0
        ),
        "own_head": NATIVE_HEAD_FLOW,
    },
}
OFFICIAL_METRICS = {
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
PART_METRICS = {**DENSE_METRICS, **BUCKET_METRICS, "gradient_noise": GRADIENT_METRIC}
"""What is measured of facial, head and expression flow alike."""


def metrics(target: Target) -> dict[str, MetricCard]:
    """Return the metrics of the variant `paper`."""
    own = SPARSIFICATION_METRICS if target == "facial" else LEAKAGE[target]
    return {**PART_METRICS, **own}


class FFNSummary(Scoring):
    """Means over pairs, and the bucket-normalised error, which is no mean over pairs."""

    def summarize(self, scores: Sequence[PairScore]) -> list[Score]:
        """Turn the scores of all pairs into the numbers of the record. Pure, and blind to the order of `scores`."""
        cells = f"{METRIC}/"
        others = [replace(s, terms={k: v for k, v in s.terms.items() if not k.startswith(cells)}) for s in scores]
        by, unit = self.card.group_by, self.card.resample_by
        summary = summarize_means(others, self.card.metrics, group_by=by, resample_by=unit)
        bounds = self.card.metrics.get(METRIC)
        return [*summary, *summarize_buckets(scores, bounds=bounds, group_by=by, resample_by=unit)]


class FFNScoring(FFNSummary, StatedScoring):
    """The scoring by what a record's card states."""


def mean_terms(prediction: FlowField, true_flow: FlowField, truth: FFNArrays) -> dict[str, Term]:
    """Measure one of the flows of a pair: dense errors as means of the image, errors by bucket, noise of gradients.

    Raises:
        DataError: the prediction has values that are not finite.
    """
    regions, mask = truth.region, truth.mask
    dense = dense_terms(
        prediction, true_flow, mask, regions=regions, region_names=REGION_NAMES, occluded=truth.occlusion
    )
    terms = {**per_image(dense), **bucket_terms(prediction, true_flow, mask, regions, REGION_NAMES)}
    if regions is not None:
        terms["gradient_noise"] = gradient_noise_term(prediction, true_flow, mask & np.isin(regions, SKIN))
    return terms


def confidence_terms(forward: NumpyFlows, backward: NumpyFlows | None, truth: FFNArrays) -> dict[str, Term]:
    """Measure how well confidence in a facial flow orders the pixels of the mask by their error.

    Args:
        forward: the flow, and the method's own confidence if it gives one.
        backward: the flow from image 2 to image 1; where there is one, forward-backward consistency stands in for the
            method's own confidence.
        truth: of the pair.
    """
    confidence = forward.confidence
    if backward is not None:
        confidence = forward_backward_confidence(forward.facial, backward.facial)
    if confidence is None:
        return {}
    counted = truth.mask & is_known(truth.facial)
    difference = forward.facial[counted].astype(np.float64) - truth.facial[counted]
    return sparsification_terms(np.hypot(difference[:, 0], difference[:, 1]), confidence[counted])


def official_terms(
    prediction: FlowField, truth: FlowField, mask: npt.NDArray[np.bool_], exact: npt.NDArray[np.bool_] | None = None
) -> dict[str, Term]:
    """Compute what the released evaluation computes: sums over ALL pixels, divided by the number of mask pixels.

    The shares of pixels below 1, 3 and 5 px are made in the same way and pass 100 % where the background is right. A
    pixel whose true flow is not known is in none of them. Each term is the value of the image with a count of 1: the
    code takes the mean over images. Where only some pixels of the prediction are `exact`, the sums and the number are
    of those alone.
    """
    error = np.sqrt(((prediction.astype(np.float64) - truth) ** 2).sum(axis=2))
    error = error[is_known(truth) if exact is None else is_known(truth) & exact]
    pixels = np.count_nonzero(mask)
    if not pixels:  # of a small mask no pixel need be exact
        return {name: Term(0.0, 0.0) for name in OFFICIAL_METRICS}
    return {
        "epe": Term(float(error.sum()) / pixels, 1.0),
        **{
            f"below_{threshold}px": Term(100.0 * np.count_nonzero(error < threshold) / pixels, 1.0)
            for threshold in (1, 3, 5)
        },
    }
