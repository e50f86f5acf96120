"""What a record states, checked against the protocol that it names: what can be worked out again is not believed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

from ffbench.errors import FfbenchError, UsageError
from ffbench.protocol import MetricCard, PairScore, ProtocolCard, Score, Scoring
from ffbench.registry import protocol_entry
from ffbench.results.record.run_record import Interval, RunRecord, now
from ffbench.results.store.claims import SAME_DIGITS
from ffbench.scores import count_not_found
from ffbench.wrappers.names import check_wrappers, split_name

INTERVAL_SLACK = 0.05
"""Share of an interval's width by which its ends may differ: what other random numbers of another numpy may make."""
EARLIER_INTERVALS = (Interval(method="percentile bootstrap", resamples=10_000, seed=20_241_028, unit=""),)
"""How earlier versions of ffbench made intervals; those of a record made in any other way are a fault."""
_SHOWN = 3
_CLOCKS_DIFFER = timedelta(days=2)


class Scorings:
    """The scoring of protocols by what records' cards say of them, each found once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Scoring | None, str]] = {}

    def of(self, card: ProtocolCard) -> tuple[Scoring | None, str]:
        """Find the scoring of the protocol that a record's card names.

        Returns:
            The scoring, or None and the reason in words: the protocol is not installed, of another version, or cannot
            be had without a dataset.

        Raises:
            UsageError: the protocol is installed and has no such variant.
        """
        # Labels may have been added since: records of both kinds may lie in one store.
        key = json.dumps([card.id, card.version, card.variant, card.options, card.group_by], sort_keys=True)
        if key not in self._known:
            self._known[key] = _find(card)
        return self._known[key]


def present_version(card: ProtocolCard) -> str | None:
    """Return the version that an installed protocol has for the variant and options of a card; None: nobody can say."""
    try:
        scoring = protocol_entry(card.id).scoring
        return None if scoring is None else scoring(card).card.version
    except FfbenchError:
        return None


def _find(card: ProtocolCard) -> tuple[Scoring | None, str]:
    try:
        entry = protocol_entry(card.id)
    except FfbenchError:
        return None, f"protocol {card.id} is not installed"
    if entry.scoring is None:
        return None, f"protocol {card.id} cannot be had without its dataset"
    scoring = entry.scoring(card)
    if scoring.card.version != card.version:
        return None, f"made with {card.id} {card.version}, the present version is {scoring.card.version}"
    return scoring, ""


def card_faults(record: RunRecord, scoring: Scoring | None) -> list[str]:
    """Say where a record's card is not that of its protocol, and its primary not that of its card.

    Args:
        record: the record.
        scoring: of its protocol; None: only what the record says of itself is compared.
    """
    card, primary = record.protocol, record.primary
    faults = []
    if scoring is not None:
        own = scoring.card
        faults += [
            f"its {name} is {getattr(card, name)!r}, the protocol's is {getattr(own, name)!r}"
            for name in ("primary", "group_by", "resample_by", "options")
            if getattr(card, name) != getattr(own, name)
        ]
        for name, metric in card.metrics.items():
            if name not in own.metrics:
                faults.append(f"it has a metric '{name}', which the protocol has not")
            elif _way(metric) != _way(own.metrics[name]):
                faults.append(f"its '{name}' is {_words(metric)}, the protocol's is {_words(own.metrics[name])}")
    if primary.metric != card.primary:
        faults.append(f"its primary is '{primary.metric}', its card's is '{card.primary}'")
    elif card.primary not in card.metrics:
        faults.append(f"its card does not say what '{card.primary}' is")
    elif (primary.unit, primary.higher_is_better) != _way(card.metrics[card.primary]):
        stated = MetricCard(title="", unit=primary.unit, higher_is_better=primary.higher_is_better)
        faults.append(f"its primary is {_words(stated)}, its card says {_words(card.metrics[card.primary])}")
    if not intervals_known(record):
        faults.append(f"its intervals were made in a way that no version of ffbench has: {_way_of(record.interval)}")
    if record.interval.unit != (card.resample_by or "pair"):
        faults.append(f"its intervals are over {record.interval.unit}s, its card says {card.resample_by or 'pair'}")
    faults += _own_faults(record)
    cost = record.cost
    rate = record.pairs / max(cost.method_seconds, 1e-9)
    if not math.isclose(cost.pairs_per_second, rate, rel_tol=1e-6):
        faults.append(f"it states {cost.pairs_per_second:g} pairs/s, its pairs and seconds say {rate:g}")
    if cost.started > now() + _CLOCKS_DIFFER:
        faults.append(f"it was started in the future ({cost.started:%Y-%m-%d})")
    return faults


def _own_faults(record: RunRecord) -> list[str]:
    """Say where a record contradicts itself in what ffbench would never have written so."""
    faults = []
    method, submission, dataset = record.method, record.submission, record.dataset
    if submission is not None:
        wanted = submission.method_id, submission.method_title
        if (method.id, method.title) != wanted:
            faults.append(
                f"its method is '{method.title}' ({method.id}), its submission's is '{wanted[1]}' ({wanted[0]})"
            )
    try:
        check_wrappers(split_name(method.id)[1], method.id)
    except UsageError as error:
        faults.append(str(error))
    if method.weights is not None and method.weights.sha256 in dataset.reference_networks:
        faults.append(
            f"the reference of {dataset.name} was made by the network that it scores ({method.weights.label})"
        )
    if record.complete and dataset.problems:
        faults.append(f"it is called complete, and its dataset had problems: {dataset.problems[0]}")
    return faults


def score_faults(record: RunRecord, scores: Sequence[PairScore], scoring: Scoring) -> list[str]:
    """Work out the numbers of a record from its table once more, and say which of them differ.

    Args:
        record: the record.
        scores: of its table of pair scores.
        scoring: of its protocol.
    """
    faults = _impossible(scores, scoring)
    try:
        again = scoring.summarize(scores)
        confusion = scoring.confusion(scores)
    except (KeyError, ValueError, ZeroDivisionError, IndexError) as error:
        return [*faults, f"its table lacks what the protocol needs ({type(error).__name__}: {error})"]
    not_found = count_not_found(scores)
    if record.not_found != not_found:
        faults.append(f"it says that nothing was found in {record.not_found} pairs, its table says {not_found}")
    stated, found = _by_name(record.scores), _by_name(again)
    if stated.keys() != found.keys():
        odd = sorted(stated.keys() ^ found.keys())
        faults.append(f"its scores and those of its table are not of the same metrics and groups, such as {odd[0]}")
    both = [name for name in stated if name in found]
    values = [name for name in both if not same_value(stated[name].value, found[name].value)]
    counts = [name for name in both if stated[name].pairs != found[name].pairs]
    faults += _differ("value", {name: (stated[name].value, found[name].value) for name in values})
    faults += _differ("number of pairs", {name: (stated[name].pairs, found[name].pairs) for name in counts})
    if intervals_comparable(record):
        ends = [name for name in both if not _same_interval(stated[name], found[name])]
        faults += _differ("interval", {name: (_interval(stated[name]), _interval(found[name])) for name in ends})
    whole = found.get((scoring.card.primary, "all"))
    if whole is None or not same_value(whole.value, record.primary.value):
        faults.append(f"its primary value is {record.primary.value:g}, its table says {whole and whole.value}")
    elif (record.primary.ci_low, record.primary.ci_high) != _ends(stated.get((scoring.card.primary, "all"), whole)):
        faults.append("the interval of its primary is not that of its scores")
    if record.confusion != confusion and not _same_confusion(record, confusion):
        faults.append("its confusion matrix is not that of its table")
    return faults


def intervals_comparable(record: RunRecord) -> bool:
    """Whether the record's intervals were made as they are made now."""
    return _way_of(record.interval) == _way_of(Interval(unit=""))


def intervals_known(record: RunRecord) -> bool:
    """Whether the record's intervals were made as this or an earlier version of ffbench made them."""
    return intervals_comparable(record) or _way_of(record.interval) in map(_way_of, EARLIER_INTERVALS)


def _way_of(interval: Interval) -> dict[str, object]:
    return interval.model_dump(exclude={"unit"})


def same_value(a: float, b: float) -> bool:
    """Whether two values are the same but for rounding."""
    return math.isclose(a, b, rel_tol=SAME_DIGITS, abs_tol=1e-12) or (math.isnan(a) and math.isnan(b))


def _impossible(scores: Sequence[PairScore], scoring: Scoring) -> list[str]:
    found = []
    for score in scores:
        try:
            words = scoring.impossible(score)
        except (KeyError, ZeroDivisionError) as error:
            words = f"has no term {error}"
        if words:
            found.append(f"pair {score.key}: {words}")
    more = f" (and {len(found) - 1} more pairs)" if len(found) > 1 else ""
    return [f"{found[0]}{more}"] if found else []


def _way(metric: MetricCard) -> tuple[str, bool]:
    return metric.unit, metric.higher_is_better


def _words(metric: MetricCard) -> str:
    return f"in {metric.unit or 'no unit'}, {'higher' if metric.higher_is_better else 'lower'} is better"


def _by_name(scores: Sequence[Score]) -> dict[tuple[str, str], Score]:
    return {(score.metric, score.group): score for score in scores}


def _differ(what: str, found: Mapping[tuple[str, str], tuple[object, object]]) -> list[str]:
    if not found:
        return []
    first = [
        f"{metric} of {group} is {stated}, its table says {again}"
        for (metric, group), (stated, again) in list(found.items())[:_SHOWN]
    ]
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return [f"{what}: {'; '.join(first)}{more}"]


def _ends(score: Score) -> tuple[float | None, float | None]:
    return score.ci_low, score.ci_high


def _interval(score: Score) -> str:
    low, high = _ends(score)
    return "none" if low is None or high is None else f"{low:g} to {high:g}"


def _same_interval(stated: Score, found: Score) -> bool:
    ends = [*_ends(stated), *_ends(found)]
    if None in ends:
        return _ends(stated) == _ends(found)
    low, high, low_again, high_again = (float(end or 0.0) for end in ends)
    slack = INTERVAL_SLACK * (high_again - low_again) + SAME_DIGITS * max(abs(low_again), abs(high_again)) + 1e-12
    return abs(low - low_again) <= slack and abs(high - high_again) <= slack


def _same_confusion(record: RunRecord, found: object) -> bool:
    stated = record.confusion
    if stated is None or found is None:
        return stated is None and found is None
    again = type(stated).model_validate(found)
    flat = [[value for row in table.counts for value in row] for table in (stated, again)]
    return (
        stated.classes == again.classes
        and len(flat[0]) == len(flat[1])
        and all(same_value(a, b) for a, b in zip(*flat, strict=True))
    )
