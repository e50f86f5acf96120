"""From the clips of a dataset to files of features: the flow of each, brought into the registered face."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ffbench.datasets.onset_apex import OnsetApexClip, OnsetApexClips
from ffbench.errors import DataError, UsageError
from ffbench.flows import NumpyFlows
from ffbench.io.locks import writing_alone
from ffbench.method import Method
from ffbench.metrics.head_motion import Derive
from ffbench.microexpressions.feature_files import (
    MANIFEST,
    Alignment,
    FeatureClip,
    FeatureManifest,
    array_facts,
    ffbench_version,
    write_clip,
    write_manifest,
)
from ffbench.microexpressions.features import ONSET, flow_features
from ffbench.microexpressions.flow_choice import Kind, choose, pack, require, split
from ffbench.microexpressions.registration import SIZE, RegisteredPair, align_flow, read_registered
from ffbench.protocol import Progress
from ffbench.recogniser import RegisteredFace

_FACE = (
    f"flow between the original frames, onset to apex, in the registered face of {SIZE} x {SIZE} px at onset; vectors "
    "are turned and scaled with it; rounded to float16, as recognisers read it. The face: "
)
ALIGNMENTS: Mapping[Alignment, str] = {
    "crop": f"{_FACE}the authors' crop of the onset frame, found there by SIFT features and RANSAC (similarity)",
    "mesh": f"{_FACE}by 5 places of the 468-point face mesh in the onset frame (similarity, least squares)",
}


@dataclass(frozen=True)
class FlowChoice:
    """Which flow features are made of, and how a method with one flow gets a head flow."""

    kind: Kind = "facial"
    derive_head: Derive = "none"


def registered_face(pair: RegisteredPair, flows: NumpyFlows, choice: FlowChoice, key: str) -> RegisteredFace:
    """Return what a recogniser sees of a clip, to the last digit.

    Raises:
        UsageError: the method does not give the flow that is wanted.
        DataError: the flow is unknown at a pixel of the face.
    """
    require(choice.kind, choice.derive_head, decomposed=flows.head is not None)
    facial = align_flow(flows.facial, pair.transform, key)
    head = None if flows.head is None else align_flow(flows.head, pair.transform, key)
    return split(choose(pack(facial, head, pair.face), choice.kind, choice.derive_head))


def write_features(
    folder: Path,
    method: Method,
    dataset: str,
    found: OnsetApexClips,
    choice: FlowChoice = FlowChoice(),
    progress: Progress | None = None,
) -> FeatureManifest:
    """Write the features of every clip, and the manifest last: a folder without one is unfinished.

    Args:
        folder: new, or of an interrupted run, whose files are written anew.
        method: what estimates flow.
        dataset: its title.
        found: its clips.
        choice: of the flow.
        progress: told how many clips are done, and how many there are.

    Returns:
        The manifest; clips that cannot be read are named among its problems.

    Raises:
        UsageError: the folder has a manifest, or the method does not give the flow that is wanted.
        DataError: no clip can be read, or the folder cannot be written.
        MethodError: the method fails.
    """
    if (folder / MANIFEST).exists():
        raise UsageError(f"{folder}: has features ({MANIFEST}); name another folder, or remove this one")
    problems = list(found.problems)
    with writing_alone(folder):
        clips = list(_write_clips(folder, method, found.clips, choice, problems, progress))
        if not clips:
            raise DataError(f"{dataset}: no clip can be read; the first of {len(problems)} problems: {problems[0]}")
        manifest = FeatureManifest(
            ffbench=ffbench_version(),
            dataset=dataset,
            origin="synthetic" if found.synthetic else "real",
            dataset_sha256=found.manifest_sha256,
            method=method.card,
            flow=choice.kind,
            derive_head=choice.derive_head,
            alignments={name: ALIGNMENTS[name] for name in sorted({clip.alignment for clip in clips})},
            size=(SIZE, SIZE),
            arrays=array_facts(onset=True),
            clips=tuple(clips),
            left_out=found.left_out,
            problems=tuple(problems),
        )
        write_manifest(folder / MANIFEST, manifest)
    return manifest


def _write_clips(
    folder: Path,
    method: Method,
    clips: tuple[OnsetApexClip, ...],
    choice: FlowChoice,
    problems: list[str],
    progress: Progress | None,
) -> Iterator[FeatureClip]:
    """Write the clips that can be read, and add a line to `problems` for each other."""
    for done, clip in enumerate(clips):
        if progress is not None:
            progress(done, len(clips))
        try:
            pair = read_registered(clip.onset, clip.apex, clip.crop, clip.key)
        except DataError as error:
            problems.append(f"{error}; the clip {clip.key} is left out")
            continue
        flows = method.estimate(pair.onset, pair.apex)
        face = registered_face(pair, flows, choice, clip.key)
        sha256 = write_clip(folder, clip.key, {**flow_features(face.flow), ONSET: face.onset})
        yield FeatureClip(
            key=clip.key,
            subject=clip.subject,
            label=clip.label,
            onset=clip.onset.name,
            apex=clip.apex.name,
            alignment="mesh" if clip.crop is None else "crop",
            found=flows.found is None or bool(np.all(flows.found)),
            sha256=sha256,
        )
    if progress is not None:
        progress(len(clips), len(clips))
