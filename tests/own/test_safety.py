"""Code runs where a user names it, and never by a name that a stranger wrote into a record, a link or a folder."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from ffbench import evaluate, load_method
from ffbench.errors import UsageError
from ffbench.evaluation.shipping import staleness
from ffbench.leaderboard.work import estimate_task
from ffbench.submissions.rescoring import Rescorer
from tests.own.nets import write_constant
from tests.toys import Stripes

ROOT = Path(__file__).parents[2]
NAMED_BY_THE_USER = {
    "ffbench/cli/eval_.py", "ffbench/cli/flows/flow.py", "ffbench/cli/methods.py", "ffbench/cli/flows/points.py",
    "ffbench/cli/predictions/predict.py", "ffbench/cli/flows/show.py", "ffbench/cli/flows/stabilize.py",
    "ffbench/evaluation/regression/case.py", "ffbench/evaluation/shards.py", "ffbench/cli/datasets/features.py",
    "ffbench/evaluation/fast_path.py", "ffbench/timing.py",
}  # fmt: skip
"""Modules whose names of methods come from the command line, or from the user's own baseline."""


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name a method in the current folder that leaves a trace when it is run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    write_constant(tmp_path, imports="open('was_run', 'w')", name="trap.py")
    return "trap.py:Net"


def test_the_trap_works(trap: str) -> None:
    load_method(trap)
    assert Path("was_run").exists()


@pytest.mark.parametrize(
    "name", ["trap.py:Net", "trap:Net", "./trap.py:Net", "trap.py:Net+variational", "own/constant"]
)
def test_no_name_in_a_record_runs_code(name: str, trap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ffbench.submissions.rescoring.load_protocol", lambda *_, **__: Stripes(2))
    record = evaluate(load_method("zero"), Stripes(2), out="runs")
    hostile = record.model_copy(update={"method": record.method.model_copy(update={"id": name})})
    said = "unknown method|code of a user's own and not installed"
    with pytest.raises(UsageError, match=said):
        Rescorer(out="again").rescore(hostile)
    np.savez(estimate_task.PAIR, image1=np.zeros((8, 8, 3), np.uint8), image2=np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(UsageError, match=said):
        estimate_task.answer(Path(), {"method": name, "backward": False, "limits": {"threads": 1}})
    assert re.search(said, str(staleness._method(name)))
    assert not Path("was_run").exists()


def test_a_model_folder_in_a_record_is_not_opened(trap: str) -> None:
    Path("folder").mkdir()
    Path("folder/config.json").write_text('{"ffbench": {"method": "zero"}}')
    with pytest.raises(UsageError, match="unknown method 'folder'"):
        load_method("folder", installed_only=True)


def takes_any_name(source: str) -> bool:
    """Whether a module loads methods by `load_method` or `RunConfig.load` without `installed_only`."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    loaders = {"load_method"} | ({"load"} if "RunConfig" in imported else set())
    bound = {
        id(node.func)
        for node in nodes
        if isinstance(node, ast.Call) and any(word.arg == "installed_only" for word in node.keywords)
    }
    return any(
        (isinstance(node, ast.Attribute) and node.attr in loaders)
        or (isinstance(node, ast.Name) and node.id == "load_method")
        for node in nodes
        if id(node) not in bound
    )


@pytest.mark.parametrize(
    ("source", "loose"),
    [
        ("from x import RunConfig\nRunConfig('a').load()", True),
        ("from x import RunConfig\nuse(config.load)", True),
        ("from x import RunConfig\nRunConfig('a').load(installed_only=True)", False),
        ("load_method('a')", True),
        ("registry.load_method('a', installed_only=True)", False),
        ("json.load(file)", False),
    ],
)
def test_the_check_of_modules_sees_what_it_should(source: str, loose: bool) -> None:
    assert takes_any_name(source) == loose


def test_who_else_loads_methods_takes_installed_ones_only() -> None:
    loose = set()
    for tree in ("ffbench", "leaderboard", "protocols", "methods"):
        for file in (ROOT / tree).rglob("*.py"):
            source = file.read_text()
            if takes_any_name(source):
                loose.add(file.relative_to(ROOT).as_posix())
            if "load_own" in source and file.parent.name != "own":
                assert file == ROOT / "ffbench" / "registry.py"
    assert loose == NAMED_BY_THE_USER
