from __future__ import annotations

import pickle
from collections import Counter
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.pairs.stream import RenderedPairs, Sample
from tests.synth.posing_head import PosingHead

TENSORS = ("image1", "image2", "flow_facial", "flow_head", "mask", "occluded", "region")


@pytest.fixture(scope="module")
def toy() -> PosingHead:
    return PosingHead()


def stream(toy: PosingHead, **changed: Any) -> RenderedPairs:
    return RenderedPairs(
        **{"head": toy, "size": 48, "people": 2, "pairs_per_person": 3, "texture_size": 128, **changed}
    )


def same(a: Sample, b: Sample) -> bool:
    return (a["index"], a["seed"]) == (b["index"], b["seed"]) and all(torch.equal(a[name], b[name]) for name in TENSORS)


def test_shapes_types_and_meaning(toy: PosingHead) -> None:
    sample = stream(toy, size=(40, 48)).sample(3)
    assert sample["image1"].shape == sample["image2"].shape == (3, 40, 48)
    assert sample["image1"].dtype == torch.uint8
    assert sample["flow_facial"].shape == sample["flow_head"].shape == (2, 40, 48)
    assert sample["flow_facial"].dtype == torch.float32
    assert sample["mask"].dtype == sample["occluded"].dtype == torch.bool
    assert sample["mask"].any()
    assert not sample["flow_facial"][:, ~sample["mask"]].any()
    assert torch.equal(sample["region"] > 0, sample["mask"])


def test_a_sample_depends_on_seed_and_index_alone(toy: PosingHead) -> None:
    first = stream(toy)
    taken = [first.sample(index) for index in (7, 0, 13)]
    again = stream(toy)
    assert all(same(again.sample(sample["index"]), sample) for sample in reversed(taken))
    assert not torch.equal(stream(toy, seed=1).sample(7)["image1"], taken[0]["image1"])
    assert not torch.equal(taken[1]["image1"], first.sample(1)["image1"])


def test_the_jaw_counts_to_what_is_asked_for(toy: PosingHead) -> None:
    kept, moved = stream(toy), stream(toy, jaw="pose")
    head_flows_differ = False
    for index in range(6):
        one, other = kept.sample(index), moved.sample(index)
        assert torch.equal(one["image2"], other["image2"])
        assert torch.equal(one["flow_facial"], other["flow_facial"])
        head_flows_differ |= not torch.equal(one["flow_head"], other["flow_head"])
    assert head_flows_differ


@pytest.mark.parametrize("workers", [1, 2])
def test_the_order_is_the_same_whatever_the_number_of_workers(toy: PosingHead, workers: int) -> None:
    alone = list(stream(toy, count=7))
    assert [sample["index"] for sample in alone] == list(range(7))
    # Spawned as in training: a fork of a process whose kernels have threads by now can hang.
    loader: DataLoader[Any] = DataLoader(
        stream(toy, count=7, block=2), batch_size=2, num_workers=workers, multiprocessing_context="spawn"
    )
    batches = list(loader)
    assert [len(batch["index"]) for batch in batches] == [2, 2, 2, 1]
    joined = {name: torch.cat([batch[name] for batch in batches]) for name in (*TENSORS, "index", "seed")}
    for name in TENSORS:
        assert torch.equal(joined[name], torch.stack([sample[name] for sample in alone])), name
    assert joined["seed"].tolist() == [sample["seed"] for sample in alone]


def test_a_run_goes_on_where_it_stopped(toy: PosingHead) -> None:
    whole = list(islice(stream(toy), 9))
    rest = list(islice(stream(toy, start=5, block=2), 4))
    assert all(same(a, b) for a, b in zip(whole[5:], rest, strict=True))


def test_shards_share_the_stream(toy: PosingHead) -> None:
    parts = [[s["index"] for s in stream(toy, count=11, block=2, shard=(i, 3))] for i in range(3)]
    assert parts == [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10]]


def test_each_person_comes_as_often_and_then_no_more(toy: PosingHead, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = stream(toy)
    persons = [id(pairs._person(index)[0]) for index in range(6)]
    assert sorted(Counter(persons).values()) == [3, 3]
    assert len(pairs._cast) == 2
    before = set(pairs._cast)
    for index in range(6, 12):
        pairs._person(index)
    assert len(pairs._cast) == 2
    assert not before & set(pairs._cast)


def test_motion_scales_are_mixed_as_told(toy: PosingHead) -> None:
    assert {stream(toy, scales={20: 1.0}).sample(i)["frames"] for i in range(4)} == {20}
    found = Counter(sample["frames"] for sample in islice(stream(toy, size=16, scales={5: 3, 10: 1}), 60))
    assert set(found) == {5, 10}
    assert 30 < found[5] < 56
    # The same motion in fewer steps makes longer steps.
    fast, slow = (
        np.mean([float(stream(toy, scales={n: 1}).sample(i)["flow_facial"].abs().mean()) for i in range(6)])
        for n in (2, 20)
    )
    assert fast > 8 * slow


def test_pairs_may_start_anywhere(toy: PosingHead) -> None:
    plain, mixed, loose = (stream(toy, arbitrary_start=share) for share in (0.0, 0.5, 1.0))
    assert {loose.sample(index)["frames"] for index in range(6)} == {0}
    assert 0 < sum(mixed.sample(index)["frames"] == 0 for index in range(12)) < 12
    assert all(same(stream(toy).sample(index), plain.sample(index)) for index in range(3))
    lengths = [float(loose.sample(index)["flow_facial"].norm(dim=0).max()) for index in range(24)]
    assert max(lengths) > 10 * min(lengths)


def test_the_head_of_a_calm_pair_makes_a_part_of_its_motion(toy: PosingHead) -> None:
    """The rest of the pair, and its expression, stay as they were."""
    shares = []
    for index in range(12):
        plain, calm = (stream(toy, head_motion_damping=share).sample(index) for share in (0.0, 1.0))
        assert torch.equal(plain["image1"], calm["image1"])
        head, less = (float(pair["flow_head"].norm(dim=0).sum()) for pair in (plain, calm))
        expressions = [float((pair["flow_facial"] - pair["flow_head"]).norm(dim=0).sum()) for pair in (plain, calm)]
        assert expressions[1] == pytest.approx(expressions[0], rel=0.25)
        shares.append(less / head)
    assert max(shares) < 1.01
    assert min(shares) < 0.3
    assert np.mean(shares) == pytest.approx(0.5, abs=0.2)


def test_texture_coordinates_when_asked_for(toy: PosingHead) -> None:
    plain, surface = stream(toy).sample(1), stream(toy, surface=True).sample(1)
    assert "uv" not in plain
    assert same(plain, surface)
    assert surface["uv"].shape == (2, 48, 48)
    assert not surface["uv"][:, ~surface["mask"]].any()
    assert 0 <= surface["uv"].min() <= surface["uv"].max() <= 1


def test_only_the_description_is_pickled(toy: PosingHead) -> None:
    pairs = stream(toy)
    pairs.sample(0)
    copy = pickle.loads(pickle.dumps(pairs))
    assert not copy._cast
    assert same(copy.sample(0), pairs.sample(0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": -1},
        {"count": -1},
        {"block": 0},
        {"people": 0},
        {"shard": (2, 2)},
        {"scales": {}},
        {"scales": {1: 1.0}},
        {"arbitrary_start": 1.5},
        {"head_motion_damping": -0.5},
    ],
)
def test_wrong_numbers_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        RenderedPairs(**wrong)


@pytest.mark.assets
def test_the_real_head_is_the_default(head: MakeHumanHead) -> None:
    given = next(iter(RenderedPairs(size=64, texture_size=128, head=head)))
    assert same(next(iter(RenderedPairs(size=64, texture_size=128))), given)
    expression = given["flow_facial"] - given["flow_head"]
    assert torch.equal(given["flow_head"] + expression, given["flow_facial"])
