"""Sequences of FacialFlowNet as clips whose face is tracked: the middle pair of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ffbench.datasets.ffn import scan as ffn
from ffbench.datasets.ffn.scan import FFNPair
from ffbench.datasets.provenance import rests_on
from ffbench.datasets.registry import find_data
from ffbench.errors import DataError
from ffbench.protocol import DatasetCard

from ..landmarks.clip_tracks import TrackedClip, network_sha256, track_clip

"""Names that the dataset's folder may have."""


@dataclass(frozen=True)
class RenderedPair:
    """The middle pair of a sequence: its frames are `start` and `start + 1` of the tracked clip."""

    tracked: TrackedClip
    start: int
    pair: FFNPair


@dataclass(frozen=True)
class RenderedPairs:
    """The middle pairs by sequence, and the card of the dataset."""

    sequences: Mapping[str, RenderedPair]
    card: DatasetCard


def find_rendered(data: Path | None) -> RenderedPairs:
    """Find the test split of FacialFlowNet, or of the mini dataset, and track the face through its sequences.

    A sequence in which the network finds no face, or not in both frames of its middle pair, is left out and named.

    Raises:
        DataError: the dataset is not usable, or no sequence of it shows a face.
    """
    found = ffn.scan(data or find_data("ffn"), "test")
    by_sequence: dict[str, list[FFNPair]] = {}
    for pair in found.pairs:
        by_sequence.setdefault(pair.sequence, []).append(pair)
    sequences, left_out = {}, []
    for name, pairs in by_sequence.items():
        start = len(pairs) // 2
        folder = pairs[0].image1.parent
        try:
            tracked = track_clip(folder, 3, "expected at least 3 of a sequence")
        except DataError as error:
            left_out.append(f"{name}: {str(error).removeprefix(f'{folder}: ')}; the sequence is left out")
            continue
        if not np.isfinite(tracked.points[start : start + 2]).all():
            left_out.append(f"{name}: no face in frames {start} and {start + 1}; the sequence is left out")
            continue
        sequences[name] = RenderedPair(tracked, start, pairs[start])
    if not sequences:
        raise DataError(f"{found.root}: no sequence shows a face that the network finds; {left_out[0]}")
    card = DatasetCard(
        name="FFN mini" if found.synthetic else "FFN",
        origin="synthetic" if found.synthetic else "real",
        origin_note="" if found.synthetic else rests_on([file for pair in found.pairs for file in pair.files()]),
        reference="ground truth",
        reference_note=f"test split, the middle pair of each of {len(sequences)} sequences; faces by network "
        f"{network_sha256()[:8]}",
        manifest_sha256=found.manifest_sha256(),
        problems=found.problems,
        left_out=tuple(left_out),
    )
    return RenderedPairs(sequences, card)
