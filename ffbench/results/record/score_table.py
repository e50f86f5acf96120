"""The scores of a record as a table: a row a group, a column a metric, the one that ranks first."""

from __future__ import annotations

from collections.abc import Sequence

from ffbench.cards import ProtocolCard
from ffbench.protocol import Score
from ffbench.results.groups import listed_groups
from ffbench.results.numbers import format_interval, format_value
from ffbench.results.tables import Table


def score_table(title: str, card: ProtocolCard, scores: Sequence[Score], notes: Sequence[str] = ()) -> Table:
    """Return the scores of a record as a table.

    Args:
        title: what was run on what.
        card: of the protocol, for units and the metric that ranks.
        scores: of the record.
        notes: what stands below the table; why there is no interval, and which groups are left out, is added.
    """
    metrics = list(dict.fromkeys([card.primary, *(score.metric for score in scores)]))
    groups, crowds = listed_groups(score.group for score in scores)
    found = {(score.group, score.metric): score for score in scores}
    header = ["group", "pairs", *(_heading(card, metric) for metric in metrics)]
    header.insert(3, "95 % interval")
    rows = []
    for group in groups:
        cells = [format_value(found[group, name].value) if (group, name) in found else "" for name in metrics]
        ranking = found.get((group, card.primary))
        interval = "" if ranking is None else format_interval(ranking.ci_low, ranking.ci_high)
        pairs = max(score.pairs for (name, _), score in found.items() if name == group)
        rows.append((group, str(pairs), cells[0], interval, *cells[1:]))
    whole = found.get(("all", card.primary))
    said = [f"no interval: {whole.no_interval}"] if whole is not None and whole.no_interval else []
    said += [f"{count} groups {label}=... are in `to_dataframe()`" for label, count in crowds.items()]
    return Table(title, tuple(header), tuple(rows), frozenset({0}), (*said, *notes))


def _heading(card: ProtocolCard, metric: str) -> str:
    known = card.metrics.get(metric)
    # A number that has no unit has the unit 1, which nobody writes.
    return metric if known is None or known.unit == "1" else f"{metric} [{known.unit}]"
