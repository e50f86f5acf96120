"""Whether two names look alike to a reader, so that nobody takes one method for another."""

from __future__ import annotations

import re
import unicodedata

_CAPITALS = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕЅІЈКМНОРСТУХԼՏՍՕ", "ABEZHIKMNOPTYXABESIJKMHOPCTYXLSUO")
"""Capitals of other scripts, whose small letters look like others than they do."""
_LOOK_LIKE = str.maketrans(
    "аеорсухѕіјһԁԛԝкмтвнҽӏѵαβεηικμνορτυχωγոօսհզցյլᎠᎡᎢᎪᎫᎬᎳᎷᎻᏀᏃᏎᏔᏙᏚᏞᏟᏢᏦᏴꓐꓑꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ0135|",
    "aeopcyxsijhdqwkmtbhelvabenikuvoptuxwynouhqgjldrtajewmhgzswvslcpkbbpdtgkjczfmnlsrvhwxyaeiouolesl",
)
"""Letters of other scripts, and digits, that many fonts draw as a Latin letter; the rest is for people to see."""
_LATIN = re.compile(r"LATIN .*\b([A-Z])(?: WITH .*)?")
"""Names of letters that are a Latin letter in another shape: small capitals, phonetic ones, with hooks and bars."""


def look_alike(name: str) -> str:
    """Return what a name has in common with those that look like it: letters and digits, without case and accents.

    >>> look_alike("My  Net") == look_alike("my-net") == look_alike("Мy Nеt")
    True
    """
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).translate(_CAPITALS).casefold())
    kept = "".join(_plain(mark) for mark in apart if mark.isalnum()).translate(_LOOK_LIKE)
    # 1 and l and I are one stroke in many fonts.
    return kept.replace("i", "l") or name


def _plain(letter: str) -> str:
    """Return the Latin letter that another shape of it stands for; any other letter as it is."""
    shape = None if letter.isascii() else _LATIN.fullmatch(unicodedata.name(letter, ""))
    return shape.group(1).lower() if shape else letter
