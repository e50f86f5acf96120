"""How things look: colors that color-blind readers tell apart, charts, badges, and words for what is not real.

Names come from strangers: they go to `st.text`, into cells of `st.dataframe` or through `chart_text`, and never to
`st.markdown`.
"""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ffbench.io import escape
from ffbench.results.record.row import Board
from ffbench.visual.colors import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILION, YELLOW, hex_color

from .style import STYLE

_COLORS = (BLUE, ORANGE, GREEN, PURPLE, SKY_BLUE, VERMILION, YELLOW)
"""Without black: they must show on dark and on light ground."""
GREY = "#7F7F7F"
MARKERS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon")
"""Beside color, shape: no chart says anything in color alone."""
_LONGEST = 80


def apply() -> None:
    """Set what holds on every page."""
    soft = "#b9c0cc" if dark() else "#4a5160"
    colors = {
        "SOFT": soft,
        "GROUND": ground(),
        "LINK": link(),
        "CHIP": "#12161f" if dark() else "#ffffff",
        "LINE": grid(),
    }
    style = STYLE
    for name, color in colors.items():
        style = style.replace(name, color)
    st.html(style)


def dark() -> bool:
    """Whether the reader sees the dark theme."""
    return st.context.theme.type == "dark"


def palette() -> tuple[str, ...]:
    """Return the colors of a chart in the order of use; on dark ground the lighter of the two blues is first."""
    order = (SKY_BLUE, *_COLORS[1:4], BLUE, *_COLORS[5:]) if dark() else _COLORS
    return tuple(map(hex_color, order))


def origin_color(origin: str) -> str:
    """Return the color of values on data of an origin."""
    return {"real": palette()[0], "reanimated": hex_color(PURPLE)}.get(origin, hex_color(VERMILION))


def plain(text: str, longest: int = _LONGEST) -> str:
    """Return a stranger's text in one line, cut to a length, without characters that do not print."""
    return escape.plain(text, longest)


def cell(text: str, longest: int = _LONGEST) -> str:
    """Return a stranger's text for a cell or the head of a table, which readers can save as CSV: never a formula."""
    line = plain(text, longest)
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def argument(text: str) -> str:
    """Return a stranger's text for a command that readers copy into a shell: one argument, whatever it holds."""
    return shlex.quote(plain(text, 200))


def printable(text: str) -> str:
    """Return a stranger's text for a log, its lines kept: what a terminal would take for an order is left out."""
    return "".join(mark if mark.isprintable() or mark == "\n" else " " for mark in text)


def word(text: str) -> str:
    """Return a stranger's text for a label, which takes Markdown: letters, digits and a few harmless marks are kept."""
    kept = (mark if mark.isalnum() or mark in " -.,%/" else " " for mark in plain(text, 40))
    return " ".join("".join(kept).split())


def chart_text(text: str, longest: int = 40) -> str:
    """Return a stranger's text for a Plotly chart, which takes tags for markup."""
    return escape.chart(text, longest)


def ink() -> str:
    """Return the color of lines over bars."""
    return "#e6e9ef" if dark() else "#1f2430"


def ground() -> str:
    """Return the color of the page, as `.streamlit/config.toml` sets it."""
    return "#12161f" if dark() else "#ffffff"


def grid() -> str:
    """Return the color of the lines that charts stand on."""
    return "#3a4150" if dark() else "#dfe3ea"


def link() -> str:
    """Return the color of links, as `.streamlit/config.toml` sets it."""
    return "#7cc4ee" if dark() else "#00598c"


def heat(share: float) -> tuple[str, str]:
    """Return ground and ink of a cell of a table with heat colors; `share` is 0 for the best and 1 for the last.

    The contrast of the two is at least 6:1 at either end and between them.
    """
    best, last = ((11, 84, 128), (29, 35, 48)) if dark() else ((137, 196, 236), (243, 245, 249))
    mixed = (round((1 - share) * ours + share * theirs) for ours, theirs in zip(best, last, strict=True))
    return "#{:02x}{:02x}{:02x}".format(*mixed), "#ffffff" if dark() else "#1f2430"


def win(*, better: bool) -> tuple[str, str]:
    """Return ground and ink of a cell that says who wins; blue is better, orange worse, as in the charts."""
    if dark():
        return ("#0b5480" if better else "#7a3b00"), "#ffffff"
    return ("#89c4ec" if better else "#f6c877"), "#1f2430"


def deep(color: str) -> str:
    """Return a hex color dark enough for white numbers on it; on dark ground, where numbers are dark, as it is."""
    if dark():
        return color
    red, green, blue = (round(int(color[place : place + 2], 16) * 0.72) for place in (1, 3, 5))
    return f"#{red:02x}{green:02x}{blue:02x}"


def faded(color: str) -> str:
    """Return a hex color half transparent."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.45)"


def without_empty(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the columns in which no row has anything."""
    names = dict.fromkeys(name for row in rows for name in row)
    kept = [name for name in names if any(row.get(name) not in (None, "") for row in rows)]
    return [{name: row.get(name) for name in kept} for row in rows]


def layout(height: int, **more: Any) -> dict[str, Any]:
    """Return what all charts share of `go.Layout`."""
    line = grid()
    axis = {"gridcolor": line, "zerolinecolor": line, "linecolor": line, "automargin": True}
    shared: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 32, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": ink(), "size": 13},
        "colorway": palette(),
        "xaxis": axis,
        "yaxis": axis,
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0},
        "hoverlabel": {"align": "left"},
    }
    return {key: {**shared[key], **more[key]} if key in shared and isinstance(shared[key], dict) and key in more
            else more.get(key, shared.get(key)) for key in {**shared, **more}}  # fmt: skip


def show(figure: Any, key: str, name: str) -> None:
    """Draw a Plotly figure in our colors, without the tool bar that covers small screens.

    `name` is what screen readers say of it, in words of ours.
    """
    st.plotly_chart(
        figure,
        theme=None,
        width="stretch",
        key=f"chart-{key}",
        config={"displaylogo": False, "displayModeBar": False},
        **spoken(st.plotly_chart, name),
    )


def spoken(draw: Callable[..., object], name: str) -> dict[str, Any]:
    """Return what screen readers are to say of an element as an argument of `draw`, where Streamlit knows of it."""
    return {"alt": name} if "alt" in inspect.signature(draw).parameters else {}


def board_badges(board: Board) -> None:
    """Say of what kind the data of a board are, in words and in color."""
    with st.container(horizontal=True):
        origin_badge(board.origin)
        if board.reference == "pseudo":
            st.badge("pseudo reference: tracked, not annotated", icon=":material/help:", color="gray")
        elif board.reference == "no":
            st.badge("without reference: flows are compared with each other", icon=":material/compare:", color="gray")
        else:
            st.badge(f"reference: {word(board.reference)}", icon=":material/check:", color="green")
    if board.origin == "synthetic":
        synthetic_note()


def origin_badge(origin: str) -> None:
    """Say whether data are real."""
    if origin == "real":
        st.badge("real data", icon=":material/photo_camera:", color="blue")
    elif origin == "reanimated":
        st.badge("reanimated faces: real skin, made motion", icon=":material/animation:", color="violet")
    else:
        st.badge("synthetic data", icon=":material/science:", color="orange")


def synthetic_note() -> None:
    """Say what synthetic numbers are worth."""
    st.warning("Synthetic data, made by ffbench: these numbers say nothing of real faces.", icon=":material/science:")


def downloads(table: Callable[[str], str], stem: str) -> None:
    """Offer a table as files; `table` gives its text in the format `csv`, `latex` or `md`."""
    for title, file_format, suffix in (("CSV", "csv", "csv"), ("LaTeX", "latex", "tex"), ("Markdown", "md", "md")):
        st.download_button(title, table(file_format), f"{stem}.{suffix}", icon=":material/download:")


def fault(message: str) -> None:
    """Show an error in words. It may quote a stranger's file, so it is text."""
    with st.container(border=True):
        st.badge("error", icon=":material/error:", color="red")
        st.text(plain(message, 2000))


def empty(words: str, *commands: str) -> None:
    """Say that there is nothing to show, and what to run."""
    st.info(words, icon=":material/info:")
    if commands:
        st.code("\n".join(commands), language=None, wrap_lines=True)


def facts(values: Mapping[str, object]) -> None:
    """Draw names with their values, both of which may be a stranger's; those that are None or empty are left out."""
    shown = {name: value for name, value in values.items() if value not in (None, "")}
    if shown:
        pairs = "".join(
            f"<dt>{escape.html(plain(name, 60))}</dt><dd>{escape.html(plain(str(value), 600))}</dd>"
            for name, value in shown.items()
        )
        st.html(f'<dl class="ff-facts">{pairs}</dl>')


def queue(shown: DeltaGenerator, ahead: int, seconds: int) -> None:
    """Say in a place of the page how many are ahead in the queue, each of whom may take `seconds`."""
    others = "the visitor before you is" if ahead == 1 else f"the {ahead} visitors before you are"
    shown.info(
        f"**You are number {ahead} in the queue.** It is your turn when {others} done, after "
        f"{ahead * seconds // 60} min at most. Stay on this page: changing it gives up your place.",
        icon=":material/hourglass_top:",
    )


def problems(lines: Sequence[str]) -> None:
    """Name the records that cannot be read."""
    if lines:
        count = "1 record" if len(lines) == 1 else f"{len(lines)} records"
        with st.expander(f"{count} left out, for want of a readable file", icon=":material/warning:"):
            st.text("\n".join(plain(line, 400) for line in lines[:200]))
