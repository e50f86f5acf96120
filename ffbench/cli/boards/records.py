"""`ffbench records`: the records that ship with ffbench, brought up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ffbench.cli.shared.console import note, say

if TYPE_CHECKING:
    from ffbench.evaluation.shipping.staleness import RowState


def make_records(
    store: Annotated[Path, typer.Option("--store", help="Store of records.")] = Path("submissions"),
    rows: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--rows", help="List of rows; default: rows.toml of the store."),
    ] = None,
    method: Annotated[list[str], typer.Option("--method", "-m", help="Only this method; may be repeated.")] = [],  # noqa: B006
    protocol: Annotated[list[str], typer.Option("--protocol", "-p", help="Only this protocol; may be repeated.")] = [],  # noqa: B006
    later: Annotated[bool, typer.Option("--later", help="With the rows that the list leaves for later.")] = False,
    stale: Annotated[bool, typer.Option("--stale", help="Say what is missing or stale, and run nothing.")] = False,
    out: Annotated[Path, typer.Option("--out", help="Folder of runs.")] = Path("runs"),
) -> None:
    """Run every row of a list whose record is missing or stale, on one thread, and put it into the verified ones.

    A record is stale when its method, weights, protocol, dataset or schema is another one now. What is up to date is
    not run again, and an interrupted row goes on where it stopped.
    """
    from ffbench.errors import MethodError, UsageError
    from ffbench.evaluation.shipping.rows import planned_rows, read_rows_list
    from ffbench.evaluation.shipping.staleness import row_states, shipped_records, without_row
    from ffbench.paths import data_dir

    if data_dir() is not None:
        raise UsageError(
            f"FFBENCH_DATA is {data_dir()}, and records that ship are of data that everybody has: unset it"
        )
    wanted = read_rows_list(rows or store / "rows.toml")
    shipped = shipped_records(store)
    planned = planned_rows(wanted, method, protocol, later=later or stale)
    states = row_states(planned, shipped)
    if stale:
        seen = _say_states(states)
        if not method and not protocol:
            for path in without_row(seen, shipped):
                say(f"of no row: {path}")
        return
    failed = _run(list(states), len(planned), out, store)
    if failed:
        raise MethodError(f"{failed} rows could not be run, as said above")


def _say_states(states: Iterable[RowState]) -> list[RowState]:
    """Print what is missing or stale; return all states."""
    seen = []
    for state in states:
        seen.append(state)
        row = state.row
        later = f" (left for later: {row.later})" if row.later else ""
        if state.unusable is not None:
            say(f"cannot run here: {row.title}: {state.unusable}")
        elif state.reasons and not state.shipped:
            say(f"missing: {row.title}{later}")
        elif state.reasons:
            say(f"stale: {row.title}: {'; '.join(state.reasons)}{later}")
    current = sum(state.current for state in seen)
    say(f"{current} of {len(seen)} rows are up to date")
    return seen


def _run(states: Sequence[RowState], rows: int, out: Path, store: Path) -> int:
    """Run what is to be run; return how many rows could not be.

    Rows of one method on one dataset share its flows, which are removed after the last of these rows.
    """
    import shutil
    import time

    from ffbench.errors import FfbenchError
    from ffbench.evaluation.runner import folder_name
    from ffbench.evaluation.shipping.rerun import run_row, ship

    current = failed = 0
    left = Counter((state.row.method, state.dataset) for state in states if not state.current)
    sharing = {key for key, count in left.items() if count > 1}
    for number, state in enumerate(states, start=1):
        if state.current:
            current += 1
            continue
        key = (state.row.method, state.dataset)
        folder = out / "flows" / folder_name("-".join(key))
        flows = folder if key in sharing or folder.exists() else None  # an interrupted command may have left some
        clock = time.monotonic()
        try:
            if state.unusable is not None:
                raise FfbenchError(f"{state.row.title}: {state.unusable}")
            target = ship(run_row(state.row, out, flows), store, state.shipped)
        except FfbenchError as error:
            failed += 1
            note(f"failed: {error}")
            continue
        finally:
            left[key] -= 1
            if flows is not None and not left[key]:
                shutil.rmtree(flows, ignore_errors=True)
        say(f"{number}/{rows} {state.row.title}: {target} ({time.monotonic() - clock:.0f} s)")
    say(f"{current} of {rows} rows were up to date")
    return failed
