"""The documentation builds without warnings into a site that loads nothing from elsewhere and holds the public API."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ci_scripts import load_script

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning is an error."""
    for module in ("material", "mkdocstrings", "griffe_pydantic"):
        pytest.importorskip(module, reason=f"{module} is not installed: the extra `docs`")
    place = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(place)],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (built.returncode, "WARNING" in built.stderr) == (0, False), built.stderr
    return place


def test_the_site_has_every_page_and_loads_nothing_from_elsewhere(site: Path) -> None:
    expected = {page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for page in PAGES}
    made = {page.relative_to(site).as_posix(): page.read_text("utf-8") for page in site.rglob("*.html")}
    assert {*expected, "start.html", "contributing.html"} <= set(made)
    for name, html in made.items():
        assert not re.search(r'<(script|img|iframe)[^>]*\ssrc="(https?:)?//', html), name
        assert not re.search(r'<link[^>]*\srel="stylesheet"[^>]*href="(https?:)?//', html), name
        assert not re.search(r'href="[^"]*\.md["#]', html), name
        assert f'href="{os.path.relpath("contributing.html", Path(name).parent)}"' in html or name == "404.html", name


def described(site: Path) -> set[str]:
    """Return the dotted names that have an entry in the API reference."""
    pages = (site / "reference").glob("*.html")
    return {name for page in pages for name in re.findall(r'id="(ffbench[\w.]*)"', page.read_text("utf-8"))}


@pytest.mark.parametrize(
    "module",
    ["ffbench", "ffbench.flow", "ffbench.metrics.dense", "ffbench.metrics.statistics", "ffbench.testing"],
)
def test_the_reference_describes_every_public_name(site: Path, module: str) -> None:
    names = {f"{module}.{name}" for name in importlib.import_module(module).__all__}
    constants = {"ffbench.flow.UNKNOWN"}
    assert names - constants - described(site) == set()
    assert f"{module}.no_such_name" not in described(site)


def test_the_reference_says_what_docstrings_and_fields_say(site: Path) -> None:
    methods = (site / "reference" / "methods.html").read_text("utf-8")
    assert "hash of the file; where no file was named" in methods  # a field of WeightsCard
    assert 'id="ffbench.methods.weights.load_requested"' in methods  # a module of methods/, by its installed name
    metrics = (site / "reference" / "metrics.html").read_text("utf-8")
    assert '<span class="gp">&gt;&gt;&gt; </span>' in metrics  # an example, as code
    assert "&gt;&gt;&gt; " not in re.sub(r"<(code|span).*?</\1>", "", metrics, flags=re.DOTALL)  # and none as text


def test_docstrings_are_prepared_for_the_reference() -> None:
    pytest.importorskip("griffe", reason="griffe is not installed: the extra `docs`")
    prepared = load_script("docstrings").prepared
    text = "Sum.\n\nArgs:\n    a, b: sides\n        in px.\n    c: none.\n\n>>> 1 + 1\n2\n\nEnd, a, b: no argument.\n"
    assert prepared(text) == (
        "Sum.\n\nArgs:\n    a: sides\n        in px.\n    b: sides\n        in px.\n    c: none.\n\n"
        "```pycon\n>>> 1 + 1\n2\n```\n\nEnd, a, b: no argument.\n"
    )
