"""The composite action: its steps are run as GitHub would run them, in a scratch clone with inputs substituted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def load(path: Path) -> dict[Any, Any]:
    content = yaml.safe_load(path.read_text())
    assert isinstance(content, dict)
    return content


ACTION = load(ROOT / "action.yml")


def value_of(expression: str, inputs: dict[str, str], action_path: Path) -> str:
    """Evaluate what the action makes use of: `inputs.NAME`, `github.action_path`, and `||` between them."""
    for term in expression.split("||"):
        name = term.strip()
        if name == "github.action_path":
            return str(action_path)
        kind, _, key = name.partition(".")
        assert kind == "inputs", f"the action uses an expression that this test does not know: {expression}"
        assert key in ACTION["inputs"], f"the action has no input {key}"
        if inputs[key]:
            return inputs[key]
    return ""


def shell_steps(inputs: dict[str, str], action_path: Path) -> list[tuple[str, dict[str, str]]]:
    """Return script and environment of every shell step, with the defaults of inputs that are not given."""
    given = {name: str(card.get("default", "")) for name, card in ACTION["inputs"].items()} | inputs
    steps = []
    for step in ACTION["runs"]["steps"]:
        if "run" in step:
            assert step["shell"] == "bash", "a composite action must name the shell of every step"
            assert not EXPRESSION.search(step["run"]), "inputs go through the environment, not into the script"
            env = {
                name: EXPRESSION.sub(lambda found: value_of(found[1], given, action_path), str(text))
                for name, text in step.get("env", {}).items()
            }
            steps.append((step["run"], env))
    return steps


def run(script: str, env: dict[str, str], folder: Path, binaries: Path) -> subprocess.CompletedProcess[str]:
    path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
    # As the runner calls bash.
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    whole = {**os.environ, **env, "PATH": path}
    return subprocess.run(command, cwd=folder, env=whole, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a checkout of what is committed, as `actions/checkout` does."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None or shutil.which("bash") is None:
        pytest.skip("not a git checkout, or no bash")
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--shared", str(ROOT), str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture
def binaries(tmp_path: Path) -> Path:
    """Return a folder with `python` and `ffbench` of this interpreter; pip only notes what it was asked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, body in {
        "python": f'[ "$2" = pip ] || exec "{sys.executable}" "$@"\n'
        f'shift 2; printf "%s\\n" "$@" "$PIP_CONSTRAINT" --end-- >> "{tmp_path}/pip.txt"',
        "ffbench": f'PYTHONSAFEPATH=1 exec "{sys.executable}" -m ffbench "$@"',
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return folder


def test_install_step_asks_for_the_action_itself_or_what_is_named(tmp_path: Path, clone: Path, binaries: Path) -> None:
    cpu = ["torch", "torchvision", "--index-url", "https://example.org/cpu"]
    for inputs, wanted in (
        ({}, [f"{clone}[networks]"]),
        ({"requirement": "ffbench==1.0", "packages": "mine other"}, ["ffbench==1.0", "mine", "other"]),
    ):
        script, env = shell_steps(inputs | {"torch-index": cpu[-1]}, clone)[0]
        done = run(script, env, clone, binaries)
        assert done.returncode == 0, done.stderr
        first, last = (call.split() for call in (tmp_path / "pip.txt").read_text().split("--end--\n")[:-1])
        assert first[:-1] == ["install", "--quiet", *cpu]
        assert last[:-1] == ["install", "--quiet", *wanted]
        assert Path(last[-1]).is_file(), "the constraints that pip is given are not in the checkout"
        (tmp_path / "pip.txt").unlink()


def test_install_step_leaves_pytorch_to_pip_by_default(tmp_path: Path, clone: Path, binaries: Path) -> None:
    script, env = shell_steps({}, clone)[0]
    assert run(script, env, clone, binaries).returncode == 0
    assert (tmp_path / "pip.txt").read_text().count("--end--") == 1


@pytest.mark.slow
def test_check_step_passes_fails_and_writes_its_report(clone: Path, binaries: Path) -> None:
    (clone / "mine.json").write_text('{"cases": [{"method": "zero", "protocol": "ck_landmarks", "limit": 2}]}')
    given = {"baseline": "mine.json", "junit": "out.xml", "tolerance": "0.02", "data": str(clone / "nothing")}
    (_, _), (script, env) = shell_steps(given, clone)
    first = run(script, env, clone, binaries)
    assert first.returncode == 1
    assert "new baseline" in first.stderr
    update = run("ffbench check --baseline mine.json --update", {}, clone, binaries)
    assert update.returncode == 0, update.stderr
    assert "mine.json: new baseline" in update.stdout
    done = run(script, env, clone, binaries)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'failures="0"' in (clone / "out.xml").read_text()
    text = (clone / "mine.json").read_text()
    changed = re.sub(r'("epe": )([\d.]+)', lambda found: f"{found[1]}{float(found[2]) * 1.5}", text)
    assert changed != text
    (clone / "mine.json").write_text(changed)
    done = run(script, env, clone, binaries)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "epe" in done.stdout + done.stderr
    assert "<failure" in (clone / "out.xml").read_text()


def test_a_workflow_here_uses_the_action_with_inputs_that_it_has() -> None:
    uses = []
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        for job in load(path)["jobs"].values():
            uses += [step for step in job["steps"] if step.get("uses") == "./"]
    assert uses
    for step in uses:
        assert set(step.get("with", {})) <= set(ACTION["inputs"])
        assert (ROOT / step["with"]["baseline"]).is_file()
    assert EXPRESSION.fullmatch(ACTION["outputs"]["junit"]["value"])


def test_outside_steps_are_pinned_to_a_version() -> None:
    for step in ACTION["runs"]["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
