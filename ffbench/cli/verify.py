"""`ffbench verify`: whether the folder of committed records is sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify_records(store: Annotated[Path, typer.Argument(help="Store of records.")] = Path("submissions")) -> None:
    """Check a store: schema, names, hashes, tables, protocol versions, duplicates, and claims against scores.

    Ends with exit code 3 if there is a fault. Remarks are for a person to judge.
    """
    from ffbench.errors import DataError
    from ffbench.results.store_verification import verify_store

    found = verify_store(store, _present_version)
    for remark in found.remarks:
        typer.echo(f"remark: {remark}")
    for fault in found.faults:
        typer.echo(f"fault: {fault}")
    typer.echo(f"{found.records} records, {len(found.faults)} faults, {len(found.remarks)} remarks")
    if found.faults:
        raise DataError(f"{store}: {len(found.faults)} faults, listed above")


def _present_version(protocol: str) -> str | None:
    """Give the version of an installed protocol without its dataset, which may be licensed and not here."""
    from importlib import import_module

    from ffbench.errors import FfbenchError
    from ffbench.registry import protocol_entry

    try:
        module = import_module(protocol_entry(protocol).load.__module__)
    except (FfbenchError, ImportError):
        return None
    version = getattr(module, "VERSION", None)
    return version if isinstance(version, str) else None
