"""Runs a case of the regression check."""

from __future__ import annotations

import tempfile

from ffbench.evaluation.check import Case
from ffbench.evaluation.runner import evaluate
from ffbench.registry import load_method, load_protocol
from ffbench.results.record.run_record import RunRecord


def evaluate_case(case: Case) -> RunRecord:
    """Return the record of one case, run from the beginning: nothing is taken over from earlier runs.

    Raises:
        UsageError, DataError, MethodError: as `load_protocol`, `load_method` and `evaluate`.
    """
    protocol = load_protocol(case.protocol, data=case.data, variant=case.variant, options=case.options)
    method = load_method(case.method, weights=case.weights, device="cpu")
    with tempfile.TemporaryDirectory(prefix="ffbench-check-") as folder:
        return evaluate(method, protocol, out=folder, batch_size=case.batch_size, limit=case.limit)
