"""What a wheel would hold: every package, every data file, every entry point."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_is_listed() -> None:
    listed = set(SETTINGS["tool"]["setuptools"]["packages"])
    found = set()
    for tree in ("ffbench", "methods", "protocols", "leaderboard"):
        for init in (ROOT / tree).rglob("__init__.py"):
            name = ".".join(init.parent.relative_to(ROOT).parts)
            found.add(name if tree == "ffbench" else f"ffbench.{name}")
    assert found <= listed
    data_alone = {
        "methods.decflow.recipes",
        "methods.decflow.trained",
        "methods.ptlflow.recipes",
        "protocols.reported",
        "shipped",
    }
    assert listed - found == {f"ffbench.{name}" for name in data_alone}


def test_every_data_file_is_listed() -> None:
    listed = set()
    for package, patterns in SETTINGS["tool"]["setuptools"]["package-data"].items():
        folder = SETTINGS["tool"]["setuptools"]["package-dir"].get(package, package.replace(".", "/"))
        if not folder.startswith("ffbench/") or not (ROOT / folder).is_dir():
            folder = folder.removeprefix("ffbench/")
        listed |= {file for pattern in patterns for file in (ROOT / folder).glob(pattern)}
    found = {
        file
        for tree in ("ffbench", "methods", "protocols", "leaderboard", "submissions")
        for file in (ROOT / tree).rglob("*")
        if file.suffix in (".toml", ".json", ".md", ".typed", ".safetensors", ".parquet", ".webp", ".css", ".html")
    }
    # Claims are not the project's, and the page that tells people how to send one is for the repository.
    kept_back = {file for file in found if file.is_relative_to(ROOT / "submissions" / "claimed")}
    assert found - kept_back - {ROOT / "submissions" / "README.md"} == listed
    assert any(file.suffix == ".parquet" for file in listed)


@pytest.mark.slow
def test_mypy_finds_the_types_of_an_installed_copy(tmp_path: Path) -> None:
    """In the folders of a wheel, or of a strict editable install, made from `package-dir`."""
    for package, folder in SETTINGS["tool"]["setuptools"]["package-dir"].items():
        place = tmp_path / "site" / package.replace(".", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(ROOT / folder, place, ignore=shutil.ignore_patterns("*.safetensors", "verified", "__pycache__"))
    (tmp_path / "user.py").write_text(
        "import ffbench\n"
        "from ffbench.methods.weights import load_requested\n"
        "right: ffbench.Method = ffbench.load_method('dis')\n"
        "wrong: int = ffbench.load_method('dis')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache"), "user.py"],
        cwd=tmp_path, env={**os.environ, "MYPYPATH": str(tmp_path / "site")}, capture_output=True, text=True,
    )  # fmt: skip
    errors = [line for line in done.stdout.splitlines() if "error:" in line]
    assert len(errors) == 1, done.stdout + done.stderr
    assert 'user.py:4: error: Incompatible types in assignment (expression has type "Method"' in errors[0]


@pytest.mark.parametrize("group", ["ffbench.methods", "ffbench.protocols", "ffbench.datasets", "ffbench.trainers"])
def test_installed_entry_points_are_those_of_the_project(group: str) -> None:
    declared = SETTINGS["project"]["entry-points"][group]
    installed = {point.name: point.value for point in entry_points(group=group)}
    assert declared.items() <= installed.items()
