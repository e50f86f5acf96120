"""Variant `temporal` of `clip_landmarks`: how steady flow is over the neighboring frames of real clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.flow.checks import is_known
from ffbench.io.archives.member_path import DatasetPath
from ffbench.metrics.photometric import hull_mask, photometric_term
from ffbench.metrics.temporal import JITTER_FRAMES, carried, chained, jitter_term
from ffbench.protocol import (
    Annotation,
    DescribedPair,
    LearningProtocol,
    MetricCard,
    NumpyFlows,
    Pair,
    PairScore,
    Progress,
    ProtocolCard,
    Term,
)
from ffbench.typing import FlowField, Points

from .clip_tracks import FacePoints, FramePair, clips_card, find_pairs

VERSION = "1.0"
BLOCK = 20
"""Frames of a stretch of time whose pairs are one unit of confidence intervals, as in the variant `standard`."""
MARGIN = 16
"""Added to the box of the landmarks on each side, px: what is kept of a flow."""
_METRICS = {
    "warping_error": MetricCard(title="colour difference along three frames", unit="grey levels", minimum=0),
    "flow_jitter": MetricCard(title="jitter of points that the flow carries", unit="px", minimum=0),
    "tracks_kept": MetricCard(
        title="points carried through five frames", unit="%", higher_is_better=True, minimum=0, maximum=100
    ),
}


def temporal_card() -> ProtocolCard:
    """Return the card of the variant."""
    return ProtocolCard(
        id="clip_landmarks",
        version=VERSION,
        title="steadiness of flow in real clips",
        variant="temporal",
        primary="warping_error",
        metrics=_METRICS,
        group_by=("clip",),
        resample_by="block",
    )


class ClipTemporal(LearningProtocol[FacePoints]):
    """Flows of neighboring frames, chained: three frames for colors, five for the jitter of points."""

    def __init__(self, clips: Sequence[DatasetPath], name: str) -> None:
        """Track the face through the clips.

        Raises:
            DataError: no clip can be used. Of several clips, those that cannot are named as problems.
        """
        self.card = temporal_card()
        why = "expected at least 3: the colors of a point are compared along three frames"
        found = find_pairs(clips, name, (1,), 1, least=3, why=why)
        self._pairs = found.pairs
        self._at = {(pair.tracked.clip.name, pair.start): key for key, pair in found.pairs.items()}
        self.dataset = clips_card(found)

    def keys(self) -> Sequence[str]:
        """Name the pairs, such as `talk.mp4/00010-00011`."""
        return list(self._pairs)

    def load(self, key: str) -> Pair[FacePoints]:
        """Read the two frames of a pair."""
        pair = self._pairs[key]
        clip, points = pair.tracked.clip, pair.tracked.points
        labels = {"clip": clip.name, "block": f"{clip.name}/{pair.start // BLOCK:05d}"}
        reference = FacePoints(points[pair.start], points[pair.start + 1])
        return Pair(key, clip.frame(pair.start), clip.frame(pair.start + 1), reference, labels)

    def annotation(self, pair: Pair[FacePoints]) -> Annotation:
        """Return the landmarks."""
        return Annotation(first=pair.reference.first, second=pair.reference.second)

    def score(self, pair: Pair[FacePoints], forward: NumpyFlows, backward: NumpyFlows | None) -> DescribedPair:
        """Keep the flow around the face; what it is worth shows with those of the next frames.

        Raises:
            DataError: the flow is unknown somewhere around the face.
        """
        height, width = pair.image1.shape[:2]
        kept = np.array(forward.facial[_box(pair.reference.first, (width, height))], np.float32)
        if not is_known(kept).all():
            raise DataError(f"{pair.key}: the forward flow is unknown around the face; it must be finite everywhere")
        return DescribedPair(pair.key, {}, pair.labels, descriptor=kept)

    def learn(self, pairs: Sequence[DescribedPair], folder: Path, progress: Progress | None = None) -> list[PairScore]:
        """Score each pair by the chains of flows that begin with it; near a clip's end, or a lost face, there is none.

        Raises:
            DataError: the pairs given have no chain of two flows.
        """
        flows = {pair.key: pair.descriptor for pair in pairs}
        scored = []
        for done, pair in enumerate(pairs, start=1):
            terms = self._terms(self._chain(pair.key, flows))
            scored.append(PairScore(pair.key, terms, pair.labels))
            if progress:
                progress(done, len(pairs))
        if not any(score.terms for score in scored):
            raise DataError(f"{self.dataset.name}: no three frames in a row have a face and a flow")
        return scored

    def _chain(self, key: str, flows: Mapping[str, npt.NDArray[np.floating]]) -> list[tuple[FramePair, FlowField]]:
        """Return the flows from a pair's first frame on, each in its whole image, NaN around the part that was kept."""
        first = self._pairs[key]
        chain = []
        for frame in range(first.start, first.start + JITTER_FRAMES - 1):
            following = self._at.get((first.tracked.clip.name, frame))
            kept = None if following is None else flows.get(following)
            if following is None or kept is None:
                break
            pair = self._pairs[following]
            width, height = pair.tracked.clip.size
            whole = np.full((height, width, 2), np.nan, np.float32)
            whole[_box(pair.tracked.points[frame], (width, height))] = kept
            chain.append((pair, whole))
        return chain

    def _terms(self, chain: Sequence[tuple[FramePair, FlowField]]) -> dict[str, Term]:
        if len(chain) < 2:
            return {}
        (start, first), (_, second) = chain[:2]
        clip, points = start.tracked.clip, start.tracked.points[start.start]
        both = chained(first, second)
        face = hull_mask(points, clip.size)
        images = clip.frame(start.start), clip.frame(start.start + 2)
        terms = {"warping_error": photometric_term(*images, both, face)}
        if len(chain) == JITTER_FRAMES - 1:
            tracks = carried(points, [flow for _, flow in chain])
            terms["flow_jitter"] = jitter_term(tracks)
            whole = np.isfinite(tracks).all(axis=(0, 2))
            terms["tracks_kept"] = Term(100.0 * float(whole.sum()), float(len(points)))
        return terms


def _box(points: Points, size: tuple[int, int]) -> tuple[slice, slice]:
    """Return rows and columns of the part of an image of (W, H) px that holds points and a margin."""
    low, high = np.floor(points.min(axis=0)) - MARGIN, np.ceil(points.max(axis=0)) + MARGIN + 1
    (left, top), (right, bottom) = np.clip(low, 0, size).astype(int), np.clip(high, 0, size).astype(int)
    return slice(int(top), int(bottom)), slice(int(left), int(right))
