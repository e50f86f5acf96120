"""A measured diversity as JSON and as text, and what the paper reports."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from functools import cache
from typing import Any

from ffbench.diversity.measure import Diversity
from ffbench.metrics.people.diversity import Estimate
from ffbench.paths import reported_tables
from ffbench.results.numbers import format_value

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

_MEANING = {
    "std": "std. of unit features",
    "cv": "coefficient of variation",
    "pairwise": "cosine similarity of people",
    "source": "cosine similarity to source",
    "other_sources": "... to others' sources",
}
_SHOWN = 10


@cache
def reported() -> dict[str, Any]:
    """Return the paper's Table 1 as printed."""
    table: dict[str, Any] = tomllib.loads((reported_tables() / "table1.toml").read_text("utf-8"))
    return table


def to_json(found: Diversity) -> str:
    """Return all that was measured, and apart from it, as `reported`, the paper's Table 1; infinite values are null."""
    parts = {name: _plain(getattr(found, name)) for name in (field.name for field in dataclasses.fields(found))}
    embedding = found.embedding
    parts["embedding"] = {"title": embedding.title, "note": embedding.note, "sha256": embedding.sha256}
    parts["expressions"] = [dataclasses.asdict(expression) for expression in found.expressions]
    return (
        json.dumps({"format": 1, **parts, "reported": reported()}, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    )


def report_lines(found: Diversity) -> list[str]:
    """Return it as lines for a terminal."""
    lines = [
        f"{found.dataset}: {found.identities} identities, {found.origin} data",
        f"embedding: {found.embedding.title}; {found.embedding.note}",
        "",
        _row("", "set", "95 % interval", *(("source images", "95 % interval") if found.sources else ())),
    ]
    for name, estimate in {**found.spread, **found.similarity}.items():
        against = found.source_spread.get(name)
        lines.append(_row(_MEANING[name], *_cells(estimate), *(_cells(against) if against else ())))
    lines.append("")
    if found.sources:
        lines.append(f"source images of {found.sources} identities; intervals are over identities")
    if found.neighbours is not None:
        lines.append(
            f"expressions: of {len(found.expressions)}, {100 * found.neighbours:.0f} % have a nearest neighbour of the "
            f"same emotion, by chance {100 * (found.neighbours_by_chance or 0):.0f} %"
        )
    table = reported()
    rows = (f"{row['name']} std. {row['std']}, cv. {row['cv']}, source {row['source']}" for row in table["rows"])
    lines.append(
        f"reported (paper, Table 1, {table['embedding']}; another embedding, not comparable): {'; '.join(rows)}"
    )
    return [line.rstrip() for line in lines]


def problem_lines(found: Diversity) -> list[str]:
    """Say what was left out: how many, and the first of them."""
    lines = [f"left out: {line}" for line in found.left_out[:_SHOWN]]
    more = len(found.left_out) - _SHOWN
    return [*lines, f"left out: {more} more, all are in diversity.json"] if more > 0 else lines


def _row(name: str, *cells: str) -> str:
    return f"{name:<28}" + "".join(f"{cell:>{22 if index % 2 else 14}}" for index, cell in enumerate(cells))


def _cells(estimate: Estimate) -> tuple[str, str]:
    return format_value(estimate.value), f"{format_value(estimate.low)} to {format_value(estimate.high)}"


def _plain(value: Any) -> Any:
    """Turn estimates into objects, and what JSON has no number for into null."""
    if isinstance(value, Estimate):
        return {name: part if math.isfinite(part) else None for name, part in value._asdict().items()}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return value
