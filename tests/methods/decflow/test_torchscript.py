from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from ffbench.errors import MethodError
from ffbench.methods.decflow.semantic.torchscript import read_tensors

# What writes such archives is deprecated, not what they are.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")


class Part(nn.Module):
    """Has every kind of attribute that an archive of a network may have."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.norm = nn.BatchNorm2d(4)
        self.halved = nn.Parameter(torch.randn(3).half())
        # A view of another parameter's storage, transposed.
        self.tied = nn.Parameter(self.conv.weight[:2, :, 0, 0].detach().t())
        self.sizes = [1, 2]
        self.words = ["a", "b"]
        self.table = {"x": torch.ones(2)}
        self.tensors = [torch.ones(1)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.conv(x)) * len(self.sizes)


class Whole(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Part()
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.encoder(x) * self.scale


@pytest.mark.parametrize("way", ["script", "trace"])
def test_tensors_equal_the_state_dict(way: str, tmp_path: Path) -> None:
    network = Whole().eval()
    path = str(tmp_path / "network.trcd")
    made = torch.jit.script(network) if way == "script" else torch.jit.trace(network, torch.rand(1, 3, 2, 2))
    torch.jit.save(made, path)
    tensors, state = read_tensors(Path(path)), made.state_dict()
    assert set(tensors) == set(state)
    for key, value in state.items():
        assert tensors[key].dtype == value.dtype
        assert torch.equal(tensors[key], value), key


def archive(path: Path, pickled: bytes, storages: dict[str, bytes] | None = None, compression: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("network/data.pkl", pickled)
        for name, content in (storages or {}).items():
            file.writestr(f"network/data/{name}", content)
    return path


class Command:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def test_code_in_the_pickle_is_not_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    path = archive(tmp_path / "evil.trcd", pickle.dumps(Command(f"touch {witness}"), protocol=2))
    with pytest.raises(MethodError, match=r"evil\.trcd: not a TorchScript archive that can be read \(it holds a"):
        read_tensors(path)
    assert not witness.exists()


def tensor_of(storage: str, size: str) -> bytes:
    """Pickle a module whose one attribute is a tensor of that reference, size and stride 1."""
    return (
        b"\x80\x02c__torch__\nM\n)\x81}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n("
        + storage.encode()
        + b"QK\x00("
        + size.encode()
        + b"t(K\x01t\x89ccollections\nOrderedDict\n)RtRub."
    )


FLOATS = "(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02t"


def test_archives_that_lie_about_their_tensors(tmp_path: Path) -> None:
    good = archive(tmp_path / "good.trcd", tensor_of(FLOATS, "K\x02"), {"0": torch.ones(2).numpy().tobytes()})
    assert read_tensors(good)["w"].tolist() == [1, 1]
    for name, pickled, storages, reason in (
        ("short", tensor_of(FLOATS, "K\x02"), {"0": b"1234"}, "tensor 0 has 4 bytes for 2 values"),
        ("beyond", tensor_of(FLOATS, "K\x09"), {"0": b"12345678"}, "out of bounds"),
        ("absent", tensor_of(FLOATS, "K\x02"), {}, "no item named"),
        ("path", tensor_of(FLOATS.replace("\x01\x00\x00\x000X", "\x02\x00\x00\x00..X"), "K\x02"), {}, "no tensor"),
        ("kind", tensor_of(FLOATS.replace("FloatStorage", "QInt8Storage"), "K\x02"), {}, "holds a torch.QInt8Storage"),
        ("cut", tensor_of(FLOATS, "K\x02")[:-9], {"0": b"12345678"}, "not a TorchScript archive"),
    ):
        path = archive(tmp_path / f"{name}.trcd", pickled, storages)
        with pytest.raises(MethodError, match=rf"{name}\.trcd: .*{reason}"):
            read_tensors(path)


def test_files_that_are_no_archives(tmp_path: Path) -> None:
    with pytest.raises(MethodError, match=r"none\.trcd: no such file"):
        read_tensors(tmp_path / "none.trcd")
    (tmp_path / "text.trcd").write_text("hello")
    with pytest.raises(MethodError, match=r"text\.trcd: not a TorchScript archive"):
        read_tensors(tmp_path / "text.trcd")
    packed = archive(tmp_path / "packed.trcd", bytes(1000), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(MethodError, match=r"data\.pkl is compressed"):
        read_tensors(packed)
    with zipfile.ZipFile(tmp_path / "empty.trcd", "w") as file:
        file.writestr("readme", "")
    with pytest.raises(MethodError, match=r"0 members are named data\.pkl"):
        read_tensors(tmp_path / "empty.trcd")
