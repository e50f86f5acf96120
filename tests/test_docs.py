"""The documentation: its examples run, and it makes a site without warnings that loads nothing from elsewhere."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
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


@pytest.mark.slow
def test_the_site_has_every_page_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="mkdocs-material is not installed: the extra `docs`")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (built.returncode, "WARNING" in built.stderr) == (0, False), built.stderr
    expected = {page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for page in PAGES}
    made = {page.relative_to(tmp_path).as_posix(): page.read_text("utf-8") for page in tmp_path.rglob("*.html")}
    assert {*expected, "start.html", "contributing.html"} <= set(made)
    for name, html in made.items():
        assert not re.search(r'<(script|img|iframe)[^>]*\ssrc="(https?:)?//', html), name
        assert not re.search(r'<link[^>]*\srel="stylesheet"[^>]*href="(https?:)?//', html), name
        assert not re.search(r'href="[^"]*\.md["#]', html), name
        assert f'href="{os.path.relpath("contributing.html", Path(name).parent)}"' in html or name == "404.html", name
