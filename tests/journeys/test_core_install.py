"""Installs the wheel into a fresh environment, without extras and without a checkout, and uses it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ffbench.extras import EXTRAS
from ffbench.flow import write_flow

ROOT = Path(__file__).parents[2]
MOST_MB = 700


def run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=clean | {"FFBENCH_CACHE": str(cwd / "cache")}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1500, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout[-3000:]
    return done.stdout


@pytest.mark.slow
def test_the_core_is_small_and_runs_without_extras(tmp_path: Path) -> None:
    if os.environ.get("PIP_NO_INDEX"):
        pytest.skip("pip may not ask an index (PIP_NO_INDEX)")
    source = tmp_path / "source"
    for name in ("ffbench", "methods", "protocols", "leaderboard", "submissions"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "claimed"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, source, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    python, ffbench = tmp_path / "env" / "bin" / "python", tmp_path / "env" / "bin" / "ffbench"
    run(python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    size = sum(file.stat().st_size for file in packages.rglob("*") if file.is_file()) / 1e6
    assert 100 < size < MOST_MB
    assert not [name for name in EXTRAS if (packages / name).exists()]

    flow = np.zeros((48, 64, 2), np.float32)
    for name in ("a.flo", "b.png", "c.flo5"):
        write_flow(tmp_path / name, flow)
    read = "import ffbench; print([ffbench.read_flow(n).shape for n in ('a.flo', 'b.png', 'c.flo5')])"
    assert "(48, 64, 2)" in run(python, "-c", read, cwd=tmp_path)
    assert "| 1 |" in run(ffbench, "leaderboard", cwd=tmp_path)
    assert "clip_landmarks" in run(ffbench, "protocols", "list", cwd=tmp_path)
    assert "DecFlow(Ours)" in run(ffbench, "table", "2", cwd=tmp_path)
    assert "open pages/index.html" in run(ffbench, "site", "--out", "pages", cwd=tmp_path)
    records = sorted((packages / "ffbench" / "shipped" / "verified" / "ffn_head").glob("*.json"))[:2]
    assert "is better" in run(ffbench, "compare", *records, cwd=tmp_path)
    assert 'pip install "ffbench[networks]"' in run(
        ffbench, "eval", "-m", "dis", "-p", "ck_landmarks", cwd=tmp_path, code=4
    )
