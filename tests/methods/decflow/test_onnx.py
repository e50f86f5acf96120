"""`decflow-c` as an ONNX file: it gives what PyTorch gives, at sizes that it was not traced with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ffbench import load_method
from ffbench.cli import app
from ffbench.errors import UsageError
from ffbench.io.hashing import file_sha256
from ffbench.methods.decflow.adapter import WEIGHTS_FOLDER, DecFlowMethod
from ffbench.methods.decflow.blocks.solving import diagonal, eliminated
from ffbench.methods.decflow.networks.corrector import DecFlowCorrector
from ffbench.methods.decflow.onnx_graph import _example
from ffbench.onnx_export import MOST_DIFFERENCE, compare_with_torch, export_onnx
from tests.docs.test_examples import python_blocks

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


def shipped(matching: bool) -> DecFlowMethod:
    """Return the network that ships; with `matching`, and untrained layers that do something, added to it."""
    method = load_method("decflow-c", device="cpu")
    assert isinstance(method, DecFlowMethod)
    if matching and not method.network.config.matching:
        torch.manual_seed(0)
        network = DecFlowCorrector(method.network.config.model_copy(update={"matching": True}))
        network.load_state_dict(method.network.state_dict(), strict=False)
        assert network.matcher is not None
        torch.nn.init.normal_(network.matcher.join.weight, std=0.02)
        method.network = network.eval()
    return method


@pytest.mark.slow
@pytest.mark.parametrize("matching", [False, True])
def test_the_file_gives_what_pytorch_gives_at_any_size(matching: bool, tmp_path: Path) -> None:
    method, path = shipped(matching), tmp_path / "net.onnx"
    exportable = export_onnx(method, path)
    # Rigid motions are aligned on a coarser grid in images beyond 160x160 px: here on each side of that.
    for size in ((64, 96), (128, 192), (256, 320)):
        here = replace(exportable, check=_example(*size))
        seen = compare_with_torch(here, path, runs=1)
        assert max(seen.differences.values()) <= MOST_DIFFERENCE, (size, seen)
    said = {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}
    assert said["method"] == "decflow-c"
    assert said["weights.sha256"] == file_sha256(WEIGHTS_FOLDER / "decflow-c.safetensors")
    assert (said["stride"], said["smallest"]) == ("32", "64")
    # A control: another network does not agree.
    with torch.no_grad():
        method.network.facial_decoder.out.bias.add_(0.1)
    assert compare_with_torch(here, path, runs=1).differences["facial"] > MOST_DIFFERENCE


@pytest.mark.slow
def test_the_code_of_the_page_gives_what_the_method_gives(tmp_path: Path) -> None:
    method = shipped(matching=False)
    export_onnx(method, tmp_path / "net.onnx")
    names: dict[str, Any] = {}
    for block in python_blocks(Path(__file__).parents[3] / "docs" / "onnx.md"):
        exec(block, names)
    # Three levels, of which the coarsest is smallest; cut off from what is padded.
    made = _example(256, 256)
    pair = [(255 * made[name][0].permute(1, 2, 0)).byte().numpy()[3:, :250].copy() for name in ("image1", "image2")]
    facial, head = names["DecFlow"](str(tmp_path / "net.onnx"))(*pair)
    expected = method.estimate(*pair)
    assert expected.head is not None
    for found, flow in ((facial, expected.facial), (head, expected.head)):
        error = np.linalg.norm(found - flow, axis=2)
        assert found.shape == flow.shape
        assert np.median(error) < 1e-3
        assert error.mean() < 0.01


def test_elimination_solves_what_lapack_solves() -> None:
    torch.manual_seed(1)
    half = torch.randn(3, 10, 10, dtype=torch.float64)
    normal, right = half @ half.mT + 0.1 * torch.eye(10), torch.randn(3, 10, 2, dtype=torch.float64)
    torch.testing.assert_close(eliminated(normal, right), torch.linalg.solve(normal, right))
    values = torch.randn(2, 5)
    assert torch.equal(diagonal(values), torch.diag_embed(values))


def test_other_methods_are_refused(tmp_path: Path) -> None:
    for name in ("zero", "decflow-s"):
        with pytest.raises(UsageError, match=f"'{name}' cannot be exported"):
            export_onnx(load_method(name, device="cpu"), tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()
    done = CliRunner().invoke(app, ["methods", "export", "zero", "--out", str(tmp_path / "net.onnx")])
    assert isinstance(done.exception, UsageError)
