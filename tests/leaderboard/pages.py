"""Running pages of the leaderboard without a browser, and reading what they show."""

from __future__ import annotations

import sys
from dataclasses import asdict
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import torch

from ffbench.errors import FfbenchError
from ffbench.leaderboard.work import bounded, worker

testing = pytest.importorskip("streamlit.testing.v1", reason="the extra `leaderboard` is not installed")
APP = str(Path(__file__).parents[2] / "leaderboard" / "page.py")
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> [x](javascript:alert(3)) **b** :red[c] $x^2$"


def app(monkeypatch: pytest.MonkeyPatch, *places: Path, **query: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["app.py", *map(str, places)])
    made = testing.AppTest.from_file(APP, default_timeout=120)
    for name, value in query.items():
        made.query_params[name] = value
    return made


def page(monkeypatch: pytest.MonkeyPatch, name: str, *places: Path, **query: str) -> Any:
    """Run one page alone, as the shell would."""
    monkeypatch.setattr(sys, "argv", ["app.py", *map(str, places)])
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from ffbench.leaderboard import shell\nfrom ffbench.leaderboard.boards import records\n"
        "records.set_places([Path(place) for place in sys.argv[1:]])\n"
        f"shell._renderer(next(card for card in shell.PAGES if card.module == {name!r}))()\n"
    )
    made = testing.AppTest.from_string(script, default_timeout=120)
    for key, value in query.items():
        made.query_params[key] = value
    made.run()
    assert not made.exception
    return made


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do here what pages have done by a process of its own: faster, and with what a test has changed.

    The threads stay as many as they are: a task sets their number for the whole process, and so for later tests.
    """

    def run(folder: Path, task: str, request: Any, limits: Any, tell: Any, instead: str) -> dict[str, Any]:
        tell(None)
        tell(bounded.Progress("scoring", 1, 3))
        module = import_module(f"ffbench.leaderboard.work.{worker.TASKS[task]}")
        try:
            answer: dict[str, Any] = module.answer(
                folder, {**request, "limits": {**asdict(limits), "threads": torch.get_num_threads()}}
            )
        except FfbenchError as error:
            return {"error": str(error)}
        return answer

    monkeypatch.setattr(bounded, "run", run)


def words(made: Any) -> str:
    """All text of a page that is not in a table of `st.dataframe` or in a chart."""
    told = [str(element.value) for kind in (made.text, made.caption, made.info, made.warning) for element in kind]
    return "\n".join([*told, *(Html(body).text for body in html_of(made))])


def html_of(made: Any) -> list[str]:
    """The HTML that a page writes itself, without what sets its looks."""
    bodies = [element.proto.body for element in made.get("html")]
    return [body for body in bodies if not body.lstrip().startswith("<style>")]


class Html(HTMLParser):
    """What a browser would make of a piece of HTML: its text, its tags, its attributes, and its rows of cells."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.text, self.tags, self.attributes = "", set[str](), list[tuple[str, str]]()
        self.rows: list[list[str]] = []
        self.feed(body)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attributes]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    @property
    def links(self) -> list[str]:
        return [value for name, value in self.attributes if name == "href"]


def names(table: Any) -> list[str]:
    """The methods of the leaderboard's table, as the links to their pages name them, without their ids."""
    queries = [parse_qs(urlsplit(link).query) for link in table.value["method"]]
    labels = [(query.get("method") or query["of"])[0] for query in queries]  # `of`: the paper's tables
    return [label.rpartition(" (")[0] if label.endswith(")") else label for label in labels]


def faults(made: Any) -> list[str]:
    return [text.value for text in made.text if "failed" in text.value]
