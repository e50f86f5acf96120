"""Small tables as HTML: they wrap on a phone, hold links, and are read by screen readers as they are."""

from __future__ import annotations

from collections.abc import Sequence

from ffbench.io.escape import html

from . import theme


def table(label: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table that scrolls sideways where there is no room; the first cell of a row is its head.

    Args:
        label: what the table is, for screen readers; words of ours.
        heads: of the columns, as text.
        rows: cells as HTML: of `text`, `link` or `heat`.
    """
    head = "".join(f'<th scope="col">{html(name)}</th>' for name in heads)
    body = "".join(f'<tr><th scope="row">{first}</th>{"".join(map(_cell, rest))}</tr>' for first, *rest in rows)
    return scrolling(label, f'<table class="ff-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def _cell(content: str) -> str:
    return content if content.startswith("<td") else f"<td>{content}</td>"


def scrolling(label: str, content: str) -> str:
    """Return HTML in a frame that the keyboard can scroll too."""
    return f'<div class="ff-scroll" role="region" aria-label="{html(label)}" tabindex="0">{content}</div>'


def text(words: object, longest: int = 100) -> str:
    """Return a stranger's text for a cell."""
    return html(theme.plain(str(words), longest))


def link(words: str, address: str) -> str:
    """Return a link of a stranger's words to a page of ours."""
    return f'<a href="{attribute(address)}">{text(words)}</a>'


def attribute(address: str) -> str:
    """Return an address of `page_address`, in which all values are quoted, for an attribute: `&` is left to escape."""
    return address.replace("&", "&amp;")


def heat(share: float, content: str) -> str:
    """Return a cell with a heat color; `share` is 0 for the best and 1 for the last."""
    ground, ink = theme.heat(share)
    return f'<td style="background:{ground};color:{ink}">{content}</td>'
