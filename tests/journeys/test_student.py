"""Journey: a student renders faces, trains the light network on them for a moment, and looks at what it learnt.

Two steps teach it nothing; what counts is that each command works on what the one before it made.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tests.journeys.shell import Shell

pytestmark = pytest.mark.slow

SHORT = "steps=2", "batch=1", "crop=[64,64]"


def test_student(tmp_path: Path) -> None:
    ffbench = Shell(tmp_path)
    ffbench("ffbench generate --out faces --identities 2 --size 128 --split train --preview sheet.png")
    assert cv2.imread(str(tmp_path / "sheet.png")).std() > 20
    assert "nothing is wrong" in ffbench("ffbench data verify ffn faces").out

    recipe = tmp_path / "mine.toml"
    recipe.write_text(ffbench("ffbench train decflow-c --show").out)
    assert 'name = "together"' in recipe.read_text()
    changes = " ".join(f"--set stages.together.{change}" for change in SHORT)
    train = f"ffbench train decflow-c --data faces --recipe mine.toml {changes} --set validation.every=0 --device cpu"
    said = ffbench(f"{train} --out mine")
    (tried,) = [line.removeprefix("try it: ") for line in said.out.splitlines() if line.startswith("try it: ")]
    assert tried == "ffbench eval -m decflow-c -p clip_landmarks --weights mine/together.safetensors"
    ffbench(tried.replace("clip_landmarks", "ck_landmarks --limit 1"))

    first, second = sorted((tmp_path / "faces" / "image").rglob("*.jpg"))[:2]
    ffbench(f"ffbench show {first} {second} -m decflow-c --weights mine/together.safetensors --out flow.png")
    assert cv2.imread(str(tmp_path / "flow.png")).std() > 5
    assert ffbench.commands == 6
