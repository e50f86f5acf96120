"""Which records are of recognition, and what they say of what was learnt from and of what learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ffbench.errors import DataError
from ffbench.results.record.run_record import RunRecord, read_record
from ffbench.results.store.records import record_files

RECOGNISER = "recogniser"
"""The option of a protocol's card that names what learns."""


@dataclass(frozen=True)
class FlowOf:
    """What was learnt from: a row of a table of methods."""

    title: str
    identity: str
    weights: str
    flow: str
    derive_head: str

    def label(self, *, with_weights: bool) -> str:
        """Name it, such as `DIS, expression flow (head fitted: rigid)`."""
        head = "" if self.derive_head in ("none", "") else f" (head fitted: {self.derive_head})"
        weights = f" {self.weights}" if with_weights and self.weights else ""
        return f"{self.title}{weights}, {self.flow} flow{head}"


@dataclass(frozen=True)
class LearnerOf:
    """What learnt: a column of such a table."""

    name: str
    code: str
    recipe: str
    epochs: int

    def label(self, *, with_epochs: bool) -> str:
        """Name it, such as `mmnet (released)`."""
        facts = [self.recipe, self.code[:8], f"{self.epochs} epochs" if with_epochs else ""]
        said = ", ".join(fact for fact in facts if fact)
        return f"{self.name} ({said})" if said else self.name


def is_recognition(record: RunRecord) -> bool:
    """Whether a record is of a protocol that recognises classes by a recogniser."""
    return record.confusion is not None and RECOGNISER in record.protocol.options


def require_recognition(record: RunRecord, path: Path | str) -> None:
    """Refuse a record of something else.

    Raises:
        DataError: it is.
    """
    if not is_recognition(record):
        raise DataError(path, f"is a record of {record.protocol.id}, which recognises no classes; expected one of a "
                              "recognition protocol, such as casme2_5")  # fmt: skip


def find_recognition(places: Sequence[Path | str]) -> tuple[list[RunRecord], list[str]]:
    """Read the records of recognition in stores, folders of runs and files.

    Returns:
        The records, and a line for each file that cannot be read.

    Raises:
        DataError: a place is not there.
    """
    records: list[RunRecord] = []
    problems: list[str] = []
    for path, level in record_files(places, problems):
        if level == "claimed":
            continue
        try:
            record = read_record(path)
        except DataError as error:
            problems.append(str(error))
            continue
        if is_recognition(record):
            records.append(record)
    return records, problems


def flow_of(record: RunRecord) -> FlowOf:
    """Return what a record learnt from."""
    options, weights = record.protocol.options, record.method.weights
    return FlowOf(
        title=record.method.title,
        identity=repr(sorted(record.method.identity.items())),
        weights="" if weights is None else weights.label,
        flow=str(options.get("flow", "facial")),
        derive_head=str(options.get("derive_head", "none")),
    )


def learner_of(record: RunRecord) -> LearnerOf:
    """Return what learnt in a record."""
    options = record.protocol.options
    epochs = options.get("epochs", 1)
    return LearnerOf(
        name=str(options[RECOGNISER]),
        code=str(options.get("recogniser_code", "")),
        recipe=str(options.get("recipe", "")),
        epochs=epochs if isinstance(epochs, int) else 1,
    )


def seeds_of(record: RunRecord) -> int:
    """Return how often everything was learnt anew."""
    seeds = record.protocol.options.get("seeds", 1)
    return seeds if isinstance(seeds, int) else 1
