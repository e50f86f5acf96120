"""A bundle: the predictions of a submission in one small file, every n-th pixel of them in half precision.

    8 bytes   magic
    4 bytes   version of the format, uint32
    4 bytes   length of the header, uint32 (all numbers little-endian)
    header    JSON, the fields of `Header`
    flows     for each kind of flow, for each pair in the protocol's order: length, uint32; packed samples
    32 bytes  SHA-256 of all before

No names are in it: which flow is whose follows from the protocol, which the header names by hash.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ffbench.errors import DataError, reading
from ffbench.flow.checks import FlowField, Mask
from ffbench.io.atomic import atomic_path
from ffbench.io.json_models import first_fault
from ffbench.protocol import Progress
from ffbench.results.record.run_record import Sampling
from ffbench.submissions import sampling
from ffbench.submissions.checking.validation import Report
from ffbench.submissions.containers.entries import Entry, SubmissionFiles
from ffbench.submissions.manifest import Kind, Manifest, file_stem, flo_bytes

SUFFIX = ".bundle"
DEFAULT_STEP = 4
MAX_CHALLENGE = 200
MAGIC = b"\x89ffb\r\n\x1a\n"
VERSION = 1
_PREFIX = struct.Struct("<8sII")
_LENGTH = struct.Struct("<I")
_MAX_HEADER_BYTES = 2**14
_BLOCK_BYTES = 2**20
_DIGEST_BYTES = 32
_Sha256 = Field(pattern="^[0-9a-f]{64}$")


class Header(BaseModel):
    """What a bundle says of itself. `predictions_sha256` is the hash of the whole predictions that it was made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: str = Field(max_length=200)
    protocol_version: str = Field(max_length=50)
    pairs_sha256: str = _Sha256
    step: int = Field(ge=1, le=sampling.MAX_STEP)
    challenge: str = Field(max_length=MAX_CHALLENGE)
    kinds: tuple[Kind, ...] = Field(min_length=1, max_length=3)
    precision: Literal["float16"] = "float16"
    predictions_sha256: str = _Sha256


def write_bundle(
    path: Path,
    files: SubmissionFiles,
    report: Report,
    manifest: Manifest,
    *,
    step: int,
    challenge: str,
    progress: Progress | None = None,
) -> Header:
    """Pack predictions that were validated.

    Raises:
        DataError: a displacement is beyond half precision, a file changed since it was validated, or the bundle cannot
            be written.
    """
    header = Header(
        protocol=manifest.protocol,
        protocol_version=manifest.protocol_version,
        pairs_sha256=pairs_sha256(manifest),
        step=step,
        challenge=challenge,
        kinds=tuple(report.files),
        predictions_sha256=report.sha256,
    )
    text = header.model_dump_json().encode()
    digest = hashlib.sha256()
    with atomic_path(path) as temporary, temporary.open("wb") as file:

        def put(content: bytes) -> None:
            file.write(content)
            digest.update(content)

        put(_PREFIX.pack(MAGIC, VERSION, len(text)) + text)
        total = len(header.kinds) * len(manifest.sizes)
        for done, (kind, key, size) in enumerate(_flows(header, manifest), start=1):
            flow = files.read_again(report.files[kind][key], size)
            if np.abs(flow).max() > sampling.MAX_HALF:
                raise DataError(file_stem(kind, key), f"moves by more than {sampling.MAX_HALF:g} px, more than fits")
            packed = sampling.pack(sampling.take(flow, sampling.offset(challenge, key, size, step), step))
            put(_LENGTH.pack(len(packed)) + packed)
            if progress:
                progress(done, total)
        file.write(digest.digest())
    return header


def pairs_sha256(manifest: Manifest) -> str:
    """Hash protocol, version, dataset, and names and sizes of the pairs: what both sides must agree on."""
    content = [manifest.protocol, manifest.protocol_version, manifest.dataset_sha256, list(manifest.sizes.items())]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _flows(header: Header, manifest: Manifest) -> Iterator[tuple[Kind, str, tuple[int, int]]]:
    for kind in header.kinds:
        for key, size in manifest.sizes.items():
            yield kind, key, size


class BundleFiles(SubmissionFiles):
    """The flows of a bundle, each filled up to its image's size when it is opened."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        """Check the whole file, and that it was made for these pairs, in memory that does not grow with it.

        Raises:
            DataError: it is damaged, of another version, or of another protocol or dataset.
        """
        super().__init__()
        self.path = path
        self.entries: list[Entry] = []
        self._places: list[tuple[int, int, str]] = []
        with reading(path), path.open("rb") as file:
            self.header = self._read_header(file, manifest)
            self._list(file, manifest)
        self.sampling = Sampling(**self.header.model_dump(include=set(Sampling.model_fields)))

    def _read_header(self, file: IO[bytes], manifest: Manifest) -> Header:
        prefix = file.read(_PREFIX.size)
        if not prefix.startswith(MAGIC) or len(prefix) < _PREFIX.size:
            raise DataError(self.path, "is not a bundle of predictions, as `ffbench bundle` makes them")
        _, version, length = _PREFIX.unpack(prefix)
        if version != VERSION:
            raise DataError(self.path, f"a bundle of format version {version}, this ffbench reads version {VERSION}")
        if length > _MAX_HEADER_BYTES:
            raise DataError(self.path, f"states a header of {length} bytes, more than any bundle has; it is damaged")
        try:
            header = Header.model_validate_json(file.read(length))
        except ValidationError as error:
            fault = first_fault(error, "the header")
            raise DataError(self.path, f"the bundle's header is damaged: {fault}") from error
        asked = manifest.protocol, manifest.protocol_version
        if (header.protocol, header.protocol_version) != asked:
            raise DataError(
                self.path, f"was made for {header.protocol} {header.protocol_version}, not for {' '.join(asked)}"
            )
        if header.pairs_sha256 != pairs_sha256(manifest):
            raise DataError(self.path, "was made for other pairs or another version of the dataset than are here")
        if (
            header.kinds != tuple(kind for kind in manifest.kinds if kind in header.kinds)
            or "facial" not in header.kinds
        ):
            raise DataError(self.path, f"holds {', '.join(header.kinds)}, expected facial and then others, each once")
        return header

    def _list(self, file: IO[bytes], manifest: Manifest) -> None:
        """Walk over all flows, hashing; no more is read at once than a block."""
        header, end = self.header, file.tell()
        file.seek(0)
        digest = hashlib.sha256(file.read(end))
        for number, (kind, key, size) in enumerate(_flows(header, manifest)):
            prefix = file.read(_LENGTH.size)
            length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else -1
            if not 0 < length <= sampling.packed_bytes_allowed(size, header.step):
                raise DataError(self.path, f"cut short or damaged at {file_stem(kind, key)}")
            digest.update(prefix)
            self._places.append((file.tell(), length, key))
            self.entries.append(Entry(f"{file_stem(kind, key)}.flo", flo_bytes(size), number))
            while length:
                block = file.read(min(length, _BLOCK_BYTES))
                if not block:
                    raise DataError(self.path, f"cut short at {file_stem(kind, key)}")
                digest.update(block)
                length -= len(block)
        if file.read(_DIGEST_BYTES + 1) != digest.digest():
            raise DataError(self.path, "is damaged or cut short, its checksum does not fit")
        self._sizes = manifest.sizes

    def read_flow(self, entry: Entry, size: tuple[int, int]) -> FlowField:
        """Return one flow (H, W, 2), filled up between its samples."""
        place, length, key = self._places[int(entry.place)]
        step, first = self.header.step, self._first(key)
        try:
            with self.path.open("rb") as file:
                file.seek(place)
                samples = sampling.unpack(file.read(length), sampling.grid_shape(size, first, step))
        except (OSError, ValueError) as error:
            raise DataError(entry.name, f"cannot be unpacked, the bundle is damaged ({error})") from error
        if not np.isfinite(samples).all():
            raise DataError(entry.name, "samples are NaN or infinite", fault="not finite")
        return sampling.fill(samples, size, first, step)

    def read_bytes(self, entry: Entry) -> bytes:
        """Refuse: a bundle holds flows alone.

        Raises:
            DataError: always.
        """
        raise DataError(self.path, f"{entry.name} is no file of its own; a bundle holds flows alone")

    def exact_pixels(self, key: str) -> Mask:
        """Mark the pixels that the bundle has values for; the others are filled in."""
        return sampling.sampled_pixels(self._sizes[key], self._first(key), self.header.step)

    def _first(self, key: str) -> tuple[int, int]:
        return sampling.offset(self.header.challenge, key, self._sizes[key], self.header.step)

    def close(self) -> None:
        """Do nothing: the file is opened for each flow."""
