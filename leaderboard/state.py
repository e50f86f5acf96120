"""Widgets whose values stand in the address, so that a link brings the view back.

Streamlit keeps a widget and the query parameter of its key the same (`bind="query-params"`), and drops a value in the
address that is not among the options. What is left to do here: one spelling of it, and links.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict
from urllib.parse import quote, urlencode

import streamlit as st
from streamlit.navigation.page import StreamlitPage


class Bound(TypedDict):
    """Arguments of a widget that make it one with a query parameter."""

    key: str
    bind: Literal["query-params"]


def bound(name: str) -> Bound:
    """Bind a widget to the query parameter `name`: `st.text_input("Search", **bound("search"))`."""
    return {"key": name, "bind": "query-params"}


def address(parameters: Mapping[str, str]) -> str:
    """Return the whole address of the page that is shown with its widgets set as `parameters` says."""
    base = str(st.context.url or "").partition("?")[0]
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"{base}?{query}" if query else base


def page_address(page: str, parameters: Mapping[str, str]) -> str:
    """Return the whole address of a page, whichever is shown; slashes in values stay readable."""
    base = str(st.context.url or "").partition("?")[0].rstrip("/")
    above, _, last = base.rpartition("/")
    # The first page has the bare address of the server; all others have their names under it.
    base = above if last in (*_pages(), page) else base
    query = {name: value for name, value in parameters.items() if value}
    return f"{base}/{page}?{urlencode(query, safe='/:,@', quote_via=quote)}"


def show_link(parameters: Mapping[str, str]) -> None:
    """Offer the address of this view."""
    with st.popover("Link to this view", icon=":material/link:"):
        st.code(address(parameters), language=None, wrap_lines=True)


def register(pages: Mapping[str, StreamlitPage]) -> None:
    """Keep the pages of this run, so that one can lead to another."""
    st.session_state["_pages"] = dict(pages)


def page_link(page: str, label: str, parameters: Mapping[str, str], icon: str) -> None:
    """Draw a link to a page with its widgets set; nothing where the page is not there. `label` is our own words."""
    pages = _pages()
    if page in pages:
        wanted = {name: value for name, value in parameters.items() if value}
        st.page_link(pages[page], label=label, icon=icon, query_params=wanted)


def _pages() -> dict[str, StreamlitPage]:
    pages: dict[str, StreamlitPage] = st.session_state.get("_pages", {})
    return pages
