"""Checking and scoring what strangers upload: in a process of its own, in a private folder that is removed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ffbench.errors import DataError
from ffbench.results.record.run_record import RunRecord, read_record
from ffbench.results.store.records import add_record
from ffbench.submissions.submit import Submitter

from . import bounded
from .bounded import Limits, Progress
from .place import Place
from .private import private_folder

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".bundle")
MAX_MEGABYTES = 500
"""What an upload may weigh; larger ones are for `ffbench submit`."""
LIMITS = Limits()
PLACE = Place("submissions of other visitors")
FALLBACK_HINT = "score it yourself with `ffbench submit`"


@dataclass(frozen=True)
class Outcome:
    """What came of an upload: the lines of a validation report, or a record with its files for a store.

    `extra` are the first names of files that belong to no pair.

    `package` is a zip archive that, unpacked at the top of the repository, adds the record and its table of pair scores
    to `submissions/claimed`; None for a record that may not be ranked.
    """

    report: tuple[str, ...] = ()
    sound: bool = False
    extra: tuple[str, ...] = ()
    record: RunRecord | None = None
    package: bytes | None = None


def archive_suffix(name: str) -> str:
    """Return the suffix that says what kind of archive an upload is.

    Raises:
        DataError: it is none that is read.
    """
    for suffix in ARCHIVES:
        if name.lower().endswith(suffix):
            return suffix
    raise DataError(f"{name}: expected an archive, {', '.join(ARCHIVES)}")


def read_upload(
    name: str,
    content: memoryview,
    protocol: str,
    submitter: Submitter | None,
    wait: Callable[[int], None],
    tell: Callable[[Progress | None], None],
    limits: Limits = LIMITS,
) -> Outcome:
    """Validate an uploaded archive, and score it for `submitter` if there is one.

    One upload at a time. Whatever happens, also when `tell` raises because the visitor has gone, the process is killed
    and the folder removed; when `wait` raises, the place in the queue is given up.

    Args:
        name: of the upload, whose suffix says of what kind it is.
        content: its bytes.
        protocol: name of the protocol, which is opened on its default dataset.
        submitter: goes into the record; None to validate alone.
        wait: called five times a second with how many uploads are ahead in the queue, while any are.
        tell: called five times a second with how far the process is, None at first.
        limits: of the process; time counts from when it starts.

    Raises:
        Busy: too many others are waiting.
        DataError: the archive is refused, or asks for more than `limits`.
    """
    suffix = archive_suffix(name)
    with PLACE.take(wait), private_folder("upload") as folder:
        archive = folder / f"upload{suffix}"
        archive.write_bytes(content)
        given = None if submitter is None else asdict(submitter)
        request = {"archive": archive.name, "protocol": protocol, "submitter": given}
        result = bounded.run(folder, "score", request, limits, tell, FALLBACK_HINT)
        if "error" in result:
            raise DataError(str(result["error"]).replace(str(archive), name))
        if "report" in result:
            extra = tuple(map(str, result.get("extra", ())))
            return Outcome(report=tuple(result["report"]), sound=bool(result["sound"]), extra=extra)
        return _outcome(folder / str(result["record"]), folder)


def _outcome(path: Path, folder: Path) -> Outcome:
    record = read_record(path)
    if record.not_rankable:
        return Outcome(sound=True, record=record)
    stored = add_record(folder / "submissions", path, "claimed")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for file in (stored, stored.with_suffix(".parquet")):
            package.write(file, file.relative_to(folder).as_posix())
    return Outcome(sound=True, record=record, package=content.getvalue())
