"""The frame around the pages: navigation, and what is shown when a page fails."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st
from PIL import Image

from ffbench.errors import FfbenchError

from . import startup, state
from .boards import records
from .look import theme
from .look.legends import wheel


@dataclass(frozen=True)
class PageCard:
    """A page: the module in `views`, which is its address too, its title and its icon."""

    module: str
    title: str
    icon: str


PAGES = (
    PageCard("overview", "Overview", ":material/home:"),
    PageCard("board", "Leaderboard", ":material/leaderboard:"),
    PageCard("cost", "Accuracy against cost", ":material/speed:"),
    PageCard("method", "Method", ":material/badge:"),
    PageCard("compare", "Compare", ":material/compare_arrows:"),
    PageCard("explorer", "Explorer", ":material/face:"),
    PageCard("submit", "Submit", ":material/upload_file:"),
    PageCard("paper", "Paper", ":material/article:"),
)


_OF_THE_LEADERBOARD = frozenset({"board", "data", "task", "search", "numbers", "order"})
"""Query parameters that the bare address had when the leaderboard was the first page."""


def main(places: Sequence[str]) -> None:
    """Draw the page that the address names, of the records in `places`."""
    startup.prepare()
    # A picture of ours: the browser would fetch a named icon from another host.
    st.set_page_config(page_title="ffbench leaderboard", page_icon=Image.fromarray(wheel()), layout="wide")
    records.set_places(places)
    theme.apply()
    first, *others = PAGES
    pages = {first.module: st.Page(_renderer(first), title=first.title, icon=first.icon, url_path="", default=True)}
    pages |= {
        card.module: st.Page(_renderer(card), title=card.title, icon=card.icon, url_path=card.module) for card in others
    }
    state.register(pages)
    # The first page has the bare address; under its own name Streamlit would not find it.
    by_name = st.Page(_renderer(first), title=first.title, url_path=first.module, visibility="hidden")
    chosen = st.navigation([*pages.values(), by_name], position="top")
    if chosen == pages[first.module] and _OF_THE_LEADERBOARD & set(st.query_params):
        st.switch_page(pages["board"], query_params=dict(st.query_params))
    chosen.run()


def _renderer(card: PageCard) -> Callable[[], None]:
    """Return what draws a page. It is imported only then, and its fault is its own: the other pages stay."""

    def render() -> None:
        try:
            importlib.import_module(f"{__package__}.views.{card.module}").render()
        except FfbenchError as error:
            theme.fault(str(error))
        except Exception as error:
            # It may quote a stranger's file, and what reads this log may be a terminal.
            print(theme.printable(traceback.format_exc()), file=sys.stderr)
            theme.fault(f"The page {card.title} failed, {type(error).__name__}: {error}")

    render.__name__ = card.module
    return render
