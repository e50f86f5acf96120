"""The rows of the records that ship: a list of methods and of the readings of protocols that they are measured by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ffbench.errors import DataError, UsageError
from ffbench.io.json_models import first_fault
from ffbench.io.toml_files import read_toml


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reading(_Strict):
    """A protocol with its variant and options, and the methods that it does not measure, or not at once."""

    protocol: str
    variant: str | None = None
    options: dict[str, str] = Field(default_factory=dict)
    without: dict[str, str] = Field(default_factory=dict, description="methods that cannot be measured, and why")
    later: dict[str, str] = Field(default_factory=dict, description="methods that run only when asked for, and why")

    @property
    def title(self) -> str:
        """Name the reading in a line, such as `casme2_5 (official, flow=expression)`."""
        parts = [*([self.variant] if self.variant else []), *(f"{key}={value}" for key, value in self.options.items())]
        return f"{self.protocol} ({', '.join(parts)})" if parts else self.protocol


class RowList(_Strict):
    """Every method on every reading, in the order in which they run: all readings of one method, then the next."""

    methods: tuple[str, ...] = Field(min_length=1)
    readings: tuple[Reading, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_consistent(self) -> RowList:
        titles = [reading.title for reading in self.readings]
        for names, what in ((self.methods, "method"), (titles, "reading")):
            twice = next((name for name in names if list(names).count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"the {what} '{twice}' is there twice")
        for reading in self.readings:
            for name in (*reading.without, *reading.later):
                if name not in self.methods:
                    raise ValueError(f"{reading.title} names '{name}', which is not among the methods")
        return self


@dataclass(frozen=True)
class PlannedRow:
    """One method on one reading; `later` says why it runs only when asked for."""

    method: str
    reading: Reading
    later: str | None = None

    @property
    def title(self) -> str:
        """Name the row in a line, such as `dis on ck_landmarks`."""
        return f"{self.method} on {self.reading.title}"


def read_rows_list(path: Path) -> RowList:
    """Read a list of rows.

    Raises:
        DataError: the file cannot be read, or is no such list; the message says where.
    """
    table = read_toml(path, "a list of rows")
    try:
        return RowList.model_validate(table)
    except ValidationError as error:
        raise DataError(path, f"is no list of rows: {first_fault(error)}") from error


def planned_rows(
    wanted: RowList, methods: Collection[str] = (), protocols: Collection[str] = (), *, later: bool = False
) -> list[PlannedRow]:
    """Return the rows of a list, in the order in which they run.

    Args:
        wanted: the list.
        methods, protocols: only these; empty: all.
        later: with those that run only when asked for.

    Raises:
        UsageError: a name that is not in the list.
    """
    known = {"method": wanted.methods, "protocol": tuple(reading.protocol for reading in wanted.readings)}
    for what, names in (("method", methods), ("protocol", protocols)):
        for name in names:
            if name not in known[what]:
                listed = ", ".join(dict.fromkeys(known[what]))
                raise UsageError(f"{what} '{name}' is not in the list of rows; it has {listed}")
    return [
        PlannedRow(method, reading, reading.later.get(method))
        for method in wanted.methods
        if not methods or method in methods
        for reading in wanted.readings
        if (not protocols or reading.protocol in protocols) and method not in reading.without
        if later or method not in reading.later
    ]
