"""What a generated dataset says of itself: `manifest.json`, and the journal from which an interrupted run goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

import ffbench.synth
from ffbench.datasets.mark import JawReading
from ffbench.errors import DataError, UsageError
from ffbench.io.atomic import write_text
from ffbench.synth.heads.head import HeadModel
from ffbench.synth.pairs import recipe as ffn
from ffbench.synth.scenes.scene import RASTER, Renderer

MANIFEST = "manifest.json"
JOURNAL = "manifest.partial.jsonl"


class Origin(BaseModel):
    """All that the bytes of a dataset follow from, but the number of identities."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    renderer: str
    seed: int
    size: int
    split: str | None
    head: str
    head_sha256: str
    codes_sha256: str | None
    textures_sha256: str | None = None
    backgrounds_sha256: str | None = None
    jaw: JawReading = "expression"
    engine: str
    engine_sha256: str


class SequenceRecord(BaseModel):
    """One finished sequence; `files` are relative to the dataset, each with its sha256, `bytes` is their size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    identity: int
    split: str
    emotion: str
    frames: int
    seed: int
    source: str | None
    bytes: int
    files: dict[str, str]


class DatasetManifest(BaseModel):
    """The content of `manifest.json`. `splits` names the identities of each split: no one is in two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    synthetic: bool = True
    origin: Origin
    identities: int
    splits: dict[str, list[int]]
    sequences: list[SequenceRecord]


def origin_of(recipe: ffn.DatasetRecipe, head: HeadModel, renderer: Renderer = RASTER) -> Origin:
    """Say what a dataset of `recipe` with `head`, drawn by `renderer`, follows from."""
    mesh = hashlib.sha256(np.ascontiguousarray(head.template).tobytes())
    mesh.update(np.ascontiguousarray(head.topology.triangles).tobytes())
    codes = None
    if recipe.codes:
        digest = hashlib.sha256()
        for code in recipe.codes:
            digest.update(code.name.encode() + b"\0")
            digest.update(np.concatenate([code.shape, code.expression, code.pose]).tobytes())
        codes = digest.hexdigest()
    return Origin(
        recipe=ffn.ORIGIN,
        renderer=renderer.name,
        seed=recipe.seed,
        size=recipe.size,
        split=recipe.split,
        head=head.name,
        head_sha256=mesh.hexdigest(),
        codes_sha256=codes,
        textures_sha256=None if recipe.textures is None else recipe.textures.sha256(),
        backgrounds_sha256=None if recipe.backgrounds is None else recipe.backgrounds.sha256(),
        jaw=recipe.jaw,
        engine=version("ffbench"),
        engine_sha256=_engine_sha256(),
    )


def _engine_sha256() -> str:
    """Hash the engine's source: the version of the package does not change while it is being worked on."""
    digest = hashlib.sha256()
    root = Path(ffbench.synth.__file__).parent
    for file in sorted(file for file in root.rglob("*") if file.suffix in (".py", ".json")):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


class Journal:
    """The finished sequences of a dataset that is being written; one line each, in the order they were finished."""

    def __init__(self, root: Path, origin: Origin) -> None:
        """Open the journal of `root`, or start one; what a finished manifest there lists is taken over.

        Raises:
            UsageError: `root` holds files that are no such dataset, or one of another origin.
            DataError: a file cannot be read or written.
        """
        self.root, self.origin = root, origin
        self.records: dict[int, SequenceRecord] = {}
        found = self._read_manifest() | self._read_journal()
        if not found and root.is_dir() and any(not item.name.startswith(".") for item in root.iterdir()):
            raise UsageError(f"{root}: expected a new or empty folder or a dataset to go on with, found other files")
        for origin_found in found:
            self._require_same(origin_found)
        self._write()

    def keep(self, identities: Iterable[int]) -> None:
        """Forget all sequences but these."""
        kept = set(identities)
        self.records = {number: record for number, record in self.records.items() if number in kept}
        self._write()

    def add(self, record: SequenceRecord) -> None:
        """Note a finished sequence.

        Raises:
            DataError: the journal cannot be written.
        """
        path = self.root / JOURNAL
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(record.model_dump_json() + "\n")
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror or error})") from error
        self.records[record.identity] = record

    def finish(self) -> DatasetManifest:
        """Write `manifest.json` and remove the journal.

        Raises:
            DataError: the manifest cannot be written.
        """
        sequences = [self.records[number] for number in sorted(self.records)]
        splits: dict[str, list[int]] = {split: [] for split in ("train", "test", "val")}
        for record in sequences:
            splits[record.split].append(record.identity)
        manifest = DatasetManifest(origin=self.origin, identities=len(sequences), splits=splits, sequences=sequences)
        write_text(self.root / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
        (self.root / JOURNAL).unlink(missing_ok=True)
        return manifest

    def _write(self) -> None:
        """Write the journal anew: a line that a killed process left half written must not stay."""
        lines = [self.origin, *self.records.values()]
        write_text(self.root / JOURNAL, "".join(line.model_dump_json() + "\n" for line in lines))

    def _read_manifest(self) -> set[Origin]:
        path = self.root / MANIFEST
        text = _read(path)
        if text is None:
            return set()
        try:
            manifest = DatasetManifest.model_validate_json(text)
        except ValidationError as error:
            raise DataError(f"{path}: not a manifest of `ffbench generate`; name another folder") from error
        self.records.update({record.identity: record for record in manifest.sequences})
        return {manifest.origin}

    def _read_journal(self) -> set[Origin]:
        path = self.root / JOURNAL
        first, *lines = (_read(path) or "").split("\n")
        if not first:
            return set()
        try:
            origin = Origin.model_validate_json(first)
        except ValidationError as error:
            raise DataError(f"{path}: not a journal of `ffbench generate`; name another folder") from error
        for line in lines:
            try:
                record = SequenceRecord.model_validate_json(line)
            except ValidationError:
                continue  # The last line of a killed process; its sequence is made again.
            self.records[record.identity] = record
        return {origin}

    def _require_same(self, found: Origin) -> None:
        mine = self.origin.model_dump()
        other = [f"{key} {value}, now {mine[key]}" for key, value in found.model_dump().items() if value != mine[key]]
        if other:
            raise UsageError(f"{self.root}: was made with other settings ({'; '.join(other)}); name another folder")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
