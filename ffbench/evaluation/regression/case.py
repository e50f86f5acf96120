"""Runs a case of the regression check."""

from __future__ import annotations

import tempfile

from ffbench.evaluation.regression.check import Case
from ffbench.evaluation.runner import evaluate
from ffbench.registry import load_protocol
from ffbench.results.record.run_record import RunRecord
from ffbench.run_config import RunConfig


def evaluate_case(case: Case) -> RunRecord:
    """Return the record of one case, run from the beginning: nothing is taken over from earlier runs.

    Raises:
        UsageError, DataError, MethodError: as `load_protocol`, `RunConfig.load` and `evaluate`.
    """
    protocol = load_protocol(case.protocol, data=case.data, variant=case.variant, options=case.options)
    method = RunConfig(case.method, case.weights, device="cpu").load()
    with tempfile.TemporaryDirectory(prefix="ffbench-check-") as folder:
        return evaluate(method, protocol, out=folder, batch_size=case.batch_size, limit=case.limit)
