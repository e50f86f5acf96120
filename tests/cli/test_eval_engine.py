"""`ffbench eval --engine ray`: what Ray is asked for, and that the record is the same."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ffbench import cli, engines, registry

TOYS = {registry.METHOD_GROUP: ["brightness"], registry.PROTOCOL_GROUP: ["stripes"]}
EVAL = ("eval", "--method", "brightness", "--protocol", "stripes", "--device", "cpu", "--json")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """What Ray is asked for; this process runs the jobs in its place."""
    found: list[dict[str, Any]] = []

    def engine(name: str, **how: Any) -> engines.Engine:
        found.append({"name": name, **how})
        return engines.here

    monkeypatch.setattr(
        registry, "entry_points", lambda group: [EntryPoint(name, f"tests.toys:{name}", group) for name in TOYS[group]]
    )
    monkeypatch.setattr(engines, "engine", engine)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.chdir(tmp_path)
    return found


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, [*EVAL, *arguments])
    return result.exit_code, result.stdout, str(result.exception)


def test_ray_is_asked_for_jobs_with_the_threads_of_this_process(asked: list[dict[str, Any]]) -> None:
    code, here, _ = run("--out", "here")
    assert (code, asked) == (0, [])
    code, there, _ = run("--out", "there", "--engine", "ray", "--address", "head:6379")
    assert (code, asked) == (0, [{"name": "ray", "threads": 3, "gpu": False, "address": "head:6379"}])
    records = [json.loads(text) for text in (here, there)]
    for record in records:
        del record["cost"], record["environment"]
    assert records[0] == records[1]


def test_one_thread_is_one_thread_there_and_speed_is_processor_time(asked: list[dict[str, Any]]) -> None:
    code, out, _ = run("--engine", "ray", "--one-thread")
    assert code == 0
    assert [(how["threads"], how["address"]) for how in asked] == [(1, None)]
    record = json.loads(out)
    assert (record["cost"]["clock"], record["environment"]["threads"]) == ("cpu", 1)


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--address", "head:6379"), "--address is of --engine ray"),
        (("--engine", "ray", "--save-flows"), "flows are kept where they are estimated"),
    ],
)
def test_what_does_not_go_together_is_said(arguments: tuple[str, ...], said: str) -> None:
    code, _, error = run(*arguments)
    assert code != 0
    assert said in error


def test_flows_that_are_shared_are_those_of_this_process(asked: list[dict[str, Any]]) -> None:
    code, _, error = run("--engine", "ray", "--reuse-flows", "flows")
    assert code != 0
    assert "leave out --engine ray" in error
    records = []
    for out in ("one", "other"):
        code, text, _ = run("--out", out, "--reuse-flows", "flows")
        assert (code, len(list(Path("flows").iterdir()))) == (0, 6)
        records.append(json.loads(text))
    assert records[0]["cost"]["method_seconds"] == pytest.approx(records[1]["cost"]["method_seconds"])


def test_a_check_of_the_plain_path_is_refused(asked: list[dict[str, Any]]) -> None:
    code, _, error = run("--check")
    assert code != 0
    assert "--check compares a fast path" in error
