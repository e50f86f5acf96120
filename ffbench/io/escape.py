"""Text that strangers wrote, made harmless for each place where it is shown: the one module that escapes.

Titles, units, ids, keys, labels and names of files come from records, archives and datasets of anybody. Whatever they
hold, a shown text stays in its line or cell, is no command to a terminal, no markup, no formula and no change of the
direction of writing.
"""

from __future__ import annotations

import html as html_module
import re
import unicodedata

LONGEST = 400
"""Characters that a text may have where nothing else is said."""
_MOST_ACCENTS = 2
"""Accents that one letter may carry: more of them reach into the lines above and below."""
_MARKDOWN_MARKS = re.compile(r"([\\`*_{}\[\]<>|#~&$@])|(?<=\w)(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)
_LATEX_MARKS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "≈": r"$\approx$",
}  # fmt: skip
_FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a spreadsheet tells a formula, also in full width."""
_JSON_SAFE = re.compile(r"[^\n -~]")


def terminal(text: object) -> str:
    r"""Return a text as one line for a terminal, as long as it is.

    Control characters (line breaks and ANSI escapes among them), marks that turn the direction of writing, characters
    of no width and lone surrogates become spaces.

    >>> terminal("\x1b[2Jnet\n  v1")
    ' [2Jnet   v1'
    """
    kept = []
    accents = 0
    for mark in str(text):
        accents = accents + 1 if unicodedata.combining(mark) or unicodedata.category(mark) == "Me" else 0
        if accents <= _MOST_ACCENTS:
            kept.append(mark if mark.isprintable() else " ")
    return "".join(kept)


def plain(text: object, longest: int = LONGEST) -> str:
    r"""Return what `terminal` does, with single spaces and cut to a length: for a cell, a title or a label.

    >>> plain("\x1b[2Jnet\n\u202e v1")
    '[2Jnet v1'
    """
    line = " ".join(terminal(text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def markdown(text: object) -> str:
    r"""Return a text for Markdown, a cell of a table among it: no emphasis, link, image, tag, entity or formula in it.

    >>> markdown("a|b [x](https://y)")
    'a\\|b \\[x\\](https\\://y)'
    """
    return _MARKDOWN_MARKS.sub(lambda found: f"\\{found.group()}", plain(text))


def latex(text: object) -> str:
    r"""Return a text for LaTeX.

    >>> latex("50 %_x")
    '50 \\%\\_x'
    """
    return "".join(_LATEX_MARKS.get(mark, mark) for mark in plain(text))


def csv_cell(text: object) -> str:
    """Return a text for a cell of a CSV table that a spreadsheet does not take for a formula.

    >>> csv_cell("=1+1"), csv_cell("net")
    ("'=1+1", 'net')
    """
    line = plain(text)
    return f"'{line}" if line.startswith(_FORMULAS) else line


def html(text: object) -> str:
    """Return a text for HTML, in an element or in a quoted attribute.

    >>> html('<b "x">')
    '&lt;b &quot;x&quot;&gt;'
    """
    return html_module.escape(plain(text))


def chart(text: object, longest: int = LONGEST) -> str:
    """Return a text for a Plotly chart, which takes tags for markup and knows no entity for quotes.

    >>> chart('<b> "x"')
    '&lt;b&gt; "x"'
    """
    return html_module.escape(plain(text, longest), quote=False)


def json_text(document: str) -> str:
    r"""Return a JSON document of the same content in ASCII, so that printing it is no command to a terminal.

    >>> json_text('{"a": "\x9b"}')
    '{"a": "\\u009b"}'
    """
    return _JSON_SAFE.sub(lambda found: _escaped(found.group()), document)


def _escaped(mark: str) -> str:
    units = mark.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
