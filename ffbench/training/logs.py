"""What a training run writes down: one CSV of all numbers, and the same for TensorBoard."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ffbench.io.atomic import write_text

COLUMNS = ("stage", "step", "name", "value")


class TrainingLog:
    """Numbers by stage and step, in `log.csv` and under `tensorboard/` of a folder.

    Rows after the point that a run goes on from are dropped when it is opened, so that a resumed run has one curve.
    Steps count from 1 within a stage; TensorBoard is given steps over all stages.
    """

    def __init__(self, folder: Path, stages: Mapping[str, int], stage: int, step: int) -> None:
        """Open the log.

        Args:
            folder: where it lies.
            stages: steps of every stage by name, in their order.
            stage, step: where the run goes on: rows up to and with this step of this stage are kept.
        """
        from torch.utils.tensorboard import SummaryWriter  # type: ignore[attr-defined, unused-ignore]

        self._path = folder / "log.csv"
        order = list(stages)
        self._before = {name: sum(list(stages.values())[:i]) for i, name in enumerate(order)}
        kept = [row for row in self.rows(folder) if (order.index(row["stage"]), int(row["step"])) <= (stage, step)]
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
        write_text(self._path, text.getvalue())
        self._file = self._path.open("a", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        total = self._before[order[stage]] + step
        self._board: Any = SummaryWriter(str(folder / "tensorboard"), purge_step=total + 1)

    @staticmethod
    def rows(folder: Path) -> list[dict[str, str]]:
        """Read the rows of a run's log; none when there is no log yet. A last line that was cut off is dropped."""
        try:
            with (folder / "log.csv").open(newline="") as file:
                return [row for row in csv.DictReader(file) if row.get("value") not in (None, "")]
        except FileNotFoundError:
            return []

    def write(self, stage: str, step: int, numbers: Mapping[str, float]) -> None:
        """Write numbers down, at once."""
        for name, value in numbers.items():
            self._writer.writerow((stage, step, name, repr(float(value))))
            self._board.add_scalar(name, value, self._before[stage] + step)
        self._file.flush()

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._board.close()
