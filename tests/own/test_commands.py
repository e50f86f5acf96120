"""Every command that takes a method's name takes a file of the user's too."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import cv2
import numpy as np
import pytest

from ffbench import cli, read_flow, registry
from ffbench.evaluation.regression.case import evaluate_case
from ffbench.evaluation.regression.check import Case
from tests.own.nets import write_constant


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a method and two images into the current folder; only the toy protocols are installed."""
    monkeypatch.chdir(tmp_path)
    point = EntryPoint("stripes", "tests.toys:stripes", registry.PROTOCOL_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.PROTOCOL_GROUP else [])
    for number in (1, 2):
        cv2.imwrite(f"{number}.png", np.full((20, 30, 3), 40 * number, np.uint8))
    write_constant(tmp_path)
    return "net.py:Net"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ffbench", *arguments])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize(
    ("command", "made"),
    [
        ("eval -m {} -p stripes --save-flows", "runs/stripes/own-constant/*/flows/facial/000.flo"),
        ("predict -m {} -p stripes --out flows", "flows/facial/000.flo"),
        ("flow 1.png 2.png -m {} --out out", "out/1_2_facial.flo"),
        ("show 1.png 2.png -m {} -m {}+variational --out both.png", "both.png"),
        ("methods show {}", ""),
        ("methods try {}", ""),
    ],
)
def test_commands_run_a_file(
    command: str, made: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *command.replace("{}", name).split()) == 0, capsys.readouterr().err
    if made:
        (path,) = Path().glob(made)
        assert path.suffix != ".flo" or (read_flow(path)[..., 0] == 2).all()
    else:
        assert "own/constant" in capsys.readouterr().out


def test_a_baseline_names_a_file(name: str) -> None:
    record = evaluate_case(Case(method=name, protocol="stripes"))
    assert record.method.id == "own/constant"


@pytest.mark.parametrize("command", ["eval -m none.py:Net -p stripes", "predict -m none.py:Net -p stripes --out flows"])
@pytest.mark.usefixtures("name")
def test_a_file_that_is_not_there_is_said_before_anything_is_loaded(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the protocol was loaded")

    monkeypatch.setattr(registry, "load_protocol", fail)
    assert run(monkeypatch, *command.split()) == 2
    assert "none.py: no such file" in capsys.readouterr().err
