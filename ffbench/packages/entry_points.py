"""What installed packages add to ffbench by name: methods, protocols and datasets."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from typing import Any

from ffbench.errors import FfbenchError, MethodError, UsageError
from ffbench.extras import naming_extra


def entry_names(points: Iterable[EntryPoint]) -> list[str]:
    """Name what is installed in a group, sorted; nothing is imported."""
    return sorted({point.name for point in points})


def find_entry(points: Iterable[EntryPoint], name: str, kind: str) -> EntryPoint:
    """Find the one entry point of a name.

    Args:
        points: what is installed in the group.
        name: the entry's name.
        kind: what the group holds, in one word for messages: `method`.

    Raises:
        UsageError: there is none, or two packages have one: which of them would be run, nobody could tell.
    """
    points = list(points)
    # One package that is found twice, as an editable install may be, says the same twice.
    found = {(_package(point), point.value): point for point in points if point.name == name}
    if not found:
        command = "data" if kind == "dataset" else f"{kind}s"
        hint = nearest(name, [point.name for point in points]) or f" (`ffbench {command} list` names them)"
        raise UsageError(f"unknown {kind} '{name}'{hint}")
    if len(found) > 1:
        packages = " and ".join(sorted(f"{package or 'an unnamed package'} ({value})" for package, value in found))
        raise UsageError(f"{kind} '{name}' is in {packages}: a name has one owner; uninstall one of them")
    return next(iter(found.values()))


def load_entry(points: Iterable[EntryPoint], name: str, kind: str) -> Any:
    """Import what an entry point names.

    Raises:
        UsageError: as `find_entry`.
        MethodError: the package behind the entry cannot be imported; `MissingExtraError` where an extra would help.
    """
    point = find_entry(points, name, kind)
    try:
        with naming_extra(f"{kind} '{name}'", of_method=kind == "method"):
            return point.load()
    except FfbenchError:
        raise
    except (ImportError, AttributeError) as error:
        raise MethodError(f"{kind} '{name}' ({point.value}) cannot be imported: {error}") from error


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` - did you mean 'x'?` for the nearest known name, or an empty string."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" - did you mean '{matches[0]}'?" if matches else ""


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else ""
