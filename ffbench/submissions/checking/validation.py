"""Whether a submission holds exactly the files that its protocol wants, and each of them a sound flow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ffbench.errors import DataError
from ffbench.flow.checks import is_known
from ffbench.protocol import Progress
from ffbench.submissions.checking.naming import naming_advice
from ffbench.submissions.containers.entries import Entry, SubmissionFiles
from ffbench.submissions.manifest import CONFIDENCE, NOT_FOUND, Kind, Manifest, file_stem

Fault = Literal[
    "missing", "extra", "duplicate", "wrong size", "wrong format", "truncated", "not finite", "unknown", "damaged"
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
NAMES_SHOWN = 10
_READERS = 2
_CHUNK = 64


@dataclass
class Problems:
    """One kind of fault: how often it occurs, and the first names with what was found there."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Count a fault; keep its line if it is among the first."""
        self.count += 1
        if len(self.first) < NAMES_SHOWN:
            self.first.append(line)


@dataclass(frozen=True)
class Report:
    """What validation found.

    `files` are the sound files by kind of flow and key; `sha256` hashes names and values, and `not_found`: the keys of
    pairs in which the method found nothing to go by. `hints` say what a person may have got wrong, and how to fix it;
    they are no faults.
    """

    expected: int
    problems: dict[Fault, Problems]
    files: dict[Kind, dict[str, Entry]]
    sha256: str
    not_found: frozenset[str] = frozenset()
    hints: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether the submission may be scored."""
        return not self.problems

    def summary(self) -> dict[str, Any]:
        """Return the report as plain values that JSON holds."""
        return {
            "sound": self.sound,
            "expected": self.expected,
            "files": {kind: len(names) for kind, names in self.files.items()},
            "sha256": self.sha256,
            "problems": {fault: {"count": found.count, "first": found.first} for fault, found in self.problems.items()},
            "hints": list(self.hints),
        }

    def lines(self) -> list[str]:
        """Return the report as lines of text, the faults in a fixed order."""
        lines = [f"{self.expected} files expected, {sum(map(len, self.files.values()))} found and sound"]
        for fault in FAULTS:
            if fault not in self.problems:
                continue
            found = self.problems[fault]
            lines.append(f"{fault}: {found.count}")
            lines += [f"  {line}" for line in found.first]
            if found.count > len(found.first):
                lines.append(f"  ... and {found.count - len(found.first)} more")
        return lines + [f"hint: {hint}" for hint in self.hints]


def validate(files: SubmissionFiles, manifest: Manifest, progress: Progress | None = None) -> Report:
    """Check every file of a submission; all faults are found, none of them stops the check.

    `facial/` must hold every pair; `head/`, and `backward/` where the protocol makes use of it, every pair or none.
    What lies in `confidence/` is passed over. Names are compared without suffix, so formats may be mixed; a pair in
    two formats is a duplicate. `not_found.txt` may stand beside the folders, with keys of pairs in which the method
    found nothing to go by.

    Raises:
        DataError: the submission as a whole cannot be read or is refused.
    """
    problems: dict[Fault, Problems] = {}

    def note(fault: Fault, line: str) -> None:
        problems.setdefault(fault, Problems()).add(line)

    wanted = {file_stem(kind, key): (kind, key) for kind in manifest.kinds for key in manifest.sizes}
    found: dict[Kind, dict[str, Entry]] = {kind: {} for kind in manifest.kinds}
    lost: frozenset[str] = frozenset()
    extra: list[Entry] = []
    for entry in files.entries:
        if entry.name.startswith(f"{CONFIDENCE}/"):
            continue
        if entry.name == NOT_FOUND:
            try:
                lost = _not_found(files, entry, manifest)
            except DataError as error:
                note("damaged", str(error))
            continue
        place = wanted.get(entry.stem)
        if place is None or not entry.is_flow:
            extra.append(entry)
            note("extra", entry.name)
        elif place[1] in found[place[0]]:
            note("duplicate", entry.name)
        else:
            found[place[0]][place[1]] = entry
    expected = 0
    missing: list[str] = []
    for kind in manifest.kinds:
        if kind != "facial" and not found[kind]:
            continue
        expected += len(manifest.sizes)
        missing += [file_stem(kind, key) for key in manifest.sizes if key not in found[kind]]
    for stem in missing:
        note("missing", f"{stem}.flo")
    digest = hashlib.sha256()
    sound: dict[Kind, dict[str, Entry]] = {kind: {} for kind in manifest.kinds}
    total = sum(map(len, found.values()))
    for done, (kind, key, entry, result) in enumerate(_checked(files, manifest, found), start=1):
        if isinstance(result, str):
            digest.update(f"{file_stem(kind, key)}\0{result}\n".encode())
            sound[kind][key] = entry
        else:
            note(*result)
        if progress:
            progress(done, total)
    for key in sorted(lost):
        digest.update(f"{NOT_FOUND}\0{key}\n".encode())
    kinds = {kind: names for kind, names in sound.items() if names}
    hints = tuple(naming_advice(extra, missing, manifest))
    return Report(expected, problems, kinds, digest.hexdigest(), lost, hints)


def _not_found(files: SubmissionFiles, entry: Entry, manifest: Manifest) -> frozenset[str]:
    """Read the keys of pairs in which the method found nothing.

    Raises:
        DataError: the file is larger than all keys together, damaged, or names what is no pair.
    """
    most = sum(len(key.encode()) + 2 for key in manifest.sizes)
    if entry.bytes > most:
        raise DataError(entry.name, f"{entry.bytes} bytes, expected at most {most}, a key of a pair on each line")
    try:
        lines = files.read_bytes(entry).decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(entry.name, "cannot be read as text in UTF-8; expected a key of a pair on each line") from error
    for line in lines:
        if line not in manifest.sizes:
            raise DataError(entry.name, f"names {line[:80]!r}, which is no pair of {manifest.protocol}")
    return frozenset(lines)


def _checked(
    files: SubmissionFiles, manifest: Manifest, found: dict[Kind, dict[str, Entry]]
) -> Iterator[tuple[Kind, str, Entry, str | tuple[Fault, str]]]:
    """Check all files in threads, in the manifest's order; gives the hash of the values, or the fault."""
    tasks = [(kind, key, found[kind][key]) for kind in manifest.kinds for key in manifest.sizes if key in found[kind]]
    with ThreadPoolExecutor(_READERS, thread_name_prefix="ffbench-check") as readers:
        for start in range(0, len(tasks), _CHUNK):
            chunk = tasks[start : start + _CHUNK]
            results = readers.map(lambda task: _check(files, task[2], manifest.sizes[task[1]]), chunk)
            yield from ((*task, result) for task, result in zip(chunk, results, strict=True))


def _check(files: SubmissionFiles, entry: Entry, size: tuple[int, int]) -> str | tuple[Fault, str]:
    try:
        flow = files.read(entry, size)
    except DataError as error:
        return error.fault or "damaged", f"{entry.name}: {error.reason}"
    unknown = flow.shape[0] * flow.shape[1] - int(is_known(flow).sum())
    if unknown:
        mark = "marked as not valid (third channel 0)" if entry.name.lower().endswith(".png") else "marked as not known"
        return "unknown", f"{entry.name}: {unknown} pixels are {mark}; every pixel must have a value"
    files.keep(entry, flow)
    return hashlib.sha256(flow.astype("<f4", copy=False).tobytes()).hexdigest()
