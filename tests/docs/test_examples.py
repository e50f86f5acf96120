"""The examples of the documentation run as they stand."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def python_blocks(page: Path) -> list[str]:
    """Return the Python code of a page, block by block."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if python_blocks(page)], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_examples_work_as_they_stand(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in python_blocks(page):
        if block.startswith(">>>"):
            session = doctest.DocTestParser().get_doctest(block, names, page.name, str(page), 0)
            said: list[str] = []
            found = doctest.DocTestRunner().run(session, out=said.append)
            assert (found.failed, found.attempted > 0) == (0, True), "".join(said)
        else:
            exec(compile(block, str(page), "exec"), names)
