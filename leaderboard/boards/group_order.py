"""The natural order of groups: of bins by their numbers, of sizes by their words."""

from __future__ import annotations

import re

_SIZES = ("none", "clean", "micro", "tiny", "small", "medium", "large", "huge", "turn")
"""Words for sizes, small ones first; `clean` is the first of severities, `turn` the largest of motions."""
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
