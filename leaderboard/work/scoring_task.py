"""What the bounded process does with an upload: validate it, and score it if somebody submits it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_SECONDS_BETWEEN = 0.2


def answer(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Validate the archive, and score it if it is sound and the request names a submitter.

    `progress.json` says how far that is.

    Returns:
        `report`, the lines of the validation report, with `sound` and `extra`, the first names of files that belong
        to no pair; or `record`, a path below `folder`.

    Raises:
        FfbenchError: the archive or the dataset cannot be read, or the archive is refused as a whole.
    """
    from ffbench.registry import load_protocol
    from ffbench.submissions.submit import InvalidSubmission, Submitter, submit, validate_submission

    archive, reporter = folder / request["archive"], _progress_bar(folder / "progress.json")
    protocol = load_protocol(request["protocol"])
    if request["submitter"] is None:
        report = validate_submission(archive, protocol, reporter, advise=True)
        extra = report.problems.get("extra")
        return {"report": report.lines(), "sound": report.sound, "extra": extra.first if extra else []}
    try:
        submit(archive, protocol, Submitter(**request["submitter"]), out=folder / "runs", progress_bar=reporter)
    except InvalidSubmission as error:
        return {"report": error.report.lines(), "sound": False}
    (record,) = (folder / "runs").rglob("record.json")
    return {"record": str(record.relative_to(folder))}


def _progress_bar(path: Path) -> Callable[[str, str], contextlib.AbstractContextManager[Any]]:
    from ffbench.io import atomic

    @contextlib.contextmanager
    def opened(title: str, unit: str) -> Iterator[Callable[[int, int], None]]:
        written = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal written
            if time.monotonic() - written >= _SECONDS_BETWEEN:
                written = time.monotonic()
                atomic.write_text(path, json.dumps({"title": title, "done": done, "total": total}))

        yield progress

    return opened
