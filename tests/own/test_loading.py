"""Code of the user's own as a method: what is run, what it is called, and what is said when it cannot be run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ffbench import evaluate, load_method
from ffbench.errors import FfbenchError, MethodError, UsageError
from ffbench.evaluation import run_folder
from tests.own.nets import write_constant
from tests.toys import Stripes

IMAGE = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture(autouse=True)
def _leaves_python_as_it_was(tmp_path: Path) -> Iterator[None]:
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def x_of(name: str) -> float:
    return float(load_method(name).estimate(IMAGE, IMAGE).facial[0, 0, 0])


def test_two_files_of_one_class_share_an_id_and_no_run(tmp_path: Path) -> None:
    names = [write_constant(tmp_path / folder, x) for folder, x in (("a", 2), ("b", 3))]
    records = [evaluate(load_method(name), Stripes(3), out=tmp_path / "runs") for name in names]
    assert [record.method.id for record in records] == ["own/constant", "own/constant"]
    assert records[0].fingerprint != records[1].fingerprint
    assert records[0].primary.value != records[1].primary.value
    folders = {run_folder(tmp_path / "runs", "stripes", r.method.id, r.fingerprint, r.method.weights) for r in records}
    assert {folder.parent.name for folder in folders} == {"own-constant"}
    assert all((folder / "record.json").is_file() for folder in folders)
    assert len(folders) == 2
    # The same file elsewhere is the same method: only what was run counts.
    again = evaluate(load_method(write_constant(tmp_path / "c", 2)), Stripes(3), out=tmp_path / "runs")
    assert again.method == records[0].method


def test_an_edited_file_is_run_anew_with_what_it_imports(tmp_path: Path) -> None:
    (tmp_path / "shift_of_mine.py").write_text("X = 2\n")
    name = write_constant(tmp_path, "X", "from shift_of_mine import X")
    first = load_method(name)
    assert x_of(name) == 2
    assert type(load_method(name)) is type(first)
    (tmp_path / "shift_of_mine.py").write_text("X = 5\n")  # within a second, and of the same length
    second = load_method(name)
    assert x_of(name) == 5
    assert first.estimate(IMAGE, IMAGE).facial[0, 0, 0] == 2
    assert first.card.options["own code"] != second.card.options["own code"]
    assert not list(tmp_path.rglob("*.pyc"))


def test_two_modules_of_one_name_are_refused(tmp_path: Path) -> None:
    names = []
    for folder, x in (("a", 2), ("b", 3)):
        names.append(write_constant(tmp_path / folder, "X", "from shift_of_mine import X"))
        (tmp_path / folder / "shift_of_mine.py").write_text(f"X = {x}\n")
    assert x_of(names[0]) == 2
    with pytest.raises(
        MethodError, match=r"b/shift_of_mine\.py\), and another shift_of_mine is loaded already \(.*/a/"
    ):
        load_method(names[1])
    assert x_of(names[0]) == 2


def test_a_module_and_a_file_in_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "nets_of_mine"
    write_constant(package, "X", "from .shift import X", "net.py")
    (package / "__init__.py").touch()
    (package / "shift.py").write_text("X = 7\n")
    monkeypatch.chdir(tmp_path)
    module = load_method("nets_of_mine.net:Net")
    assert x_of("nets_of_mine.net:Net") == x_of(f"{package}/net.py:Net") == 7
    assert module.card == load_method(f"{package}/net.py:Net").card
    (package / "shift.py").write_text("X = 8\n")
    with pytest.raises(MethodError, match="was edited after it was imported: restart Python, or name the file"):
        load_method("nets_of_mine.net:Net")
    assert x_of(f"{package}/net.py:Net") == 8


def test_an_entry_of_a_package_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    method = load_method("tests.toys:brightness")
    assert (method.card.id, method.distribution) == ("own/brightness", None)


def test_an_installed_method_comes_before_a_module_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "farneback.py").write_text("raise SystemExit('must not run')")
    assert load_method("farneback").card.id == "farneback"
    with pytest.raises(FfbenchError) as error:
        load_method("zero:things")
    assert "must not run" not in str(error.value)


def test_wrappers_work_around_it(tmp_path: Path) -> None:
    method = load_method(f"{write_constant(tmp_path)}+variational")
    assert method.card.id == "own/constant+variational"
    assert method.card.options["own code"]


def test_lines_are_named_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MethodError, match=r"cannot be imported: ZeroDivisionError: .* \(net\.py, line 1\)$"):
        load_method("net.py:Net")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_module_at_all\nclass Net: ...", r"ModuleNotFoundError: .*\(.*net\.py, line 1\)$"),
        ("\n\nclass Net(:", r"cannot be imported: SyntaxError: .*\(.*net\.py, line 3\)$"),
        ("import torch\n\ntorch.zeros(2) @ torch.zeros(3)", r"RuntimeError: .*\(.*net\.py, line 3\)$"),
        ("import sys\nsys.exit(2)", r"SystemExit: 2; what it does as a program .*\(.*net\.py, line 2\)$"),
        ("class Nett: ...", r"has no 'Net'$"),
        ("from ffbench import Method\nclass MyNet(Method): ...", r"has no 'Net' - did you mean 'MyNet'\?$"),
        ("class Net: ...", "is another class, expected a subclass of ffbench.Method"),
        ("def Net(): ...", "is of type function, expected a subclass"),
        ("import torch\nclass Net(torch.nn.Module): ...", "is a torch.nn.Module, expected a subclass"),
        ("from ffbench import Method\nclass Net(Method): ...", "abstract"),
        (
            "from ffbench import Method\nclass Net(Method):\n"
            " def __init__(self, width): ...\n def forward(self, a, b): ...",
            r"needs an argument 'width', and ffbench builds it as Net\(\) or Net\(request\)",
        ),
        ("from ffbench import Method\nclass Net(Method):\n def forward(self, a, b): ...", "has no card"),
        (
            "from ffbench import Method\nclass Net(Method):\n"
            " def __init__(self, request):\n  {}['a']\n def forward(self, a, b): ...",
            r"own/net\.Net cannot be built: KeyError: 'a' \(.*net\.py, line 4\)$",
        ),
        ("from ffbench.methods.ptlflow import any_model as Net", "is a family of methods; name the class of one"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_that_names_the_place(code: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(code)
    with pytest.raises(FfbenchError, match=said) as error:
        load_method(f"{tmp_path}/net.py:Net")
    assert len(str(error.value).splitlines()) == 1


def test_options_that_a_class_would_not_see_are_refused(tmp_path: Path) -> None:
    name = write_constant(tmp_path)
    (tmp_path / "w.pth").write_bytes(b"weights")
    with pytest.raises(UsageError, match="takes no `request`, so it cannot see --weights"):
        load_method(name, weights=tmp_path / "w.pth")
    with pytest.raises(UsageError, match="cannot see --precision bf16"):
        load_method(name, precision="bf16")


def test_an_error_while_it_runs_names_the_line_and_the_pair(tmp_path: Path) -> None:
    name = write_constant(tmp_path, "undefined_name")
    with pytest.raises(MethodError, match=r"own/constant: failed: NameError: .* \(.*net\.py, line 11\) \(pair 000\)$"):
        evaluate(load_method(name), Stripes(2), out=tmp_path / "runs")
    write_constant(tmp_path)
    (tmp_path / "net.py").write_text((tmp_path / "net.py").read_text().replace("return Flows(flow)", "return flow"))
    with pytest.raises(MethodError, match="gave Tensor, expected Flows"):
        load_method(name).estimate(IMAGE, IMAGE)


def test_parameters_without_a_weights_card_are_not_ranked(tmp_path: Path) -> None:
    name = write_constant(tmp_path, "float(Net.net.bias)")
    file = tmp_path / "net.py"
    file.write_text(file.read_text().replace("    card =", "    net = torch.nn.Linear(1, 1)\n    card ="))
    with_class_attribute = evaluate(load_method(name), Stripes(2), out=tmp_path / "runs")
    file.write_text(file.read_text() + "\n    def __init__(self):\n        self.network = self.net\n")
    record = evaluate(load_method(name), Stripes(2), out=tmp_path / "runs")
    assert record.method.weights is not None
    assert not record.method.weights.stated
    assert record.not_rankable
    assert with_class_attribute.fingerprint != record.fingerprint
