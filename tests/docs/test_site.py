"""The documentation builds without warnings into a site that loads nothing from elsewhere and holds the public API."""

from __future__ import annotations

import importlib
import json
import math
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
QUESTIONS = {
    "How do I score my own network?": "own-network.html",
    "How do I score my .flo files?": "how-to/score-flow-files.html",
    "How do I see where I would stand?": "how-to/where-you-stand.html",
    "How do I run on my own clip?": "clips.html",
    "How do I train DecFlow on my data?": "how-to/train-on-your-data.html",
    "How do I add a protocol?": "contributing.html#add-a-protocol",
    "How do I add a dataset?": "contributing.html#add-a-dataset",
    "How do I compare two methods?": "how-to/compare-two-methods.html",
    "How do I guard CI?": "how-to/guard-ci.html",
    "How do I cite and publish?": "publish.html",
}
"""What people ask, and the page or section that answers it."""
STOP_WORDS = frozenset("a an and do how i in is my of on or own the to two where would".split())  # noqa: SIM905
TITLE_WEIGHT = 10


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


def terms(text: str) -> list[str]:
    """Return the words of a text that count, without a plural's s."""
    return [word.removesuffix("s") for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in STOP_WORDS]


def search(site: Path, question: str) -> list[str]:
    """Return where the index of the search has the words of a question, best first.

    A word counts by its rarity, more in a title than in a text, and there the more often it stands the more, up to 1.
    """
    entries = json.loads((site / "search" / "search_index.json").read_text("utf-8"))["docs"]
    bags = [(entry["location"], terms(entry["title"]), terms(entry["text"])) for entry in entries]
    scores = dict.fromkeys((place for place, _, _ in bags), 0.0)
    for term in set(terms(question)):
        holding = [(place, title, text) for place, title, text in bags if term in title or term in text]
        rarity = math.log(1 + len(bags) / (1 + len(holding)))
        for place, title, text in holding:
            often = text.count(term)
            scores[place] += rarity * (TITLE_WEIGHT * (term in title) + often / (1 + often))
    return sorted((place for place, score in scores.items() if score), key=lambda place: -scores[place])


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_search_finds_the_page_that_answers_a_question(site: Path, question: str) -> None:
    first = search(site, question)[:3]
    assert QUESTIONS[question] in first
    others = set(QUESTIONS.values()) - {QUESTIONS[question]}
    assert len(others & set(first)) <= 1  # the ranking tells the questions apart


def test_the_search_finds_nothing_where_there_is_nothing(site: Path) -> None:
    assert search(site, "How do I bake sourdough?") == []
