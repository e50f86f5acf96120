"""Run records as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ffbench.io.escape import plain, terminal
from ffbench.protocol import Confusion
from ffbench.results.groups import listed_groups
from ffbench.results.numbers import format_interval, format_value
from ffbench.results.record.run_record import RunRecord

_FILE_WIDTH = 120
_GAP = 3
_VALUE_WIDTH = 8
_FIXED_WIDTH = 5 + _VALUE_WIDTH + 18 + 4 * _GAP + 2
"""Columns `pairs`, the metric that ranks, its interval, and the edges of the table, in characters."""


def print_record(record: RunRecord, path: Path) -> None:
    """Print the scores of `record` to stdout, what they were measured on, and where they stand."""
    console = results_console()
    card, dataset = record.protocol, record.dataset
    weights = record.method.weights
    named = record.method.id if weights is None else f"{record.method.id}, weights {weights.label}"
    method = Text(plain(record.method.title), style="bold").append(f" ({plain(named)})", style="not bold")
    version = plain(f"{card.id} {card.version}, {card.variant}")
    protocol = Text(plain(card.title), style="bold").append(f" ({version})", style="not bold")
    console.print(method, "on", protocol, soft_wrap=True)
    style = "bold yellow" if dataset.origin != "real" or dataset.reference == "pseudo" else "bold"
    console.print(
        Text.assemble((f"{dataset.origin} data, {dataset.reference} reference", style), f": {plain(dataset.name)}"),
        soft_wrap=True,
    )
    if dataset.origin_note:
        console.print(plain(dataset.origin_note), style="dim", markup=False, highlight=False, soft_wrap=True)
    if dataset.reference_note:
        console.print(plain(dataset.reference_note, 1000), style="dim", markup=False, highlight=False, soft_wrap=True)
    metrics = list(dict.fromkeys([card.primary, *(score.metric for score in record.scores)]))
    shown = _fitting(record, metrics, console.width)
    groups, crowds = listed_groups([score.group for score in record.scores])
    console.print(_score_table(record, shown, groups))
    for reason in _no_intervals(record, groups):
        console.print(reason, style="dim", markup=False, highlight=False, soft_wrap=True)
    for label, count in crowds.items():
        console.print(f"{count} groups {plain(label)}=...: in the record", style="dim", markup=False, highlight=False)
    for metric in metrics[len(shown) :]:
        overall = [score for score in record.scores if score.metric == metric and score.group == "all"]
        console.print(
            *(Text(f"{plain(metric)} {format_value(s.value)} {_unit(record, metric)}".rstrip()) for s in overall)
        )
    if record.confusion is not None:
        console.print(_confusion_table(record.confusion))
    meaning = "; ".join(f"{plain(name)}: {plain(metric.title)}" for name, metric in card.metrics.items())
    console.print(meaning, style="dim", markup=False, highlight=False)
    cost = record.cost
    resumed = f", {cost.resumed_pairs} pairs from an interrupted run" if cost.resumed_pairs else ""
    rate = f"{cost.pairs_per_second:.3g} pairs/s"
    # Of a submission, only the reading of its files was measured.
    speed = f"{rate} on {plain(record.environment.device)}" if record.kind == "evaluated" else f"read at {rate}"
    console.print(
        f"{record.pairs} pairs, {speed}, peak memory {cost.peak_memory_mb:.0f} MB{resumed}",
        markup=False,
        highlight=False,
    )
    if record.not_found:
        console.print(
            f"{record.not_found} of {record.pairs} pairs have zero flow, or that of the whole image: the method found "
            "no face, or nothing else to go by (label `found` of the pair table)",
            style="yellow",
            highlight=False,
        )
    for reason in record.not_rankable:
        console.print(f"not for ranking: {reason}", style="yellow")
    console.print(f"record: {terminal(path)}", markup=False, highlight=False, soft_wrap=True)


def _no_intervals(record: RunRecord, groups: list[str]) -> list[str]:
    """Say why the metric that ranks has no interval, over all pairs or else in some groups."""
    metric = record.protocol.primary
    missing = {s.group: s.no_interval for s in record.scores if s.metric == metric and s.no_interval is not None}
    if "all" in missing:
        return [f"no interval: {missing['all']}"]
    return [f"-: no interval of fewer than {record.interval.min_units} units"] if missing.keys() & set(groups) else []


def _fitting(record: RunRecord, metrics: list[str], width: int) -> list[str]:
    """Return the first metrics, as many as columns fit into a line; the one that ranks always does."""
    left = width - max(len(score.group) for score in record.scores) - _FIXED_WIDTH
    shown = metrics[:1]
    for metric in metrics[1:]:
        left -= max(len(metric), len(_unit(record, metric)), _VALUE_WIDTH) + _GAP
        if left < 0:
            break
        shown.append(metric)
    return shown


def _score_table(record: RunRecord, metrics: list[str], groups: list[str]) -> Table:
    """A row a group, a column a metric; the metric that ranks stands first, with its interval."""
    scores = {(score.group, score.metric): score for score in record.scores}
    table = Table(box=SIMPLE_HEAD, padding=(0, _GAP - 1, 0, 0), pad_edge=False)
    table.add_column("group", no_wrap=True)
    table.add_column("pairs", justify="right", no_wrap=True)
    for metric in metrics:
        table.add_column(Text(f"{plain(metric)}\n{_unit(record, metric)}"), justify="right", no_wrap=True)
        if metric == metrics[0]:
            table.add_column("95 % interval", justify="right", no_wrap=True)
    for group in groups:
        cells = []
        for metric in metrics:
            score = scores.get((group, metric))
            cells.append(format_value(score.value) if score else "")
            if metric == metrics[0]:
                cells.append(format_interval(score.ci_low, score.ci_high) if score else "")
        pairs = max(score.pairs for (name, _), score in scores.items() if name == group)
        table.add_row(Text(plain(group)), str(pairs), *cells, style="bold" if group == "all" else None)
    return table


def _confusion_table(confusion: Confusion) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, _GAP - 1, 0, 0), pad_edge=False)
    table.add_column("true class, taken for", no_wrap=True)
    for name in confusion.classes:
        table.add_column(Text(plain(name)), justify="right", no_wrap=True)
    for name, counts in zip(confusion.classes, confusion.counts, strict=True):
        table.add_row(Text(plain(name)), *(f"{count:.4g}" for count in counts))
    return table


def _unit(record: RunRecord, metric: str) -> str:
    known = record.protocol.metrics.get(metric)
    # A number that has no unit has the unit 1, which nobody writes.
    return plain(known.unit) if known and known.unit != "1" else ""


def print_pairs(rows: Sequence[tuple[str, str]]) -> None:
    """Print a table of two columns to stdout."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(plain(name)), Text(plain(value, 2000)))
    results_console().print(table)


def results_console() -> Console:
    """Return stdout; where it is no terminal, wide enough that tables are not folded."""
    console = Console()
    return console if console.is_terminal else Console(width=_FILE_WIDTH)
