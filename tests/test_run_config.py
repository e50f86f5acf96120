"""Run configurations: a file says what options say, in the same words."""

from __future__ import annotations

import inspect
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from ffbench.errors import DataError
from ffbench.registry import load_method
from ffbench.run_config import RunConfig, read_run_config

WHOLE = """\
method = "raft"
weights = "mine.ckpt"
device = "cpu"
iterations = 7
precision = "bf16"
compile = true
refine = "variational"
face_size = 512
"""


def written(folder: Path, content: str) -> Path:
    path = folder / "run.toml"
    path.write_text(content)
    return path


def test_its_fields_are_the_arguments_of_load_method() -> None:
    # Whose name it is, the code that asks knows and no file says.
    defaults = {
        name: value.default
        for name, value in inspect.signature(load_method).parameters.items()
        if name not in ("name", "installed_only")
    }
    assert [field.name for field in fields(RunConfig)][1:] == [*defaults]
    assert {name: value for name, value in asdict(RunConfig("dis")).items() if name != "method"} == defaults


def test_a_file_says_all_of_it_and_weights_lie_beside_it(tmp_path: Path) -> None:
    found = read_run_config(written(tmp_path, WHOLE))
    assert found == RunConfig("raft", tmp_path / "mine.ckpt", "cpu", 7, "bf16", True, "variational", 512)
    assert read_run_config(written(tmp_path, "method = 'dis'")) == RunConfig("dis")
    assert read_run_config(written(tmp_path, "method = 'raft'\nweights = 'random'")).weights == "random"
    elsewhere = read_run_config(written(tmp_path, "method = 'raft'\nweights = '/nets/mine.ckpt'"))
    assert elsewhere.weights == Path("/nets/mine.ckpt")


def test_all_of_it_reaches_the_method(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[object] = []
    monkeypatch.setattr("ffbench.registry.load_method", lambda name, **how: asked.extend((name, how)))
    config = read_run_config(written(tmp_path, WHOLE))
    config.load()
    said = {name: value for name, value in asdict(config).items() if name != "method"}
    assert asked == ["raft", {**said, "installed_only": False}]
    config.load(installed_only=True)
    assert asked[2:] == ["raft", {**said, "installed_only": True}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("weights = 'mine.ckpt'", "is no run configuration: method"),
        ("method = 'dis'\niteration = 3", "is no run configuration: iteration: Unexpected keyword argument"),
        ("method = 'raft'\niterations = 'many'", "is no run configuration: iterations: "),
        ("method = 'raft'\niterations = 0", "iterations is 0, expected at least 1"),
        ("method = 'raft'\nprecision = 'fp8'", "precision: Input should be 'fp32', 'bf16' or 'fp16'"),
        ("method = raft", "is not TOML ("),
    ],
)
def test_a_wrong_file_is_refused_in_one_line_that_names_it(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(DataError) as failure:
        read_run_config(written(tmp_path, content))
    assert str(failure.value).startswith(f"{tmp_path / 'run.toml'}: ")
    assert said in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.toml: cannot be read \(No such file or directory\)"):
        read_run_config(tmp_path / "none.toml")
