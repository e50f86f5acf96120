"""A toy evaluation that other processes can open, and that leaves a line for each pair that a method is run on."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ffbench.evaluation import run_folder
from ffbench.evaluation.source import FlowSource, MethodSource
from ffbench.method import Flows
from ffbench.protocol import Protocol
from ffbench.results.record.run_record import RunRecord
from tests.toys import BrightnessFlow, Stripes


class LoggedFlow(BrightnessFlow):
    """Writes the process that it runs in and the size of the batch into a file."""

    def __init__(self, log: Path | None = None, seconds: float = 0.0, fail_after: int | None = None) -> None:
        super().__init__(seconds, fail_after)
        self.log = log

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{os.getpid()} {len(image1)}\n")
        return super().forward(image1, image2)


@dataclass(frozen=True)
class Toys:
    """Builds the method and the protocol."""

    pairs: int = 40
    protocol: dict[str, Any] = field(default_factory=dict)
    log: Path | None = None
    seconds: float = 0.0
    fail_after: int | None = None

    def __call__(self) -> tuple[FlowSource, Protocol[Any]]:
        method = LoggedFlow(self.log, self.seconds, self.fail_after)
        return MethodSource(method), Stripes(self.pairs, **self.protocol)


@dataclass(frozen=True)
class Gathered:
    """Builds them when as many processes as are needed have come to build them; `folder` has a file for each."""

    toys: Toys
    folder: Path
    needed: int

    def __call__(self) -> tuple[FlowSource, Protocol[Any]]:
        (self.folder / str(os.getpid())).touch()
        deadline = time.monotonic() + 600
        while len(list(self.folder.iterdir())) < self.needed:
            assert time.monotonic() < deadline, "the others did not come"
            time.sleep(0.01)
        return self.toys()


def logged(log: Path) -> list[tuple[int, int]]:
    """Return process and size of each batch, in the order in which they were begun."""
    return [(int(process), int(size)) for process, size in map(str.split, log.read_text().splitlines())]


def outcome(out: Path, record: RunRecord) -> tuple[bytes, RunRecord]:
    """Return the table, and the record without what differs from run to run."""
    folder = run_folder(out, record.protocol.id, record.method.id, record.fingerprint)
    return (folder / record.pair_table.file).read_bytes(), record.model_copy(update={"cost": None, "environment": None})
