"""The page of speeds, docs/performance.md, from what `make bench` measured.

    python ci/performance.py BENCHMARKS.json METHODS.json

The first is of pytest-benchmark, the second of `ffbench bench --json`. What a benchmark holds itself to is the first
line of its module's docstring.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ffbench.results.tables import as_markdown
from ffbench.timing import Timing, timing_table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
_HEAD = """# Speed

What `make bench` measured, and writes here. Ratios are of times taken in turn in one run, so that a slow moment slows
both sides; absolute times are of the machine named below.

"""
_FLOOR = """The floor is what the operations that PyTorch counts take at the rate of a
large matrix product; DIS inside DecFlow-C is not in it. `ffbench bench` measures the same of any methods.
"""


def page(benchmarks: Mapping[str, Any], methods: Mapping[str, Any], day: date, load: float) -> str:
    """Return the page.

    Args:
        benchmarks: the JSON document of pytest-benchmark.
        methods: that of `ffbench bench`.
        day: of the measurement.
        load: average number of processes that wanted to run during its last 15 minutes; 1 to 2 are its own.
    """
    where = methods["environment"]
    versions = f"Python {where['python']}, PyTorch {where['packages']['torch']}"
    head = f"{day}, {where['processor']}, {versions}; load of the machine {load:.1f}.\n"
    return _HEAD + head + _methods(methods) + "".join(_modules(benchmarks["benchmarks"]))


def _methods(found: Mapping[str, Any]) -> str:
    threads = found["environment"]["threads"]
    table = timing_table([Timing(**row) for row in found["methods"]], "")
    head = f"{found['size']} px, {threads} thread{'s' if threads > 1 else ''}. {_FLOOR}"
    return f"\n## Methods at equal input\n\n{head}\n{as_markdown(table)}\n"


def _modules(benchmarks: Sequence[Mapping[str, Any]]) -> list[str]:
    sections: dict[str, list[str]] = {}
    for entry in benchmarks:
        module, _, test = entry["fullname"].partition("::")
        rows = sections.setdefault(module, [])
        case = test[test.find("[") + 1 : -1] if test.endswith("]") else ""
        for name, value in entry["extra_info"].items():
            title = name.removesuffix(":")
            rows.append(f"| {title if title.startswith(case) else f'{case}: {title}'} | {_words(value)} |\n")
    return [
        f"\n## {_title(module)}\n\n{_goal(ROOT / module)}\n\n| | |\n|---|---:|\n{''.join(rows)}"
        for module, rows in sections.items()
        if rows
    ]


def _words(value: Any) -> str:
    return ", ".join(f"{name} {part}" for name, part in value.items()) if isinstance(value, dict) else str(value)


def _title(module: str) -> str:
    return Path(module).stem.removeprefix("test_").replace("_", " ").capitalize()


def _goal(module: Path) -> str:
    return (ast.get_docstring(ast.parse(module.read_text("utf-8"))) or "").partition("\n\n")[0]


def main(arguments: Sequence[str]) -> None:
    """Write the page from the two files that are named."""
    benchmarks, methods = (json.loads(Path(name).read_text("utf-8")) for name in arguments)
    PAGE.write_text(page(benchmarks, methods, date.today(), os.getloadavg()[2]), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
