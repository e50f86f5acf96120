"""The first page, and what a reader can do on the pages about boards and methods."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ffbench.leaderboard import about
from ffbench.leaderboard.state import page_address
from ffbench.method import MethodCard
from tests.leaderboard.pages import Html, app, faults, html_of, names, page, words
from tests.leaderboard.test_app import CK, REAL, runs
from tests.results.made_runs import make_run

HARD = np.random.default_rng(0).gamma(1.0, 2.0, 30)
ROOT = Path(__file__).parents[2]


def heat_tables(made: Any) -> list[Html]:
    return [parsed for body in html_of(made) if "Positions on" in body for parsed in [Html(body)]]


def test_the_first_page_says_what_flow_is_and_who_is_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = runs(tmp_path, "alpha", "beta", dataset=REAL, card=CK)
    runs(tmp_path, "gamma", "delta")
    made = app(monkeypatch, place).run()
    assert not made.exception
    said = "\n".join(element.value for element in made.markdown)
    for kind in ("Facial flow", "Head flow", "Expression flow"):
        assert f"**{kind}**" in said
    real, synthetic = heat_tables(made)
    # Real and synthetic data share no table.
    assert [row[0] for row in real.rows[1:]] == ["Alpha", "Beta"]
    assert [row[0] for row in synthetic.rows[1:]] == ["Gamma", "Delta"]
    assert real.rows[1][1].split("(") == ["1", "1)"]  # position and rank set
    assert "Alpha is the best." in words(made)
    assert "nothing of real faces" in made.warning[0].value
    assert any("method?method=Beta" in link for link in real.links)


def test_mean_positions_are_of_data_of_one_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"id": "mead_vertices", "version": "0.9", "options": {}}
    place = runs(tmp_path, "alpha", "beta", dataset=REAL, card=CK)
    for number, name in enumerate(("beta", "alpha")):
        make_run(place, f"{name}-mead", list(HARD + number), dataset=REAL, card=other,
                 method=MethodCard(id=name, title=name.title()))  # fmt: skip
    make_run(place, "synthetic", list(HARD), method=MethodCard(id="beta", title="Beta"))
    made = app(monkeypatch, place).run()
    real, synthetic = heat_tables(made)
    assert real.rows[0][1] == "mean position"
    assert [row[:2] for row in real.rows[1:]] == [["Alpha", "1.5"], ["Beta", "1.5"]]
    assert any("Only <b>Beta</b> has been run." in body for body in html_of(made))
    assert "mean position" not in synthetic.rows[0]  # of one protocol there is no mean


@pytest.mark.parametrize("query", [{"data": "synthetic"}, {"search": "amma"}, {"board": "toy"}])
def test_the_bare_address_of_the_leaderboard_still_leads_there(
    query: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = app(monkeypatch, runs(tmp_path, "gamma", "delta"), **query).run()
    assert not made.exception
    assert made.title[0].value == "Leaderboard"


def test_partial_addresses_choose_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = runs(tmp_path, "alpha", dataset=REAL, card=CK)
    runs(tmp_path, "gamma", card={"id": "ffn_head", "version": "0.9", "options": {}})
    runs(tmp_path, "delta", card=CK)
    for query, wanted in (
        ({}, "Alpha"),
        ({"board": "ffn_head"}, "Gamma"),
        ({"board": "ck_landmarks", "data": "synthetic"}, "Delta"),
        ({"data": "synthetic (mini)", "task": "Decomposition"}, "Gamma"),
        ({"board": "nothing like it"}, "Alpha"),
    ):
        made = page(monkeypatch, "board", place, **query)
        assert names(made.dataframe[0])[0] == wanted, query
    assert page(monkeypatch, "method", place, method="delta").selectbox(key="method").value == "Delta (delta)"


def test_filters_and_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {"name": "things", "source": "file", "sha256": "1" * 64}
    place = runs(tmp_path, "alpha", "beta")
    net = MethodCard(id="net", title="Net", parameters=2_000_000, weights=weights)
    make_run(place, "net", list(HARD + 5), method=net)
    for query, wanted in (
        ({"kind": "network"}, ["Net"]),
        ({"trained": "things"}, ["Net"]),
        ({"size": "none"}, ["Alpha", "Beta"]),
        ({"weights": "true"}, ["Alpha", "Beta"]),
        ({}, ["Alpha", "Beta", "Net"]),
    ):
        made = page(monkeypatch, "board", place, **query)
        assert names(made.dataframe[0]) == wanted, query
        # On a phone the filters take no room unless they are in use.
        filters = next(expander for expander in made.expander if expander.label.startswith("Search"))
        assert filters.proto.expanded == bool(query)
    shown = list(made.dataframe[0].proto.column_order)
    assert shown[:3] == ["rank", "method", "Endpoint error [px]"]
    assert "trained on" not in shown
    made.multiselect(key="columns").set_value(["rank", "method", "trained on"]).run()
    assert list(made.dataframe[0].proto.column_order) == ["rank", "method", "trained on"]


def test_the_best_is_bold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = page(monkeypatch, "board", runs(tmp_path, "alpha", "beta"))
    styles = made.dataframe[0].proto.arrow_data.styler.styles
    (bold,) = re.findall(r"#T_\w+_row(\d)_col2[^{]*{[^}]*font-weight: 700", styles)
    assert bold == "0"


def test_data_without_a_reference_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = page(monkeypatch, "board", runs(tmp_path, "alpha", dataset={**REAL, "reference": "no"}, card=CK))
    said = "\n".join(element.value for element in made.markdown)
    assert "without reference" in said
    assert "reference: no" not in said


def test_a_method_has_a_row_for_each_board_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = runs(tmp_path, "alpha", "beta", dataset=REAL, card=CK)
    make_run(place, "more", list(HARD), method=MethodCard(id="beta", title="Beta"))
    made = page(monkeypatch, "method", place, method="beta")
    tables = [Html(body) for body in html_of(made) if "Scores of this method" in body]
    assert [table.rows[1][1] for table in tables] == ["2 of 2", "1 of 1"]  # real, and apart from it synthetic
    assert "@misc{beta" in "".join(code.value for code in made.code)


def test_compare_begins_with_sentences_and_ends_with_a_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [{"gap": str(number % 3 * 5)} for number in range(len(HARD))]
    made = page(monkeypatch, "compare", runs(tmp_path, "alpha", "beta", "gamma", labels=labels))
    assert not faults(made)
    first = Html(html_of(made)[0]).text.split(":")[0].strip()
    assert re.fullmatch(r"A is better by \d+ %", first)
    groups = next(table.value["group"].tolist() for table in made.dataframe if "group" in table.value)
    assert groups == ["all", "gap=0", "gap=5", "gap=10"]
    (matrix,) = [Html(body) for body in html_of(made) if "All methods against each other" in body]
    assert [row[-2:] for row in matrix.rows] == [["wins", "losses"], ["2", "0"], ["1", "1"], ["0", "2"]]
    two = page(monkeypatch, "compare", runs(tmp_path / "two", "alpha", "beta"))
    assert not [body for body in html_of(two) if "All methods against each other" in body]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://host:8501/", "http://host:8501/method?"),
        ("http://host:8501", "http://host:8501/method?"),
        ("http://host/base/board", "http://host/base/method?"),
        ("http://host/base/method?x=1", "http://host/base/method?"),
    ],
)
def test_addresses_of_pages_are_made_from_that_of_any_page(
    url: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ffbench.leaderboard import state

    context = type("Context", (), {"url": url})
    session = {"_pages": {"board": None, "method": None}}
    fake = type("St", (), {"context": context, "session_state": session})
    monkeypatch.setattr(state, "st", fake)
    assert page_address("method", {"method": "DIS (a & b)"}) == f"{wanted}method=DIS%20%28a%20%26%20b%29"


def test_how_to_cite_is_what_the_citation_file_says() -> None:
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    (paper,) = said["references"]
    for wanted in (said["title"], said["version"], said["license"], paper["title"], paper["doi"], str(paper["year"])):
        assert wanted in about.BIBTEX
    for author in paper["authors"]:
        assert f"{author['family-names']}, {author['given-names']}" in about.BIBTEX
    assert paper["doi"] in about.PAPER


def test_news_are_the_last_entries_and_none_without_a_file(tmp_path: Path) -> None:
    file = tmp_path / "CHANGELOG.md"
    file.write_text("# Changelog\n\n## 2\n\n- one\n- two\n  goes on\n- three\n- four\n\n## 1\n\n- old\n")
    assert about.news(file) == ["four", "three", "two goes on"]
    assert about.news(tmp_path / "none") == []
    assert about.news()
