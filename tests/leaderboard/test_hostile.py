"""Whatever a record calls itself, pages show it as text: nothing of it reaches what takes Markdown, HTML or a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ffbench.leaderboard.look import theme
from tests.leaderboard.hostile import NOT_PRINTED, TEXTS, hostile_run
from tests.leaderboard.pages import Html, faults, html_of, page

MARKUP = re.compile(r"MARK\*\*|MARK\[LINK|MARK:red|:smile:|:material/face:MARK|\$MARK|MARK`|<b>|<script|onerror=")
TAGS = {
    *("h1", "p", "a", "b", "span", "div", "dl", "dt", "dd", "figure", "figcaption", "img"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
"""What pages write themselves."""
ATTRIBUTES = set("alt aria-hidden aria-label class href role scope src style tabindex title".split())  # noqa: SIM905
RECORDS = ("overview", "board", "cost", "method", "compare", "paper")


def taken_for_markdown(made: Any) -> Iterator[str]:
    """Return all text of a page that Streamlit renders as Markdown."""
    for kind in ("markdown", "caption", "info", "warning", "error", "success", "title", "header", "subheader"):
        for element in made.get(kind):
            yield getattr(element, "value", None) or getattr(element.proto, "body", "")
    for element in made.get("metric"):
        yield from (element.label, str(element.value), str(element.delta))
    for kind in ("button", "download_button", "expander", "selectbox", "text_input", "multiselect", "toggle"):
        for element in made.get(kind):
            yield getattr(element, "label", None) or element.proto.label


def shown(made: Any) -> Iterator[str]:
    """Return all text of a page."""
    yield from taken_for_markdown(made)
    for body in html_of(made):
        yield Html(body).text
    for element in (*made.text, *made.code):
        yield element.value
    for element in made.selectbox:
        yield from element.options
    for element in made.dataframe:
        yield from map(str, (*element.value.columns, *element.value.to_numpy().ravel()))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("kind", ["methods", "boards"])
def test_names_are_text_on_every_page(name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEXTS[name]
    for copy in ("a", "b"):
        hostile_run(tmp_path, copy, f"{text}{copy}", board=text if kind == "boards" else None)
    for which in RECORDS:
        made = page(monkeypatch, which, tmp_path)
        assert not faults(made), which
        for found in taken_for_markdown(made):
            assert not MARKUP.search(found), (which, found)
        for body in html_of(made):
            parsed = Html(body)
            assert parsed.tags <= TAGS, which
            assert {name for name, _ in parsed.attributes} <= ATTRIBUTES, which
            for link in parsed.links:
                assert re.fullmatch(r"/(board|method)\?[\w.,:/@%&=~-]*", link), (which, link)
        for found in shown(made):
            assert not set(found) & set(NOT_PRINTED), (which, found)
        for table in made.dataframe:
            for cell in (*table.value.columns, *table.value.to_numpy().ravel()):
                assert not str(cell).startswith(("=", "+", "@")), (which, cell)


def test_the_text_is_there_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a page that shows no names would pass; and Markdown is where it is looked for."""
    hostile_run(tmp_path, "a", TEXTS["bold"])
    for which in ("board", "cost", "method"):
        made = page(monkeypatch, which, tmp_path)
        charts = "".join(chart.proto.spec for chart in made.get("plotly_chart"))
        assert "MARK**BOLD**MARK" in charts + "".join(shown(made)), which
    monkeypatch.setattr(theme, "facts", lambda values: [theme.st.markdown(str(value)) for value in values.values()])
    assert any(MARKUP.search(found) for found in taken_for_markdown(page(monkeypatch, "method", tmp_path)))


def test_a_command_to_copy_holds_a_name_as_one_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEXTS["shell"]
    hostile_run(tmp_path, "a", "one", board=text)
    for which in ("compare", "cost"):
        made = page(monkeypatch, which, tmp_path, **({"cost": "parameters"} if which == "cost" else {}))
        (command,) = [code.value for code in made.code if "ffbench eval" in code.value]
        assert shlex.split(command)[-1] == text


def test_what_a_page_logs_is_no_command_to_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile_run(tmp_path, "a", "one")

    def fail(*arguments: Any) -> None:
        raise RuntimeError(TEXTS["ansi"])

    monkeypatch.setattr("ffbench.leaderboard.picker.open_board", fail)
    made = page(monkeypatch, "board", tmp_path)
    assert faults(made)
    said = capsys.readouterr().err
    assert "RuntimeError: MARK" in said
    assert not set(said) & set(NOT_PRINTED)
