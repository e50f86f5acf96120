"""CK+ landmarks (paper, section 5.4, Eq. 6, the CK+(L.) rows of Tables 3 and 5): docs/protocols/ck_landmarks.md."""

from __future__ import annotations

from collections.abc import Sequence as Ordered
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.datasets.ck_plus import scan as ck_plus
from ffbench.datasets.ck_plus.dataset import card_ck_plus
from ffbench.datasets.images import read_image
from ffbench.datasets.registry import find_data
from ffbench.errors import DataError
from ffbench.flow.sampling import sample_flow
from ffbench.metrics.landmarks import endpoint_errors, error_terms, nonrigid_errors
from ffbench.protocol import (
    Annotation,
    MetricCard,
    NumpyFlows,
    Pair,
    PairScore,
    Protocol,
    ProtocolCard,
    ProtocolEntry,
    ProtocolRequest,
    StatedScoring,
    Term,
)

from ..options import refuse_unknown, stated_variant, variant

VERSION = "1.0"
OUTLIER_PX = 3.0
_PARTS = {"jaw": (0, 17), "brows": (17, 27), "nose": (27, 36), "eyes": (36, 48), "lips": (48, 68)}
GROUPS = {name: np.isin(np.arange(ck_plus.LANDMARKS), np.arange(*bounds)) for name, bounds in _PARTS.items()}
"""Members of each face part among the 68 iBUG landmarks."""


@dataclass(frozen=True)
class Landmarks:
    """The 68 landmarks in both images, (68, 2) float64: x and y in px."""

    first: npt.NDArray[np.float64]
    last: npt.NDArray[np.float64]


class CKLandmarks(Protocol[Landmarks]):
    """Endpoint error of the flow from first to last frame at the 68 landmarks of the first."""

    card = ProtocolCard(
        id="ck_landmarks",
        version=VERSION,
        title="CK+ landmarks",
        primary="epe",
        metrics={
            "epe": MetricCard(title="endpoint error", unit="px", minimum=0),
            "epe_nonrigid": MetricCard(title="endpoint error, non-rigid", unit="px", minimum=0),
            "outliers_3px": MetricCard(title="landmarks off by more than 3 px", unit="%", minimum=0, maximum=100),
            "landmarks_inside": MetricCard(
                title="landmarks that count", unit="%", higher_is_better=True, minimum=0, maximum=100
            ),
        },
        group_by=("emotion", "subject"),
        # One person's sequences share face, light and camera.
        resample_by="subject",
    )
    fixed_weights = True

    def __init__(self, data: Path) -> None:
        """Scan the dataset at `data`.

        Raises:
            DataError: `data` does not hold CK+ or has no usable sequence.
        """
        found = ck_plus.scan(data)
        self._sequences = {sequence.name: sequence for sequence in found.sequences}
        self.dataset = card_ck_plus(found)

    def keys(self) -> Ordered[str]:
        """Name the sequences, such as `S005_001`."""
        return list(self._sequences)

    def load(self, key: str) -> Pair[Landmarks]:
        """Read first and last frame of a sequence and their landmarks."""
        sequence = self._sequences[key]
        labels = {"subject": sequence.subject}
        if sequence.emotion is not None:
            labels["emotion"] = sequence.emotion
        return Pair(
            key,
            read_image(sequence.first_image),
            read_image(sequence.last_image),
            Landmarks(
                ck_plus.read_landmarks(sequence.first_landmarks), ck_plus.read_landmarks(sequence.last_landmarks)
            ),
            labels,
        )

    def annotation(self, pair: Pair[Landmarks]) -> Annotation:
        """Return the landmarks."""
        return Annotation(first=pair.reference.first, second=pair.reference.last)

    def score(self, pair: Pair[Landmarks], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        """Compare the facial flow at the first frame's landmarks with where they went (Eq. 6, sign corrected).

        Raises:
            DataError: the flow is unknown at a landmark inside the image.
        """
        points, displacement = pair.reference.first, pair.reference.last - pair.reference.first
        height, width = pair.image1.shape[:2]
        inside = np.all((points >= 0) & (points <= (width - 1, height - 1)), axis=1)
        predicted, known = sample_flow(forward.facial, points)
        if not known[inside].all():
            raise DataError(
                f"{pair.key}: the flow is unknown at {int((inside & ~known).sum())} landmarks inside the image; "
                "a flow must have a value at every pixel"
            )
        errors = endpoint_errors(predicted, displacement)
        terms = error_terms("epe", errors, inside, GROUPS)
        if inside.sum() >= 3:
            residual = np.full(len(points), np.nan)
            residual[inside] = nonrigid_errors(points[inside], predicted[inside], displacement[inside])
            terms |= error_terms("epe_nonrigid", residual, inside, GROUPS)
        terms |= error_terms("outliers_3px", np.where(errors > OUTLIER_PX, 100.0, 0.0), inside, GROUPS)
        terms["landmarks_inside"] = Term(100.0 * float(inside.sum()), float(len(points)))
        return PairScore(pair.key, terms, pair.labels)


def load(request: ProtocolRequest) -> CKLandmarks:
    """Build the protocol on `request.data`, or CK+ in the data folder, or else the mini dataset.

    Raises:
        UsageError: an option or variant; the protocol has none.
        DataError: the dataset is not usable.
    """
    refuse_unknown(request, ())
    variant(request, ["paper"])
    return CKLandmarks(request.data or find_data("ck_plus"))


def _scoring(stated: ProtocolCard) -> StatedScoring:
    stated_variant(stated, ["paper"])
    return StatedScoring(CKLandmarks.card, fixed_weights=True)


entry = ProtocolEntry(
    "CK+: flow from onset to apex at 68 landmarks (paper, Table 3)",
    load,
    _scoring,
    title=CKLandmarks.card.title,
    variants=("paper",),
    task="points on the face",
)
