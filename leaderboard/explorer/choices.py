"""What readers of the explorer choose: methods, by title, and what is done around them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ffbench.registry import family_of, method_entry
from ffbench.wrappers.names import split_name

from ..look import theme
from ..state import bound
from ..work import estimates
from . import explorer_cache, offered

FIRST = "dis"
NO_OTHER = "no other"
_NOTHING = "nothing"
_AROUND = {
    _NOTHING: "nothing",
    "+variational": "variational refinement",
    "+face512": "crop of the face, 512 px",
    "+face512+variational": "crop of the face and refinement",
}
"""What is done around the method, as its name says it; a link may ask for another size of the face."""


def choose(
    label: str, options: Sequence[str], first: str, name: str, titles: dict[str, str] | None = None, also: str = ""
) -> str:
    """Ask for one of some options; `first` is chosen to begin with, if it is among them.

    An address holds the title of what is chosen, and may name it as well: links from other pages do. `also` is what an
    address names in other words.
    """
    named = st.query_params.get(name, also)
    is_named = name not in st.session_state and named in options
    if is_named:
        st.session_state[name] = named
    return str(
        st.selectbox(
            label, options, index=options.index(first) if first in options and not is_named else 0,
            format_func=lambda option: (titles or {}).get(option, option), **bound(name),
        )
    )  # fmt: skip


def methods(extra: dict[str, str] | None = None) -> tuple[str | None, str | None]:
    """Ask whose flow is to be shown, and beside whose.

    Args:
        extra: titles of what is offered before the methods, by name.

    Returns:
        Two names; None for the first: not named yet; for the second: no other.
    """
    runnable = dict(offered.titles())
    titles = {**(extra or {}), **runnable}
    asked = st.query_params.get("method", "")
    if "method" not in st.session_state and asked not in (*titles, *titles.values()) and offered.is_installed(asked):
        st.warning(
            f"{theme.word(asked)}, the method of the link, lacks weights or a package here; another is shown.",
            icon=":material/warning:",
        )
    left, middle, right = st.columns(3)
    with left:
        first = _member(choose("Flow from", list(titles), FIRST, "method", titles), "member", runnable)
    with middle:
        names = [NO_OTHER, *runnable]
        second = _member(
            choose("Beside it", names, NO_OTHER, "beside", {NO_OTHER: "nothing", **runnable}), "member2", runnable
        )
    with right:
        around = _around() if first in runnable or (first or "").partition("/")[0] in runnable else ""
    return (first and f"{first}{around}"), (None if second in (None, NO_OTHER) else f"{second}{around}")


def title_of(method: str) -> str:
    """Return what readers are to see of a method's name."""
    title = offered.titles().get(family_of(method), method)
    member, around = method.partition("/")[2].partition("+")[0], split_name(method)[1]
    return theme.plain(f"{title} {member}".strip(), 60) + (f" ({', '.join(map(str, around))})" if around else "")


def _member(chosen: str, name: str, runnable: dict[str, str]) -> str | None:
    """Ask for a member where a family was chosen; None until one is named."""
    if chosen not in runnable or method_entry(chosen).variants is None:
        return chosen
    label = f"Which of {theme.word(chosen)}"
    member = st.text_input(label, placeholder="NAME or NAME:CHECKPOINT", **bound(name))
    return f"{chosen}/{member}" if member else None


def _around() -> str:
    wanted = st.query_params.get("around", _NOTHING)
    linked = [wanted] if wanted not in _AROUND and split_name(f"x{wanted}")[0] == "x" else []
    around = choose("Around the method", [*_AROUND, *linked], _NOTHING, "around", _AROUND)
    return "" if around == _NOTHING else around


def wanted(method: str, what: str) -> bool:
    """Tell whether to run a method: a quick one at once, another when the reader says so, knowing what it takes."""
    if method_entry(family_of(method)).quick and "+face" not in method:
        return True
    seconds = explorer_cache.seconds_of(method)
    known = "some seconds, its loading included" if seconds is None else f"about {seconds:.0f} s, as the last time"
    place = st.empty()
    with place.container(border=True):
        st.text(f"{title_of(method)} takes {known}; it is ended after {estimates.LIMITS.seconds} s.")
        pressed = st.button("Estimate the flow", type="primary", key=f"run {method} {what}")
    if pressed:
        place.empty()  # nothing that is true no more stays while it runs
    return bool(pressed)
