"""A small dataset in the layout of FacialFlowNet: twelve people of the recipe's test split."""

from __future__ import annotations

from pathlib import Path

from ffbench.datasets.base import Mini, Progress
from ffbench.synth.heads.makehuman import load_makehuman
from ffbench.synth.pairs.recipe import MINI_IDENTITIES, VERSION, mini_recipe
from ffbench.synth.pairs.writer import write_dataset


def _make_mini(out: Path, seed: int, progress: Progress | None) -> None:
    write_dataset(out, load_makehuman(), mini_recipe(seed), MINI_IDENTITIES, progress=progress)


MINI = Mini("ffn", VERSION, _make_mini)
