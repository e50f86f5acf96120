"""Micro-expression recognition on CASME II (paper, section 5.5, Table 4): docs/protocols/recognition.md."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Ordered
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ffbench import engines
from ffbench.datasets.casme2.coding import SelectionRule
from ffbench.engines import EngineName
from ffbench.metrics.head_motion import Derive
from ffbench.microexpressions.flow_choice import Kind, choose, pack, require, split
from ffbench.microexpressions.registration import Affine, align_flow, read_registered
from ffbench.protocol import (
    DescribedPair,
    LearningProtocol,
    NumpyFlows,
    Option,
    Pair,
    PairScore,
    Progress,
    ProtocolCard,
)
from ffbench.recogniser import Features
from ffbench.typing import FlowField

from .clips import OWN, TASKS, ClassRule, select_clips
from .folds import Task, chosen_epochs, leave_one_subject_out, subject_numbers, write_inputs
from .learner import DEFAULT_RECOGNISER, LEARNING_OPTIONS, facts_of, load_learner
from .scores import METRICS, RecognitionScoring, pair_terms
from .shift import shift_clips

Variant = Literal["clean", "official"]

TITLES = {
    "casme2_5": "CASME II, 5 classes",
    "casme2_3": "CASME II, 3 classes",
    "megc_casme2": "CASME II part of MEGC 2019",
    **{name: task.title for name, task in TASKS.items()},
}
CLASS_MARK = "/"
"""Stands between the classes on the card of a protocol whose dataset says what they are."""


@dataclass(frozen=True)
class Face:
    """Where the registered face lies: the (2, 3) map from frame to recogniser pixels, and the onset face itself."""

    transform: Affine
    onset: FlowField


def card_of(name: str, variant: Variant, options: Mapping[str, Option]) -> ProtocolCard:
    """Return the card of a protocol, with those of the options that change a number."""
    stated = ("selection", "classes", "shift", "shift_frames", *LEARNING_OPTIONS)
    return ProtocolCard(
        id=name,
        version=_version(variant, options.get("recipe")),
        title=TITLES[name],
        variant=variant,
        primary="accuracy",
        metrics=METRICS,
        group_by=("class",),
        # One person's clips share face and habits, and are held out together.
        resample_by="subject",
        options={option: options[option] for option in stated if option in options},
    )


class Recognition(RecognitionScoring, LearningProtocol[Face]):
    """Flow from onset to apex of micro-expressions, and how well a recogniser learns to tell them by it."""

    learning_options = frozenset(LEARNING_OPTIONS)

    def __init__(
        self,
        name: str,
        data: Path,
        *,
        variant: Variant = "clean",
        selection: SelectionRule | None = None,
        classes: ClassRule = "own",
        shift: int = 0,
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
            name: one of `TITLES`.
            data: the dataset's folder.
            variant: `clean`, the last epoch counts; `official`, the best epoch of each held-out subject.
            selection: which clips count whose apex does not follow the onset (`Coding.apex_by`); None for the rule of
                the variant's name. Of CASME II alone.
            classes: of `own_clips`: each label is a class, or the labels make the three classes of MEGC 2019.
            shift: frames by which onset and apex are moved at most (`shift.py`); 0: they stay as they are coded.
            flow: what is learnt from.
            derive_head: how a method with one flow gets a head flow: none, or a fit to its facial flow.
            recogniser: what learns: an installed recogniser, or `FILE.py:CLASS`, code of the user's own that is run.
            recipe: how `mmnet` does; None for `main_branch` on synthetic data, and `released` otherwise.
            epochs: how long it does; None for the recogniser's own number.
            seeds: how often everything is learnt anew.
            workers: processes that learn; no digit depends on them.
            engine: what runs them; no digit depends on it.

        Raises:
            DataError: `data` does not hold the dataset, or too little of it.
            UsageError: an unknown recogniser, or a recipe or epochs for one that has none.
            MethodError: the recogniser cannot be loaded, or the engine is not installed.
        """
        selected, self.dataset = select_clips(name, data, selection or variant, classes)
        clips, moved = selected.clips, None
        if shift:
            moved = shift_clips(clips, shift)
            clips = moved.clips
            note = self.dataset.reference_note + moved.note
            self.dataset = self.dataset.model_copy(update={"reference_note": note})
        self._clips = {clip.key: (clip, of) for clip, of in clips}
        self._flow, self._derive_head, self._seeds = flow, derive_head, seeds
        self.scored_part = flow
        self._variant = variant
        synthetic = self.dataset.origin != "real"
        self._recogniser = load_learner(recogniser, len(selected.classes), epochs, recipe, synthetic)
        self.learner = self._recogniser.recogniser
        self._engine = engines.engine(engine, workers, gpu=self._recogniser.device == "cuda")
        options: dict[str, Option] = {
            # The variant's own rule goes without saying, as in the records that were made before there was another.
            **({"selection": selection} if selection not in (None, variant) else {}),
            **({"classes": CLASS_MARK.join(selected.classes)} if name == OWN else {}),
            # The dataset's hash is of the coded frames, so that records of one dataset can be compared.
            **({} if moved is None else {"shift": shift, "shift_frames": moved.sha256}),
            "flow": flow,
            "derive_head": derive_head,
            **facts_of(self._recogniser),
            "seeds": seeds,
        }
        RecognitionScoring.__init__(self, card_of(name, variant, options), selected.classes)

    def keys(self) -> Ordered[str]:
        """Name the clips, such as `sub01/EP02_01f`."""
        return list(self._clips)

    def load(self, key: str) -> Pair[Face]:
        """Read onset and apex frame of a clip, and find the registered face in the onset frame."""
        clip, of = self._clips[key]
        found = read_registered(clip.onset, clip.apex, clip.crop, key)
        labels = {"subject": clip.subject, "class": of}
        return Pair(key, found.onset, found.apex, Face(found.transform, found.face), labels)

    def score(self, pair: Pair[Face], forward: NumpyFlows, backward: NumpyFlows | None) -> DescribedPair:
        """Bring the flows into the registered face; nothing can be scored before all pairs are there.

        Raises:
            UsageError: the method does not give the flow that is to be learnt from.
            DataError: the flow is unknown at a pixel of the face.
        """
        require(self._flow, self._derive_head, decomposed=forward.head is not None)
        face = pair.reference
        facial = align_flow(forward.facial, face.transform, pair.key)
        head = None if forward.head is None else align_flow(forward.head, face.transform, pair.key)
        return DescribedPair(pair.key, {}, pair.labels, descriptor=pack(facial, head, face.onset))

    def learn(self, pairs: Ordered[DescribedPair], folder: Path, progress: Progress | None = None) -> list[PairScore]:
        """Leave out one subject after the other, and score every pair by what was learnt without its subject.

        Raises:
            UsageError: the method does not give the flow that is to be learnt from.
            DataError: fewer than two subjects, or the folder cannot be written.
        """
        labels = np.array([self.classes.index(pair.labels["class"]) for pair in pairs], np.int64)
        subjects = subject_numbers([pair.labels["subject"] for pair in pairs], self.dataset.name)
        inputs = write_inputs([self._features(pair) for pair in pairs], folder)
        classes = len(self.classes)
        task = Task(self._recogniser, inputs, labels, subjects, classes, folder)
        predicted, self.learning_seconds = leave_one_subject_out(task, self._seeds, self._engine, progress)
        by = ("last", "last") if self._variant == "clean" else ("accuracy", "f1")
        kept = {name: chosen_epochs(predicted, labels, subjects, classes, name) for name in ("last", "accuracy", *by)}
        return [
            PairScore(
                pair.key,
                pair_terms(
                    self.classes,
                    int(labels[index]),
                    counting=kept[by[0]][:, index],
                    counting_f1=kept[by[1]][:, index],
                    last=kept["last"][:, index],
                    best=kept["accuracy"][:, index],
                ),
                pair.labels,
            )
            for index, pair in enumerate(pairs)
        ]

    def _features(self, pair: DescribedPair) -> Features:
        packed = pair.descriptor.astype(np.float32, copy=False)
        return self._recogniser.features(split(choose(packed, self._flow, self._derive_head)))


def _version(variant: Variant, recipe: Option | None) -> str:
    """Return the version: 1.1 where its changes can be seen; other records stay comparable with those of 1.0."""
    return "1.1" if variant == "official" or recipe == "released" else "1.0"
