"""Methods with what they cost, grouped by what costs can be compared on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ffbench.results.record.row import Row

from . import pareto

_THREADS = re.compile(r"^(.*), (\d+) threads?$")


@dataclass(frozen=True)
class Cost:
    """How to read a cost of a row, its title, whether more is better, and whether it depends on the machine."""

    read: Callable[[Row], float | None]
    title: str
    more_is_better: bool = False
    of_machine: bool = True


COSTS: Mapping[str, Cost] = {
    "speed": Cost(lambda row: row.pairs_per_second, "pairs a second", more_is_better=True),
    "parameters": Cost(
        lambda row: None if row.parameters is None else float(row.parameters), "trained parameters", of_machine=False
    ),
    "memory": Cost(
        lambda row: row.memory_mb if row.device_memory_mb is None else row.device_memory_mb, "peak memory [MB]"
    ),
}


@dataclass(frozen=True)
class Point:
    """A method on the chart. `number` is what stands at its marker and in the table, by error."""

    number: int
    row: Row
    cost: float
    on_front: bool = False


@dataclass(frozen=True)
class Series:
    """Methods whose costs can be compared: of one device and one number of threads."""

    device: str
    threads: str
    points: tuple[Point, ...]

    @property
    def name(self) -> str:
        """Such as `AMD EPYC, 1 thread`."""
        return ", ".join(part for part in (self.device, self.threads) if part)


def split_device(device: str) -> tuple[str, str]:
    """Return a device and its threads; a GPU has none.

    >>> split_device("AMD EPYC x 2, 1 thread"), split_device("NVIDIA H200")
    (('AMD EPYC x 2', '1 thread'), ('NVIDIA H200', ''))
    """
    found = _THREADS.match(device)
    if found is None:
        return device, ""
    return found[1], "1 thread" if found[2] == "1" else f"{found[2]} threads"


def run_here(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of methods that were run here: the time of a submission is that of reading its files."""
    return [row for row in rows if row.kind == "evaluated" and row.level in ("verified", "local")]


def by_number(series: Sequence[Series]) -> list[tuple[Point, Series]]:
    """Return all points with their series, in the order of their numbers."""
    return sorted(((point, some) for some in series for point in some.points), key=lambda pair: pair[0].number)


def series_of(rows: Sequence[Row], cost: Cost) -> list[Series]:
    """Return the rows that have a cost above 0, as series, those of most methods first.

    Args:
        rows: of one board, each method once.
        cost: which; one that does not depend on the machine makes one series of all.
    """
    sign = -1.0 if rows and rows[0].higher_is_better else 1.0
    ordered = sorted(rows, key=lambda row: sign * row.value)
    groups: dict[tuple[str, str], list[Point]] = {}
    number = 0
    for row in ordered:
        value = cost.read(row)
        if value is None or value <= 0:
            continue
        number += 1
        key = split_device(row.device) if cost.of_machine else ("", "")
        groups.setdefault(key, []).append(Point(number, row, value))
    found = []
    for (device, threads), points in groups.items():
        way = -1.0 if cost.more_is_better else 1.0
        kept = set(pareto.front([(way * point.cost, sign * point.row.value) for point in points]))
        marked = (Point(p.number, p.row, p.cost, place in kept) for place, p in enumerate(points))
        found.append(Series(device, threads, tuple(marked)))
    return sorted(found, key=lambda series: -len(series.points))


def front_line(series: Series, cost: Cost, ends: tuple[float, float], worst: float) -> list[tuple[float, float]]:
    """Return the corners of the line that joins the front in steps, from one end of the axis of cost to the other.

    On its better side there is no method. A front of one method is a corner.

    Args:
        series: with its points.
        cost: which.
        ends: of the axis of cost.
        worst: end of the axis of error at its worse side.
    """
    front = sorted((p for p in series.points if p.on_front), key=lambda point: point.cost)
    if not front:
        return []
    if cost.more_is_better:
        # From slow and exact to fast and rough.
        corners = [(ends[0], front[0].row.value)]
        for point, after in zip(front, [*front[1:], None], strict=True):
            corners.append((point.cost, point.row.value))
            corners.append((point.cost, worst if after is None else after.row.value))
        return corners
    corners = [(front[0].cost, worst)]
    for point, after in zip(front, [*front[1:], None], strict=True):
        corners.append((point.cost, point.row.value))
        corners.append((ends[1] if after is None else after.cost, point.row.value))
    return corners
