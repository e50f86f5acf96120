"""The options of the method: the same for all commands, on the line or in a file."""

from __future__ import annotations

import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffbench import cli, registry
from ffbench.results.record.run_record import RunRecord
from ffbench.run_config import RunConfig

TOYS = {registry.METHOD_GROUP: ["brightness"], registry.PROTOCOL_GROUP: ["stripes"]}
COMMANDS = ("eval", "predict", "flow", "show")
WORDS = (
    "--method",
    "--weights",
    "--device",
    "--iterations",
    "--precision",
    "--compile",
    "--refine",
    "--face-size",
    "--config",
)

NAMED_BY_ARGUMENT = {("--method", "methods show"), ("--method", "methods try")}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[RunConfig]:
    """What is loaded in place of methods: nothing; the commands end there."""
    configs: list[RunConfig] = []

    def load(config: RunConfig) -> None:
        configs.append(config)
        raise KeyboardInterrupt

    monkeypatch.setattr(
        registry, "entry_points", lambda group: [EntryPoint(name, f"tests.toys:{name}", group) for name in TOYS[group]]
    )
    monkeypatch.setattr(RunConfig, "load", load)
    monkeypatch.chdir(tmp_path)
    return configs


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, list(arguments))
    return result.exit_code, result.output


@pytest.mark.parametrize("command", [*COMMANDS, "methods show", "methods try"])
def test_every_command_has_all_of_the_options(command: str) -> None:
    code, out = run(*command.split(), "--help")
    assert code == 0
    assert [word for word in WORDS if f"{word} " not in out and (word, command) not in NAMED_BY_ARGUMENT] == []
    assert "--no-such-option " not in out  # the control


@pytest.mark.usefixtures("asked")
def test_options_beside_a_file_win(asked: list[RunConfig], tmp_path: Path) -> None:
    Path("run.toml").write_text("method = 'brightness'\niterations = 3\nprecision = 'bf16'\ncompile = true\n")
    run("eval", "-p", "stripes", "--config", "run.toml")
    run("eval", "-p", "stripes", "--config", "run.toml", "--iterations", "5", "--precision", "fp16", "--device", "cpu")
    run("eval", "-p", "stripes", "-m", "brightness")
    assert asked == [
        RunConfig("brightness", iterations=3, precision="bf16", compile=True),
        RunConfig("brightness", iterations=5, precision="fp16", compile=True, device="cpu"),
        RunConfig("brightness"),
    ]


def test_one_thread_is_of_the_cpu(asked: list[RunConfig]) -> None:
    run("eval", "-p", "stripes", "-m", "brightness", "--one-thread")
    assert asked == [RunConfig("brightness", device="cpu")]


def test_show_takes_a_file_too_and_repeated_methods(asked: list[RunConfig], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ffbench.cli.flows.show.read_pair", lambda *_: (None, None))
    Path("run.toml").write_text("method = 'brightness'\nface_size = 96\n")
    run("show", "a.png", "b.png", "--config", "run.toml", "--out", "x.png")
    run("show", "a.png", "b.png", "-m", "dis", "-m", "raft", "--refine", "variational", "--out", "x.png")
    assert asked == [RunConfig("brightness", face_size=96), RunConfig("dis", refine="variational")]
    code, _ = run("show", "a.png", "b.png", "-m", "dis", "-m", "raft", "--weights", "x", "--out", "x.png")
    assert code != 0


@pytest.mark.parametrize(("command", "device"), [("show", "cpu"), ("try", "auto")])
def test_methods_show_and_try_take_the_options_and_the_file(asked: list[RunConfig], command: str, device: str) -> None:
    Path("run.toml").write_text("method = 'brightness'\niterations = 3\n")
    run("methods", command, "--config", "run.toml")
    run("methods", command, "brightness", "--iterations", "5", "--precision", "bf16", "--device", "meta")
    assert asked == [
        RunConfig("brightness", iterations=3, device=device),
        RunConfig("brightness", iterations=5, precision="bf16", device="meta"),
    ]
    code, out = run("methods", command)
    assert (code, len(asked)) == (2, 2)
    assert "NAME" in out


def test_a_method_must_be_named_on_the_line_or_in_the_file(asked: list[RunConfig]) -> None:
    code, out = run("eval", "-p", "stripes")
    assert (code, asked) == (2, [])
    assert "--method" in out


def test_a_wrong_file_ends_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text("methods = 'dis'\n")
    monkeypatch.setattr(sys, "argv", ["ffbench", "eval", "-p", "stripes", "--config", "run.toml"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code
    err = capsys.readouterr().err
    assert err.startswith("ffbench: run.toml: is no run configuration: ")
    assert err.count("\n") == 1


def test_a_file_and_the_line_make_one_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [EntryPoint(name, f"tests.toys:{name}", group) for name in TOYS[group]]
    )
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text("method = 'brightness'\n")
    for arguments in (["--config", "run.toml"], ["-m", "brightness"]):
        assert run("eval", "-p", "stripes", "--json", *arguments)[0] == 0
    (path,) = Path("runs").rglob("record.json")
    assert RunRecord.model_validate(json.loads(path.read_text())).method.id == "brightness"
