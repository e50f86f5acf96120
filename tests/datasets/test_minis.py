from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ffbench.cli import app
from ffbench.datasets import minis, registry
from ffbench.datasets.base import Dataset, Found, Mini
from ffbench.datasets.ck_plus.scan import read_landmarks, scan
from ffbench.datasets.images import image_size
from ffbench.errors import DataError, MethodError, UsageError

DATASET = Dataset(
    id="toy",
    title="Toy",
    summary="nothing",
    licence="none",
    source="made here",
    citation="@misc{toy}",
    folders=("Toy", "toy"),
    check=lambda place, quick, progress: Found([], [], False),
    mini=f"{__name__}:MINI",
)


def write_one_file(out: Path, seed: int, progress: object) -> None:
    (out / "data.txt").write_text(f"seed {seed}")


MINI = Mini("toy", "1", write_one_file)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package with a dataset whose mini one is made at once."""
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    point = EntryPoint("toy", f"{__name__}:DATASET", registry.DATASET_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])


def make_by(monkeypatch: pytest.MonkeyPatch, make: Callable[[Path, int, object], None]) -> None:
    monkeypatch.setitem(globals(), "MINI", Mini("toy", "1", make))


@pytest.mark.usefixtures("quick")
def test_it_is_made_on_first_use_only(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = minis.mini_dataset(DATASET)
    assert folder == minis.mini_folder(DATASET)
    assert (folder / "data.txt").read_text() == "seed 0"
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "synthetic" in told.err

    def never(out: Path, seed: int, progress: object) -> None:
        raise AssertionError("made twice")

    make_by(monkeypatch, never)
    assert minis.mini_dataset(DATASET) == folder
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("quick")
def test_of_two_at_once_one_makes_it_and_the_other_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def slow(out: Path, seed: int, progress: object) -> None:
        made.append(out)
        time.sleep(0.3)
        write_one_file(out, seed, progress)

    make_by(monkeypatch, slow)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: minis.mini_dataset(DATASET), range(2))
    assert first == second
    assert (first / "data.txt").is_file()
    assert len(made) == 1


@pytest.mark.usefixtures("quick")
def test_another_seed_lies_beside_it() -> None:
    assert minis.mini_dataset(DATASET, 7) != minis.mini_dataset(DATASET)
    assert (minis.mini_folder(DATASET, 7) / "data.txt").read_text() == "seed 7"


@pytest.mark.usefixtures("quick")
def test_the_default_is_the_real_dataset_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFBENCH_DATA", str(tmp_path))
    assert registry.find_data("toy") == minis.mini_folder(DATASET)
    (tmp_path / "toy.tar").touch()
    assert registry.find_data("toy") == tmp_path / "toy.tar"
    for name in ("toy", "Toy"):
        (tmp_path / name).mkdir()
        assert registry.find_data("toy") == tmp_path / name
    monkeypatch.delenv("FFBENCH_DATA")
    assert registry.find_data("toy") == minis.mini_folder(DATASET)


@pytest.mark.usefixtures("quick")
def test_a_make_that_is_stopped_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(out: Path, seed: int, progress: object) -> None:
        write_one_file(out, seed, progress)
        raise KeyboardInterrupt

    make_by(monkeypatch, stop)
    with pytest.raises(KeyboardInterrupt):
        minis.make_mini(DATASET, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert [path for path in tmp_path.iterdir() if path.name != "cache"] == []


@pytest.mark.usefixtures("quick")
def test_a_full_disk_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(out: Path, seed: int, progress: object) -> None:
        raise OSError(28, "No space left on device")

    make_by(monkeypatch, full)
    with pytest.raises(DataError, match="No space left on device"):
        minis.make_mini(DATASET, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("quick")
def test_full_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    with pytest.raises(UsageError, match="empty folder"):
        minis.make_mini(DATASET, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").exists()
    (tmp_path / "new").mkdir()
    minis.make_mini(DATASET, tmp_path / "new")
    assert (tmp_path / "new" / "data.txt").exists()


def test_a_dataset_without_a_mini_one_says_where_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'toy' has no mini dataset; .*--data \(made here\)"):
        minis.mini_dataset(replace(DATASET, mini=None))


@pytest.mark.parametrize("name", registry.dataset_names())
def test_every_dataset_says_all_that_the_contract_asks(name: str) -> None:
    dataset = registry.load_dataset(name)
    assert dataset.id == name
    assert all((dataset.title, dataset.summary, dataset.licence, dataset.source, dataset.folders))
    assert dataset.citation.startswith("@")
    if dataset.mini is None:
        with pytest.raises(UsageError, match=f"'{name}' has no mini dataset; name its folder with --data"):
            dataset.load_mini()
        return
    mini = dataset.load_mini()
    assert mini.version
    assert registry.find_data(name)


def test_an_entry_point_that_gives_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (f"{__name__}:MINI", f"{__name__}:DATASET"):
        point = EntryPoint("other", value, registry.DATASET_GROUP)
        monkeypatch.setattr(registry, "entry_points", lambda group, point=point: [point])
        with pytest.raises(
            MethodError, match=r"dataset 'other': its entry point gives .*expected a Dataset of that id"
        ):
            registry.load_dataset("other")


@pytest.mark.usefixtures("quick")
def test_the_commands(tmp_path: Path) -> None:
    runner = CliRunner()
    out = tmp_path / "here"
    result = runner.invoke(app, ["data", "make-mini", "toy", "--out", str(out), "--seed", "3"])
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(out)
    assert (out / "data.txt").read_text() == "seed 3"
    result = runner.invoke(app, ["data", "make-mini", "toy"])
    assert result.stdout.strip() == str(minis.mini_folder(DATASET))
    assert runner.invoke(app, ["data", "list"]).stdout.split(maxsplit=1) == [
        "toy",
        "Toy: nothing; none; mini dataset\n",
    ]
    shown = runner.invoke(app, ["data", "show", "toy"]).stdout
    assert all(part in shown for part in ("Toy or toy", "made here", "@misc{toy}"))
    assert json.loads(runner.invoke(app, ["data", "show", "toy", "--json"]).stdout)["citation"] == "@misc{toy}"


@pytest.mark.assets
def test_ck_plus_has_its_layout_and_exact_landmarks(tmp_path: Path) -> None:
    from ffbench.synth.heads.makehuman import load_makehuman
    from ffbench.synth.minis.ck_plus import CODES, make_ck_plus

    told = []
    make_ck_plus(tmp_path, load_makehuman(), seed=1, subjects=2, sequences=3, progress=lambda *done: told.append(done))
    assert told == [(1, 3), (2, 3), (3, 3)]
    found = scan(tmp_path)
    assert [s.name for s in found.sequences] == ["S001_001", "S001_002", "S002_001"]
    assert found.problems == ()
    for sequence in found.sequences:
        assert 6 <= sequence.frames <= 10
        assert sequence.emotion in ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
        width, height = image_size(sequence.first_image)
        assert (width, height) in ((640, 490), (640, 480))
        first, last = read_landmarks(sequence.first_landmarks), read_landmarks(sequence.last_landmarks)
        assert ((first > 0) & (first < [width, height])).all()
        assert 120 < np.ptp(first[:17, 0]) < 320, "a face as wide as in CK+"
        motion = np.linalg.norm(last - first, axis=1)
        assert 0.5 < motion.mean() < 20
        line = sequence.first_landmarks.read_text().splitlines()[0]
        assert "e+" in line
        assert len(line.split()) == 2
    mark = json.loads((tmp_path / "ffbench-mini.json").read_text())
    assert mark == {"synthetic": True, "recipe": "ffbench.synth.ck_plus", "version": "2", "seed": 1}
    assert len(CODES) == 7
    with pytest.raises(ValueError, match="subjects"):
        make_ck_plus(tmp_path, load_makehuman(), subjects=4, sequences=3)
