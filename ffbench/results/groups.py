"""Groups of results: which are listed, and their natural order: bins by their numbers, sizes by their words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_SIZES = ("none", "clean", "micro", "tiny", "small", "medium", "large", "huge", "turn")
"""Words for sizes, small ones first; `clean` is the first of severities, `turn` the largest of motions."""
_CROWD = 30
"""More groups of one label than these (CK+ has 123 subjects) are counted and not listed."""
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(?:/(\d+(?:\.\d+)?))?")


def natural_key(group: str) -> tuple[object, ...]:
    """Return what to sort the groups of a label by: numbers and fractions by value, then sizes, then words.

    >>> sorted(["gap=10", "all", "gap=2", "lips", "2-5 px", "step=1/5", "step=1/20"], key=natural_key)
    ['all', '2-5 px', 'lips', 'gap=2', 'gap=10', 'step=1/20', 'step=1/5']
    >>> sorted(["motion_10_inf", "motion_2_10", "motion_0.5_2"], key=natural_key)
    ['motion_0.5_2', 'motion_2_10', 'motion_10_inf']
    >>> sorted(["scale=turn", "scale=small", "scale=micro"], key=natural_key)
    ['scale=micro', 'scale=small', 'scale=turn']
    """
    label, equals, value = group.partition("=")
    value = value if equals else label
    head = label if equals else re.split(r"\d", label, maxsplit=1)[0]
    numbers = tuple(
        float(found[1]) / (float(found[2]) if found[2] and float(found[2]) else 1.0)
        for found in _NUMBER.finditer(value)
    )
    size = _SIZES.index(value) if value in _SIZES else len(_SIZES)
    # All pairs, then bins inside pairs, then regions, then labels of pairs.
    kind = 0 if group == "all" else 3 if equals else 1 if numbers else 2
    return kind, head, numbers, size, value.casefold()


def in_order(groups: Iterable[str]) -> list[str]:
    """Return groups, each once: all pairs, bins by their numbers, regions as they come, then labels as they come.

    The values of a label stand in their natural order.

    >>> in_order(["all", "lips", "2-5 px", "eyes", "0-2 px", "gap=10", ">5 px", "gap=2"])
    ['all', '0-2 px', '2-5 px', '>5 px', 'lips', 'eyes', 'gap=2', 'gap=10']
    """
    names = list(dict.fromkeys(groups))
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        first.setdefault(name.partition("=")[0], place)

    def key(name: str) -> tuple[object, ...]:
        kind, *rest = natural_key(name)
        return kind, first[name.partition("=")[0]] if kind in (2, 3) else 0, *rest

    return sorted(names, key=key)


def listed_groups(groups: Iterable[str]) -> tuple[list[str], dict[str, int]]:
    """Choose the groups that a table on a screen lists: all, but of labels with many values none.

    Returns:
        The names as `in_order` has them, and for each label that is left out how many groups it makes.

    >>> listed_groups(["all", "emotion=fear", "all"])
    (['all', 'emotion=fear'], {})
    """
    names = in_order(groups)
    counts = Counter(name.partition("=")[0] for name in names if "=" in name)
    crowds = {label: count for label, count in counts.items() if count > _CROWD}
    return [name for name in names if name.partition("=")[0] not in crowds], crowds
