"""`ffbench publish`: a record into the folder of committed ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say


def publish_record(
    run: Annotated[Path, typer.Argument(help="A record, or the folder of a run.")],
    store: options.StoreName = "submissions",
    claimed: Annotated[
        bool, typer.Option("--claimed/--verified", help="Sent in by a submitter, or scored by the maintainers.")
    ] = True,
) -> None:
    """Copy a record and its table of pair scores into a store, under a name made from its content."""
    from ffbench.errors import UsageError
    from ffbench.results.record.run_record import read_record
    from ffbench.results.store.records import publish_record

    path = run / "record.json" if run.is_dir() else run
    reasons = read_record(path).not_rankable
    if reasons:
        raise UsageError(f"{path}: is not for ranking ({', '.join(reasons)}), so it cannot be published")
    say(publish_record(store, path, "claimed" if claimed else "verified"))
