"""`ffbench verify`: whether the folder of committed records is sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say


def verify_records(
    store: Annotated[
        str, typer.Argument(help="Store of records: a folder, or a URL (s3://BUCKET/STORE).")
    ] = "submissions",
    rescore: Annotated[
        bool,
        typer.Option("--rescore/--no-rescore", help="Score claims again that nobody has verified, where possible."),
    ] = True,
    predictions: Annotated[
        list[Path],
        typer.Option("--predictions", exists=True, help="Flows of a submission, found by hash; may be repeated."),
    ] = [],  # noqa: B006
    weights: Annotated[
        list[Path],
        typer.Option("--weights", exists=True, dir_okay=False, help="Checkpoint, found by hash; may be repeated."),
    ] = [],  # noqa: B006
    sample: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--sample", min=0, metavar="N", help="Score only N records again, drawn by chance; default: all."),
    ] = None,
    rehash: options.Rehash = False,
    device: options.Device = "auto",
    out: Annotated[Path, typer.Option("--out", help="Folder of runs, for what is scored again.")] = Path("runs"),
) -> None:
    """Check a store: schema, names, hashes, numbers against tables, pairs against datasets, and claims against scores.

    All numbers are worked out again from the tables of pair scores. Verified records, and claims that no verified
    record speaks to, are scored again: from their predictions, or by running their method, if these and the dataset are
    here. Ends with exit code 3 if there is a fault, such as a claim that does not hold. Remarks are for a person to
    judge, and say what could not be checked.
    """
    from ffbench.datasets.manifest import rehashing
    from ffbench.errors import DataError, UsageError
    from ffbench.results.store.verification import Expected, Rescore, verify_store

    scorer: Rescore | None = None
    expected: Expected | None = None
    if rescore:
        from ffbench.cli.shared.console import progress_bar
        from ffbench.submissions.rescoring import Rescorer

        rescorer = Rescorer(predictions, weights, device=device, out=out, progress_bar=progress_bar)
        scorer, expected = rescorer.rescore, rescorer.expected_pairs
    elif predictions or weights or sample is not None:
        raise UsageError("--no-rescore scores nothing, so it takes no --predictions, no --weights and no --sample")
    with rehashing(rehash):
        found = verify_store(store, _present_version, scorer, expected, sample)
    for kind, lines in (("confirmed", found.confirmed), ("remark", found.remarks), ("fault", found.faults)):
        for line in lines:
            say(f"{kind}: {line}")
    if not rescore:
        say("nothing was scored again, and no pairs were compared with their dataset (--no-rescore)")
    confirmed = f"{len(found.confirmed)} confirmed, " if rescore else ""
    say(f"{found.records} records, {confirmed}{len(found.faults)} faults, {len(found.remarks)} remarks")
    if found.faults:
        raise DataError(store, f"{len(found.faults)} faults, listed above")


def _present_version(protocol: str) -> str | None:
    """Return the version of an installed protocol without its dataset, which may be licensed and not here."""
    from importlib import import_module

    from ffbench.errors import FfbenchError
    from ffbench.registry import protocol_entry

    try:
        module = import_module(protocol_entry(protocol).load.__module__)
    except (FfbenchError, ImportError):
        return None
    version = getattr(module, "VERSION", None)
    return version if isinstance(version, str) else None
