"""Puts wrappers around a method by their names."""

from __future__ import annotations

from collections.abc import Sequence

from ffbench.method import Method

from .face_crop import FaceCropped
from .names import face_size
from .variational import VariationallyRefined


def wrap(method: Method, wrappers: Sequence[str]) -> Method:
    """Put wrappers, as `split_name` names them, around a method, the first one innermost."""
    for wrapper in wrappers:
        size = face_size(wrapper)
        method = VariationallyRefined(method) if size is None else FaceCropped(method, size)
    return method
