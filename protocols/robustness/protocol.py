"""How much the flow of a face changes when its frames are corrupted: docs/protocols/clip_robustness.md."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from ffbench.corruptions.catalog import CORRUPTIONS, SEVERITIES
from ffbench.errors import DataError, UsageError
from ffbench.flow.checks import is_known
from ffbench.protocol import (
    Annotation,
    DatasetCard,
    DescribedPair,
    LearningProtocol,
    NumpyFlows,
    Option,
    Pair,
    PairScore,
    Progress,
    ProtocolCard,
    ProtocolEntry,
    ProtocolRequest,
    StatedScoring,
    Term,
)

from ..landmarks.clip_tracks import TrackedClip, clips_card, find_pairs, named_clips
from ..options import (
    a_number,
    refuse_unknown,
    some_numbers,
    stated_number,
    stated_variant,
    variant,
    whole_number,
    whole_numbers,
)
from .corrupted import Cell, CorruptedClip
from .pairs import EPE, METRICS, Base, FacePixels, face_pixels, robustness_terms
from .rendered_clips import find_rendered

VERSION = "1.0"
GAP, STRIDE, BLOCK = 5, 20, 20
CLEAN = "clean"
Variant = Literal["clips", "rendered"]
VARIANTS: tuple[Variant, ...] = ("clips", "rendered")
_OPTIONS: Mapping[Variant, tuple[str, ...]] = {
    "clips": ("corruptions", "severities", "gap", "stride"),
    "rendered": ("corruptions", "severities"),
}


def _card(kind: Variant, options: Mapping[str, Option]) -> ProtocolCard:
    return ProtocolCard(
        id="clip_robustness",
        version=VERSION,
        title="robustness of facial flow",
        variant=kind,
        primary="robustness",
        metrics=METRICS if kind == "clips" else {**METRICS, **EPE},
        group_by=("corruption", "severity"),
        resample_by="block",
        options={name: options[name] for name in _OPTIONS[kind] if name in options},
    )


class ClipRobustness(LearningProtocol[FacePixels]):
    """Flows of clean pairs against those of the same pairs, corrupted."""

    def __init__(
        self, bases: Mapping[str, Base], cells: Sequence[Cell], card: ProtocolCard, dataset: DatasetCard
    ) -> None:
        """Make the corrupted frames that the cache does not have.

        Args:
            bases: clean pairs by key.
            cells: corruptions and severities.
            card: of the protocol.
            dataset: card of the clean data.

        Raises:
            UsageError: a corruption needs a package that is not installed.
            DataError: a clip cannot be read, or the disk is full.
        """
        self._bases = bases
        self._pairs: dict[str, tuple[str, Cell | None]] = {}
        for key in bases:
            self._pairs[f"{key}/{CLEAN}"] = (key, None)
            self._pairs |= {f"{key}/{name}-{severity}": (key, (name, severity)) for name, severity in cells}
        digest = hashlib.sha256(dataset.manifest_sha256.encode())
        clips = {id(base.clip): base.clip for base in bases.values()}
        for clip in clips.values():
            digest.update(f"{clip.wanted} {clip.make(cells)}\n".encode())
        self.card = card
        self.dataset = dataset.model_copy(update={"manifest_sha256": digest.hexdigest()})

    def keys(self) -> Sequence[str]:
        """Name the pairs, such as `talk.mp4/00010-00015/noise-3`; each clean one stands before its corrupted ones."""
        return list(self._pairs)

    def load(self, key: str) -> Pair[FacePixels]:
        """Read the frames of a pair.

        Raises:
            DataError: a frame cannot be read.
        """
        name, cell = self._pairs[key]
        base = self._bases[name]
        tracked = base.clip.tracked
        hidden = np.zeros(tracked.clip.size[::-1], np.bool_)
        if cell is None:
            image1, image2 = (tracked.clip.frame(number) for number in (base.start, base.end))
        else:
            first, second = (base.clip.frame(*cell, number) for number in (base.start, base.end))
            image1, image2, hidden = first.image, second.image, first.covered | second.covered
        labels = {
            "corruption": CLEAN if cell is None else cell[0],
            "severity": "0" if cell is None else str(cell[1]),
            "clip": tracked.clip.name,
            "block": base.block,
        }
        return Pair(key, image1, image2, face_pixels(base, hidden), labels)

    def annotation(self, pair: Pair[FacePixels]) -> Annotation:
        """Return the pixels that are compared."""
        mask = np.zeros(pair.image1.shape[:2], np.bool_)
        seen = ~pair.reference.hidden
        mask[pair.reference.rows[seen], pair.reference.columns[seen]] = True
        return Annotation(mask=mask)

    def score(self, pair: Pair[FacePixels], forward: NumpyFlows, backward: NumpyFlows | None) -> DescribedPair:
        """Keep the flow at the pixels of the face; its difference from that of the clean pair comes with all pairs.

        Raises:
            DataError: the flow is unknown somewhere in the face.
        """
        face = pair.reference
        flow = np.array(forward.facial[face.rows, face.columns], np.float32)
        if not is_known(flow).all():
            raise DataError(f"{pair.key}: the forward flow is unknown in the face; it must be finite at every pixel")
        terms = {}
        if face.truth is not None:
            seen = ~face.hidden
            error = np.hypot(*(flow[seen].astype(np.float64) - face.truth[seen]).T)
            terms["epe"] = Term(float(error.sum()), float(seen.sum()))
        flow[face.hidden] = np.nan
        return DescribedPair(pair.key, terms, pair.labels, descriptor=flow)

    def learn(self, pairs: Sequence[DescribedPair], folder: Path, progress: Progress | None = None) -> list[PairScore]:
        """Compare the flow of every corrupted pair with that of its clean one.

        Raises:
            DataError: no clean pair has a corrupted one beside it.
        """
        clean = {self._pairs[pair.key][0]: pair.descriptor for pair in pairs if self._pairs[pair.key][1] is None}
        scored = []
        for done, pair in enumerate(pairs, start=1):
            key, cell = self._pairs[pair.key]
            before, terms = clean.get(key), dict(pair.terms)
            if cell is not None and before is not None:
                terms |= robustness_terms(before, pair.descriptor)
            scored.append(PairScore(pair.key, terms, pair.labels))
            if progress:
                progress(done, len(pairs))
        if not any("robustness" in score.terms for score in scored):
            raise DataError(f"{self.dataset.name}: no pair is there both clean and corrupted; take more pairs")
        return scored


def load(request: ProtocolRequest) -> ClipRobustness:
    """Build the protocol on clips at `request.data`, or on the two real clips among the assets.

    Options: `corruptions`, names (all), and `severities` (`1,2,3,4,5`); of the variant `clips` also `gap`, frames
    between the two of a pair (5), and `stride`, frames between the first frames of pairs (20). The variant `rendered`
    takes FacialFlowNet at `request.data`, or the mini dataset.

    Raises:
        UsageError: an unknown option, value or variant, or a corruption that needs a package that is not installed.
        DataError: no clip can be used.
    """
    kind = variant(request, VARIANTS)
    refuse_unknown(request, _OPTIONS[kind])
    names = _names(request)
    severities = whole_numbers(request, "severities", SEVERITIES)
    if not set(severities) <= set(SEVERITIES):
        raise UsageError(f"{request.name}: option 'severities' is '{request.options['severities']}', expected 1 to 5")
    cells = [(name, severity) for name in names for severity in severities]
    options: dict[str, Option] = {
        "corruptions": ",".join(names) if len(names) < len(CORRUPTIONS) else "all",
        "severities": ",".join(map(str, severities)),
    }
    if kind == "rendered":
        found = find_rendered(request.data)
        bases = {}
        for sequence, one in found.sequences.items():
            start, end = one.start, one.start + 1
            bases[sequence] = Base(CorruptedClip(one.tracked, (start, end)), start, end, sequence, one.pair)
        return ClipRobustness(bases, cells, _card(kind, options), found.card)
    gap, stride = whole_number(request, "gap", GAP), whole_number(request, "stride", STRIDE)
    options |= {"gap": gap, "stride": stride}
    clips, name = named_clips(request.data)
    least = max(gap + 1, 3)
    why = f"expected at least {least} for pairs {gap} frames apart"
    pairs = find_pairs(clips, name, (gap,), stride, least=least, why=why)
    by_clip: dict[str, tuple[TrackedClip, set[int]]] = {}
    for pair in pairs.pairs.values():
        by_clip.setdefault(pair.tracked.clip.name, (pair.tracked, set()))[1].update((pair.start, pair.start + gap))
    corrupted = {clip: CorruptedClip(tracked, tuple(sorted(wanted))) for clip, (tracked, wanted) in by_clip.items()}
    bases = {
        key: Base(
            corrupted[pair.tracked.clip.name],
            pair.start,
            pair.start + gap,
            # Pairs that start in one stretch of time share frames.
            f"{pair.tracked.clip.name}/{pair.start // max(BLOCK, gap):05d}",
        )
        for key, pair in pairs.pairs.items()
    }
    return ClipRobustness(bases, cells, _card(kind, options), clips_card(pairs))


def _names(request: ProtocolRequest) -> tuple[str, ...]:
    """Return the corruptions that are asked for, in the order of the catalog and each once."""
    text = request.options.get("corruptions", "all")
    if text == "all":
        return tuple(CORRUPTIONS)
    asked = [part.strip() for part in text.split(",")]
    for name in asked:
        if name not in CORRUPTIONS:
            known = ", ".join(CORRUPTIONS)
            raise UsageError(f"{request.name}: option 'corruptions' names '{name}', expected all, or some of {known}")
    return tuple(name for name in CORRUPTIONS if name in asked)


def _scoring(stated: ProtocolCard) -> StatedScoring:
    kind: Variant = "clips" if stated_variant(stated, VARIANTS) == "clips" else "rendered"
    for name in ("gap", "stride"):
        stated_number(stated, name)
    asked: dict[str, str] = {name: str(stated.options[name]) for name in _OPTIONS["rendered"] if name in stated.options}
    request = ProtocolRequest(stated.id, options=asked)
    names, severities = _names(request), whole_numbers(request, "severities", SEVERITIES)
    # As a run writes them: any other spelling would make a board of its own.
    spelled: dict[str, Option] = {
        "corruptions": ",".join(names) if len(names) < len(CORRUPTIONS) else "all",
        "severities": ",".join(map(str, severities)),
    }
    return StatedScoring(_card(kind, {**stated.options, **spelled}))


entry = ProtocolEntry(
    "clips of faces, corrupted in twelve ways: how much the flow changes (no reference)",
    load,
    _scoring,
    title="Robustness in clips",
    variants=VARIANTS,
    options={
        "corruptions": f"all (default), or some of {', '.join(CORRUPTIONS)}",
        "severities": f"{some_numbers(SEVERITIES)}, from 1 to {max(SEVERITIES)}",
        "gap": f"{a_number(GAP)}, frames between the two of a pair; variant clips",
        "stride": f"{a_number(STRIDE)}, frames between the first frames of pairs; variant clips",
    },
    task="robustness",
)
