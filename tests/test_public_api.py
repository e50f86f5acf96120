"""What users call from Python: text or paths, records that know where they lie, and tables for notebooks."""

from __future__ import annotations

import importlib
import inspect
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import ffbench
from ffbench.cards import MethodCard
from ffbench.evaluation import evaluate
from tests.toys import STRIPES, BrightnessFlow, Stripes

MODULES = [
    "ffbench", "ffbench.evaluation.regression.check", "ffbench.evaluation.regression.report",
    "ffbench.evaluation.runner", "ffbench.flow", "ffbench.own.model_folder", "ffbench.registry",
    "ffbench.results.named",
    "ffbench.results.record.dataframe", "ffbench.results.record.pair_table", "ffbench.results.record.run_record",
    "ffbench.results.record.row", "ffbench.results.report.compare_picture", "ffbench.results.store.verification",
    "ffbench.submissions.export.predict", "ffbench.submissions.submit", "ffbench.training.recipe",
    "ffbench.datasets.clips", "ffbench.datasets.images", "ffbench.visual.picture",
]  # fmt: skip
EVIL = "<img src=x onerror=\"alert('1')\"> & <script>"


@pytest.mark.parametrize("module", MODULES)
def test_public_functions_take_text_where_they_take_paths(module: str) -> None:
    found = importlib.import_module(module)
    names = found.__all__ if hasattr(found, "__all__") else [name for name in vars(found) if not name.startswith("_")]
    for name in names:
        function = getattr(found, name)
        if inspect.isfunction(function) and function.__module__.startswith(module):
            for parameter in inspect.signature(function).parameters.values():
                assert not re.fullmatch(r"Path( \| None)?", str(parameter.annotation)), (name, parameter.name)


def test_text_and_paths_are_the_same(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(4), out=str(tmp_path / "runs"))
    path = record.path
    assert path is not None
    for place in (path, str(path), path.parent, str(path.parent)):
        assert ffbench.read_record(place) == record
        assert len(ffbench.read_pairs(place)) == 4
    assert len(ffbench.read_pairs(record)) == 4
    flow = np.ones((4, 5, 2), np.float32)
    ffbench.write_flow(str(tmp_path / "a.flo"), flow)
    assert np.array_equal(ffbench.read_flow(tmp_path / "a.flo"), ffbench.read_flow(str(tmp_path / "a.flo")))


def test_where_a_record_lies_is_no_part_of_it(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(4), out=tmp_path / "runs")
    assert record.path == next(tmp_path.rglob("record.json"))
    again = ffbench.RunRecord.model_validate_json(record.path.read_text())
    assert again.path is None
    assert again == record
    assert "path" not in record.model_dump()
    assert record.model_dump_json() == again.model_dump_json()


def test_lists() -> None:
    methods, protocols = ffbench.list_methods(), ffbench.list_protocols()
    assert {"dis", "decflow-c", "ptlflow/NAME"} <= methods.keys()
    assert "clip_landmarks" in protocols
    assert all(methods.values())
    assert ffbench.list_methods("dis") == {}
    assert set(ffbench.__all__) == set(ffbench._HOME)
    for name in ffbench.__all__:
        assert getattr(ffbench, name) is not None


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.said += data


class Evil(BrightnessFlow):
    def __init__(self, title: str) -> None:
        super().__init__()
        self.card = MethodCard(id=title, title=title)


class EvilStripes(Stripes):
    def __init__(self) -> None:
        super().__init__(6)
        metric = STRIPES.metrics["epe"].model_copy(update={"unit": EVIL})
        self.card = STRIPES.model_copy(update={"title": EVIL, "metrics": {"epe": metric}})


def test_names_of_strangers_are_text_in_notebooks_and_escaped_once(tmp_path: Path) -> None:
    records = [evaluate(Evil(f"{EVIL}{n}"), EvilStripes(), out=tmp_path / f"{n}") for n in range(2)]
    for shown in (records[0], ffbench.compare(*records)):
        html = shown._repr_html_()
        parsed = _Tags(html)
        assert parsed.tags <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
        assert f"{EVIL}0" in parsed.said
        assert "&lt;img" in html
        assert "&amp;lt;" not in html


def test_a_record_shows_its_numbers_and_what_they_were_measured_on(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(6), out=tmp_path, limit=3)
    said = _Tags(record._repr_html_()).said
    for part in ("SYNTHETIC data", "Brightness (brightness) on Stripes", "epe [px]", "not for ranking: not all pairs"):
        assert part in said
    assert f"{record.primary.value:.4g}"[:4] in said
    assert list(record.to_dataframe().columns[:4]) == ["metric", "group", "unit", "value"]
