"""What a competition measures, as it lies beside its reference data, and where that data lies."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ffbench.io.json_models import read_model

TASK, DATA = "task.json", "data"
"""In the folder of the reference data: what is measured, and the dataset."""
_MOST_BYTES = 2**20


class Task(BaseModel):
    """A protocol as it was asked for. `manifest_sha256` is that of the dataset; None where the organizer brings it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: str
    version: str
    variant: str | None
    options: dict[str, str]
    manifest_sha256: str | None
    ffbench: str


def read_task(folder: Path) -> Task:
    """Read what a competition measures.

    Args:
        folder: the reference data.

    Raises:
        DataError: the file is missing, or none.
    """
    return read_model(
        folder / TASK, Task, _MOST_BYTES, kind="a task", wrong="is no task of `ffbench protocols codabench`"
    )
