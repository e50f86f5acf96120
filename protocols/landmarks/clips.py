"""Real clips against landmarks of a face mesh network, a pseudo reference: docs/protocols/clip_landmarks.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np

from ffbench.datasets.tracks.plain import LANDMARKS
from ffbench.errors import DataError
from ffbench.facemesh.groups import GROUPS, OVAL
from ffbench.facemesh.jitter import epe_floor
from ffbench.flow.checks import is_known
from ffbench.flow.sampling import sample_flow
from ffbench.io.archives.member_path import DatasetPath
from ffbench.metrics.landmarks import endpoint_errors, error_terms, motion_bins, nonrigid_errors
from ffbench.metrics.photometric import consistency_term, hull_mask, photometric_term
from ffbench.protocol import (
    Annotation,
    DatasetCard,
    MetricCard,
    NumpyFlows,
    Option,
    Pair,
    PairScore,
    Protocol,
    ProtocolCard,
    ProtocolEntry,
    ProtocolRequest,
    StatedScoring,
    Term,
)
from ffbench.reanimation.portraits.mesh import EYE_LOOPS
from ffbench.typing import Mask

from ..options import (
    a_number,
    choice,
    one_of,
    refuse_unknown,
    some_numbers,
    stated_number,
    stated_variant,
    variant,
    whole_number,
    whole_numbers,
)
from .clip_parts import Recording, encoding_difference, part_pairs, recording_of
from .clip_tracks import (
    ALL_CLIPS,
    DEFAULT_CLIPS,
    FacePoints,
    FoundPairs,
    TrackedClip,
    clips_card,
    find_pairs,
    named_clips,
    network_sha256,
)
from .temporal import ClipTemporal, temporal_card

Version = Literal["1.1", "1.0"]
VERSIONS: tuple[Version, ...] = get_args(Version)
"""The first is the default; an earlier one is run by the option `version`."""
GAPS = (1, 5, 10, 20)
STRIDE = 5
MOTION_EDGES = (1.0, 2.0, 5.0, 15.0)
VARIANTS = ("standard", "temporal")
OPTIONS = {
    "version": one_of(VERSIONS),
    "gaps": f"{some_numbers(GAPS)}, frames between the two of a pair",
    "stride": f"{a_number(STRIDE)}, frames between the first frames of pairs",
}
"""Of the variant `standard`: what may be typed for each."""
_DENSE = "a flow must have a finite value at every pixel"
_UNTIED = (*OVAL, *EYE_LOOPS[0], *EYE_LOOPS[1])
"""The mesh's border, which slides over skin and hair, and the edges of the lids, where skin and eyeball meet."""
_COUNTED: Mapping[Version, Mask] = {"1.1": ~np.isin(np.arange(LANDMARKS), _UNTIED), "1.0": np.ones(LANDMARKS, bool)}
"""(468,) the points that count in the means over all."""
_PARTS = {name: np.isin(np.arange(LANDMARKS), members) for name, members in GROUPS.items()}
_METRICS = {
    "epe": MetricCard(title="endpoint error", unit="px", minimum=0),
    "epe_nonrigid": MetricCard(title="endpoint error, non-rigid", unit="px", minimum=0),
    "photometric": MetricCard(title="colour difference after warping", unit="grey levels", minimum=0),
    "consistency": MetricCard(title="forward-backward error", unit="px", minimum=0),
    "landmarks_inside": MetricCard(
        title="landmarks that count", unit="%", higher_is_better=True, minimum=0, maximum=100
    ),
    "matches_inside": MetricCard(
        title="face pixels that count", unit="%", higher_is_better=True, minimum=0, maximum=100
    ),
}


def _card(options: Mapping[str, Option], version: Version) -> ProtocolCard:
    return ProtocolCard(
        id="clip_landmarks",
        version=version,
        title="landmarks in real clips",
        variant="standard",
        primary="epe",
        metrics=_METRICS,
        group_by=("clip", "gap"),
        # Pairs that start within the longest gap of each other share frames.
        resample_by="block",
        options={name: options[name] for name in ("gaps", "stride") if name in options},
    )


class ClipLandmarks(Protocol[FacePoints]):
    """Endpoint error at tracked landmarks, and measures that need no reference, on pairs of frames of clips."""

    needs_backward = True
    fixed_weights = True

    def __init__(
        self,
        clips: Sequence[DatasetPath],
        name: str,
        gaps: Sequence[int] = GAPS,
        stride: int = STRIDE,
        version: Version = VERSIONS[0],
    ) -> None:
        """Track the face through the clips.

        Args:
            clips: their places.
            name: of the dataset.
            gaps, stride: of pairs, in frames.
            version: of the protocol: `1.0` pairs all frames that have a face, and all points count.

        Raises:
            DataError: no clip can be used. Of several clips, those that cannot are named as problems.
        """
        self.card = _card({"gaps": ",".join(map(str, sorted(gaps))), "stride": stride}, version)
        self._counted = _COUNTED[version]
        self._longest_gap = max(gaps)
        found = find_pairs(
            clips,
            name,
            gaps,
            stride,
            least=self._longest_gap + 1,
            why=f"too short for pairs {self._longest_gap} frames apart; choose smaller gaps with the option gaps=...",
            pairs_of=None if version == "1.0" else part_pairs,
        )
        self._pairs = found.pairs
        used = {pair.tracked.clip.name: pair.tracked.clip for pair in found.pairs.values()}
        self._recordings = {} if version == "1.0" else {name: recording_of(clip) for name, clip in used.items()}
        self._copies = Counter(recording.name for recording in self._recordings.values())
        self.dataset = _dataset_card(found, version, gaps)

    def keys(self) -> Sequence[str]:
        """Name the pairs, such as `talk.mp4/00010-00015`."""
        return list(self._pairs)

    def load(self, key: str) -> Pair[FacePoints]:
        """Read the two frames of a pair."""
        pair = self._pairs[key]
        clip, points, end = pair.tracked.clip, pair.tracked.points, pair.start + pair.gap
        recording = self._recordings.get(clip.name, Recording(clip.name))
        labels = {
            "clip": clip.name,
            "gap": f"{pair.gap:0{len(str(self._longest_gap))}d}",
            "block": f"{recording.name}/{(pair.start - recording.first) // self._longest_gap:05d}",
        }
        return Pair(key, clip.frame(pair.start), clip.frame(end), FacePoints(points[pair.start], points[end]), labels)

    def annotation(self, pair: Pair[FacePoints]) -> Annotation:
        """Return the landmarks."""
        return Annotation(first=pair.reference.first, second=pair.reference.second)

    def score(self, pair: Pair[FacePoints], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        """Compare the facial flow with the landmarks' displacements, and with the images themselves.

        Raises:
            DataError: the flow is unknown somewhere in the face.
        """
        points, displacement = pair.reference.first, pair.reference.second - pair.reference.first
        height, width = pair.image1.shape[:2]
        corner = (width - 1, height - 1)
        inside = np.all([(p >= 0) & (p <= corner) for p in (pair.reference.first, pair.reference.second)], axis=(0, 2))
        face = hull_mask(points, (width, height))
        predicted, known = sample_flow(forward.facial, points)
        if not (known[inside].all() and is_known(forward.facial)[face].all()):
            raise DataError(f"{pair.key}: the forward flow is unknown in the face; {_DENSE}")
        counted = inside & self._counted
        bins = motion_bins(displacement, MOTION_EDGES)
        errors = endpoint_errors(predicted, displacement)
        terms = error_terms("epe", errors, counted, {**_PARTS, **bins})
        # Of a part all of its points are told.
        parts = error_terms("epe", errors, inside, _PARTS)
        terms |= {name: term for name, term in parts.items() if name != "epe"}
        if counted.sum() >= 3:
            residual = np.full(len(points), np.nan)
            residual[counted] = nonrigid_errors(points[counted], predicted[counted], displacement[counted])
            terms |= error_terms("epe_nonrigid", residual, counted, {**_PARTS, **bins})
        terms["photometric"] = photometric_term(pair.image1, pair.image2, forward.facial, face)
        if backward is not None:
            terms["consistency"] = consistency_term(forward.facial, backward.facial, face)
            if terms["consistency"].count < terms["photometric"].count:
                raise DataError(f"{pair.key}: the backward flow is unknown in the face; {_DENSE}")
        terms["landmarks_inside"] = Term(100.0 * float(counted.sum()), float(self._counted.sum()))
        terms["matches_inside"] = Term(100.0 * terms["photometric"].count, float(face.sum()))
        return PairScore(pair.key, _shared(terms, self._copies_of(pair.labels["clip"])), pair.labels)

    def _copies_of(self, clip: str) -> int:
        """Return how many of the clips show the recording of one."""
        return self._copies[self._recordings[clip].name] if clip in self._recordings else 1


def load(request: ProtocolRequest) -> ClipLandmarks | ClipTemporal:
    """Build the protocol on the clips at `request.data`, or on the two real clips among the assets.

    Options: `version`, of the protocol (`1.1`, or `1.0`); `gaps`, numbers of frames between the two of a pair
    (`1,5,10,20`); `stride`, frames between the first frames of pairs (`5`). The variant `temporal` pairs neighboring
    frames, is of version 1.0, and has no options.

    Raises:
        UsageError: an unknown option or variant, or a value that is not a positive whole number.
        DataError: no clip can be used.
    """
    temporal = variant(request, VARIANTS) == "temporal"
    refuse_unknown(request, () if temporal else OPTIONS)
    if temporal:
        return ClipTemporal(*named_clips(request.data))
    gaps, stride = whole_numbers(request, "gaps", GAPS), whole_number(request, "stride", STRIDE)
    version = choice(request, "version", VERSIONS)
    if version == "1.0":
        clips, name = named_clips(request.data, DEFAULT_CLIPS)
    else:
        clips, name = named_clips(request.data, ALL_CLIPS, "real clips of two people")
    return ClipLandmarks(clips, name, gaps, stride, version)


def _shared(terms: Mapping[str, Term], copies: int) -> dict[str, Term]:
    """Return the terms with one `copies`-th of their weight: no moment counts more for being there in more clips."""
    return {name: Term(term.sum / copies, term.count / copies) for name, term in terms.items()}


def _encodings(tracked: Sequence[TrackedClip], gaps: Sequence[int]) -> dict[str, float]:
    """Return how far the points of other clips of a recording are from those of the first one, px of the first."""
    facts = {}
    first: dict[str, TrackedClip] = {}
    for one in tracked:
        other = first.setdefault(recording_of(one.clip).name, one)
        for gap in gaps if other is not one else ():
            difference = encoding_difference(other, one, gap)
            if difference is not None:
                facts[f"encoding_px/{one.clip.name}/gap={gap}"] = difference
    return facts


def _dataset_card(found: FoundPairs, version: Version, gaps: Sequence[int]) -> DatasetCard:
    facts: dict[str, float] = {}
    floors = []
    for one in found.tracked:
        facts[f"frames/{one.clip.name}"] = float(len(one.points))
        noise = one.jitter()
        if noise is not None:
            facts[f"jitter_px/{one.clip.name}"] = float(noise.mean())
            facts[f"epe_floor_px/{one.clip.name}"] = epe_floor(noise)
            floors.append(f"{epe_floor(noise):.2f} px in {one.clip.name}")
    if version != "1.0":
        facts["recordings"] = float(len({recording_of(one.clip).name for one in found.tracked}))
        facts |= _encodings(found.tracked, gaps)
    floor = f"; their tremble alone gives a perfect flow an endpoint error of {', '.join(floors)}" if floors else ""
    return clips_card(found).model_copy(
        update={
            "reference": "pseudo",
            "reference_note": f"468 landmarks that a face mesh network found in each frame, not annotated{floor}",
            "reference_networks": (network_sha256(),),
            "facts": facts,
        }
    )


def _scoring(stated: ProtocolCard) -> StatedScoring:
    if stated_variant(stated, VARIANTS) == "temporal":
        return StatedScoring(temporal_card())
    stated_number(stated, "stride")
    # As a run writes them: any other spelling would make a board of its own.
    gaps = ProtocolRequest(stated.id, options={"gaps": str(stated.options.get("gaps", "1"))})
    options = {**stated.options, "gaps": ",".join(map(str, whole_numbers(gaps, "gaps", GAPS)))}
    version = next((known for known in VERSIONS if known == stated.version), VERSIONS[0])
    return StatedScoring(_card(options, version), fixed_weights=True)


entry = ProtocolEntry(
    "real clips: flow at 468 tracked landmarks (pseudo reference), and label-free measures",
    load,
    _scoring,
    earlier_versions=VERSIONS[1:],
    title="Landmarks in clips",
    variants=VARIANTS,
    options={name: f"{said}; variant standard" for name, said in OPTIONS.items()},
    task="points on the face",
)
