"""Flows read from the files of a submission, in place of a method that estimates them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ffbench.cards import MethodCard
from ffbench.evaluation.source import FlowSource
from ffbench.flow.checks import FlowField
from ffbench.flows import Flows
from ffbench.protocol import NumpyFlows, Pair
from ffbench.results.record.run_record import Submission
from ffbench.submissions.checking.validation import Report
from ffbench.submissions.containers.entries import SubmissionFiles
from ffbench.submissions.manifest import Kind


class PredictionSource(FlowSource):
    """The flows of a submission that has been validated."""

    def __init__(self, card: MethodCard, submission: Submission, files: SubmissionFiles, report: Report) -> None:
        self.card, self.submission = card, submission
        self._files, self._found, self._lost = files, report.files, report.not_found

    def flows(
        self, batch: Sequence[Pair[Any]], backward: bool
    ) -> tuple[list[NumpyFlows], list[NumpyFlows] | list[None], float]:
        """Return the flows of a batch; the backward ones only if the submission has them.

        `.flo` files of a folder are mapped into memory: a protocol that samples at points reads only those pixels.
        """
        clock = time.perf_counter()
        forward: list[NumpyFlows] = []
        back: list[NumpyFlows] = []
        backward = backward and "backward" in self._found
        for pair in batch:
            size = (pair.image1.shape[0], pair.image1.shape[1])
            head = self._read("head", pair.key, size) if "head" in self._found else None
            exact = self._files.exact_pixels(pair.key)
            # The file does not say in which direction.
            found = np.array([pair.key not in self._lost])
            forward.append(Flows(self._read("facial", pair.key, size), head, exact, found))
            if backward:
                back.append(Flows(self._read("backward", pair.key, size), exact=exact))
        return forward, back if backward else [None] * len(batch), time.perf_counter() - clock

    def _read(self, kind: Kind, key: str, size: tuple[int, int]) -> FlowField:
        return self._files.read_again(self._found[kind][key], size)
