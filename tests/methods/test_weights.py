import pickle
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file

from ffbench.errors import MethodError
from ffbench.io.hashing import file_sha256
from ffbench.methods.weights import (
    build_seeded,
    load_state,
    published_file,
    read_checkpoint,
    state_of,
    weight_folders,
)


class _Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, ("never",))


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))

    def no_network(url: str, *_: object) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)


def _network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))


def _published(folder: Path, name: str = "net-things-{}.ckpt") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": _network().state_dict()}, folder / "file")
    return (folder / "file").rename(folder / name.format(file_sha256(folder / "file")[:8]))


@pytest.mark.parametrize("which", [0, 1])
def test_a_published_file_is_found_in_either_cache_by_name_and_hash(which: int) -> None:
    file = _published(weight_folders()[which])
    assert published_file(f"https://example.org/weights/{file.name}", "net") == file


def test_a_cached_file_with_another_hash_is_refused() -> None:
    file = _published(weight_folders()[0], "net-things-00000000.ckpt")
    with pytest.raises(MethodError, match=r"net-things-00000000\.ckpt: its sha256 starts with .* says 00000000"):
        published_file(f"https://example.org/{file.name}", "net")


def test_without_a_network_the_error_says_where_the_file_goes() -> None:
    with pytest.raises(MethodError) as caught:
        published_file("https://example.org/weights/net-things-01234567.ckpt", "net")
    message = str(caught.value)
    assert "\n" not in message
    for part in ("net-things-01234567.ckpt", *map(str, weight_folders()), "https://example.org/weights/", "--weights"):
        assert part in message


def test_a_file_is_fetched_into_the_cache_of_pytorch_with_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(url: str, target: str, hash_prefix: str) -> None:
        asked.append((url, hash_prefix))
        Path(target).write_bytes(b"weights")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    url = "https://example.org/net-sintel-89abcdef.ckpt"
    assert published_file(url, "net").read_bytes() == b"weights"
    assert asked == [(url, "89abcdef")]


@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors"])
def test_checkpoints_are_read_in_both_formats(tmp_path: Path, suffix: str) -> None:
    path, network = tmp_path / f"net{suffix}", _network()
    if suffix == ".safetensors":
        save_file(network.state_dict(), path)
    else:
        torch.save({"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}}, path)
    other = build_seeded(_network)
    load_state(other, state_of(read_checkpoint(path), path), path, "net")
    for key, value in network.state_dict().items():
        assert torch.equal(other.state_dict()[key], value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a checkpoint at all"])
@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors"])
def test_damaged_files_are_named_in_one_line(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    with pytest.raises(MethodError, match="cannot be read as a checkpoint") as caught:
        read_checkpoint(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MethodError, match=r"none\.ckpt: no such weights file"):
        read_checkpoint(tmp_path / "none.ckpt")


@pytest.mark.parametrize("as_pickle", [True, False])
def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, as_pickle: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.ckpt"
    if as_pickle:
        path.write_bytes(pickle.dumps({"state_dict": _Hostile()}, protocol=2))
    else:
        torch.save({"state_dict": _Hostile()}, path)
    with pytest.raises(MethodError, match="cannot be read as a checkpoint") as caught:
        read_checkpoint(path)
    assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(
    "content", [{"state_dict": {}}, {"state_dict": {"a": 1}}, {"epoch": 3}, {"state_dict": {1: torch.ones(1)}}]
)
def test_a_checkpoint_without_tensors_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(MethodError, match="expected a dictionary of tensors"):
        state_of(content, Path("net.ckpt"))


def test_a_list_is_no_checkpoint(tmp_path: Path) -> None:
    torch.save([torch.ones(1)], tmp_path / "net.ckpt")
    with pytest.raises(MethodError, match="found list"):
        read_checkpoint(tmp_path / "net.ckpt")


def test_weights_of_another_network_are_described() -> None:
    state = {"0.weight": torch.zeros(3, 2), "0.bias": torch.zeros(4), "head.weight": torch.zeros(1)}
    with pytest.raises(MethodError) as caught:
        load_state(_network(), state, Path("net.ckpt"), "net")
    assert str(caught.value) == (
        "net.ckpt: not weights of net: 2 missing (1.weight, 1.bias); 1 unexpected (head.weight); "
        "1 of another shape (0.bias) of 4 expected"
    )


def test_untrained_weights_are_the_same_each_time_and_leave_the_generator_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, second = build_seeded(_network), build_seeded(_network)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.state_dict()["0.weight"], second.state_dict()["0.weight"])
