"""Find micro-expressions in whole clips of CASME II, then name them: docs/protocols/spotting.md."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from collections.abc import Sequence as Ordered
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from ffbench import engines
from ffbench.datasets.casme2.long_clips import LongClip, card_long_clips, longer_than, scan_long_clips
from ffbench.datasets.casme2.scan import FIVE
from ffbench.datasets.images import read_image
from ffbench.engines import EngineName
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath
from ffbench.metrics.head_motion import Derive
from ffbench.microexpressions.flow_choice import Kind, require
from ffbench.microexpressions.registration import Affine, align_flow, mesh_transform, warped_face
from ffbench.protocol import (
    DescribedPair,
    LearningProtocol,
    NumpyFlows,
    Option,
    Pair,
    PairScore,
    Progress,
    ProtocolCard,
    Term,
)

from ..recognition.folds import Task, leave_one_subject_out, subject_numbers, write_inputs
from ..recognition.learner import DEFAULT_RECOGNISER, LEARNING_OPTIONS, facts_of, load_learner
from .descriptors import chosen_flow, enlarged, packed
from .matching import match
from .pairs import middle_f1, pair_key, pair_starts
from .scores import ANNOTATED, METRICS, SpottingScoring, add_terms, found_terms, lost_terms, votes
from .spotter import Frames, motion_of, spot

NAME = "casme2_spot"
TITLE = "CASME II, spot then recognise"
VERSION = "1.0"
Variant = Literal["standard"]
CLASSES = tuple(dict.fromkeys(FIVE.values()))
WINDOW, MINI_WINDOW = 33, 5
"""Frames between both frames of a pair: a sixth of a second, at 200 frames a second and at 30."""


@dataclass(frozen=True)
class Face:
    """Where the registered face lies: the (2, 3) map from frame to face, and the face in the first image."""

    transform: Affine
    face: npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Sample:
    """An interval that is named: the pair at which it begins, and its class; None of one that was spotted."""

    key: str
    label: int | None


@dataclass(frozen=True)
class _Spotted:
    """What came of one clip.

    Attributes:
        subject: of the clip.
        annotated, spotted: its intervals.
        finds: which annotated interval each spotted one is, or None.
    """

    subject: str
    annotated: tuple[_Sample, ...]
    spotted: tuple[_Sample, ...]
    finds: tuple[int | None, ...]

    @property
    def samples(self) -> tuple[_Sample, ...]:
        """Both kinds of intervals, the annotated ones first."""
        return self.annotated + self.spotted


def card_of(variant: Variant, options: Mapping[str, Option]) -> ProtocolCard:
    """Return the card of the protocol, with those of the options that change a number."""
    stated = ("window", *LEARNING_OPTIONS)
    return ProtocolCard(
        id=NAME,
        version=VERSION,
        title=TITLE,
        variant=variant,
        primary="spotted_named",
        metrics=METRICS,
        resample_by="subject",
        options={option: options[option] for option in stated if option in options},
    )


class SpotThenRecognise(SpottingScoring, LearningProtocol[Face]):
    """Flow over a fixed number of frames throughout a clip: where it is large an expression is spotted, and named."""

    learning_options = frozenset(LEARNING_OPTIONS)

    def __init__(
        self,
        data: Path,
        *,
        variant: Variant = "standard",
        window: int | None = None,
        flow: Kind = "facial",
        derive_head: Derive = "none",
        recogniser: str = DEFAULT_RECOGNISER,
        recipe: str | None = None,
        epochs: int | None = None,
        seeds: int = 1,
        workers: int = 1,
        engine: EngineName = "processes",
    ) -> None:
        """Scan the dataset at `data`.

        Args:
            data: the dataset's folder.
            variant: `standard`.
            window: frames between both frames of a pair; None for that of the dataset's frame rate. Pairs begin at
                every (window // 2)th frame of a clip.
            flow: what is spotted by and learnt from.
            derive_head: how a method with one flow gets a head flow: none, or a fit to its facial flow.
            recogniser, recipe, epochs, seeds, workers, engine: as of the recognition protocols.

        Raises:
            DataError: `data` does not hold the dataset, or too little of it.
            UsageError: an unknown recogniser, or a recipe or epochs for one that has none.
            MethodError: the recogniser cannot be loaded, or the engine is not installed.
        """
        found = scan_long_clips(data)
        self._window = window or (MINI_WINDOW if found.synthetic else WINDOW)
        found = longer_than(found, self._window)
        self._clips = {clip.key: clip for clip in found.clips}
        self._starts = {clip.key: pair_starts(clip, self._window) for clip in found.clips}
        self._pairs = {pair_key(clip, start): (clip, start) for clip in found.clips for start in self._starts[clip.key]}
        used = {
            clip.key: [clip.frames[at] for at in sorted({*starts, *(start + self._window for start in starts)})]
            for clip in found.clips
            for starts in (self._starts[clip.key],)
        }
        card = card_long_clips(found, used, CLASSES)
        self.dataset = card.model_copy(update={"facts": {**card.facts, "middle_f1": middle_f1(found, self._window)}})
        self._flow, self._derive_head, self._seeds = flow, derive_head, seeds
        self.scored_part = flow
        self._recogniser = load_learner(recogniser, len(CLASSES), epochs, recipe, found.synthetic)
        self.learner = self._recogniser.recogniser
        self._engine = engines.engine(engine, workers, gpu=self._recogniser.device == "cuda")
        options: dict[str, Option] = {
            "window": self._window,
            "flow": flow,
            "derive_head": derive_head,
            **facts_of(self._recogniser),
            "seeds": seeds,
        }
        SpottingScoring.__init__(self, card_of(variant, options), CLASSES)

    def keys(self) -> Ordered[str]:
        """Name the pairs by clip and first frame, such as `sub01/EP02_01f/17`."""
        return list(self._pairs)

    def load(self, key: str) -> Pair[Face]:
        """Read both frames of a pair; the face is registered in the clip's first frame, once for all of its pairs."""
        clip, start = self._pairs[key]
        first, second = clip.frames[start], clip.frames[start + self._window]
        images = read_image(first), read_image(second)
        if images[0].shape != images[1].shape:
            sizes = [f"{image.shape[1]} x {image.shape[0]}" for image in images]
            raise DataError(second, f"is {sizes[1]} pixels, but {first.name} is {sizes[0]}; a clip has one size")
        transform = _registered(clip.frames[min(clip.frames)])
        face = Face(transform, warped_face(images[0], transform))
        return Pair(key, *images, face, {"subject": clip.subject, "clip": clip.key})

    def score(self, pair: Pair[Face], forward: NumpyFlows, backward: NumpyFlows | None) -> DescribedPair:
        """Bring the flows into the registered face; nothing can be scored before all pairs are there.

        Raises:
            UsageError: the method does not give the flow that is wanted.
            DataError: the flow is unknown at a pixel of the face.
        """
        require(self._flow, self._derive_head, decomposed=forward.head is not None)
        transform = pair.reference.transform
        facial = align_flow(forward.facial, transform, pair.key)
        head = None if forward.head is None else align_flow(forward.head, transform, pair.key)
        return DescribedPair(pair.key, {}, pair.labels, descriptor=packed(facial, head, pair.reference.face))

    def learn(self, pairs: Ordered[DescribedPair], folder: Path, progress: Progress | None = None) -> list[PairScore]:
        """Spot in every clip, leave out one subject after the other, and score what was spotted and how it was named.

        Raises:
            UsageError: the method does not give the flow that is wanted.
            DataError: clips of fewer than two subjects, or the folder cannot be written.
        """
        there = {pair.key: pair for pair in pairs}
        found = [self._spot(clip, there) for clip in self._clips.values()]
        clips = [one for one in found if one is not None]
        predicted, self.learning_seconds = self._predict(clips, there, folder, progress)
        terms: dict[str, dict[str, Term]] = {key: {} for key in there}
        first = 0
        for one in clips:
            named = predicted[:, first : first + len(one.samples)].T
            first += len(one.samples)
            for interval, taken in zip(one.annotated, named, strict=False):
                add_terms(terms[interval.key], votes(ANNOTATED, CLASSES, _class_of(interval), taken))
            for interval, number, taken in zip(one.spotted, one.finds, named[len(one.annotated) :], strict=True):
                if number is None:
                    add_terms(terms[interval.key], lost_terms(self._seeds, missed=False))
                else:
                    # At the annotated onset, so that two methods differ at one and the same pair.
                    target = one.annotated[number]
                    add_terms(terms[target.key], found_terms(CLASSES, _class_of(target), taken))
            for number, interval in enumerate(one.annotated):
                if number not in one.finds:
                    add_terms(terms[interval.key], lost_terms(self._seeds, missed=True))
        return [PairScore(pair.key, terms[pair.key], pair.labels) for pair in pairs]

    def _spot(self, clip: LongClip, there: Mapping[str, DescribedPair]) -> _Spotted | None:
        """Spot in the pairs of a clip that could be read; None where there are none."""
        starts = np.array([start for start in self._starts[clip.key] if pair_key(clip, start) in there], np.int64)
        if not len(starts):
            return None
        flows = [self._chosen(there[pair_key(clip, int(start))])[0] for start in starts]
        motion = np.array([motion_of(flow) for flow in flows])
        spotted = spot(starts, motion, self._window, max(clip.frames))
        coded: list[Frames] = [(interval.onset, interval.offset) for interval in clip.intervals]

        def nearest(frame: int) -> str:
            return pair_key(clip, int(starts[np.abs(starts - frame).argmin()]))

        return _Spotted(
            clip.subject,
            tuple(_Sample(nearest(each.onset), CLASSES.index(each.emotion)) for each in clip.intervals),
            tuple(_Sample(nearest(onset), None) for onset, _ in spotted),
            tuple(match(spotted, coded)),
        )

    def _predict(
        self,
        clips: Ordered[_Spotted],
        there: Mapping[str, DescribedPair],
        folder: Path,
        progress: Progress | None,
    ) -> tuple[npt.NDArray[np.int8], float]:
        """Name the intervals of all clips, in their order, each by what was learnt from other subjects' annotated ones.

        Returns:
            Class numbers after the last epoch, (seeds, N), and the processor time of all folds.
        """
        samples = [sample for one in clips for sample in one.samples]
        subjects = subject_numbers([one.subject for one in clips for _ in one.samples], self.dataset.name)
        features = [self._recogniser.features(enlarged(*self._chosen(there[sample.key]))) for sample in samples]
        inputs = write_inputs(features, folder)
        # The label of a spotted interval is not looked at: no fold learns from it.
        labels = np.array([0 if sample.label is None else sample.label for sample in samples], np.int64)
        learnt_from = np.array([sample.label is not None for sample in samples])
        task = Task(self._recogniser, inputs, labels, subjects, len(CLASSES), folder, learnt_from)
        predicted, seconds = leave_one_subject_out(task, self._seeds, self._engine, progress)
        return predicted[:, -1], seconds

    def _chosen(self, pair: DescribedPair) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        return chosen_flow(pair.descriptor, self._flow, self._derive_head)


def _class_of(annotated: _Sample) -> int:
    assert annotated.label is not None
    return annotated.label


@functools.lru_cache(maxsize=1024)
def _registered(frame: DatasetPath) -> Affine:
    return mesh_transform(read_image(frame), frame)
