"""Labelled pairs rendered on the fly, for training: no disk, and no pair twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import IterableDataset, get_worker_info

from ffbench.datasets.mark import JawReading
from ffbench.synth.heads.flame import FlameHead
from ffbench.synth.heads.head import HeadModel
from ffbench.synth.motion.expressions import Frame, sequence
from ffbench.synth.pairs.recipe import LENGTHS, flame_target
from ffbench.synth.render.sensor import sample_sensor
from ffbench.synth.render.surface import texture_coordinates
from ffbench.synth.scenes.background import FloatImage
from ffbench.synth.scenes.image_folder import ImageFolder
from ffbench.synth.scenes.scene import (
    Person,
    RenderedPair,
    Scene,
    render_pair,
    sample_backdrop,
    sample_camera,
    sample_frame,
    sample_light,
    sample_person,
)
from ffbench.threads import limit

Sample = dict[str, Any]

EQUAL_SCALES: Mapping[int, float] = dict.fromkeys(LENGTHS, 1.0)
"""Each motion scale equally often. With {5: 4, 10: 9, 15: 14, 20: 19} they come as often as in FFN."""

Backdrop = Callable[[np.random.Generator, int, int], FloatImage]
"""Draws a background (H, W, 3) in linear RGB, given chance, height and width."""


class RenderedPairs(IterableDataset[Sample]):
    """A stream of pairs, each a function of the seed and its index alone.

    Gives mappings, for images of (H, W):

    - `image1`, `image2`: (3, H, W) uint8 RGB
    - `flow_facial`, `flow_head`: (2, H, W) float32, forward, in px; expression flow is their difference, exactly
    - `mask`: (H, W) bool, where the bust is in image 1; elsewhere the flow is zero
    - `occluded`: (H, W) bool, what image 2 does not show
    - `region`: (H, W) uint8, values of `ffbench.synth.heads.head.Region`
    - `depth`: (H, W) float32, planar depth in dm, 0 where there is only background
    - `uv`, when `surface` is asked for: (2, H, W) float32, texture coordinates of the skin in image 1, else zero
    - `index`: int, `dataset.sample(index)` makes the pair again; `seed`: int, of its scene; `frames`: int, the pair
      is two consecutive frames of a sequence of that length (motion scale 1/frames), 0 for a pair of `arbitrary_start`

    With a `DataLoader` of `batch_size=block` the order too is the same whatever `num_workers` is, and a run that has
    taken k pairs goes on with `start=k`. A few people are in the stream at a time, in random order, each for
    `pairs_per_person` pairs before one background of their own; light, camera, expression, pose, motion scale and
    sensor are new in every pair.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        size: int | tuple[int, int] = 256,
        start: int = 0,
        count: int | None = None,
        block: int = 1,
        shard: tuple[int, int] = (0, 1),
        scales: Mapping[int, float] = EQUAL_SCALES,
        people: int = 16,
        pairs_per_person: int = 32,
        texture_size: int = 512,
        head: HeadModel | None = None,
        textures: ImageFolder | None = None,
        backgrounds: ImageFolder | None = None,
        backdrop: Backdrop | None = None,
        arbitrary_start: float = 0.0,
        head_motion_damping: float = 0.0,
        surface: bool = False,
        jaw: JawReading = "expression",
    ) -> None:
        """Describe the stream; nothing is loaded before the first pair.

        Args:
            seed: another seed, another stream.
            size: height and width of the images, or one number for both.
            start: index of the first pair.
            count: how many pairs; None never ends.
            block: batch size of the loader. Workers, and shards, take blocks in turn.
            shard: (i, n): this is process i of n that share the stream.
            scales: how often sequences of how many frames come up; at least two frames.
            people: how many are in the stream at a time. Each worker keeps them in memory.
            pairs_per_person: of each before new people come.
            texture_size: height and width of the skin's texture.
            head: the head model; None is the MakeHuman head.
            textures: skins to draw from (`list_textures`); None paints them.
            backgrounds: photographs to cut backgrounds from (`list_backgrounds`); None paints them.
            backdrop: draws backgrounds in place of `backgrounds`; goes to the workers.
            arbitrary_start: share of the pairs that do not start from rest: two moments on the way from one expression
                and pose to another, any time apart. FFN has none; a network that is to serve real clips needs them.
            head_motion_damping: share of the pairs whose head makes only a part of its motion, drawn evenly from none
                to all of it.
                Else nearly all of facial flow is head flow, and a network learns little of expressions.
            surface: whether texture coordinates are wanted.
            jaw: how the head flow reads Eq. 4: the jaw stays with the expression, or goes with the pose as in FFN.

        Raises:
            ValueError: a number that is out of range.
        """
        super().__init__()
        if start < 0 or (count is not None and count < 0) or min(block, people, pairs_per_person) < 1:
            raise ValueError("start and count must be 0 or more, block, people and pairs_per_person 1 or more")
        if not 0 <= shard[0] < shard[1]:
            raise ValueError(f"shard must be (i, n) with 0 <= i < n, got {shard}")
        if not scales or min(scales) < 2 or min(scales.values()) < 0 or sum(scales.values()) <= 0:
            raise ValueError(f"scales must be weights of sequences of two frames or more, got {dict(scales)}")
        self.seed, self.start, self.count, self.block, self.shard = seed, start, count, block, shard
        self.height, self.width = (size, size) if isinstance(size, int) else size
        self.people, self.pairs_per_person, self.texture_size = people, pairs_per_person, texture_size
        self._lengths = list(scales)
        self._weights = np.array([scales[length] for length in self._lengths], np.float64) / sum(scales.values())
        for name, share in (("arbitrary_start", arbitrary_start), ("head_motion_damping", head_motion_damping)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must be a share from 0 to 1, got {share}")
        self.arbitrary_start, self.head_motion_damping = arbitrary_start, head_motion_damping
        self.surface, self.jaw = surface, jaw
        self._head, self._textures, self._backgrounds, self._backdrop = head, textures, backgrounds, backdrop
        self._cast: OrderedDict[int, tuple[Person, FloatImage]] = OrderedDict()
        self._turns: tuple[int, npt.NDArray[np.int64]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # To a worker goes what describes the stream, not the people that were made already.
        return {**self.__dict__, "_cast": OrderedDict(), "_turns": None}

    def __iter__(self) -> Iterator[Sample]:
        for index in worker_indices(self.start, self.count, self.block, self.shard):
            yield self.sample(index)

    def sample(self, index: int) -> Sample:
        """Render the pair of an index: always the same one, here and in every worker.

        Raises:
            DataError: the head data, a texture or a background cannot be had.
        """
        person, background = self._person(index)
        rng = np.random.default_rng([self.seed, 401, index])
        frames = int(rng.choice(self._lengths, p=self._weights))
        first = int(rng.integers(frames - 1))
        scene = Scene(
            person=person,
            light=sample_light(rng),
            camera=sample_camera(rng, person.head, self.height, self.width),
            background=background,
            sensor=sample_sensor(rng),
            seed=int(rng.integers(2**31)),
        )
        target = _target(rng, person)
        if self.arbitrary_start and rng.random() < self.arbitrary_start:
            frames = 0
            frame1, frame2 = _two_moments(rng, target, _target(rng, person))
        else:
            frame1, frame2 = sequence(target, np.array([first, first + 1]) / (frames - 1))
        if self.head_motion_damping and rng.random() < self.head_motion_damping:
            frame2 = Frame(frame2.expression, frame1.towards(frame2, rng.random()).pose)
        pair = render_pair(scene, frame1, frame2, jaw=self.jaw)
        sample = {**_tensors(pair), "index": index, "seed": scene.seed, "frames": frames}
        if self.surface:
            seen = pair.frame1
            sample["uv"] = _channels_first(texture_coordinates(person.head.topology, seen.projected, seen.seen))
        return sample

    def _person(self, index: int) -> tuple[Person, FloatImage]:
        """Return who the pair of an index shows, and before what."""
        stretch, place = divmod(index, self.people * self.pairs_per_person)
        if self._turns is None or self._turns[0] != stretch:
            order = np.random.default_rng([self.seed, 400, stretch]).permutation(self.people * self.pairs_per_person)
            self._turns = stretch, order % self.people
        number = stretch * self.people + int(self._turns[1][place])
        if number not in self._cast:
            if self._head is None:
                from ffbench.synth.heads.makehuman import load_makehuman

                self._head = load_makehuman()
            rng = np.random.default_rng([self.seed, 402, number])
            person = sample_person(self._head, int(rng.integers(2**31)), self.texture_size, self._textures)
            if self._backdrop is None:
                background = sample_backdrop(rng, self.height, self.width, self._backgrounds)
            else:
                background = self._backdrop(rng, self.height, self.width)
            self._cast[number] = person, background
            if len(self._cast) > self.people:
                self._cast.popitem(last=False)
        self._cast.move_to_end(number)
        return self._cast[number]


def worker_indices(start: int, count: int | None, block: int, shard: tuple[int, int] = (0, 1)) -> Iterator[int]:
    """Return the indices of a stream that fall to this worker of a `DataLoader`, in this process of several.

    Args:
        start: the first index of the stream.
        count: how many the stream has; None never ends.
        block: batch size of the loader. Workers, and shards, take blocks in turn, so that batches are the same
            whatever the number of workers.
        shard: (i, n): this is process i of n that share the stream.
    """
    worker = get_worker_info()
    number, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
    if worker is not None:
        limit(1)  # OpenCV's threads do not survive a fork, and the workers share the cores
    end = None if count is None else start + count
    part, parts = shard
    turn = number
    while True:
        first = start + (turn * parts + part) * block
        if end is not None and first >= end:
            return
        yield from range(first, first + block if end is None else min(first + block, end))
        turn += workers


def _target(rng: np.random.Generator, person: Person) -> Frame:
    return flame_target(rng, person.head) if isinstance(person.head, FlameHead) else sample_frame(rng, person)


def _two_moments(rng: np.random.Generator, start: Frame, end: Frame) -> tuple[Frame, Frame]:
    """Return two frames on the straight way from `start` to `end`, 3 % of it to all of it apart."""
    apart = float(np.exp(rng.uniform(np.log(0.03), 0)))
    first = float(rng.uniform(0, 1 - apart))
    return start.towards(end, first), start.towards(end, first + apart)


def _tensors(pair: RenderedPair) -> dict[str, torch.Tensor]:
    labels = pair.labels
    return {
        "image1": _channels_first(pair.frame1.image),
        "image2": _channels_first(pair.frame2.image),
        "flow_facial": _channels_first(labels.facial),
        "flow_head": _channels_first(labels.head),
        "mask": torch.from_numpy(labels.mask),
        "occluded": torch.from_numpy(labels.occlusion),
        "region": torch.from_numpy(labels.region),
        "depth": torch.from_numpy(labels.depth),
    }


def _channels_first(array: npt.NDArray[Any]) -> torch.Tensor:
    import cv2

    planes = np.empty((array.shape[2], *array.shape[:2]), array.dtype)
    cv2.split(array, list(planes))  # several times as fast as a transposed copy
    return torch.from_numpy(planes)
