"""Writes YAML, which the core reads none of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def yaml_lines(value: Mapping[str, Any] | Sequence[Any], indent: str = "") -> Iterator[str]:
    """Write mappings and lists, none of them empty, as YAML in block style; scalars as in JSON, which is YAML too.

    >>> print(*yaml_lines({"a": "b: c", "d": [{"e": 1, "f": True}, 2]}), sep="\\n")
    a: "b: c"
    d:
      - e: 1
        f: true
      - 2
    """
    pairs = value.items() if isinstance(value, Mapping) else ((None, item) for item in value)
    for key, item in pairs:
        mark = "-" if key is None else f"{key}:"
        if isinstance(item, (Mapping, list)):
            inner = list(yaml_lines(item, indent + "  "))
            if key is None:  # the first line of the item stands behind its dash
                yield f"{indent}- {inner[0].strip()}"
                yield from inner[1:]
            else:
                yield f"{indent}{mark}"
                yield from inner
        else:
            yield f"{indent}{mark} {json.dumps(item)}"
