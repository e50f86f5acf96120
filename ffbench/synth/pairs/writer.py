"""Writing a dataset in the layout of FacialFlowNet, by any engine, so that it can be interrupted and go on.

    image/facial/<split>/<emotion>/<identity>/0001.jpg    I^f_1 to I^f_n
    image/head/<split>/<emotion>/<identity>/0001.jpg      I^h_1 to I^h_n; the first is I^f_1
    flow/facial/<split>/<emotion>/<identity>/0001.flo     from I^f_t to I^f_{t+1}; n - 1 files
    flow/head/<split>/<emotion>/<identity>/0001.flo       from I^f_t to I^h_{t+1}; n - 1 files
    mask/, region/, occlusion/ .../0001.npy               of I^f_t; bool, uint8 (`Region`) and bool; n - 1 files each

Masks are of the frames that have a flow. `region` and `occlusion` are not part of FFN. The files of a sequence are
made in a hidden folder, moved into place, and then noted in the journal: a sequence is there as a whole or made again.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.datasets.mark import SYNTHETIC_MARK
from ffbench.datasets.provenance import mark_jpeg
from ffbench.engines import Engine, here
from ffbench.errors import DataError, UsageError
from ffbench.flow.formats.flo import HEADER, MAGIC
from ffbench.io.atomic import write_text
from ffbench.io.locks import writing_alone
from ffbench.synth.heads.head import HeadModel
from ffbench.synth.pairs.journal import DatasetManifest, Journal, SequenceRecord, origin_of
from ffbench.synth.pairs.recipe import (
    MOST_IDENTITIES,
    DatasetRecipe,
    Plan,
    SequenceFrame,
    plan_sequence,
    render_sequence,
)
from ffbench.synth.scenes.scene import RASTER, Renderer

KINDS = {
    "image/facial": ".jpg",
    "image/head": ".jpg",
    "flow/facial": ".flo",
    "flow/head": ".flo",
    "mask": ".npy",
    "region": ".npy",
    "occlusion": ".npy",
}
JPEG_QUALITY = 95
_STAGING = ".staging"

Progress = Callable[[int, int], None]
Making = tuple[HeadModel, DatasetRecipe, Renderer]
ALONE: Engine = partial(here, threads=None)
"""This process and its threads."""


def write_dataset(
    out: Path,
    head: HeadModel,
    recipe: DatasetRecipe,
    identities: int,
    progress: Progress | None = None,
    renderer: Renderer = RASTER,
    engine: Engine = ALONE,
) -> DatasetManifest:
    """Write a dataset of `identities` sequences, one of each identity; go on where an interrupted run stopped.

    A dataset that is complete grows when more identities are asked for. The files are the same whatever the engine.

    Args:
        out: its folder; new, empty, or one that this function has begun with the same recipe and head.
        head: the head model.
        recipe: what to make.
        identities: how many.
        progress: told how many of the sequences are done, and how many there are.
        renderer: what draws the images.
        engine: makes the sequences; where it is Ray, all machines must see `out` under one path.

    Raises:
        UsageError: `out` holds other files or a dataset of another recipe or renderer, more identities than there are
            codes, or another process is writing there.
        MethodError: a worker was killed; what is done is kept.
        DataError: a file cannot be written (a full disk), or the renderer fails; what is done is kept.
    """
    available = min(MOST_IDENTITIES, len(recipe.codes) or MOST_IDENTITIES)
    if not 1 <= identities <= available:
        raise UsageError(f"expected 1 to {available} identities, got {identities}")
    with writing_alone(out):
        try:
            return _write_locked(out, (head, recipe, renderer), identities, engine, progress)
        except OSError as error:
            raise DataError(f"{out}: cannot be written ({error.strerror or error})") from error


def _write_locked(
    out: Path, making: Making, identities: int, engine: Engine, progress: Progress | None
) -> DatasetManifest:
    head, recipe, renderer = making
    journal = Journal(out, origin_of(recipe, head, renderer))
    if max(journal.records, default=-1) >= identities:
        raise UsageError(
            f"{out}: has {max(journal.records) + 1} identities already, expected {identities}; name another folder"
        )
    # The mark comes first: half a dataset is no real one either.
    mark = {"synthetic": True, "recipe": journal.origin.recipe, "seed": recipe.seed, "jaw": recipe.jaw}
    write_text(out / SYNTHETIC_MARK, json.dumps(mark, indent=2) + "\n")
    shutil.rmtree(out / _STAGING, ignore_errors=True)
    plans = [plan_sequence(recipe, head, number) for number in range(identities)]
    journal.keep(plan.identity for plan in plans if _is_there(out, plan, journal.records.get(plan.identity)))
    missing = [plan for plan in plans if plan.identity not in journal.records]

    def tell() -> None:
        if progress is not None:
            progress(len(journal.records), identities)

    tell()
    try:
        for record in engine(write_sequence, [(plan,) for plan in missing], shared=(out.absolute(), *making)):
            journal.add(record)
            tell()
        return journal.finish()
    finally:
        shutil.rmtree(out / _STAGING, ignore_errors=True)


def write_sequence(out: Path, head: HeadModel, recipe: DatasetRecipe, renderer: Renderer, plan: Plan) -> SequenceRecord:
    """Make the files of one sequence under `out`; what was there of it is replaced.

    Raises:
        DataError: a file cannot be written, or the renderer fails; nothing of the sequence is left then but what is
            moved already.
    """
    staging = out / _STAGING / f"{plan.identity:05d}"
    files: dict[str, str] = {}
    size = 0
    path = staging
    try:
        shutil.rmtree(staging, ignore_errors=True)
        for kind in KINDS:
            (staging / kind).mkdir(parents=True)
        for number, frame in enumerate(render_sequence(recipe, head, plan, renderer), start=1):
            for kind, content in _encoded(frame):
                name = f"{number:04d}{KINDS[kind]}"
                path = staging / kind / name
                path.write_bytes(content)
                files[f"{kind}/{plan.folder}/{name}"] = hashlib.sha256(content).hexdigest()
                size += len(content)
        for kind in KINDS:
            path = out / kind / plan.folder
            if path.exists():
                shutil.rmtree(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            (staging / kind).rename(path)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise DataError(f"{path}: cannot be written ({error.strerror or error})") from error
    shutil.rmtree(staging, ignore_errors=True)
    source = recipe.codes[plan.identity].name if recipe.codes else None
    return SequenceRecord(
        identity=plan.identity,
        split=plan.split,
        emotion=plan.emotion,
        frames=plan.frames,
        seed=plan.seed,
        source=source,
        bytes=size,
        files=dict(sorted(files.items())),
    )


def _encoded(frame: SequenceFrame) -> Iterator[tuple[str, bytes]]:
    """Return the kind and the content of every file of a frame."""
    yield "image/facial", _jpeg(frame.image)
    yield "image/head", _jpeg(frame.head_image)
    labels = frame.labels
    if labels is None:
        return
    yield "flow/facial", _flo(labels.facial)
    yield "flow/head", _flo(labels.head)
    yield "mask", _npy(labels.mask)
    yield "region", _npy(labels.region)
    yield "occlusion", _npy(labels.occlusion)


def _jpeg(image: npt.NDArray[np.uint8]) -> bytes:
    import cv2

    # Full color resolution: half of it would move colors against the flow.
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    return mark_jpeg(bytes(cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1]))


def _flo(flow: npt.NDArray[np.float32]) -> bytes:
    return HEADER.pack(MAGIC, flow.shape[1], flow.shape[0]) + flow.astype("<f4", copy=False).tobytes()


def _npy(array: npt.NDArray[Any]) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()


def _is_there(out: Path, plan: Plan, record: SequenceRecord | None) -> bool:
    """Tell whether a sequence is noted, of this plan, and its files have the size that they had."""
    if record is None or (record.split, record.emotion, record.frames) != (plan.split, plan.emotion, plan.frames):
        return False
    names = {
        f"{kind}/{plan.folder}/{number:04d}{suffix}"
        for kind, suffix in KINDS.items()
        for number in range(1, plan.frames + kind.startswith("image/"))
    }
    try:
        return set(record.files) == names and sum((out / name).stat().st_size for name in names) == record.bytes
    except OSError:
        return False
