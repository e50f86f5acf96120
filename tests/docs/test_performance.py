"""The page of speeds says what was measured, and what each benchmark holds itself to."""

from __future__ import annotations

from datetime import date

from tests.ci_scripts import load_script

METHODS = {
    "size": "640x360",
    "environment": {"processor": "a processor", "python": "3.11", "packages": {"torch": "2.13"}, "threads": 1},
    "methods": [
        {"method": "dis", "random": False, "seconds": [0.1, 0.3], "ratio": 1.0,
         "operations": None, "floor": None},
        {"method": "raft", "random": True, "seconds": [4.0], "ratio": 20.0,
         "operations": 2e11, "floor": 2.0},
    ],
}  # fmt: skip
BENCHMARKS = {
    "benchmarks": [
        {"fullname": "tests/benchmarks/test_dense.py::test_one", "extra_info": {"times numpy": 11.0}},
        {"fullname": "tests/benchmarks/test_dense.py::test_two[256]", "extra_info": {"pairs/s:": 80}},
        {"fullname": "tests/benchmarks/test_evaluation.py::test_three", "extra_info": {}},
    ]
}


def test_the_page_holds_every_figure_once() -> None:
    page = load_script("performance").page(BENCHMARKS, METHODS, date(2026, 1, 2), 1.5)
    lines = page.splitlines()
    assert "2026-01-02, a processor, Python 3.11, PyTorch 2.13; load of the machine 1.5." in lines
    assert "| dis | 0.2 | 0.1 to 0.3 | 1 | - | - | - |" in lines
    assert "| raft (random weights) | 4 | 4 to 4 | 20 | 200 | 2 | 2 |" in lines
    assert [line for line in lines if line.startswith("| times")] == ["| times numpy | 11.0 |"]
    assert "| 256: pairs/s | 80 |" in lines
    assert page.count("at least 7 times a plain numpy loop") == 1  # the first line of test_dense.py
    assert "## Evaluation" not in lines  # it measured nothing
