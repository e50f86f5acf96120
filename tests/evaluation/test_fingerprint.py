"""What makes two runs one: the code that method, protocol and scoring import, and no other."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from ffbench import load_method
from ffbench.evaluation import fingerprint
from ffbench.evaluation.closure import files_sha256, import_closure, own_folders
from ffbench.evaluation.fingerprint import run_fingerprint
from ffbench.protocol import DatasetCard
from ffbench.protocols.landmarks.ck_plus import CKLandmarks
from tests.toys import Stripes

ROOT = Path(__file__).parents[2]
TREES = ("methods", "protocols", "leaderboard")


def copied(folder: Path, *, wheel: bool = False) -> Path:
    """Copy the code of ffbench as a checkout or a wheel has it, and return the folder of the kernel."""
    code = shutil.ignore_patterns("__pycache__", "*.json", "*.safetensors", "*.md", "*.webp")
    kernel = folder / "ffbench"
    shutil.copytree(ROOT / "ffbench", kernel, ignore=code)
    for tree in TREES:
        shutil.copytree(ROOT / tree, (kernel if wheel else folder) / tree, ignore=code)
    return kernel


def of(monkeypatch: pytest.MonkeyPatch, kernel: Path, method: str = "dis") -> str:
    """Return the fingerprint of a method on `ck_landmarks`, were its code that of a copy."""
    monkeypatch.setattr(fingerprint, "own_folders", lambda: own_folders(kernel))
    protocol = object.__new__(CKLandmarks)
    protocol.dataset = DatasetCard(name="x", origin="synthetic", reference="ground truth", manifest_sha256="0" * 64)
    return run_fingerprint(load_method(method), protocol, 1, None)


@pytest.mark.parametrize(
    ("file", "matters"),
    [
        ("ffbench/cli/eval_.py", False),
        ("ffbench/results/report/text.py", False),
        ("ffbench/metrics/dense/errors.py", False),
        ("methods/face_mesh.py", False),
        ("protocols/ffn/protocol.py", False),
        ("leaderboard/shell.py", False),
        ("ffbench/metrics/landmarks.py", True),
        ("ffbench/metrics/statistics/intervals.py", True),  # which `landmarks` does not import, but the summary does
        ("ffbench/evaluation/scoring.py", True),
        ("ffbench/method.py", True),
        ("methods/classical.py", True),
        ("protocols/landmarks/ck_plus.py", True),
    ],
)
def test_a_change_matters_where_the_scores_depend_on_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str, matters: bool
) -> None:
    kernel = copied(tmp_path)
    before = of(monkeypatch, kernel)
    with (tmp_path / file).open("a") as source:
        source.write("\n# another wording\n")
    assert (of(monkeypatch, kernel) != before) is matters


def test_a_checkout_and_a_wheel_are_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = {of(monkeypatch, copied(tmp_path / str(wheel), wheel=wheel)) for wheel in (False, True)}
    assert len(found) == 1
    assert found == {of(monkeypatch, ROOT / "ffbench")}
    assert of(monkeypatch, ROOT / "ffbench", "farneback") not in found  # another card


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, source in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return folder


def test_the_closure_follows_every_spelling(tmp_path: Path) -> None:
    place = written(
        tmp_path / "a",
        {
            "__init__.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a.lazy import Late\n"
            "else:\n    import a.other",
            "root.py": "import numpy\nimport a.plain as p\nfrom a import member\nfrom .near import f\n"
            "from . import beside\ndef g():\n    from a.deep.down import h\n",
            "plain.py": "import a.root",
            "member.py": "",
            "near.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a.typed\n",
            "beside.py": "from a import Late",
            "lazy.py": "",
            "other.py": "",
            "typed.py": "",
            "unused.py": "",
            "broken.py": "def",
            "deep/__init__.py": "import a.not_run",
            "deep/down.py": "from ..broken import x",
            "not_run.py": "",
        },
    )
    found = import_closure(["a.root"], {"a": place})
    expected = {"root", "plain", "member", "near", "beside", "lazy", "other", "broken", "deep.down"}
    assert set(found) == {"a", *(f"a.{name}" for name in expected)}
    assert found["a.deep.down"] == place / "deep" / "down.py"


def test_no_two_sets_of_files_share_a_hash_by_being_joined(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("ab")
    other.write_text("c")
    first = files_sha256({"one": one, "other": other})
    assert files_sha256({"other": other, "one": one}) == first
    one.write_text("a")
    other.write_text("bc")
    assert files_sha256({"one": one, "other": other}) != first


STRANGER = """\
from ffbench import Flows, Method, MethodCard
{more}

class Own(Method):
    card = MethodCard(id="own", title="Own")

    def forward(self, image1, image2):
        return Flows(image1[:, :2])
"""


def loaded(file: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.Own()


@pytest.mark.parametrize(
    ("files", "changed", "matters"),
    [
        ({"net.py": STRANGER.format(more="import helpers"), "helpers.py": "", "other.py": ""}, "helpers.py", True),
        ({"net.py": STRANGER.format(more="import helpers"), "helpers.py": "", "other.py": ""}, "other.py", False),
        ({"net.py": STRANGER.format(more="")}, "net.py", True),
        # In a package all that lies beside the class counts: entries may set it up.
        ({"net.py": STRANGER.format(more=""), "__init__.py": "", "entries.py": ""}, "entries.py", True),
        ({"net.py": STRANGER.format(more=""), "__init__.py": "", "../entries.py": ""}, "../entries.py", False),
    ],
)
def test_methods_of_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], changed: str, matters: bool
) -> None:
    place = tmp_path / "strange"
    place.mkdir()
    written(place, files)
    monkeypatch.syspath_prepend(str(place))
    method = loaded(place / "net.py", "strange_net")
    before = run_fingerprint(method, Stripes(2), 1, None)
    with (place / changed).open("a") as source:
        source.write("\n# changed\n")
    monkeypatch.delitem(sys.modules, "helpers", raising=False)
    assert (run_fingerprint(method, Stripes(2), 1, None) != before) is matters
