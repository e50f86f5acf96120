"""Whether two names look alike to a reader, so that nobody takes one method for another."""

from __future__ import annotations

import unicodedata

_CAPITALS = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕЅІЈКМНОРСТУХ", "ABEZHIKMNOPTYXABESIJKMHOPCTYX")
"""Capitals of other scripts, whose small letters look like others than they do."""
_LOOK_LIKE = str.maketrans(
    "аеорсухѕіјһԁԛԝкмтвнαβεηικμνορτυχωγ0135|",
    "aeopcyxsijhdqwkmtbhabenikuvoptuxwyolesl",
)
"""Letters of other scripts, and digits, that many fonts draw as a Latin letter; the rest is for people to see."""


def look_alike(name: str) -> str:
    """Return what a name has in common with those that look like it: letters and digits, without case and accents.

    >>> look_alike("My  Net") == look_alike("my-net") == look_alike("Мy Nеt")
    True
    """
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).translate(_CAPITALS).casefold())
    kept = "".join(mark for mark in apart if mark.isalnum()).translate(_LOOK_LIKE)
    # 1 and l and I are one stroke in many fonts.
    return kept.replace("i", "l") or name
