"""Two methods compared by name, by record or by run: finds the records that are meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ffbench.cards import OWN_PREFIX
from ffbench.errors import DataError, UsageError
from ffbench.io.object_store import is_url
from ffbench.packages.entry_points import nearest
from ffbench.paths import shipped_store
from ffbench.results.ranking import compare as ranking
from ffbench.results.ranking.comparison import Comparison
from ffbench.results.record.row import Board, Row, row_of
from ffbench.results.record.run_record import NOT_COMPLETE, RECORD, RunRecord, read_record
from ffbench.results.store.places import Place, local_copy
from ffbench.results.store.records import read_rows

Named = str | Path | RunRecord
"""A record, its file, the folder of its run, or the id of a method."""


@dataclass(frozen=True)
class Choice:
    """What records are meant where methods are named.

    Attributes:
        protocol: its id; None: the one that both methods have records of.
        variants: none, one for both methods, or one for each.
        places: stores, folders of runs and records; None: `runs`, and the records that ship with ffbench.
    """

    protocol: str | None = None
    variants: tuple[str, ...] = ()
    places: Sequence[Place] | None = None


def compare(
    a: Named,
    b: Named,
    *,
    protocol: str | None = None,
    variant: str | tuple[str, str] | None = None,
    places: Sequence[Place] | None = None,
    across_options: bool = False,
) -> Comparison:
    """Compare two methods pair by pair: by their records, files of records, folders of runs, or ids.

    Args:
        a, b: what is compared. Of a method, by its id, the latest run in `places` counts, complete ones first.
        protocol: where methods are named, the id of the protocol.
        variant: where methods are named, the variant; or that of A and that of B, such as `("clean", "official")`.
        places: stores, folders of runs and records; None: `runs`, and the records that ship with ffbench.
        across_options: options and variant of the two may differ; those that do are named in the titles.

    Raises:
        UsageError: no such method, or the two cannot be compared.
        DataError: a record is missing or damaged, or they hold different pairs.
    """
    variants = () if variant is None else (variant,) if isinstance(variant, str) else variant
    choice = Choice(protocol, variants, places)
    first, second = find_rows(a, b, choice)
    group_by = read_record(second.path).protocol.group_by
    return ranking.compare(first, second, group_by, across_options=across_options or len(variants) == 2)


def find_rows(a: Named, b: Named, choice: Choice, problems: list[str] | None = None) -> tuple[Row, Row]:
    """Return the rows of the two records that are meant.

    Args:
        a, b: as `compare` takes them.
        choice: which records of a method.
        problems: takes the errors of records that cannot be read.

    Raises:
        UsageError: no such method, or more than one board holds both.
        DataError: a record is missing or damaged.
    """
    if len(choice.variants) > 2:
        raise UsageError(f"{len(choice.variants)} variants: expected one for both methods, or one for each")
    rows: list[Row] | None = None
    found = []
    for number, side in enumerate((a, b)):
        row = _given(side)
        if row is None:
            if rows is None:
                rows = read_rows(_places(choice), [] if problems is None else problems)
            variant = choice.variants[number % len(choice.variants)] if choice.variants else None
            found.append(_of_method(str(side), rows, choice, variant))
        else:
            found.append([row])
    across = len(choice.variants) == 2 or rows is None
    boards = [{_key(row.board, across=across): row.board for row in side} for side in found]
    common = list(boards[0].keys() & boards[1].keys()) if rows is not None else []
    if rows is None:
        return found[0][0], found[1][0]
    if not common:
        said = "; ".join(f"{side} is on {_names(known.values())}" for side, known in zip((a, b), boards, strict=True))
        raise UsageError(f"no board holds both: {said}")
    if len(common) > 1:
        raise UsageError(
            f"both are on {len(common)} boards: {_names(boards[0][key] for key in common)}; "
            "name one by --protocol and --variant, or name two records"
        )
    first, second = (max((row for row in side if _key(row.board, across=across) == common[0]), key=_age)
                     for side in found)  # fmt: skip
    return first, second


def _places(choice: Choice) -> list[Place]:
    if choice.places is not None:
        return list(choice.places)
    runs, shipped = Path("runs"), shipped_store()
    return [*([runs] if runs.is_dir() else []), *([shipped] if shipped is not None else [])]


def _given(side: Named) -> Row | None:
    """Return the row of a record that is named itself; None where a method is named.

    Raises:
        DataError: it is a path at which there is no record.
        UsageError: it is a record that is in no file.
    """
    if isinstance(side, RunRecord):
        if side.path is None:
            raise UsageError(f"the record of {side.method.id} is in no file: read it with read_record")
        return row_of(side.path, "local", side)
    path = local_copy(side).path
    place = path / RECORD if path.is_dir() else path
    if place.is_file():
        return row_of(place, "local", read_record(place))
    if is_url(side):
        raise DataError(side, f"no such record; name a record, or the folder of a run that holds {RECORD}")
    if isinstance(side, Path) or path.is_absolute() or path.is_dir() or path.suffix == ".json":
        raise DataError(place, f"no such record; name a record, the folder of a run that holds {RECORD}, or a method")
    return None


def _of_method(name: str, rows: Sequence[Row], choice: Choice, variant: str | None) -> list[Row]:
    """Return the rows of a method, on the protocol and in the variant that are wanted.

    Raises:
        UsageError: there are none.
    """
    known = sorted({row.method for row in rows})
    wanted = name if name in known else f"{OWN_PREFIX}{name}"
    of_name = [row for row in rows if row.method == wanted]
    if not of_name:
        places = ", ".join(map(str, _places(choice)))
        raise UsageError(f"no record of a method '{name}' in {places or 'any place'}{nearest(name, known)}")
    found = [
        row for row in of_name if choice.protocol in (None, row.board.protocol) and variant in (None, row.board.variant)
    ]
    if not found:
        asked = " ".join(part for part in (choice.protocol, variant) if part)
        near = [row for row in of_name if row.board.protocol == choice.protocol] or of_name
        raise UsageError(f"no record of '{name}' on {asked}; it is on {_names(row.board for row in near)}")
    return found


def _key(board: Board, *, across: bool) -> tuple[str, ...]:
    """Return what two boards must share; `across` variants, they differ in version, options and chosen pairs too."""
    place = board.protocol, board.dataset, board.origin
    return place if across else (*place, board.manifest_sha256, board.version, board.variant, board.options)


def _age(row: Row) -> tuple[bool, bool, str]:
    return NOT_COMPLETE not in row.not_rankable, row.level == "local", row.started


def _names(boards: Iterable[Board]) -> str:
    """Name boards: by their protocols alone, where they are of several."""
    boards = list(boards)
    protocols = sorted({board.protocol for board in boards})
    return ", ".join(protocols) if len(protocols) > 1 else "; ".join(sorted({board.title for board in boards}))
