"""How docstrings of ffbench reach the API reference: an extension of griffe, named in mkdocs.yml.

Docstrings name several arguments of one kind in one line and begin examples without a heading; griffe's parser knows
neither.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_SEVERAL = re.compile(r"^    ((?:\w+, )+\w+)(: .*(?:\n {5,}\S.*)*)$", re.MULTILINE)
_EXAMPLE = re.compile(r"^>>> .*(?:\n\S.*)*$", re.MULTILINE)


def prepared(docstring: str) -> str:
    """Return a docstring with each argument in a line of its own and with its examples as blocks of code.

    >>> prepared("Args:\\n    a, b: sides in px.")
    'Args:\\n    a: sides in px.\\n    b: sides in px.'
    """
    single = _SEVERAL.sub(lambda found: "\n".join(f"    {name}{found[2]}" for name in found[1].split(", ")), docstring)
    return _EXAMPLE.sub(lambda found: f"```pycon\n{found[0]}\n```", single)


class Docstrings(griffe.Extension):
    """Prepares the docstring of everything that is loaded."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Replace the object's docstring by what the parser reads."""
        if obj.docstring:
            obj.docstring.value = prepared(obj.docstring.value)
