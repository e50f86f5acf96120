from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ffbench.errors import DataError, MethodError, UsageError
from ffbench.training import trainee
from ffbench.training.recipe import Recipe, Stage, read_recipe
from ffbench.training.trainee import TRAINER_GROUP, TrainEntry, train_entry

TOML = """
name = "small"
summary = "one stage"
[network]
semantic = "synthetic"
[[stages]]
name = "flow"
loss = "facial"
steps = 10
batch = 2
crop = [64, 64]
data = { faces = 1.0 }
learning_rate = 1e-3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(TOML)
    return path


def test_fields_are_changed_by_name(file: Path) -> None:
    changes = [
        ("seed", "5"),
        ("stages.flow.steps", "20"),
        ("stages.flow.augmentation.flip_vertical", "0"),
        ("stages.flow.data.layers", "0.5"),
        ("network.semantic", "none"),
    ]
    changed = read_recipe(file, changes)
    stage = changed.stage("flow")
    assert (changed.seed, stage.steps, stage.augmentation.flip_vertical) == (5, 20, 0)
    assert stage.data == {"faces": 1.0, "layers": 0.5}
    assert changed.network == {"semantic": "none"}
    assert read_recipe(file).stage("flow").steps == 10


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("sead", "1"), "did you mean 'seed'"),
        (("stages.flow.stepps", "1"), "did you mean 'steps'"),
        (("stages.other.steps", "1"), "no 'other'"),
        (("stages.flow.steps", "-1"), "steps"),
        (("stages.flow.data.dogs", "1"), "dogs"),
    ],
)
def test_changes_that_do_not_fit_are_refused(file: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_recipe(file, [change])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("steps = 10", "steps = 0", "steps"),
        ("[64, 64]", "[70, 64]", "multiple of 32"),
        ("[64, 64]", "[512, 64]", "larger than what is rendered"),
        ('name = "flow"', "", "name"),
        ("data = { faces = 1.0 }", "data = { faces = 0.0 }", "no source has a weight"),
        ("batch = 2", "batch = = 2", "expected TOML"),
        ("batch = 2", "bacth = 2\nbatch = 2", "bacth"),
    ],
)
def test_files_that_are_no_recipe_are_refused(file: Path, old: str, new: str, said: str) -> None:
    file.write_text(TOML.replace(old, new))
    with pytest.raises(DataError, match=said) as error:
        read_recipe(file)
    assert str(file) in str(error.value)


def test_two_stages_of_one_name_are_refused(file: Path) -> None:
    stage = read_recipe(file).stage("flow")
    with pytest.raises(ValueError, match="names of their own"):
        Recipe(name="twice", summary="", stages=(stage, stage))
    with pytest.raises(UsageError, match="has no stage 'blow'; it has flow"):
        read_recipe(file).stage("blow")


@pytest.mark.parametrize("family", ["decflow", "decflow-s", "raft", "gma", "skflow", "flowformer", "gmflow", "ptlflow"])
def test_every_recipe_that_ships_is_valid(family: str) -> None:
    for name, path in train_entry(family).recipes.items():
        assert read_recipe(path).name == name


def test_the_paper_s_hyper_parameters() -> None:
    paper = read_recipe(train_entry("decflow").recipes["paper"])
    for stage in paper.stages:
        assert (stage.steps, stage.batch, stage.crop, stage.learning_rate) == (10_000, 6, (480, 480), 1.25e-4)
        assert (stage.weight_decay, stage.clip, stage.gamma, stage.epsilon) == (1e-5, 1.0, 0.85, 1e-8)
    assert [(stage.trains, stage.loss) for stage in paper.stages] == [("facial", "facial"), ("head", "decomposition")]


def test_names_of_earlier_recipes_are_read(file: Path) -> None:
    stage = read_recipe(file).stage("flow").model_dump(exclude={"arbitrary_start", "head_motion_damping"})
    old, new = (
        Stage.model_validate({**stage, start: 0.25, damping: 0.5})
        for start, damping in (("anywhere", "calm"), ("arbitrary_start", "head_motion_damping"))
    )
    assert (old.arbitrary_start, old.head_motion_damping) == (0.25, 0.5)
    assert old == new
    assert {"arbitrary_start", "head_motion_damping"} < old.model_dump().keys()


def load(request: object) -> object:
    raise AssertionError("nothing is built")


GIVEN = TrainEntry({"small": Path("small.toml")}, load)  # type: ignore[arg-type]
NO_ENTRY: dict[str, str] = {}


def test_what_an_entry_gives_to_the_trainer_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint(name, f"tests.training.test_recipe:{value}", TRAINER_GROUP)
        for name, value in {"toy": "GIVEN", "odd": "NO_ENTRY"}.items()
    ]
    monkeypatch.setattr(trainee, "entry_points", lambda group: points)
    assert train_entry("toy") is GIVEN
    with pytest.raises(MethodError, match=r"'odd': its entry in ffbench\.trainers is dict, expected a TrainEntry"):
        train_entry("odd")
    with pytest.raises(UsageError, match="'dis' cannot be trained"):
        train_entry("dis")
    with pytest.raises(UsageError, match="unknown method 'diss' - did you mean 'dis'"):
        train_entry("diss")
