from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ffbench.errors import DataError
from ffbench.flow.formats.flo import write_flo
from ffbench.training import samples
from ffbench.training.average import RunningAverage
from ffbench.training.loss import in_range
from ffbench.training.samples import TrainingPairs
from tests.datasets.ffn_folder import add_sequence, facial_flow, head_flow
from tests.training.toy import recipe

pytestmark = pytest.mark.usefixtures("made_pairs")


def stage(**changed: Any) -> Any:
    return recipe().stages[0].model_copy(update=changed)


def test_rendered_faces_read_the_jaw_as_the_stage_says() -> None:
    assert TrainingPairs(stage(), 0)._faces.jaw == "expression"
    assert TrainingPairs(stage(jaw="pose"), 0)._faces.jaw == "pose"


def test_a_share_of_the_people_stands_before_photographs(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []

    def photos(folder: object) -> list[np.ndarray]:
        read.append(folder)
        return [np.full((80, 80, 3), 90, np.uint8)]

    monkeypatch.setattr(samples, "load_photos", photos)
    monkeypatch.setattr(samples, "collage", lambda rng, height, width, photos: np.zeros((height, width, 3), np.float32))
    assert TrainingPairs(stage(), 0)._faces._backdrop is None
    pairs = TrainingPairs(stage(cluttered=0.6), 0)
    copy = pickle.loads(pickle.dumps(pairs))  # as it goes to a worker
    assert not read
    for stream in (pairs, copy):
        draw = stream._faces._backdrop
        assert draw is not None
        drawn = [draw(np.random.default_rng(seed), 16, 24) for seed in range(200)]
        assert all(background.shape == (16, 24, 3) for background in drawn)
        assert sum(not background.any() for background in drawn) == pytest.approx(120, abs=25)
    assert len(read) == 2  # once each


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_a_sample_follows_from_seed_and_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "load_photos", lambda folder: [np.full((80, 80, 3), 90, np.uint8)])
    mixed = stage(data={"faces": 1.0, "layers": 1.0})
    pairs, again = TrainingPairs(mixed, 3), TrainingPairs(mixed, 3)
    taken = [pairs.sample(index) for index in range(8)]
    assert all(same(again.sample(index), taken[index]) for index in (7, 2, 0))
    assert not same(TrainingPairs(mixed, 4).sample(0), taken[0])
    known = [bool(sample["head_valid"].all()) for sample in taken]
    assert set(known) == {True, False}
    for sample, has_head in zip(taken, known, strict=True):
        assert sample["image1"].shape == (3, 64, 64)
        assert sample["facial"].dtype == torch.float32
        assert bool(sample["head_valid"].any()) == has_head
        assert has_head or not sample["head"].any()


def test_a_stream_goes_on_where_it_stopped_and_is_shared_out() -> None:
    whole = iter(TrainingPairs(stage(), 0))
    indices = [int(next(whole)["index"]) for _ in range(8)]
    assert indices == list(range(8))
    later = iter(TrainingPairs(stage(), 0, start=4))
    assert int(next(later)["index"]) == 4
    shares = [iter(TrainingPairs(stage(), 0, shard=(part, 2))) for part in (0, 1)]
    assert [[int(next(share)["index"]) for _ in range(4)] for share in shares] == [[0, 1, 4, 5], [2, 3, 6, 7]]


def test_workers_give_the_same_batches() -> None:
    def first(workers: int) -> list[int]:
        # As in training: a fork of a process with threads may never end.
        spawn = "spawn" if workers else None
        loader: Any = DataLoader(
            TrainingPairs(stage(), 0), batch_size=2, num_workers=workers, multiprocessing_context=spawn
        )
        batches = iter(loader)
        return [int(index) for _ in range(3) for index in next(batches)["index"]]

    assert first(0) == first(2)


def test_surface_labels_when_asked_for() -> None:
    sample = TrainingPairs(stage(), 0, labels=frozenset({"region", "uv"})).sample(0)
    assert sample["region"].shape == (64, 64)
    assert sample["uv"].shape == (2, 64, 64)


def test_faces_of_a_folder(tmp_path: Path) -> None:
    add_sequence(tmp_path, "happy/0001", 5, split="train")
    pairs = TrainingPairs(stage(), 0, data=tmp_path)
    seen = [pairs.sample(index) for index in range(3)]
    assert all(sample["facial"].shape == (2, 64, 64) for sample in seen)
    with pytest.raises(DataError, match="no such folder"):
        TrainingPairs(stage(), 0, data=tmp_path / "none")


def test_labels_that_are_not_known_everywhere(tmp_path: Path) -> None:
    """A pixel that is not known, or was mixed with one, is in no loss; all others are as if all were known."""
    add_sequence(tmp_path / "known", "happy/0001", 5, split="train")
    add_sequence(tmp_path / "holes", "happy/0001", 5, split="train")
    for number in range(1, 5):
        for part, flow, unknown in (("facial", facial_flow(number), np.nan), ("head", head_flow(number), 1e10)):
            flow[4:9, 6:12], flow[20, 3] = unknown, unknown
            write_flo(tmp_path / f"holes/flow/{part}/train/happy/0001/{number:04d}.flo", flow)
    known, holes = (TrainingPairs(stage(), 0, data=tmp_path / name) for name in ("known", "holes"))
    lost = 0
    for index in range(4):
        expected, sample = known.sample(index), holes.sample(index)
        counted = in_range(sample["facial"][None])[0]
        np.testing.assert_array_equal(counted.numpy(), sample["head_valid"].numpy())
        assert expected["head_valid"].all()
        for name in ("facial", "head"):
            assert torch.isfinite(sample[name]).all()
            kept = counted.expand(2, -1, -1)
            np.testing.assert_array_equal(sample[name][kept].numpy(), expected[name][kept].numpy())
        lost += int((~counted).sum())
    assert lost > 0


def test_the_running_average() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    values = [0.0, 1.0, 2.0, 4.0]
    network.weight.data.fill_(values[0])
    average = RunningAverage(network, 0.9)
    expected = values[0]
    for step, value in enumerate(values[1:], start=1):
        network.weight.data.fill_(value)
        average.update()
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    with average.applied():
        assert network.weight.item() == pytest.approx(expected)
    assert network.weight.item() == 4.0
    other = RunningAverage(network, 0.9)
    other.load(average.state())
    other.apply()
    assert network.weight.item() == pytest.approx(expected)


def test_data_without_a_train_split_says_which_command_makes_one(tmp_path: Path) -> None:
    for part in ("image/facial/test", "flow", "mask"):
        (tmp_path / part).mkdir(parents=True)
    with pytest.raises(DataError, match=r"train.*`ffbench generate --out FOLDER --identities 20` makes a dataset with"):
        TrainingPairs(stage(), 0, data=tmp_path)
