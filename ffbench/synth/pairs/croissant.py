"""Croissant metadata of a generated dataset: what it is, its files by kind, and its pairs as records.

Croissant 1.0 is schema.org's `Dataset` with files, sets of files and sets of records, in JSON-LD. It lies in the
dataset as `croissant.json`, beside `pairs.csv`, which holds the records.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ffbench.errors import DataError
from ffbench.io.atomic import write_text
from ffbench.io.escape import plain
from ffbench.io.hashing import data_sha256
from ffbench.io.json_models import read_model
from ffbench.synth.pairs.journal import MANIFEST, DatasetManifest, Origin, SequenceRecord

CROISSANT, PAIRS = "croissant.json", "pairs.csv"
_MOST_BYTES = 2**28
_SPLITS = ("train", "test", "val")
_FORMATS = {".jpg": "image/jpeg", ".flo": "application/octet-stream", ".npy": "application/octet-stream"}
_KINDS = {
    "image/facial": (".jpg", "frames 1 to n of each sequence"),
    "image/head": (".jpg", "head partners: the pose of frame t and the expression of frame t - 1"),
    "flow/facial": (".flo", "optical flow in px from frame t to frame t + 1, Middlebury .flo"),
    "flow/head": (".flo", "its rigid part in px, from frame t to the head partner of frame t + 1, Middlebury .flo"),
    "mask": (".npy", "pixels of frame t that show the head, bool"),
    "region": (".npy", "region of the head at each pixel of frame t, uint8"),
    "occlusion": (".npy", "pixels of frame t that cannot be seen in frame t + 1, bool"),
}
"""By folder: the suffix of its files, and what they hold."""
_COLUMNS = {
    "split": "sc:Text",
    "emotion": "sc:Text",
    "identity": "sc:Integer",
    "frame": "sc:Integer",
    "image1": "sc:Text",
    "image2": "sc:Text",
    "head_image2": "sc:Text",
    "facial_flow": "sc:Text",
    "head_flow": "sc:Text",
    "mask": "sc:Text",
    "region": "sc:Text",
    "occlusion": "sc:Text",
}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        term: f"cr:{term}"
        for term in (
            "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet",
            "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
            "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
            "transform",
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}  # fmt: skip
"""The terms of Croissant 1.0, as its specification has them."""


class Publication(NamedTuple):
    """What only the publisher knows: the name, the license and the page of the dataset, and the day."""

    name: str
    license: str
    url: str
    published: date


def write_croissant(root: Path, publication: Publication) -> tuple[Path, int]:
    """Write `croissant.json` and `pairs.csv` into a dataset of `ffbench generate`.

    Returns:
        The file, and how many pairs there are.

    Raises:
        DataError: there is no `manifest.json` of `ffbench generate`, it names what is no sequence, a file that it names
            is not there, or a file cannot be written.
    """
    manifest = read_model(
        root / MANIFEST,
        DatasetManifest,
        _MOST_BYTES,
        kind="a manifest of `ffbench generate`",
        wrong="is no manifest of `ffbench generate`",
    )
    for record in manifest.sequences:
        _check(root, record)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    pairs = [row for record in manifest.sequences for row in _rows(record)]
    writer.writerows(pairs)
    write_text(root / PAIRS, table.getvalue())
    content = _metadata(root, manifest, publication, hashlib.sha256(table.getvalue().encode()).hexdigest(), len(pairs))
    write_text(root / CROISSANT, json.dumps(content, indent=1) + "\n")
    return root / CROISSANT, len(pairs)


def _folder(record: SequenceRecord) -> str:
    return f"{record.split}/{record.emotion}/{record.identity:05d}"


def _check(root: Path, record: SequenceRecord) -> None:
    """Check that a sequence is one that this engine makes, and that its files are there.

    Raises:
        DataError: it is not, or one is missing.
    """
    folder = _folder(record)
    names = {
        f"{kind}/{folder}/{number:04d}{suffix}"
        for kind, (suffix, _) in _KINDS.items()
        for number in range(1, min(record.frames, len(record.files)) + kind.startswith("image/"))
    }
    if record.split not in _SPLITS or not record.emotion.isidentifier() or set(record.files) != names:
        raise DataError(root / MANIFEST, f"names {plain(folder)}, which is no sequence of `ffbench generate`")
    for name in sorted(names):
        if not (root / name).is_file():
            raise DataError(root / name, "no such file; make the dataset whole again with `ffbench generate`")


def _rows(record: SequenceRecord) -> Iterator[tuple[object, ...]]:
    """Return a row for each pair of a sequence, in the order of `_COLUMNS`."""
    folder = _folder(record)

    def file(kind: str, number: int) -> str:
        return f"{kind}/{folder}/{number:04d}{_KINDS[kind][0]}"

    for frame in range(1, record.frames):
        yield (
            record.split,
            record.emotion,
            record.identity,
            frame,
            file("image/facial", frame),
            file("image/facial", frame + 1),
            file("image/head", frame + 1),
            *(file(kind, frame) for kind in ("flow/facial", "flow/head", "mask", "region", "occlusion")),
        )


def _metadata(
    root: Path, manifest: DatasetManifest, publication: Publication, pairs_sha256: str, pairs: int
) -> dict[str, Any]:
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": publication.name,
        "description": _description(manifest, pairs),
        "license": publication.license,
        "url": publication.url,
        "version": manifest.origin.engine,
        "datePublished": publication.published.isoformat(),
        "keywords": ["synthetic", "optical flow", "face", "head pose", "facial expression"],
        "citeAs": "@misc{ffbench, title = {{ffbench}: a benchmark and leaderboard suite for facial optical flow}, "
        f"author = {{{{The ffbench authors}}}}, version = {{{manifest.origin.engine}}}}}",
        "rai:dataCollection": _collection(manifest.origin),
        "distribution": [
            _file_object(PAIRS, "text/csv", pairs_sha256, "the files of each pair"),
            _file_object(MANIFEST, "application/json", data_sha256(root / MANIFEST), "seeds, splits, file hashes"),
            *(
                {
                    "@type": "cr:FileSet",
                    "@id": kind,
                    "name": kind,
                    "description": said,
                    "encodingFormat": _FORMATS[suffix],
                    "includes": f"{kind}/*/*/*/*{suffix}",
                }
                for kind, (suffix, said) in _KINDS.items()
            ),
        ],
        "recordSet": [_splits(manifest), _pairs()],
    }


def _file_object(name: str, encoding: str, sha256: str, description: str) -> dict[str, str]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": description,
        "contentUrl": name,
        "encodingFormat": encoding,
        "sha256": sha256,
    }


def _splits(manifest: DatasetManifest) -> dict[str, Any]:
    """Return the splits as records, to which those of pairs refer."""
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "no identity is in two",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"},
            {"@type": "cr:Field", "@id": "splits/identities", "name": "identities", "dataType": "sc:Integer"},
        ],
        "data": [
            {"splits/name": name, "splits/identities": len(numbers)}
            for name, numbers in manifest.splits.items()
            if numbers
        ],
    }


def _pairs() -> dict[str, Any]:
    fields: list[dict[str, Any]] = []
    for column, kind in _COLUMNS.items():
        source = {"fileObject": {"@id": PAIRS}, "extract": {"column": column}}
        field = {"@type": "cr:Field", "@id": f"pairs/{column}", "name": column, "dataType": kind, "source": source}
        fields.append(field | ({"references": {"field": {"@id": "splits/name"}}} if column == "split" else {}))
    return {
        "@type": "cr:RecordSet",
        "@id": "pairs",
        "name": "pairs",
        "description": "pairs of consecutive frames; paths are relative to the dataset",
        "field": fields,
    }


def _description(manifest: DatasetManifest, pairs: int) -> str:
    origin = manifest.origin
    return (
        f"Synthetic: {pairs} pairs of {manifest.identities} rendered heads with exact facial and head flow, in the "
        f"layout of FacialFlowNet; {origin.size} x {origin.size} px. Results on it say nothing of real faces."
    )


def _collection(origin: Origin) -> str:
    """Say how the data came about, and what of it ffbench did not make."""
    own = [
        said
        for sha256, said in (
            (origin.codes_sha256, "identities and expressions follow codes"),
            (origin.textures_sha256, "skins follow textures"),
            (origin.backgrounds_sha256, "backgrounds are cut from photographs"),
        )
        if sha256 is not None
    ]
    brought = f" {', '.join(own).capitalize()} that the maker brought; their licenses apply too." if own else ""
    return plain(
        f"Rendered by ffbench {origin.engine} (recipe {origin.recipe}, renderer {origin.renderer}, head {origin.head}, "
        f"seed {origin.seed}, jaw as {origin.jaw}).{brought}",
        2000,
    )
