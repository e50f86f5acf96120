"""The examples of CONTRIBUTING.md work as they stand there."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from ffbench import WeightsCard, evaluate, load_method, load_protocol, registry, write_flow
from ffbench.cli import app
from ffbench.datasets import registry as datasets
from ffbench.errors import MethodError
from ffbench.io.hashing import file_sha256
from ffbench.method import MethodRequest
from ffbench.protocol import ProtocolRequest
from ffbench.recogniser import RecogniserRequest
from ffbench.recogniser_registry import load_recogniser
from ffbench.testing import check_method, require
from tests.docs.test_examples import python_blocks
from tests.protocols.recognition.test_recognition import REGULAR, Planted, plant
from tests.toys import Stripes

GUIDE = Path(__file__).parents[1] / "CONTRIBUTING.md"


@pytest.fixture(scope="module")
def guide() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for block in python_blocks(GUIDE):
        exec(compile(block, str(GUIDE), "exec"), names)
    return names


def test_method_dataset_and_protocol_of_the_guide(guide: dict[str, Any], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, (dx, dy) in {"still": (0, 0), "moved": (5, -3)}.items():
        image = rng.integers(0, 256, (32, 40, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"{name}_1.png"), image)
        cv2.imwrite(str(tmp_path / f"{name}_2.png"), np.roll(image, (dy, dx), (0, 1)))
        write_flow(tmp_path / f"{name}.flo", np.full((32, 40, 2), (dx, dy), np.float32))
    write_flow(tmp_path / "lonely.flo", np.zeros((4, 4, 2), np.float32))
    method = guide["entry"].load(MethodRequest("global_shift"))
    protocol = guide["entry_of_protocol"].load(ProtocolRequest("folder_epe", tmp_path))
    record = evaluate(method, protocol, out=tmp_path / "runs")
    assert record.primary.value == 0
    assert record.pairs == 2
    assert "lonely_1.png: no such file" in record.dataset.problems[0]


def tiny_state(features: int = 16) -> dict[str, torch.Tensor]:
    first, second = torch.nn.Conv2d(6, features, 7), torch.nn.Conv2d(features, 2, 3)
    network = torch.nn.Sequential(first, torch.nn.ReLU(), second)
    return {key: torch.zeros_like(value) for key, value in network.state_dict().items()}


def test_network_of_the_guide_is_a_file_that_passes_the_contract(tmp_path: Path) -> None:
    (block,) = (block for block in python_blocks(GUIDE) if "class TinyNet" in block)
    (tmp_path / "tinynet.py").write_text(block)
    torch.save(tiny_state(), tmp_path / "tiny.pth")
    folder = tmp_path / "wide"
    folder.mkdir()
    (folder / "config.json").write_text('{"features": 20}')
    save_file(tiny_state(20), folder / "model.safetensors")
    for weights, features in ((tmp_path / "tiny.pth", 16), (folder, 20)):
        method = load_method(f"{tmp_path}/tinynet.py:TinyNet", weights=weights, device="cpu")
        assert method.card.id == "own/tinynet.TinyNet"
        assert method.network[0].out_channels == features  # type: ignore[attr-defined]
        require(check_method(method))
        assert not evaluate(method, Stripes(2), out=tmp_path / "runs").not_rankable


def test_network_of_the_guide_says_whose_weights_it_runs_with(
    guide: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("tinynet", "guide:tinynet", registry.METHOD_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    monkeypatch.setattr(EntryPoint, "load", lambda self: guide["tinynet"])
    torch.save(tiny_state(), tmp_path / "a.pth")
    torch.save({"other": torch.zeros(1)}, tmp_path / "b.pth")
    given = load_method("tinynet", weights=tmp_path / "a.pth")
    assert given.card.weights == WeightsCard(name="a.pth", source="file", sha256=file_sha256(tmp_path / "a.pth"))
    assert not evaluate(given, Stripes(2), out=tmp_path / "runs").not_rankable
    untrained = load_method("tinynet", weights="random")
    assert evaluate(untrained, Stripes(2), out=tmp_path / "runs").not_rankable == ["random weights"]
    for weights, message in (
        (None, "name a checkpoint"),
        (tmp_path / "none.pth", "no such weights file"),
        (tmp_path / "b.pth", "not weights of tinynet: 4 missing"),
    ):
        with pytest.raises(MethodError, match=message):
            load_method("tinynet", weights=weights)


def test_dataset_of_the_guide_works_in_the_commands(
    guide: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("my_faces", "guide:my_faces", datasets.DATASET_GROUP)
    monkeypatch.setattr(datasets, "entry_points", lambda group: [point])
    monkeypatch.setattr(EntryPoint, "load", lambda self: guide["my_faces"])
    monkeypatch.setenv("FFBENCH_DATA", str(tmp_path))
    (tmp_path / "MyFaces").mkdir()
    write_flow(tmp_path / "MyFaces" / "lonely.flo", np.zeros((4, 4, 2), np.float32))
    assert datasets.find_data("my_faces") == tmp_path / "MyFaces"
    runner = CliRunner()
    assert "My faces: people who laugh; CC BY 4.0" in runner.invoke(app, ["data", "list"]).stdout
    assert "https://example.org/my-faces" in runner.invoke(app, ["data", "show", "my_faces"]).stdout
    verified = runner.invoke(app, ["data", "verify", "my_faces", str(tmp_path / "MyFaces")])
    assert verified.exit_code != 0
    assert "lonely_1.png: no such file" in verified.stdout


def test_recogniser_of_the_guide_is_a_file_that_learns(tmp_path: Path) -> None:
    (block,) = (block for block in python_blocks(GUIDE) if "class NearestClip" in block)
    (tmp_path / "nearest.py").write_text(block)
    plant(tmp_path / "CASME2", REGULAR)
    options = {"recogniser": f"{tmp_path}/nearest.py:NearestClip"}
    record = evaluate(Planted(), load_protocol("casme2_5", data=tmp_path / "CASME2", options=options), out=tmp_path)
    assert record.protocol.options["recogniser"] == "own/nearest.NearestClip"
    assert record.primary.value == 100
    # As an entry of a package it is the same.
    entry = load_recogniser(RecogniserRequest(f"{tmp_path}/nearest.py:nearest_clip", 5))
    assert entry.recogniser.epochs == 1


def test_examples_are_short(guide: dict[str, Any]) -> None:
    for block in python_blocks(GUIDE):
        assert len([line for line in block.splitlines() if line.strip()]) <= 30
