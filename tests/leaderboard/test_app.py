"""The pages show what the records hold: real and synthetic apart, strangers' words as text, faults named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffbench.method import MethodCard
from ffbench.results.record.run_record import read_record
from tests.leaderboard.pages import EVIL, app, faults, html_of, names, page, words
from tests.results.made_runs import make_run

HARD = np.random.default_rng(0).gamma(1.0, 2.0, 30)
REAL = {"origin": "real", "name": "CK+", "reference": "annotation"}
# Of an earlier version: the present one has groups and metrics that these records have not.
CK = {"id": "ck_landmarks", "version": "0.9", "options": {}}


def runs(folder: Path, *names: str, **changes: Any) -> Path:
    """Write one run a name; each is worse than the one before by 1 px on every pair."""
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).normal(0, 0.1, len(HARD))
        make_run(folder / "runs", name, list(HARD + number + noise), **changes)
    return folder / "runs"


def test_methods_are_ranked_and_synthetic_data_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = page(monkeypatch, "board", runs(tmp_path, "alpha", "beta"))
    (table,) = made.dataframe
    assert names(table) == ["Alpha", "Beta"]
    assert table.value["rank"].tolist() == [1, 2]
    assert table.value["95 % ranks"].tolist() == ["1", "2"]
    record = read_record(tmp_path / "runs" / "alpha" / "record.json")
    # The score stands third, under the name of its metric.
    assert table.value.columns[2] == "Endpoint error [px]"
    assert table.value["Endpoint error [px]"].tolist()[0] == record.primary.value
    assert "nothing of real faces" in made.warning[0].value


def test_real_data_come_first_and_never_in_one_table_with_synthetic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(tmp_path, "made")
    place = runs(tmp_path, "seen", dataset=REAL, card=CK)
    made = page(monkeypatch, "board", place)
    assert made.session_state["data"] == "real"
    assert names(made.dataframe[0])[0] == "Seen"
    assert not made.warning
    made = page(monkeypatch, "board", place, data="synthetic")
    assert names(made.dataframe[0]) == ["Made"]
    assert made.warning


def test_search_order_and_filter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = runs(tmp_path, "zeta", "alpha", "beta", dataset=REAL, card=CK)
    made = page(monkeypatch, "board", place, search="eta", numbers="local")
    assert names(made.dataframe[0]) == ["Zeta", "Beta"]
    made.selectbox(key="order").set_value("Method").run()
    assert names(made.dataframe[0]) == ["Beta", "Zeta"]
    made.text_input(key="search").set_value("nothing like it").run()
    assert not made.dataframe
    assert "No method fits" in words(made)


def test_no_records_say_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = app(monkeypatch, tmp_path).run()
    assert not made.exception
    assert "No records" in made.info[0].value
    assert "ffbench eval" in made.code[0].value
    for name in ("board", "cost", "method", "compare"):
        assert "ffbench eval" in page(monkeypatch, name, tmp_path).code[0].value
    assert "Table 2" in words(page(monkeypatch, "paper", tmp_path))


def test_a_damaged_record_is_named_and_the_others_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = runs(tmp_path, "alpha")
    (place / "other").mkdir()
    (place / "other" / "record.json").write_text("{")
    made = page(monkeypatch, "board", place)
    assert "1 record left out" in made.expander[0].label
    assert "record.json" in made.expander[0].text[0].value
    assert names(made.dataframe[0]) == ["Alpha"]


def test_a_place_that_is_not_there_is_an_error_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = app(monkeypatch, tmp_path / "nowhere").run()
    assert not made.exception
    assert "no such record, store or folder" in words(made)


@pytest.mark.parametrize("title", [EVIL, "x" * 100_000, "\u202eevil\x00\n"], ids=["markup", "huge", "control"])
def test_a_strangers_words_are_shown_as_text(title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    method = MethodCard(id=title, title=title, paper=title, licence=title, options={title: title})
    place = runs(tmp_path, "evil", method=method)
    runs(tmp_path, "kind")
    for name in ("overview", "board", "cost", "method", "compare", "paper"):
        made = page(monkeypatch, name, place)
        assert not faults(made)
        for body in html_of(made):
            assert not re.search(r"<(script|img src=x)", body)
            assert len(body) < 100_000 or "data:image" in body
        for element in (*made.markdown, *made.caption, *made.info, *made.warning, *made.error, *made.header):
            assert "alert(" not in element.value
            assert "xxxx" not in element.value
        for text in made.text:
            assert max(map(len, text.value.splitlines()), default=0) < 1000
        for chart in made.get("plotly_chart"):
            assert not re.search(r"<(script|img)|\\u003c(script|img)", chart.proto.spec)


def test_cost_joins_what_no_other_beats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = page(monkeypatch, "cost", runs(tmp_path, "alpha", "beta"))
    assert not faults(made)
    (chart,) = made.get("plotly_chart")
    assert "Alpha" in chart.proto.spec
    made = page(monkeypatch, "cost", tmp_path / "runs", cost="parameters")
    assert "No method that was run here has its trained parameters" in words(made)


def test_method_shows_provenance_and_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [{"side": "left" if number % 2 else "right"} for number in range(len(HARD))]
    place = runs(tmp_path, "alpha", "beta", labels=labels)
    made = page(monkeypatch, "method", place, method="Beta (beta)")
    record = read_record(place / "beta" / "record.json")
    assert record.fingerprint in words(made)
    assert record.dataset.manifest_sha256 in words(made)
    assert "Beta" in html_of(made)[0]
    assert f"{record.primary.value:.3f}" in words(made)
    scores = next(table for table in made.dataframe if "metric" in table.value)
    assert scores.value["value"].tolist()[0] == record.scores[0].value


def test_compare_is_the_comparison_of_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = runs(tmp_path, "alpha", "beta")
    made = page(monkeypatch, "compare", place)
    assert "A is better" in words(made)
    assert len(made.get("plotly_chart")) == 2
    made.selectbox(key="b").set_value("Alpha (alpha)").run()
    assert "choose two" in words(made)
    made = page(monkeypatch, "compare", place, a="Beta (beta)", b="Alpha (alpha)")
    assert "B is better" in words(made)


def test_a_table_of_pairs_that_is_gone_is_an_error_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = runs(tmp_path, "alpha", "beta")
    (place / "beta" / "pairs.parquet").unlink()
    made = page(monkeypatch, "compare", place)
    assert "pairs.parquet: cannot be read" in words(made)
    board = page(monkeypatch, "board", place)
    assert board.dataframe[0].value["note"].tolist()[1].startswith("not compared")


def test_paper_tables_keep_synthetic_rows_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = {"id": "ffn_motion_scale", "version": "0.9", "options": {"split": "test"}}
    place = runs(tmp_path, "raft", card=card)
    made = page(monkeypatch, "paper", place)
    assert len(made.dataframe) == 1
    assert "1 rows on synthetic data are not shown" in words(made)
    made.toggle(key="synthetic").set_value(True).run()
    assert len(made.dataframe) == 2
    assert made.dataframe[1].value["method"].tolist() == ["raft"]
    assert made.warning


def test_one_page_that_fails_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = runs(tmp_path, "alpha", "beta")
    monkeypatch.setattr("ffbench.leaderboard.charts.compare_charts.pair_scatter", None)
    assert faults(page(monkeypatch, "compare", place))
    assert not faults(page(monkeypatch, "board", place))


def test_methods_of_one_title_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, (weights, iterations) in enumerate([("small", 12), ("large", 12), ("large", 24)]):
        card = MethodCard(
            id="net", title="Net", weights={"name": weights, "source": "x", "sha256": "1" * 64}, iterations=iterations
        )
        make_run(tmp_path / "runs", f"run{number}", list(HARD + number), method=card)
    made = page(monkeypatch, "board", tmp_path / "runs")
    titles = ["Net · small · 12 iterations", "Net · large · 12 iterations", "Net · large · 24 iterations"]
    assert names(made.dataframe[0]) == titles
    made = page(monkeypatch, "compare", tmp_path / "runs")
    assert made.selectbox(key="a").options == [f"{name} (net)" for name in titles]


def test_what_is_not_ranked_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {"name": "a.pth", "source": "file", "sha256": "1" * 64, "stated": False}
    place = runs(tmp_path, "alpha")
    make_run(place, "mute", list(HARD), method=MethodCard(id="mute", title=EVIL, weights=weights))
    made = page(monkeypatch, "board", place)
    assert names(made.dataframe[0]) == ["Alpha"]
    said = [text.value for text in made.text if text.value.startswith("Not ranked: ")]
    assert len(said) == 1
    assert said[0].endswith("(mute), the method does not say that it uses the weights a.pth 11111111")
