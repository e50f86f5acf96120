from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffbench import methods
from ffbench.cli import app
from ffbench.errors import UsageError
from ffbench.methods import decflow
from ffbench.training.recipe import read_recipe, recipe_toml
from tests.training.toy import made_pairs

__all__ = ["made_pairs"]

LIGHT = Path(decflow.__file__).parent / "recipes/decflow-s-ffbench.toml"
# Every stage that the recipe has, so that none can be forgotten and train for hours here.
STAGES = [stage.name for stage in read_recipe(LIGHT).stages]
SMALL = [
    "network.channels=[8, 12, 16, 16, 16]", "network.features=16", "network.hidden=16", "network.motion=16",
    "network.semantic=none", "precision=fp32", "validation.every=0",
    *(
        f"stages.{stage}.{change}"
        for stage in STAGES
        for change in ("steps=2", "batch=1", "crop=[64, 64]", "render=64", "data={faces = 1.0}")
    ),
    "stages.semantic.loss=facial", "stages.semantic.trains=facial",
]  # fmt: skip


def changes() -> list[str]:
    return [part for change in SMALL for part in ("--set", change)]


@pytest.mark.usefixtures("made_pairs")
def test_train_says_where_the_weights_are_and_what_to_do_next(tmp_path: Path) -> None:
    arguments = ["train", "decflow-s", "--out", str(tmp_path), "--workers", "0", "--device", "cpu", *changes()]
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 0, ran.output
    assert str(tmp_path / "decomposition.safetensors") in ran.stdout
    assert "try it: ffbench eval -m decflow-s" in ran.stdout
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 0, again.output


def test_show_prints_the_recipe_and_trains_nothing(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["train", "decflow", "--recipe", "paper", "--show", "--set", "seed=7"])
    shown = tmp_path / "shown.toml"
    shown.write_text(ran.stdout, "utf-8")
    recipe = read_recipe(shown)
    assert (recipe.name, recipe.seed) == ("paper", 7)
    assert [stage.name for stage in recipe.stages] == ["facial", "decomposition"]


@pytest.mark.parametrize("path", sorted(Path(methods.__path__[0]).rglob("recipes/*.toml")), ids=lambda path: path.stem)
def test_a_recipe_that_is_shown_is_the_recipe(path: Path, tmp_path: Path) -> None:
    recipe = read_recipe(path)
    shown = tmp_path / "shown.toml"
    shown.write_text(recipe_toml(recipe), "utf-8")
    assert read_recipe(shown) == recipe


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dis"], "cannot be trained"),
        (["decflow", "--recipe", "papr"], "did you mean 'paper'"),
        (["decflow-s", "--stage", "flo"], "it has semantic, facial, finer, further, longer, decomposition"),
        (["decflow-s"], "--out"),
        (["decflow-s", "--set", "sead=1"], "did you mean 'seed'"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    ran = CliRunner().invoke(app, ["train", *arguments])
    assert isinstance(ran.exception, UsageError)
    assert said in str(ran.exception)
