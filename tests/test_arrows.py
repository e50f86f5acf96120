"""Arrows between the trees: methods -> kernel <- protocols, and the pages on top.

setuptools installs three of the trees inside `ffbench`, where import-linter does not look for them: their arrows are
read off the source here. Those inside the kernel are contracts in `pyproject.toml`, and what breaks one is tried here.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TREES = ("ffbench", "methods", "protocols", "leaderboard")
ABOVE = ("methods", "protocols", "leaderboard")


def imported(source: str, module: str) -> Iterator[str]:
    """Yield the full names that a module's import statements name, wherever they stand in it.

    Args:
        source: its text.
        module: its full name; of a package, that of its `__init__`: `ffbench.methods.decflow.__init__`.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            start = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{start}.{alias.name}" for alias in node.names)


def tree_of(name: str) -> str | None:
    """Return which of the trees that stand on the kernel a full name belongs to; None: none of them."""
    first, _, rest = name.partition(".")
    top = rest.partition(".")[0] if first == "ffbench" else first
    return top if top in ABOVE else None


def wrong_arrows(root: Path) -> list[str]:
    """Return `file: name` for each import that leads into a tree that stands above or beside the file's own."""
    found = []
    for tree in TREES:
        for file in sorted((root / tree).rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            module = ".".join(parts if tree == "ffbench" else ("ffbench", *parts))
            names = (name for name in imported(file.read_text(), module) if tree_of(name) not in (None, tree))
            found += [f"{file.relative_to(root)}: {name}" for name in names]
    return found


def test_the_trees_import_the_kernel_and_not_each_other() -> None:
    assert wrong_arrows(ROOT) == []


@pytest.mark.parametrize(
    ("file", "line", "name"),
    [
        ("ffbench/errors.py", "import ffbench.methods.decflow", "ffbench.methods.decflow"),
        ("ffbench/cli/eval_.py", "def f():\n    from ffbench.protocols import ffn", "ffbench.protocols.ffn"),
        ("ffbench/cli/eval_.py", "from ..leaderboard import serve", "ffbench.leaderboard.serve"),
        ("methods/decflow/__init__.py", "from ffbench import protocols", "ffbench.protocols"),
        ("methods/decflow/__init__.py", "from ...protocols.ffn import entry", "ffbench.protocols.ffn.entry"),
        ("protocols/ffn/protocol.py", "from methods import classical", "methods.classical"),
        ("protocols/ffn/protocol.py", "from ... import methods", "ffbench.methods"),
        ("leaderboard/app.py", "import ffbench.methods.options as o", "ffbench.methods.options"),
    ],
)
def test_a_wrong_arrow_is_found_in_every_spelling(tmp_path: Path, file: str, line: str, name: str) -> None:
    place = tmp_path / file
    place.parent.mkdir(parents=True)
    place.write_text(line)
    assert wrong_arrows(tmp_path) == [f"{file}: {name}"]


def test_right_arrows_pass(tmp_path: Path) -> None:
    for file, line in {
        "ffbench/cli/a.py": "from ffbench import registry\nfrom .options import b\nimport json",
        "methods/a.py": "from ffbench.method import Method\nfrom ffbench.methods.options import b\nfrom . import c",
        "leaderboard/views/a.py": "from ffbench.leaderboard.boards.records import b\nfrom ffbench import results",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(line)
    assert wrong_arrows(tmp_path) == []


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("ffbench/metrics/dense/errors.py", "def f():\n    import ffbench.results.record.run_record", "layers"),
        ("ffbench/errors.py", "import ffbench.io.escape", "layers"),
        ("ffbench/new.py", "", "layers"),
        ("ffbench/synth/render/bake.py", "import ffbench.synth.render.shading", "cycles"),
        ("methods/options.py", "import ffbench.evaluation.runner", "methods"),
        ("protocols/options.py", "import ffbench.registry", "protocols"),
        ("leaderboard/state.py", "import ffbench.cli.eval_", "pages"),
        ("leaderboard/boards/records.py", "from ..views import board", "leaderboard"),
    ],
)
def test_import_linter_finds_what_breaks_a_contract(tmp_path: Path, file: str, line: str, contract: str) -> None:
    code = shutil.ignore_patterns("__pycache__", "*.toml", "*.json", "*.safetensors", "*.md")
    for tree in TREES:
        shutil.copytree(ROOT / tree, tmp_path / tree, ignore=code)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    linter = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--contract", contract]
    kept = subprocess.run(linter, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (kept.returncode, "1 kept, 0 broken" in kept.stdout) == (0, True), kept.stdout + kept.stderr
    with (tmp_path / file).open("a") as source:
        source.write(f"\n{line}\n")
    broken = subprocess.run(linter, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (broken.returncode, "0 kept, 1 broken" in broken.stdout) == (1, True), broken.stdout + broken.stderr
