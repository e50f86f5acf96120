"""Writes the bundle of a competition: a zip with `competition.yaml`, its pages, the scoring program and the data.

The form is version 2 of Codabench's, as its documentation and its own unpacker have it (docs/codabench.md).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from ffbench.datasets.mark import SYNTHETIC_MARK
from ffbench.errors import DataError, UsageError, reading
from ffbench.io.atomic import atomic_path
from ffbench.io.escape import plain
from ffbench.io.yaml_text import yaml_lines
from ffbench.protocol import Progress, Protocol
from ffbench.submissions.codabench import pages
from ffbench.submissions.codabench.task import DATA, TASK, Task
from ffbench.submissions.export.images import export_images

PROGRAM, REFERENCE, PUBLIC = "scoring_program.zip", "reference_data.zip", "public_data.zip"
SUFFIX = ".zip"
_COMMAND = "python3 /app/program/score.py /app/input /app/output"
_SCORE = '''"""Scores a submission with the ffbench that is installed in this image."""

import sys

from ffbench.submissions.codabench.scoring import main

sys.exit(main(sys.argv[1:]))
'''
_NO_DATA = f"""# Reference data

The dataset is licensed, or was not named, so it is not part of this file. Add it as the folder `{DATA}` beside
`{TASK}`, in the layout in which its authors distribute it, and keep it from the participants.
"""
_SECONDS = 3600
_PRECISION = 4
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Of all files, so that one command makes the same bytes again."""


class Phase(NamedTuple):
    """When submissions are taken, and in which image they are scored: one that holds this version of ffbench."""

    start: date
    end: date
    image: str


class Bundle(NamedTuple):
    """What was written: the pairs, and whether the reference data and the images are in it."""

    pairs: int
    has_data: bool


def write_bundle(
    out: Path, protocol: Protocol[Any], task: Task, phase: Phase, data: Path | None, progress: Progress | None = None
) -> Bundle:
    """Write the bundle of a competition.

    Args:
        out: a `.zip`.
        protocol: what is measured, loaded.
        task: the same, as it was asked for.
        phase: when and where it is scored.
        data: the dataset's folder if the user named one. It goes into the bundle, and so do the images for the
            participants, if ffbench made it: it has the mark of that at its top.
        progress: told of the images.

    Raises:
        UsageError: `out` is no `.zip`, or the phase ends before it begins.
        DataError: a file of the dataset cannot be read or is a link, or `out` cannot be written.
    """
    if out.suffix.lower() != SUFFIX:
        raise UsageError(f"{out}: expected a name that ends in {SUFFIX}")
    if phase.end <= phase.start:
        raise UsageError(f"the competition ends on {phase.end} and begins on {phase.start}")
    synthetic = data is not None and protocol.dataset.origin == "synthetic" and (data / SYNTHETIC_MARK).is_file()
    made = data if synthetic else None
    if made is not None:
        task = task.model_copy(update={"manifest_sha256": protocol.dataset.manifest_sha256})
    card, dataset, pairs = protocol.card, protocol.dataset, len(protocol.keys())
    texts: dict[str, str | bytes | Path] = {
        "competition.yaml": _competition(protocol, phase, has_images=made is not None),
        "overview.md": pages.overview(card, dataset, pairs),
        "evaluation.md": pages.evaluation(card),
        "participate.md": pages.participation(card, dataset, pairs, protocol.needs_backward, made is not None),
        "terms.md": pages.terms(dataset),
        "logo.png": pages.logo(),
    }
    with atomic_path(out) as target, tempfile.TemporaryDirectory(prefix="ffbench-codabench-") as scratch:
        parts = {PROGRAM: Path(scratch, PROGRAM), REFERENCE: Path(scratch, REFERENCE)}
        _write_zip(parts[PROGRAM], {"metadata.yaml": f"command: {_COMMAND}\n", "score.py": _SCORE})
        reference = {TASK: task.model_dump_json(indent=1) + "\n"}
        if made is None:
            _write_zip(parts[REFERENCE], {**reference, "README.md": _NO_DATA})
        else:
            _write_zip(parts[REFERENCE], {**reference, **_files(made, DATA)})
            images = Path(scratch, "images")
            export_images(protocol, images, progress)
            parts[PUBLIC] = Path(scratch, PUBLIC)
            _write_zip(parts[PUBLIC], _files(images, ""))
        _write_zip(target, {**texts, **parts})
    return Bundle(pairs, made is not None)


def _competition(protocol: Protocol[Any], phase: Phase, *, has_images: bool) -> str:
    """Return `competition.yaml`."""
    card = protocol.card
    title = plain(f"{card.title} {card.version} ({card.variant})")
    columns = [
        {
            "title": plain(f"{metric.title} [{metric.unit}]"),
            "key": name,
            "index": index,
            "sorting": "desc" if metric.higher_is_better else "asc",
            "precision": _PRECISION,
            "hidden": False,
        }
        for index, (name, metric) in enumerate(pages.columns(card))
    ]
    found: dict[str, Any] = {
        "version": 2,
        "title": title,
        "description": plain(f"Optical flow of faces, {protocol.dataset.origin} data, scored by ffbench"),
        "image": "logo.png",
        "terms": "terms.md",
        "registration_auto_approve": False,
        "docker_image": phase.image,
        "make_programs_available": True,
        "make_input_data_available": False,
        "enable_detailed_results": True,
        "pages": [
            {"title": "Overview", "file": "overview.md"},
            {"title": "Evaluation", "file": "evaluation.md"},
            {"title": "Taking part", "file": "participate.md"},
        ],
        "tasks": [
            {
                "index": 0,
                "name": title,
                "description": plain(f"{card.id} {card.version}"),
                "scoring_program": PROGRAM,
                "reference_data": REFERENCE,
            }
        ],
        "phases": [
            {
                "index": 0,
                "name": "Phase 1",
                "description": "Flows are sent in and scored.",
                "start": f"{phase.start} 00:00:00",
                "end": f"{phase.end} 00:00:00",
                "execution_time_limit": _SECONDS,
                "accepts_only_result_submissions": True,
                **({"public_data": PUBLIC} if has_images else {}),
                "tasks": [0],
            }
        ],
        "leaderboards": [{"title": "Results", "key": "main", "submission_rule": "Force_Last", "columns": columns}],
    }
    return "\n".join([*yaml_lines(found), ""])


def _files(root: Path, below: str) -> dict[str, Path]:
    """Return the files of a folder, by their names below a folder of an archive.

    Raises:
        DataError: one of them is a link, or nothing plain.
    """
    files: dict[str, Path] = {}
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted([*names, *(one for one in folders if Path(folder, one).is_symlink())]):
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                raise DataError(path, "is a link or a special file, expected plain files only")
            files["/".join([*([below] if below else []), *path.relative_to(root).parts])] = path
    return files


def _write_zip(path: Path, files: Mapping[str, str | bytes | Path]) -> None:
    """Write an archive; images and archives are stored as they are."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            packed = name.lower().endswith((".zip", ".png", ".jpg", ".jpeg", ".npz", ".mp4"))
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            if isinstance(content, Path):
                with reading(content), content.open("rb") as file, archive.open(entry, "w", force_zip64=True) as to:
                    shutil.copyfileobj(file, to)
            else:
                archive.writestr(entry, content)


def make_task(name: str, protocol: Protocol[Any], variant: str | None, options: Mapping[str, str]) -> Task:
    """Return what a competition measures, as it was asked for."""
    return Task(
        protocol=name,
        version=protocol.card.version,
        variant=variant,
        options=dict(options),
        manifest_sha256=None,
        ffbench=metadata.version("ffbench"),
    )
