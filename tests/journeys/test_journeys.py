"""What users do in their first hour, as scripts: each runs in an empty folder and ends well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def run(script: str, place: Path) -> str:
    """Run a script in an empty folder and return what it printed."""
    command = ["sh"] if script.endswith(".sh") else [sys.executable]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [*command, str(FOLDER / script)], cwd=place, env={**os.environ, "PATH": path}, capture_output=True, text=True,
        timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "own_network.sh",
            ["ok     any size", "Net (own/net, weights random)", "A: Net (own/net)", "B: DIS (MEDIUM) (dis)"],
        ),
        ("own_notebook.py", ["epe ", " px synthetic", "True\nTrue\n", "too few units to say"]),
    ],
)
def test_a_script_ends_well_and_says_what_users_look_for(script: str, said: list[str], tmp_path: Path) -> None:
    out = run(script, tmp_path)
    for part in said:
        assert part in out
    assert (tmp_path / "runs" / "ck_landmarks").is_dir()
