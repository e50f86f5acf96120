"""Which methods a reader is offered: those that can run on this machine, by their titles."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ffbench.errors import FfbenchError
from ffbench.registry import method_entry, method_names

from ..look import theme

_SECONDS = 60
"""How long what is on this machine is taken to be as it was."""


@st.cache_data(ttl=_SECONDS, show_spinner=False)
def titles() -> Mapping[str, str]:
    """Return the titles of the methods that can run here by their names, sorted by title; quick ones come first.

    What lacks a package, an asset or its weights is left out, and so is a package that cannot be imported.
    """
    found: list[tuple[bool, str, str]] = []
    for name in method_names():
        try:
            entry = method_entry(name)
            if entry.missing is None or entry.missing() is None:
                found.append((not entry.quick, theme.plain(entry.title or name, 60), name))
        except FfbenchError:
            continue
    return {name: title for _, title, name in sorted(found, key=lambda item: (item[0], item[1].casefold()))}


def is_installed(name: str) -> bool:
    """Whether a method of this name is installed, though it may lack something here."""
    return name in method_names()
