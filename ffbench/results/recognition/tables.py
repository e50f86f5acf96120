"""Methods by recognisers, and `clean` against `official`, as tables for a paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ffbench.errors import UsageError
from ffbench.protocol import Score
from ffbench.results.numbers import format_value
from ffbench.results.recognition.records import RECOGNISER, FlowOf, LearnerOf, flow_of, learner_of, seeds_of
from ffbench.results.record.run_record import RunRecord
from ffbench.results.tables import Table

Metric = Literal["accuracy", "macro_f1", "uf1", "uar"]
METRICS: Mapping[str, str] = {"accuracy": "accuracy [%]", "macro_f1": "F1", "uf1": "UF1", "uar": "UAR"}
"""What may be shown, and how it is called."""
CLEAN, OFFICIAL = "clean", "official"
_OF_CELLS = frozenset(
    {
        "flow",
        "derive_head",
        RECOGNISER,
        "recogniser_code",
        "recogniser_package",
        "recipe",
        "epochs",
        "seeds",
        "shift_frames",
    }
)
"""Options that tell rows, columns and records of a cell apart; records that differ in others never share a table."""
_NONE = "-"


@dataclass(frozen=True)
class _Place:
    """What records must share to stand in one table; which clips count may differ between the variants."""

    protocol: str
    title: str
    dataset: str
    origin: str
    options: tuple[str, ...]

    @property
    def name(self) -> str:
        made = "" if self.origin == "real" else f"{self.origin.upper()} data, "
        return f"{self.title} ({', '.join([self.protocol, *self.options])}): {made}{self.dataset}"


def method_tables(records: Sequence[RunRecord], metric: str = "uf1", variant: str = CLEAN) -> list[Table]:
    """Return a table of methods (rows) by recognisers (columns) for each dataset and protocol.

    A cell is the value and its 95 % interval over subjects. Of several records for one cell the one with most seeds
    counts, of these the latest. What is not for ranking is left out.

    Args:
        records: of recognition; others must be sorted out before.
        metric: one of `METRICS`.
        variant: of the protocol, `clean` or `official`.

    Raises:
        UsageError: an unknown metric.
    """
    if metric not in METRICS:
        raise UsageError(f"metric '{metric}': expected {', '.join(METRICS)}")
    tables = []
    for place, found in _by_place(record for record in records if record.protocol.variant == variant):
        cells = _best(found)
        rows = sorted({row for row, _ in cells}, key=lambda row: (row.title, row.flow, row.weights, row.identity))
        columns = sorted(
            {column for _, column in cells}, key=lambda column: (column.name, column.recipe, column.epochs)
        )
        names, heads = _row_labels(rows), _column_labels(columns)
        values = {key: record.score(metric) for key, record in cells.items()}
        body = tuple((names[row], *(_cell(values.get((row, column))) for column in columns)) for row in rows)
        tables.append(
            Table(
                title=f"{METRICS[metric]} by method and recogniser, {variant}; {place.name}",
                header=("method and flow", *(heads[column] for column in columns)),
                rows=body,
                text_columns=frozenset({0}),
                notes=_notes(cells.values()),
                bold=_bold(rows, columns, values),
            )
        )
    return tables


def optimism_tables(records: Sequence[RunRecord]) -> list[Table]:
    """Return a table of `clean` beside `official` for each dataset and protocol: a row a method and recogniser.

    `official adds` is of the training of the clean record itself: the accuracy that the best epoch on the held-out
    subject adds to that of the last, clip by clip, with its interval. `official` is of the record of that variant,
    which may count other clips.
    """
    tables = []
    for place, found in _by_place(records):
        cells = {
            variant: _best(record for record in found if record.protocol.variant == variant)
            for variant in (CLEAN, OFFICIAL)
        }
        keys = sorted(
            {*cells[CLEAN], *cells[OFFICIAL]},
            key=lambda key: (key[0].title, key[0].flow, key[0].weights, key[1].name, key[1].recipe, key[1].epochs),
        )
        names = _row_labels([row for row, _ in keys])
        heads = _column_labels([column for _, column in keys])
        rows = []
        for row, column in keys:
            clean, official = (cells[variant].get((row, column)) for variant in (CLEAN, OFFICIAL))
            measured = [_cell(None if record is None else record.score("accuracy")) for record in (clean, official)]
            counts = [_NONE if record is None else str(record.pairs) for record in (clean, official)]
            adds = _cell(None if clean is None else clean.score("optimism"), signed=True)
            rows.append((names[row], heads[column], measured[0], counts[0], adds, measured[1], counts[1]))
        header = ("method and flow", "recogniser", "clean [%]", "clips", "official adds", "official [%]", "clips")
        notes = _notes([*cells[CLEAN].values(), *cells[OFFICIAL].values()])
        title = f"accuracy, clean against official; {place.name}"
        tables.append(Table(title, header, tuple(rows), frozenset({0, 1}), notes))
    return tables


def _by_place(records: Iterable[RunRecord]) -> list[tuple[_Place, list[RunRecord]]]:
    found: dict[_Place, list[RunRecord]] = {}
    for record in records:
        if record.not_rankable:
            continue
        card, dataset = record.protocol, record.dataset
        options = tuple(sorted(f"{name}={value}" for name, value in card.options.items() if name not in _OF_CELLS))
        place = _Place(card.id, card.title, dataset.name, dataset.origin, options)
        found.setdefault(place, []).append(record)
    return sorted(found.items(), key=lambda item: (item[0].origin, item[0].protocol, item[0].dataset, item[0].options))


def _best(records: Iterable[RunRecord]) -> dict[tuple[FlowOf, LearnerOf], RunRecord]:
    ordered = sorted(records, key=lambda record: (seeds_of(record), record.cost.started))
    return {(flow_of(record), learner_of(record)): record for record in ordered}


def _row_labels(rows: Sequence[FlowOf]) -> dict[FlowOf, str]:
    """Name rows; methods of one title are told apart by their weights."""
    identities: dict[str, set[str]] = {}
    for row in rows:
        identities.setdefault(row.title, set()).add(row.identity)
    return {row: row.label(with_weights=len(identities[row.title]) > 1) for row in rows}


def _column_labels(columns: Sequence[LearnerOf]) -> dict[LearnerOf, str]:
    """Name columns; those that differ in epochs alone are told apart by them."""
    epochs: dict[tuple[str, str, str], set[int]] = {}
    for column in columns:
        epochs.setdefault((column.name, column.code, column.recipe), set()).add(column.epochs)
    return {
        column: column.label(with_epochs=len(epochs[column.name, column.code, column.recipe]) > 1) for column in columns
    }


def _cell(score: Score | None, *, signed: bool = False) -> str:
    if score is None:
        return _NONE
    value = f"{'+' if signed and score.value >= 0 else ''}{format_value(score.value)}"
    if score.ci_low is None or score.ci_high is None:
        return value
    return f"{value} [{format_value(score.ci_low)}, {format_value(score.ci_high)}]"


def _bold(
    rows: Sequence[FlowOf], columns: Sequence[LearnerOf], values: Mapping[tuple[FlowOf, LearnerOf], Score]
) -> frozenset[tuple[int, int]]:
    """Return the best cell of each column of two rows or more."""
    best = set()
    for number, column in enumerate(columns):
        there = {place: values[row, column].value for place, row in enumerate(rows) if (row, column) in values}
        if len(there) > 1:
            best |= {(place, number + 1) for place, value in there.items() if value == max(there.values())}
    return frozenset(best)


def _notes(records: Iterable[RunRecord]) -> tuple[str, ...]:
    records = list(records)
    seeds = sorted({seeds_of(record) for record in records})
    clips = sorted({record.pairs for record in records})
    said = ["[...]: 95 % interval over subjects", f"seeds: {_listed(seeds)}", f"clips: {_listed(clips)}"]
    hashes = {record.dataset.manifest_sha256 for record in records if record.protocol.variant == CLEAN}
    if len(hashes) > 1:
        said.append(f"the records are of {len(hashes)} copies of the dataset, whose files differ")
    return tuple(said)


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
