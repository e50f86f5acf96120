"""Files under wrong names: which pair each was meant for, and what to rename or move."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from ffbench.flow.files import SUFFIXES
from ffbench.submissions.containers.entries import Entry
from ffbench.submissions.manifest import KINDS, Manifest, file_stem

_SHOWN = 3
_PARTS = re.compile(r"[a-z]+|[0-9]+")
_SAY_NOTHING = frozenset(
    {
        "backward",
        "facial",
        "fb",
        "flo",
        "flow",
        "flows",
        "forward",
        "frame",
        "fwd",
        "image",
        "img",
        "of",
        "optical",
        "out",
        "output",
        "pair",
        "pred",
        "predicted",
        "prediction",
        "result",
        "uv",
    }
)
"""Words that people add to names."""
_IMAGE_NUMBER = re.compile(r"[_-]0*[12]$")


def naming_advice(extra: Sequence[Entry], missing: Iterable[str], manifest: Manifest) -> list[str]:
    """Say how files that belong to no pair should be called.

    Args:
        extra: the files that belong to no pair.
        missing: the names (without suffix) that are wanted and not there.
        manifest: which pairs there are.
    """
    wanted = set(missing)
    if not extra or not wanted:
        return []
    advice: list[str] = []
    rest: list[Entry] = []
    deep: Counter[str] = Counter()
    folders: Counter[str] = Counter()
    bare = other_format = 0
    facial = {name.partition("/")[2] for name in wanted if name.startswith("facial/")}
    for entry in extra:
        stem, (above, name) = entry.stem, _split(entry.stem, wanted)
        top, _, below = stem.partition("/")
        if not entry.is_flow:
            other_format += stem in wanted
        elif name is not None:
            deep[above] += 1
        elif stem in facial:
            bare += 1
        elif below in facial and top not in KINDS:
            folders[top] += 1
        else:
            rest.append(entry)
    for above, count in deep.most_common(_SHOWN):
        levels = above.count("/") + 1
        up = "one folder" if levels == 1 else f"{levels} folders"
        advice.append(f"{count} files lie too deep, in {above}/: move everything in it up {up}")
    if bare:
        advice.append(f"{bare} files have the names of pairs but no folder: put them under facial/")
    for top, count in folders.most_common(_SHOWN):
        if top.lower() == "expression":
            advice.append("expression flow is not submitted: write the facial flow, all that moves, into facial/")
        else:
            advice.append(f"{count} files lie in {top}/: put them under facial/")
    if other_format:
        advice.append(f"{other_format} files of pairs are of no format that is read ({', '.join(SUFFIXES)})")
    return advice + _renames(rest, wanted, manifest)


def _split(stem: str, wanted: set[str]) -> tuple[str, str | None]:
    """Return the folders above a name that is wanted, and that name; None: there is none in it."""
    parts = stem.split("/")
    for place, part in enumerate(parts[:-1]):
        if place and part in KINDS and "/".join(parts[place:]) in wanted:
            return "/".join(parts[:place]), "/".join(parts[place:])
    return "", None


def _renames(extra: list[Entry], wanted: set[str], manifest: Manifest) -> list[str]:
    """Say what to rename; only where the name can mean one pair and the pair has one such file."""
    meant: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for key in manifest.sizes:
        name = file_stem("facial", key)
        if name in wanted:
            meant[_core(key)].append(name)
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in extra:
        if not entry.is_flow:
            continue
        for stem in dict.fromkeys([entry.stem, _IMAGE_NUMBER.sub("", entry.stem)]):
            names = meant.get(_core(stem), [])
            if len(names) == 1:
                found[names[0]].append(entry)
                break
    pairs = [(entries[0].name, name) for name, entries in found.items() if len(entries) == 1]
    lines = [f"rename {old} to {new}{old[old.rindex('.') :]}" for old, new in pairs[:_SHOWN]]
    if len(pairs) > _SHOWN:
        lines.append(f"... and {len(pairs) - _SHOWN} more in the same way")
    return lines


def _core(stem: str) -> tuple[str, ...]:
    """Return what a name says whatever its case, marks, leading zeros and usual additions."""
    parts = _PARTS.findall(stem.lower())
    return tuple(part.lstrip("0") or "0" if part.isdigit() else part for part in parts if part not in _SAY_NOTHING)
