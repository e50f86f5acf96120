"""The core alone: what it holds, and the one line by which it names an extra that is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ffbench.errors import MethodError
from ffbench.extras import EXTRAS, MissingExtraError, missing_extra

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IMPORTED_AS = {"opencv-python": "cv2", "scikit-learn": "sklearn", "scikit-image": "skimage"}
USERS = ("faces", "hub", "networks", "train", "leaderboard", "mmflow", "onnx", "ray", "scikit-image", "video")
"""The extras that users install; the others are for those who work on ffbench."""


def name_of(requirement: str) -> str:
    return re.split(r"[\\[<>=;~! ]", requirement)[0]


def test_each_package_of_an_extra_is_known_by_its_import_with_that_extra() -> None:
    declared = {
        IMPORTED_AS.get(name_of(requirement), name_of(requirement)): extra
        for extra in USERS
        for requirement in PROJECT["optional-dependencies"][extra]
        if name_of(requirement) != "ffbench"
    }
    assert declared == {name: extra for name, (_, extra) in EXTRAS.items()}


def test_the_core_requires_nothing_of_an_extra() -> None:
    core = {IMPORTED_AS.get(name_of(requirement), name_of(requirement)) for requirement in PROJECT["dependencies"]}
    assert len(core) > 10
    assert not core & EXTRAS.keys()


def test_all_holds_every_extra_of_users_but_mmflow() -> None:
    (everything,) = PROJECT["optional-dependencies"]["all"]
    assert set(everything.removeprefix("ffbench[").removesuffix("]").split(",")) | {"faces", "mmflow"} == set(USERS)


@pytest.mark.parametrize("error", [ModuleNotFoundError("no", name="mypackage"), ImportError("torch"), ValueError()])
def test_other_errors_name_no_extra(error: Exception) -> None:
    assert missing_extra(error) is None


def alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python where only the core can be imported."""
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    [
        ("eval -m dis -p ck_landmarks", "PyTorch|OpenCV", "networks"),
        ("methods show raft", "PyTorch", "networks"),
        ("predict -m dis -p ck_landmarks --out flows", "PyTorch|OpenCV", "networks"),
        ("train decflow-c --show", "PyTorch|Lightning|TensorBoard", "networks"),
        ("app", "(?i)streamlit", "leaderboard"),
    ],
)
def test_a_missing_extra_is_one_line_that_names_it(command: str, package: str, extra: str) -> None:
    done = alone("-m", "tests.core_only", *command.split())
    assert done.returncode == MissingExtraError.exit_code
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert re.search(package, line), line
    assert f'pip install "ffbench[{extra}]"' in line


def test_python_says_the_same() -> None:
    code = (
        "from tests.core_only import block; block()\n"
        "import ffbench\n"
        "for use in (lambda: ffbench.Method, lambda: ffbench.load_method('dis')):\n"
        "    try: use()\n"
        "    except ImportError as error: print(type(error).__name__, error)\n"
    )
    lines = alone("-c", code).stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("MissingExtraError") and "ffbench[networks]" in line for line in lines), lines
    assert issubclass(MissingExtraError, MethodError)


def test_a_package_that_is_not_blocked_is_found() -> None:
    assert alone("-c", "import tests.core_only as core; core.block(); import numba; print('found')").stdout == "found\n"
