"""The stream of training samples: from the face engine, layered photographs and FFN, mixed and augmented.

Sample k of a stream follows from its seed and k alone, so that a run goes on where it stopped, and any number of
workers gives the same batches. Processes take a batch each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import IterableDataset

from ffbench.datasets.ffn import scan as ffn
from ffbench.datasets.ffn.files import read_pair
from ffbench.errors import DataError
from ffbench.flow.checks import UNKNOWN, is_known
from ffbench.synth.pairs.layers import collage, layered_pair, load_photos
from ffbench.synth.pairs.stream import RenderedPairs, worker_indices
from ffbench.synth.scenes.background import FloatImage, sample_background
from ffbench.training.augment import LabeledPair, augment
from ffbench.training.recipe import SourceName, Stage
from ffbench.typing import FlowField

Batch = dict[str, torch.Tensor]
DENSE_LABELS = frozenset({"region", "depth", "uv"})
"""Labels of image 1 that a stage's losses may ask for."""
MAKES_SPLITS = (
    "; `ffbench generate --out FOLDER --identities 20` makes a dataset with the splits train, test and val, and "
    "`--data synth` renders faces while training"
)
"""What is said of a dataset without the split that training or validation wants."""
# Full motion, and the steps of FFN's sequences.
_SCALES = {2: 3.0, 3: 1.0, 5: 1.0, 10: 1.0, 15: 0.5, 20: 0.5}


class TrainingPairs(IterableDataset[Batch]):
    """An endless stream of augmented samples of one stage.

    Gives mappings, for crops of (H, W):

    - `image1`, `image2`: (3, H, W) uint8 RGB
    - `facial`, `head`: (2, H, W) float32, forward, px; where they are not known, `facial` is `UNKNOWN`, which no loss
      counts (`in_range`), and `head` zero
    - `head_valid`: (H, W) bool, where both are known
    - of `labels` those that are asked for, zero where they are not known: `region` (H, W) uint8, `depth` (H, W)
      float32 in dm, `uv` (2, H, W) float32
    - `index`: () int64
    """

    def __init__(
        self,
        stage: Stage,
        seed: int,
        *,
        data: Path | None = None,
        photos: Path | None = None,
        start: int = 0,
        shard: tuple[int, int] = (0, 1),
        labels: frozenset[str] = frozenset(),
        complete: Callable[[Batch], Batch] | None = None,
    ) -> None:
        """Describe the stream; photographs are read and heads made at the first sample.

        Args:
            stage: its sources, sizes and augmentation.
            seed: another seed, another stream.
            data: FFN, or a dataset in its layout, for the source `faces`; None renders them.
            photos: folder of photographs for the source `layers`; None takes the asset.
            start: index of the first sample.
            shard: (i, n): this is process i of n that share the stream.
            labels: further dense labels of image 1, of `DENSE_LABELS`.
            complete: adds to a sample what the network needs beside it; the workers do it. None for nothing.

        Raises:
            DataError: `data` holds no training pairs; the message says which command makes some.
        """
        super().__init__()
        self.stage, self.seed, self.start, self.shard, self.labels = stage, seed, start, shard, labels
        self._complete = complete
        self._names = [name for name, weight in stage.data.items() if weight > 0]
        weights = np.array([stage.data[name] for name in self._names], np.float64)
        self._shares = weights / weights.sum()
        self._photos = _Photos(photos)
        self._faces = RenderedPairs(
            seed=seed,
            size=stage.render,
            scales=_SCALES,
            arbitrary_start=stage.arbitrary_start,
            head_motion_damping=stage.head_motion_damping,
            backdrop=_Backdrops(self._photos, stage.cluttered) if stage.cluttered else None,
            surface="uv" in labels,
            jaw=stage.jaw,
        )
        # Only the engine knows what a face-semantic encoder is trained on.
        self._ffn = () if data is None or "uv" in labels else _training_pairs(data)
        self._makers: dict[SourceName, Callable[[int], LabeledPair]] = {
            "faces": self._ffn_pair if self._ffn else self._face,
            "layers": self._layered,
        }

    def __iter__(self) -> Iterator[Batch]:
        for index in worker_indices(self.start, None, self.stage.batch, self.shard):
            yield self.sample(index)

    def sample(self, index: int) -> Batch:
        """Make the sample of an index: always the same one, here and in every worker.

        Raises:
            DataError: data of the engine, photographs or files cannot be read.
        """
        rng = np.random.default_rng([self.seed, 500, index])
        name = self._names[int(rng.choice(len(self._names), p=self._shares))]
        pair = augment(self._makers[name](index), self.stage.augmentation, self.stage.crop, rng)
        facial, head, known = _known_flows(pair)
        sample = {
            "image1": _channels_first(pair.image1),
            "image2": _channels_first(pair.image2),
            "facial": _channels_first(facial),
            "head": _channels_first(head),
            "head_valid": torch.from_numpy(known),
            "index": torch.tensor(index),
        }
        if "region" in self.labels:
            sample["region"] = _plane(pair.region, known.shape, np.uint8)
        if "depth" in self.labels:
            sample["depth"] = _plane(pair.depth, known.shape, np.float32)
        if "uv" in self.labels:
            sample["uv"] = _channels_first(np.zeros_like(pair.facial) if pair.uv is None else pair.uv)
        return sample if self._complete is None else self._complete(sample)

    def _face(self, index: int) -> LabeledPair:
        made = self._faces.sample(index)
        image1, image2, facial, head = (
            _channels_last(made[key]) for key in ("image1", "image2", "flow_facial", "flow_head")
        )
        return LabeledPair(
            image1,
            image2,
            facial,
            head,
            region=made["region"].numpy() if "region" in self.labels else None,
            uv=_channels_last(made["uv"]) if "uv" in self.labels else None,
            depth=made["depth"].numpy() if "depth" in self.labels else None,
        )

    def _layered(self, index: int) -> LabeledPair:
        rng = np.random.default_rng([self.seed, 501, index])
        pair = layered_pair(rng, self.stage.render, self.stage.render, self._photos.read())
        return LabeledPair(pair.image1, pair.image2, pair.flow)

    def _ffn_pair(self, index: int) -> LabeledPair:
        epoch, place = divmod(index, len(self._ffn))
        order = np.random.default_rng([self.seed, 502, epoch]).permutation(len(self._ffn))
        arrays = read_pair(self._ffn[int(order[place])])
        head = None if arrays.head is None else _with_nan(arrays.head)
        return LabeledPair(arrays.image1, arrays.image2, _with_nan(arrays.facial), head)


class _Photos:
    """Photographs, read when the first is asked for: not before a worker has started."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._read: list[npt.NDArray[np.uint8]] | None = None

    def read(self) -> list[npt.NDArray[np.uint8]]:
        if self._read is None:
            self._read = load_photos(self._folder)
        return self._read


@dataclass(frozen=True)
class _Backdrops:
    """Draws cut-outs of photographs for a share of the people, and painted rooms for the others."""

    photos: _Photos
    share: float

    def __call__(self, rng: np.random.Generator, height: int, width: int) -> FloatImage:
        if rng.random() < self.share:
            return collage(rng, height, width, self.photos.read())
        return sample_background(rng, height, width)


def _with_nan(flow: FlowField) -> FlowField:
    """Mark what is not known by NaN: all that augmentation mixes it with is not known either."""
    return np.where(is_known(flow)[..., None], flow, np.float32(np.nan))


def _known_flows(pair: LabeledPair) -> tuple[FlowField, FlowField, npt.NDArray[np.bool_]]:
    """Return facial and head flow without NaN, and where both are known."""
    known = is_known(pair.facial)
    facial = np.where(known[..., None], pair.facial, np.float32(UNKNOWN))
    if pair.head is None:
        return facial, np.zeros_like(facial), np.zeros_like(known)
    known &= is_known(pair.head)
    return facial, np.where(known[..., None], pair.head, np.float32(0)), known


def _plane(array: npt.NDArray[Any] | None, shape: tuple[int, ...], dtype: type[np.generic]) -> torch.Tensor:
    """Return a label (H, W), zero where it is not known."""
    return torch.from_numpy(np.zeros(shape, dtype) if array is None else np.ascontiguousarray(array))


def _channels_first(array: npt.NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def _channels_last(tensor: torch.Tensor) -> npt.NDArray[Any]:
    return np.asarray(tensor.permute(1, 2, 0).numpy())


def _training_pairs(data: Path) -> tuple[ffn.FFNPair, ...]:
    try:
        return ffn.scan(data, "train", head=True).pairs
    except DataError as error:
        raise error.plus(MAKES_SPLITS) from error
