"""Journey: a rival runs a method of his own on a whole protocol, looks where it stands, and hands in the record.

What he hands in is scored again from the flows, as the keepers of a leaderboard would.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ffbench.paths import shipped_store
from tests.journeys.shell import Shell

pytestmark = [pytest.mark.slow, pytest.mark.assets]

RIVAL = '''
import cv2
import numpy as np
import torch
from ffbench import Flows, Method, MethodCard


class Rival(Method):
    """OpenCV's DIS with its fast preset."""

    card = MethodCard(id="rival", title="Rival")

    def forward(self, image1, image2):
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        grey = [
            [cv2.cvtColor(np.rint(255 * image.permute(1, 2, 0).numpy()).astype(np.uint8), cv2.COLOR_RGB2GRAY)
             for image in images]
            for images in (image1, image2)
        ]
        flows = [torch.from_numpy(dis.calc(a, b, None)).permute(2, 0, 1) for a, b in zip(*grey, strict=True)]
        return Flows(facial=torch.stack(flows))
'''


def test_competitor(tmp_path: Path) -> None:
    ffbench = Shell(tmp_path)
    store = shipped_store()
    assert store is not None
    (tmp_path / "rival.py").write_text(RIVAL)
    assert "ok" in ffbench("ffbench methods try rival.py:Rival").out
    ffbench("ffbench eval -m rival.py:Rival -p ck_landmarks --save-flows")

    board = ffbench(f"ffbench leaderboard runs {store} -p ck_landmarks --format markdown").out
    heads, row = [line.split(" | ") for line in board.splitlines() if "| local |" in line or "| Rival |" in line]
    assert (row[heads.index("verified")], float(row[heads.index("local")]) > 0) == ("-", True)
    assert "is better" in ffbench("ffbench compare own/rival dis -p ck_landmarks").out

    (flows,) = (tmp_path / "runs").rglob("flows")
    ffbench(f"ffbench submit {flows} -p ck_landmarks --name Rival --out handed-in")
    (record,) = (tmp_path / "handed-in").rglob("*.json")
    ffbench(f"ffbench publish {record} --store keepers")
    said = ffbench(f"ffbench verify keepers --predictions {flows}").out
    assert "1 records, 1 confirmed, 0 faults, 0 remarks" in said
    assert ffbench.commands == 7
