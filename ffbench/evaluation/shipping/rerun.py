"""Runs a row, each in a process of its own, and puts its record in the place of the older one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from ffbench.errors import MethodError
from ffbench.evaluation.runner import run_folder
from ffbench.evaluation.shipping.rows import PlannedRow
from ffbench.evaluation.shipping.staleness import Shipped
from ffbench.results.record.run_record import RunRecord
from ffbench.results.store.records import add_record


def run_row(row: PlannedRow, runs: Path, flows: Path | None = None) -> Path:
    """Evaluate a row by `ffbench eval` on one thread of the CPU, on the protocol's default dataset.

    A process for each row: peak memory is of the row alone, and a method that ends its process ends no other row. A
    row that was interrupted goes on where it stopped.

    Args:
        row: the row.
        runs: folder of runs.
        flows: folder of the flows that rows of this method share; None: they are estimated for this row alone.

    Returns:
        The path of the record.

    Raises:
        MethodError: the evaluation failed; the message ends with what it said.
    """
    reading = row.reading
    command = [sys.executable, "-m", "ffbench", "eval", "--json", "--one-thread", "--device", "cpu"]
    command += ["--out", str(runs), "--method", row.method, "--protocol", reading.protocol]
    command += ["--reuse-flows", str(flows)] if flows is not None else []
    command += ["--variant", reading.variant] if reading.variant else []
    command += [part for key, value in reading.options.items() for part in ("--option", f"{key}={value}")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise MethodError(f"{row.title}: {said[-1]}")
    try:
        record = RunRecord.model_validate_json(done.stdout)
    except ValidationError as error:
        raise MethodError(f"{row.title}: `ffbench eval --json` printed no record") from error
    place = run_folder(runs, record.protocol.id, record.method.id, record.fingerprint, record.method.weights)
    return place / "record.json"


def ship(path: Path, store: Path, older: Iterable[Shipped]) -> Path:
    """Put a record into the verified ones of a store, and remove older records of its row.

    Returns:
        The path in the store.

    Raises:
        DataError: the record or its table cannot be read, or the store cannot be written.
    """
    target = add_record(store, path, "verified")
    for one in older:
        if one.path != target:
            # The record first: a table without one says nothing.
            one.path.unlink(missing_ok=True)
            one.path.with_suffix(".parquet").unlink(missing_ok=True)
    return target
