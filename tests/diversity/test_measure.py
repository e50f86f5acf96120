"""The report: on faces that are made up, and on a small generated set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ffbench import cli
from ffbench.diversity import measure as module
from ffbench.diversity.report import reported
from ffbench.errors import DataError, UsageError
from ffbench.facemesh.embedding import MeshFace
from ffbench.metrics.people.diversity import source_similarity, spread
from tests.datasets.ffn_folder import add_sequence
from tests.facemesh.test_embedding import mesh

EMOTIONS = ("anger", "happy")
NAMES = [f"{emotion}/{number:04d}" for emotion in EMOTIONS for number in range(3)]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    for name in NAMES:
        add_sequence(tmp_path / "data", name, 5)
    return tmp_path / "data"


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], MeshFace]:
    """Lips move down at anger and up at happiness, a little differently for each; features follow from the path."""

    def made(image: Path) -> MeshFace:
        points = mesh()
        person = int(image.parent.name) if image.parent.name.isdigit() else 0
        if image.stem == "0005":
            points[13:17, 1] += (1 + person / 10) * (5 if image.parent.parent.name == "anger" else -5)
        seed = person + 10 * (image.parent.parent.name == "anger") + (100 if "source" in image.parts else 0)
        return MeshFace(points, np.random.default_rng(seed).normal(1, 1, 8))

    monkeypatch.setattr(module, "_face_in", made)
    return made


def run(*arguments: object) -> str:
    result = CliRunner().invoke(cli.app, ["diversity", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def source_folder(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").touch()
    return folder


def test_figures_are_those_of_the_features(dataset: Path, faces: Callable[[Path], MeshFace], tmp_path: Path) -> None:
    source = source_folder(tmp_path / "source", NAMES[:5])
    found = json.loads(run(dataset, "--source", source, "--out", tmp_path / "out", "--json"))
    images = {name: dataset / "image" / "facial" / "test" / name / "0001.jpg" for name in NAMES}
    own = [faces(images[name]).features for name in NAMES]
    origins = [faces(source / f"{name}.png").features for name in NAMES[:5]]
    assert found["identities"] == 6
    assert found["sources"] == 5
    for name, estimate in spread(own).items():
        assert found["spread"][name] == pytest.approx(estimate._asdict(), rel=1e-9)
    for name, estimate in source_similarity(own[:5], origins).items():
        assert found["similarity"][name] == pytest.approx(estimate._asdict(), rel=1e-9)
    assert found["left_out"] == [f"{NAMES[5]}: no source image"]
    assert found["origin"] == "real"
    assert found["neighbours"] == 1
    assert found["neighbours_by_chance"] == pytest.approx(2 * 3 * 2 / 30)
    assert [expression["sequence"] for expression in found["expressions"]] == NAMES
    assert found["reported"]["embedding"] == "ArcFace"
    assert json.loads((tmp_path / "out" / "diversity.json").read_text()) == found
    assert (tmp_path / "out" / "expressions.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("faces")
def test_features_of_the_user_and_what_he_lacks(dataset: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [*NAMES[:4], *(f"source/{name}" for name in NAMES[:3])]
    vectors = rng.normal(size=(7, 16))
    np.savez(tmp_path / "arcface.npz", names=names, features=vectors)
    text = run(dataset, "--features", tmp_path / "arcface.npz", "--out", tmp_path)
    found = json.loads((tmp_path / "diversity.json").read_text())
    assert found["embedding"]["title"] == "arcface.npz"
    assert (found["identities"], found["sources"]) == (4, 3)
    assert found["spread"]["std"] == pytest.approx(spread(vectors[:4])["std"]._asdict())
    assert found["similarity"]["source"] == pytest.approx(
        source_similarity(vectors[:3], vectors[4:])["source"]._asdict()
    )
    assert f"{NAMES[4]}: not in arcface.npz (0001.jpg)" in found["left_out"]
    assert "4 identities, real data" in text
    assert "not comparable" in text
    assert all(row["std"] in text for row in reported()["rows"])


def test_images_without_a_face_are_named(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, faces: Callable[[Path], MeshFace], tmp_path: Path
) -> None:
    lost = dataset / "image" / "facial" / "test" / NAMES[2] / "0001.jpg"
    monkeypatch.setattr(module, "_face_in", lambda image: None if image == lost else faces(image))
    found = module.measure(dataset)
    assert found.identities == 5
    assert len(found.expressions) == 5
    assert found.left_out == (f"{NAMES[2]}: no face was found (0001.jpg)",)
    monkeypatch.setattr(module, "_face_in", lambda image: None)
    with pytest.raises(DataError, match=r"0 of 6 people have features.*no face was found"):
        module.measure(dataset)


def test_source_and_features_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--source does not go with it"):
        run(tmp_path, "--source", tmp_path, "--features", tmp_path / "a.npz", "--out", tmp_path)


@pytest.mark.slow
@pytest.mark.assets
def test_a_generated_set_has_people_who_differ(tmp_path: Path) -> None:
    data = tmp_path / "data"
    result = CliRunner().invoke(cli.app, ["generate", "--out", str(data), "--identities", "6", "--size", "192"])
    assert result.exit_code == 0, result.output
    # Each person's second frame for a source: nearly the first, and of nobody else.
    for image in (data / "image" / "facial").glob("*/*/*/0002.jpg"):
        target = tmp_path / "source" / image.parent.parent.name / f"{image.parent.name}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(image.read_bytes())
    found = json.loads(run(data, "--source", tmp_path / "source", "--out", tmp_path / "out", "--json"))
    assert found["origin"] == "synthetic"
    assert (found["identities"], found["sources"], found["left_out"]) == (6, 6, [])
    assert found["similarity"]["source"]["low"] > found["similarity"]["other_sources"]["high"]
    assert len(found["expressions"]) == 6
