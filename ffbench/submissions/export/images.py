"""The images of a protocol without its labels: what a participant has where the labels stay with the scorer.

manifest.json            the cards of protocol and dataset, and the size of every pair's images
images/KEY_1.png, _2     the two images of a pair
pairs.csv, README.md     the same for those who do without ffbench: where each flow belongs, its axes, sign and unit
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image as PillowImage
from pydantic import BaseModel, ConfigDict

from ffbench.datasets.images import image_size, read_image
from ffbench.errors import DataError, UsageError
from ffbench.evaluation.batches import read_ahead
from ffbench.io import atomic
from ffbench.io.json_models import read_model
from ffbench.io.locks import own_folder
from ffbench.protocol import DatasetCard, NumpyFlows, Pair, PairScore, Progress, Protocol, ProtocolCard
from ffbench.submissions.export.notes import PAIRS, README, image_name, pairs_csv, readme
from ffbench.submissions.manifest import file_stem
from ffbench.typing import Image

MANIFEST = "manifest.json"
_MARK = ".ffbench-export"
"""Names the export that fills a folder, until it is whole."""
_AHEAD = 4
_MAX_MANIFEST_BYTES = 2**28


class _Export(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: ProtocolCard
    dataset: DatasetCard
    backward: bool
    pairs: dict[str, tuple[int, int]]


class ProtocolImages(Protocol[None]):
    """Pairs of a protocol that can be predicted and validated, but not scored."""

    def __init__(self, root: Path) -> None:
        """Read the manifest of an exported folder.

        Raises:
            DataError: it cannot be read or is damaged, or a pair is named as no file can be.
        """
        found = read_model(
            root / MANIFEST,
            _Export,
            _MAX_MANIFEST_BYTES,
            kind="any manifest",
            wrong="is not what `ffbench export` writes",
        )
        self.root, self._pairs = root, found.pairs
        self.card, self.dataset, self.needs_backward = found.protocol, found.dataset, found.backward
        for key in self._pairs:
            file_stem("facial", key)

    def keys(self) -> Sequence[str]:
        """Name every pair, as the protocol does."""
        return list(self._pairs)

    def load(self, key: str) -> Pair[None]:
        """Read the two images of a pair.

        Raises:
            DataError: an image is missing, damaged or of another size than the manifest says.
        """
        images = []
        for number in (1, 2):
            path = _image_path(self.root, key, number)
            images.append(read_image(path, self._pairs[key]))
        return Pair(key, images[0], images[1], None)

    def score(self, pair: Pair[None], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        """Refuse: there are no labels.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{self.root}: has images only; predictions are scored where the labels are")


def is_export(root: Path | str) -> bool:
    """Tell whether a folder is one that `export_images` wrote."""
    return (Path(root) / MANIFEST).is_file()


def export_images(protocol: Protocol[Any], out: Path | str, progress: Progress | None = None) -> int:
    """Write the images of all pairs, without anything of their labels, for those who make predictions.

    An export that was interrupted goes on where it stopped.

    Returns:
        The number of pairs.

    Raises:
        UsageError: another process is writing to `out`.
        DataError: `out` is there and neither an empty folder nor an unfinished export of the same, a pair cannot be
            read or cannot be a file's name, or `out` cannot be written.
    """
    out = Path(out)
    keys = list(protocol.keys())
    # Facts are measured properties, which may be those of the labels.
    dataset = protocol.dataset.model_copy(update={"facts": {}})
    content = _Export(protocol=protocol.card, dataset=dataset, backward=protocol.needs_backward, pairs={})
    run = hashlib.sha256(f"{content.model_dump_json()} {keys}".encode()).hexdigest()
    with own_folder(out, _MARK, f"{run}\n", "holds images of another protocol, dataset or version"):
        sizes = _write_images(protocol, keys, out, progress)
        atomic.write_text(out / PAIRS, pairs_csv(sizes, protocol.needs_backward))
        atomic.write_text(out / README, readme(protocol.card, dataset, len(sizes), protocol.needs_backward))
        whole = content.model_copy(update={"pairs": sizes})
        atomic.write_text(out / MANIFEST, whole.model_dump_json(indent=1) + "\n")
        (out / _MARK).unlink()
    return len(sizes)


def _png(image: Image) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(image).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _write_images(
    protocol: Protocol[Any], keys: Sequence[str], out: Path, progress: Progress | None
) -> dict[str, tuple[int, int]]:
    """Write the images that are not there yet; give (H, W) of all pairs in the order of `keys`."""
    sizes: dict[str, tuple[int, int]] = {}
    for key in keys:
        file_stem("facial", key)
        paths = [_image_path(out, key, number) for number in (1, 2)]
        if all(path.is_file() for path in paths):
            width, height = image_size(paths[0])
            sizes[key] = (height, width)
    problems: list[str] = []
    for pair in read_ahead(protocol, [key for key in keys if key not in sizes], _AHEAD, problems):
        for number, image in enumerate((pair.image1, pair.image2), start=1):
            atomic.write_bytes(_image_path(out, pair.key, number), _png(image))
        sizes[pair.key] = (pair.image1.shape[0], pair.image1.shape[1])
        if progress:
            progress(len(sizes) + len(problems), len(keys))
    if problems:
        raise DataError(protocol.dataset.name, f"{len(problems)} pairs cannot be read; the first: {problems[0]}")
    if not sizes:
        raise DataError(protocol.dataset.name, "no pairs to export")
    return {key: sizes[key] for key in keys}


def _image_path(root: Path, key: str, number: int) -> Path:
    return root / image_name(key, number)
