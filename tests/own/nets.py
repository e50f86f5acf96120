"""Files of methods that tests write and load."""

from __future__ import annotations

from pathlib import Path

CONSTANT = """
import torch
from ffbench import Flows, Method, MethodCard
{imports}

class Net(Method):
    card = MethodCard(id="constant", title="Constant")

    def forward(self, image1, image2):
        flow = torch.zeros(len(image1), 2, *image1.shape[2:])
        flow[:, 0] = {x}
        return Flows(flow)
"""


def write_constant(folder: Path, x: object = 2, imports: str = "", name: str = "net.py") -> str:
    """Write a method that says that everything moves right by `x` px; return its name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(CONSTANT.format(x=x, imports=imports))
    return f"{folder / name}:Net"
