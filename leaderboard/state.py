"""Widgets whose values stand in the address, so that a link brings the view back.

Streamlit keeps a widget and the query parameter of its key the same (`bind="query-params"`), and drops a value in the
address that is not among the options. What is left to do here: one spelling of it, and links.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict
from urllib.parse import urlencode

import streamlit as st


class Bound(TypedDict):
    """Arguments of a widget that make it one with a query parameter."""

    key: str
    bind: Literal["query-params"]


def bound(name: str) -> Bound:
    """Bind a widget to the query parameter `name`: `st.text_input("Search", **bound("search"))`."""
    return {"key": name, "bind": "query-params"}


def link(page: str, parameters: Mapping[str, str]) -> str:
    """Give the address of a page with its widgets set, relative to the app's own."""
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"/{page}?{query}" if query else f"/{page}"


def address() -> str:
    """Give the whole address of the view that is shown."""
    base = str(st.context.url or "").partition("?")[0]
    query = urlencode([(name, value) for name in st.query_params for value in st.query_params.get_all(name)])
    return f"{base}?{query}" if query else base
