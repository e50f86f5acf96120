"""The static site: the same pages for the same records, links that hold, and strangers' names as text."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath

import numpy as np
import pytest

from ffbench.errors import UsageError
from ffbench.leaderboard.site.naming import slug
from ffbench.leaderboard.site.pages import Site
from ffbench.leaderboard.site.writing import MARK, write
from ffbench.method import MethodCard
from ffbench.paths import shipped_store
from ffbench.results.store.records import read_rows
from tests.leaderboard.pages import EVIL
from tests.results.made_runs import make_run

HOSTILE = f"<img src=x onerror='alert(1)'><script>alert(1)</script> {EVIL}"
VOID = {"meta", "link", "img", "br", "source", "circle", "line", "polyline"}
LARGEST = 200_000


class Page(HTMLParser):
    """Reads a page: its words, addresses and tags, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.links, self.sources, self.tags, self.ids = "", [], [], set(), []
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        values = dict(attrs)
        if tag == "a":
            self.links.append(str(values.get("href")))
        if tag in ("img", "link", "source"):
            self.sources.append(str(values.get("src") or values.get("href") or values.get("srcset")))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("site")
    hard = np.random.default_rng(0).gamma(1.0, 2.0, 30)
    for number, (name, title) in enumerate([("zeta", "Zeta"), ("alpha", "Alpha"), ("evil", HOSTILE)]):
        values = list(hard + number + np.random.default_rng(number).normal(0, 0.1, len(hard)))
        make_run(folder / "runs", name, values, method=MethodCard(id=title, title=title))
    return Site(read_rows([folder / "runs"])).files()


@pytest.fixture(scope="module")
def shipped() -> dict[str, bytes]:
    store = shipped_store()
    assert store is not None
    return Site(read_rows([store])).files()


def pages(files: dict[str, bytes]) -> dict[str, str]:
    return {name: content.decode() for name, content in files.items() if name.endswith(".html")}


@pytest.mark.parametrize("which", ["files", "shipped"])
def test_every_page_is_sound_small_and_leads_only_to_what_is_there(which: str, request: pytest.FixtureRequest) -> None:
    files: dict[str, bytes] = request.getfixturevalue(which)
    for name, text in pages(files).items():
        page = Page(text)
        assert len(text.encode()) < LARGEST, name
        assert page.tags.isdisjoint({"script", "iframe", "object", "form"}), name
        assert all(not attribute.startswith("on") for attribute in page.attributes), name
        for target in page.links + page.sources:
            if not target.startswith("https://"):
                assert normpath(join(dirname(name), target)) in files, (name, target)
        assert all(not source.startswith("http") for source in page.sources), name


def test_names_of_strangers_are_text_and_escaped_once(files: dict[str, bytes]) -> None:
    found = 0
    for name, text in pages(files).items():
        assert "<script>" not in text, name
        assert "&amp;lt;" not in text, name
        found += "<img src=x onerror='alert(1)'><script>" in Page(text).words
    assert found >= 3  # the board, the overview and the method's own page


def test_the_same_records_give_the_same_files(shipped: dict[str, bytes]) -> None:
    store = shipped_store()
    assert store is not None
    rows = read_rows([store])
    assert Site(rows[::-1]).files() == shipped


def test_a_board_says_what_the_table_says(files: dict[str, bytes]) -> None:
    (name,) = [name for name in files if name.startswith("boards/")]
    words = " ".join(Page(files[name].decode()).words.split())
    assert words.index("Zeta") < words.index("Alpha")


def test_real_and_synthetic_boards_share_no_table(shipped: dict[str, bytes]) -> None:
    overview = pages(shipped)["index.html"]
    tables = re.findall(r'aria-label="Positions on ([^"]+)".*?</table>', overview, re.DOTALL)
    assert tables == ["real data", "reanimated data", "synthetic data", "real data, by robustness"]
    real, *_, robust = re.findall(r'aria-label="Positions on [^"]+".*?</table>', overview, re.DOTALL)
    assert ("Robustness in clips" in real, "Robustness in clips" in robust) == (False, True)
    for name, text in pages(shipped).items():
        if name.startswith("boards/"):
            assert ('class="badge synthetic"' in text) == ("They say nothing of real faces" in text), name


def test_without_records_the_first_page_says_what_to_do() -> None:
    words = Page(pages(Site([]).files())["index.html"]).words
    assert "No records to rank here yet" in words


def test_names_of_pages_are_safe_and_different() -> None:
    assert slug("../../etc/passwd", "a") != slug("../../etc/passwd", "b")
    for words in ("../../etc/passwd", "CON", "", "x" * 5000, "Ünïcode/\0", HOSTILE):
        assert re.fullmatch(r"[a-z0-9-]{8,60}", slug(words, "a"))


def test_only_a_folder_of_its_own_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    write({"a/b.html": b"one"}, folder)
    assert (folder / "a" / "b.html").read_bytes() == b"one"
    write({"c.html": b"two"}, folder)
    assert sorted(path.name for path in folder.iterdir()) == [MARK, ".nojekyll", "c.html"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="not made by"):
        write({"c.html": b"two"}, other)
    assert (other / "thesis.tex").read_text() == "years of work"
    with pytest.raises(UsageError, match="not made by"):
        write({"c.html": b"two"}, other / "thesis.tex")
    (tmp_path / "empty").mkdir()
    write({"c.html": b"two"}, tmp_path / "empty")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "other", "site"]


def test_it_needs_neither_streamlit_nor_torch(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['streamlit'] = sys.modules['torch'] = sys.modules['plotly'] = None\n"
        f"sys.argv = ['ffbench', 'site', '--out', {str(tmp_path / 'site')!r}]\n"
        "from ffbench.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "index.html").is_file()
    assert "pages; open" in done.stderr
