"""Stores of many records, synthetic and quickly made: for measurements of what reads them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ffbench.method import MethodCard, WeightsCard
from ffbench.results.record.run_record import read_record
from ffbench.results.store.records import record_content
from tests.results.made_runs import make_run

PAIRS = 100
_DATA, _MANIFEST, _RUN = "THE DATA", "M" * 64, "THE RUN"


def make_store(folder: Path, records: int, boards: int) -> Path:
    """Write a store of `records` records: as many methods as it takes on `boards` boards of 100 pairs; return it.

    Methods differ in the mean of their errors and share their tables of pair scores from board to board. Each record is
    as ffbench writes it, under the name that `add_record` gives it; but it is written as text, since 100,000 models and
    atomic writes would take an hour.
    """
    rng = np.random.default_rng(0)
    hard = rng.gamma(1.0, 2.0, PAIRS)
    stored = folder / "verified" / "stripes"
    stored.mkdir(parents=True)
    methods = -(-records // boards)
    left = records
    for method in range(methods):
        values = list(hard + method / 200 + rng.normal(0, 0.3, PAIRS))
        run = make_run(folder.parent / "runs", f"m{method:04d}", values, fingerprint=_RUN)
        record = read_record(run)
        weights = WeightsCard(name=f"w{method:04d}", source="file", sha256=f"{method:064x}")
        card = MethodCard(id=f"m{method:04d}", title=f"Method {method}", parameters=1_000_000 + method, weights=weights)
        dataset = record.dataset.model_copy(update={"name": _DATA, "manifest_sha256": _MANIFEST})
        text = record_content(record.model_copy(update={"method": card, "dataset": dataset})).decode()
        for board in range(min(boards, left)):
            content = (
                text.replace(_DATA, f"data {board}")
                .replace(_MANIFEST, f"{board:064x}")
                .replace(_RUN, f"{method} {board}")
            ).encode()
            path = stored / f"{card.id}-{hashlib.sha256(content).hexdigest()[:16]}.json"
            path.write_bytes(content)
            path.with_suffix(".parquet").hardlink_to(run.with_name("pairs.parquet"))
        left -= boards
    return folder
