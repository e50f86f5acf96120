"""Names of wrapped methods: `gmflow+face512+variational` is GMFlow on the face at 512 px, then refined."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ffbench.errors import UsageError

REFINEMENTS = ("variational",)
SMALLEST_FACE, LARGEST_FACE = 64, 4096
_WRAPPER = re.compile(rf"\+(?:{'|'.join(REFINEMENTS)}|face[0-9]{{1,9}})$")
_FACE = "face"


def split_name(name: str) -> tuple[str, list[str]]:
    """Split a name into that of the method alone and its wrappers, innermost first.

    >>> split_name("ptlflow/raft:things+face512+variational")
    ('ptlflow/raft:things', ['face512', 'variational'])
    """
    wrappers: list[str] = []
    while match := _WRAPPER.search(name):
        wrappers.insert(0, match.group()[1:])
        name = name[: match.start()]
    return name, wrappers


def wrapped_name(name: str, refine: str | None = None, face_size: int | None = None) -> str:
    """Add wrappers to a name: the face is cropped first, and the flow of the whole image refined.

    Raises:
        UsageError: an unknown refinement, a size that cannot be, or one that the name has already.
    """
    if refine is not None and refine not in REFINEMENTS:
        raise UsageError(f"refinement '{refine}': expected {' or '.join(REFINEMENTS)}")
    parts = [name, *([] if face_size is None else [f"{_FACE}{face_size}"]), *([] if refine is None else [refine])]
    whole = "+".join(parts)
    check_wrappers(split_name(whole)[1], whole)
    return whole


def check_wrappers(wrappers: Sequence[str], name: str) -> None:
    """Check the wrappers of a name.

    Raises:
        UsageError: a size of the face that cannot be, or a wrapper that comes twice.
    """
    kinds = [_FACE if wrapper.startswith(_FACE) else wrapper for wrapper in wrappers]
    if len(set(kinds)) < len(kinds):
        raise UsageError(f"method '{name}': the same is asked for twice")
    for wrapper in wrappers:
        size = face_size(wrapper)
        if size is not None and not SMALLEST_FACE <= size <= LARGEST_FACE:
            raise UsageError(f"size of the face {size} px: expected {SMALLEST_FACE} to {LARGEST_FACE}")


def face_size(wrapper: str) -> int | None:
    """Return the size, px, that a wrapper such as `face512` names; None for any other wrapper."""
    return int(wrapper.removeprefix(_FACE)) if wrapper.startswith(_FACE) else None
