"""What the records of a store say of each other: doubles, other pairs, owners of names, and claims."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ffbench.protocol import DatasetCard
from ffbench.results.record.row import Level, Row, row_of
from ffbench.results.record.run_record import RunRecord
from ffbench.results.store.claims import CLAIM_TOLERANCE, SAME_DIGITS, VERIFIED_TOLERANCE
from ffbench.results.store.names import look_alike
from ffbench.results.store.pair_facts import PairFacts, disagreement


@dataclass
class Stored:
    """A record. `checked`: its pairs are its dataset's; `open`: it is a claim that no verified record speaks to."""

    path: Path
    level: Level
    record: RunRecord
    facts: PairFacts
    checked: bool
    open: bool = False


def check_together(records: Sequence[Stored]) -> tuple[list[str], list[str]]:
    """Compare the records of a store with each other, and mark the claims that no verified record speaks to.

    Returns:
        Faults and remarks.
    """
    faults: list[str] = []
    remarks: list[str] = []
    first: dict[tuple[Level, str], Path] = {}
    boards: dict[str, list[Stored]] = defaultdict(list)
    for one in records:
        key = one.level, one.record.fingerprint
        if key in first:
            faults.append(f"{one.path}: the same run as {first[key]}, twice in the store")
        first.setdefault(key, one.path)
        boards[_board(one.record)].append(one)
    faults += _one_dataset(records)
    for members in boards.values():
        faults += _other_pairs(members)
        faults += _impostors(members)
        faults += _one_title_each(members)
        faults += _taken_flows(members)
        _claims(members, faults, remarks)
        remarks += _attempts(members)
    return faults, remarks


def dataset_faults(stated: DatasetCard, other: DatasetCard) -> list[str]:
    """Say what two cards of one dataset, by the hash of its files, do not agree on."""
    return [
        f"its dataset's {name} is '{getattr(stated, name)}', that of the same files is '{getattr(other, name)}'"
        for name in ("name", "origin", "reference", "reference_networks")
        if getattr(stated, name) != getattr(other, name)
    ]


def _one_dataset(records: Sequence[Stored]) -> list[str]:
    """Name records that call the same files by another name, or real where others call them synthetic."""
    known: dict[str, Stored] = {}
    found = []
    for one in sorted(records, key=lambda one: (not one.checked, one.level != "verified")):
        other = known.setdefault(one.record.dataset.manifest_sha256, one)
        faults = dataset_faults(one.record.dataset, other.record.dataset)
        found += [f"{one.path}: {fault} ({other.path})" for fault in faults]
    return found


def _board(record: RunRecord) -> str:
    card = record.protocol
    return f"{card.id} {card.version} {card.variant} {sorted(card.options.items())} {record.dataset.manifest_sha256}"


def _other_pairs(members: Sequence[Stored]) -> list[str]:
    """Name records whose pairs are not those of the others; those that a dataset was asked about need no vote."""
    asked = [one for one in members if one.checked]
    open_ones = [one for one in members if not one.checked]
    if not open_ones:
        return []
    # What was scored here outweighs any number of claims, which cost nothing to make.
    voters = [one for one in open_ones if one.level == "verified"] or open_ones
    groups: list[list[Stored]] = []
    for one in voters:
        group = next((group for group in groups if disagreement(one.facts, group[0].facts) is None), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    groups.sort(key=len, reverse=True)
    if not asked and len(groups) > 1 and len(groups[0]) == len(groups[1]):
        names = ", ".join(str(group[0].path) for group in groups[1:])
        return [
            f"{groups[0][0].path}: {disagreement(groups[0][0].facts, groups[1][0].facts)}, compared with {names}; "
            "their dataset must say which of them is right"
        ]
    reference = next((one for one in asked), groups[0][0])
    found = []
    for one in open_ones:
        difference = disagreement(one.facts, reference.facts)
        if difference:
            found.append(f"{one.path}: {difference}, compared with {reference.path} and the others of its board")
    return found


def _impostors(members: Sequence[Stored]) -> list[str]:
    """Name flows that were sent in under a name that another owner has on the board."""
    owners: dict[str, tuple[str, Path]] = {}
    found = []
    ordered = sorted(members, key=lambda one: one.level != "verified")
    for one in ordered:
        owner = _row(one).owner
        names = {look_alike(one.record.method.title), look_alike(one.record.method.id)}
        for name in sorted(names):
            known = owners.setdefault(name, (owner, one.path))
            if known[0] != owner:
                found.append(
                    f"{one.path}: is called '{one.record.method.title}', as is {known[1]}, and others stand for it; "
                    "a name has one owner"
                )
                break
    return found


def _one_title_each(members: Sequence[Stored]) -> list[str]:
    """Name records of one owner whose title is that of another method of the board: its number would be that one's."""
    known: dict[tuple[str, str], Stored] = {}
    found = []
    for one in sorted(members, key=lambda one: one.level != "verified"):
        title = one.record.method.title
        other = known.setdefault((_row(one).owner, look_alike(title)), one)
        if _parts(one.record.method.id).isdisjoint(_parts(other.record.method.id)):
            found.append(
                f"{one.path}: is called '{title}', and is {one.record.method.id}; so is called "
                f"{other.record.method.id} ({other.path})"
            )
    return found


def _parts(method: str) -> set[str]:
    """Return the names in a method's id: `raft` and `ptlflow/raft:things` may both be called RAFT."""
    return set(re.split(r"[/:+]", method))


def _taken_flows(members: Sequence[Stored]) -> list[str]:
    """Name flows that two owners, or one under two names, sent in: they are the same to the last bit."""
    first: dict[str, Stored] = {}
    found = []
    for one in sorted(members, key=lambda one: one.level != "verified"):
        submission = one.record.submission
        if submission is None:
            continue
        other = first.setdefault(submission.sha256, one)
        if (_row(other).owner, other.record.method.id) != (_row(one).owner, one.record.method.id):
            found.append(
                f"{one.path}: its flows are those of '{other.record.method.title}' ({other.path}); "
                "flows have one owner and one name"
            )
    return found


def _claims(members: Sequence[Stored], faults: list[str], remarks: list[str]) -> None:
    """Compare claims with what was scored here of the same thing, and of the same method."""
    verified = {_what(one.record): one for one in members if one.level == "verified"}
    methods: dict[str, list[Stored]] = defaultdict(list)
    for one in members:
        if one.level == "verified":
            methods[_row(one).identity].append(one)
    for one in members:
        value = one.record.primary.value
        claimed = one.record.submission.claimed if one.record.submission else None
        if claimed is not None and not math.isclose(claimed, value, rel_tol=CLAIM_TOLERANCE):
            remarks.append(f"{one.path}: claims {claimed:g}, its predictions score {value:g}")
        if one.level != "claimed":
            continue
        other = verified.get(_what(one.record))
        one.open = other is None
        same = [other] if other else methods[_row(one).identity]
        if same and all(_better(one.record, scored.record) for scored in same):
            scored = same[-1]
            faults.append(
                f"{one.path}: claims {value:g}, better than {scored.record.primary.value:g}, which was scored here of "
                f"the same method ({scored.path}); remove it, or have it scored"
            )
        elif other and not math.isclose(other.record.primary.value, value, rel_tol=SAME_DIGITS):
            remarks.append(f"{one.path}: claimed {value:g}, scored here {other.record.primary.value:g} ({other.path})")


def _attempts(members: Sequence[Stored]) -> list[str]:
    """Count what was sent in under one name: the best of many attempts is better than the method."""
    tries: dict[str, set[str]] = defaultdict(set)
    titles: dict[str, str] = {}
    for one in members:
        submission = one.record.submission
        if submission is None:
            continue
        name = submission.contact or look_alike(submission.name)
        titles.setdefault(name, submission.name)
        tries[name].add(submission.sha256)
    return [
        f"{titles[name]}: {len(hashes)} attempts of one submitter on {members[0].record.protocol.id} "
        f"({members[0].record.dataset.name}); the best of several is better than the method"
        for name, hashes in tries.items()
        if len(hashes) > 1
    ]


def _better(claim: RunRecord, scored: RunRecord) -> bool:
    """Whether a claim is better than another device or library version makes it."""
    difference = claim.primary.value - scored.primary.value
    gain = difference if scored.primary.higher_is_better else -difference
    return gain > VERIFIED_TOLERANCE * abs(scored.primary.value)


def _what(record: RunRecord) -> str:
    """Return what a claim and a verified record of one board must share to be of one thing: predictions, or method."""
    return record.submission.sha256 if record.submission else repr(record.method.identity)


def _row(one: Stored) -> Row:
    return row_of(one.path, one.level, one.record)
