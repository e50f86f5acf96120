"""FacialFlowNet (FFN) in the layout in which it is distributed: pairs of files by name, never by position in a list.

    image/facial/<split>/<emotion>/<subject>/<frame>.jpg    n frames, n = 5, 10, 15 or 20
    flow/facial/<split>/<emotion>/<subject>/<frame>.flo     n - 1 flows, from the frame to the next
    flow/head/<split>/<emotion>/<subject>/<frame>.flo       n - 1 head flows
    mask/<split>/<emotion>/<subject>/<frame>.npy            n or n - 1 masks, each of its frame

FFN itself has no labels of regions and occlusion; where there are some (the mini dataset has), they lie in
`region/` and `occlusion/`, laid out as `mask/`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from ffbench.datasets.ffn.names import match, ordered, require_gapless
from ffbench.datasets.folders import levels_below, listing
from ffbench.datasets.images import natural_key
from ffbench.datasets.manifest import manifest_sha256
from ffbench.datasets.mark import JawReading, jaw_reading, synthetic_mark
from ffbench.datasets.provenance import engine_sign
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath, open_tree, relative_name

SPLITS = ("test", "val", "train")
OFFICIAL_PAIRS = {"train": 90_193, "test": 10_395, "val": 5_382}
"""Pairs of each split by the paper, section 5.2."""
SEQUENCE_LENGTHS = (5, 10, 15, 20)
"""Frames of a sequence. With n frames each step makes 1/n of the motion: the motion scale (section 3.1)."""
LAYOUT = (
    "image/facial/<split>/<emotion>/<subject>/0001.jpg, ... beside flow/facial/... (.flo), "
    "mask/<split>/... (.npy) and, for head and expression flow, flow/head/... (.flo)"
)
_IMAGES = frozenset({".jpg", ".jpeg", ".png"})
_FLOWS = frozenset({".flo"})
_ARRAYS = frozenset({".npy"})
_SEARCH_DEPTH = 3


@dataclass(frozen=True)
class FFNPair:
    """Two consecutive frames of a sequence and the labels of the first."""

    emotion: str
    subject: str
    frames: int
    """Length of the sequence."""
    image1: DatasetPath
    image2: DatasetPath
    facial: DatasetPath
    head: DatasetPath | None
    mask: DatasetPath
    region: DatasetPath | None
    occlusion: DatasetPath | None

    @property
    def sequence(self) -> str:
        """Such as `happy/0012`."""
        return f"{self.emotion}/{self.subject}"

    @property
    def key(self) -> str:
        """Such as `happy/0012/0001`: sequence and first frame."""
        return f"{self.sequence}/{self.image1.stem}"

    @property
    def scale(self) -> str:
        """The motion scale, such as `1/20` for a sequence of 20 frames."""
        return f"1/{self.frames}"

    def files(self) -> list[DatasetPath]:
        """List every file of the pair."""
        parts = (self.image1, self.image2, self.facial, self.head, self.mask, self.region, self.occlusion)
        return [path for path in parts if path is not None]


@dataclass(frozen=True)
class FFN:
    """What lies in one split of an FFN folder."""

    root: DatasetPath
    split: str
    pairs: tuple[FFNPair, ...]
    problems: tuple[str, ...]
    """Sequences that were left out, and why: one line each, with the names of files."""

    def sequences(self) -> dict[str, int]:
        """Return the number of frames of each sequence."""
        return {pair.sequence: pair.frames for pair in self.pairs}

    @property
    def synthetic(self) -> bool:
        """Whether ffbench made any of it."""
        return self._sign is not None

    @property
    def jaw(self) -> JawReading:
        """How the head flow reads Eq. 4: what ffbench made says so, and FFN follows the paper's letter (`pose`)."""
        if self._sign is None:
            return "pose"
        mark = synthetic_mark(*self._files())
        return "expression" if mark is None else jaw_reading(mark)

    @functools.cached_property
    def _sign(self) -> str | None:
        return engine_sign(*self._files())

    def _files(self) -> list[DatasetPath]:
        return [path for pair in self.pairs for path in pair.files()]

    def manifest_sha256(self) -> str:
        """Hash the names and contents of all files of `pairs`.

        Raises:
            DataError: a file cannot be read.
        """
        return manifest_sha256({relative_name(p, self.root): p for pair in self.pairs for p in pair.files()})


def scan(root: DatasetPath | str, split: str = "test", *, head: bool = False) -> FFN:
    """Find the pairs of a split. Only names are looked at; `ffbench.datasets.ffn.files` reads the files.

    Args:
        root: folder, archive or folder of archives that holds `image/`, `flow/` and `mask/`, up to three levels down.
        split: `test`, `val` or `train`.
        head: whether head flows are wanted, so that a sequence without them is a problem.

    Raises:
        DataError: no such folder, not an FFN folder, or no sequence without a problem.
    """
    root = find_root(root, split)
    folders = _Folders.of(root, split)
    if not folders.images.is_dir():
        raise DataError(folders.images, f"no such folder; expected FacialFlowNet: {LAYOUT}")
    pairs: list[FFNPair] = []
    problems: list[str] = []
    for name in _sequence_names(folders, head):
        try:
            pairs += _read_sequence(name, folders, head)
        except DataError as error:
            problems.append(f"{error}; the sequence is left out")
    if not pairs:
        first = f"; the first of {len(problems)} problems: {problems[0]}" if problems else ""
        raise DataError(folders.images, f"no usable sequence; expected FacialFlowNet: {LAYOUT}{first}")
    return FFN(root, split, tuple(pairs), tuple(problems))


def find_root(path: DatasetPath | str, split: str | None = None) -> DatasetPath:
    """Find the topmost folder in `path` that holds `image/facial` and `flow`; `path` itself may be it.

    Where several do, since each split was packed by itself, it is the one with images of `split`.

    Raises:
        DataError: there is none.
    """
    path = open_tree(path)
    if path.is_file():
        raise DataError(path, f"is a file; expected a folder, or a .zip or .tar archive, of FacialFlowNet: {LAYOUT}")
    if not path.is_dir():
        raise DataError(path, f"no such folder; expected FacialFlowNet: {LAYOUT}")
    first: DatasetPath | None = None
    for level in levels_below(path, _SEARCH_DEPTH):
        for folder in level:
            if (folder / "image" / "facial").is_dir() and (folder / "flow").is_dir():
                if split is None or (folder / "image" / "facial" / split).is_dir():
                    return folder
                first = first or folder
    if first is not None:
        return first
    raise DataError(path, f"no folders image/facial and flow in it; expected FacialFlowNet: {LAYOUT}")


@dataclass(frozen=True)
class _Folders:
    """The folders of one split, each with `<emotion>/<subject>` below."""

    images: DatasetPath
    facial: DatasetPath
    head: DatasetPath
    masks: DatasetPath
    regions: DatasetPath
    occlusions: DatasetPath

    @staticmethod
    def of(root: DatasetPath, split: str) -> _Folders:
        return _Folders(
            root / "image" / "facial" / split,
            root / "flow" / "facial" / split,
            root / "flow" / "head" / split,
            root / "mask" / split,
            root / "region" / split,
            root / "occlusion" / split,
        )


def _sequence_names(folders: _Folders, head: bool) -> Iterator[str]:
    """Name every sequence that has a folder of images, flows or masks, so that a missing one is not passed over."""
    parents = [folders.images, folders.facial, folders.masks, *([folders.head] if head else [])]
    found = {
        f"{emotion.name}/{subject.name}"
        for parent in parents
        if parent.is_dir()
        for emotion in _folders(parent)
        for subject in _folders(emotion)
    }
    return iter(sorted(found, key=lambda name: (natural_key(name), name)))


def _read_sequence(name: str, folders: _Folders, head: bool) -> list[FFNPair]:
    emotion, _, subject = name.partition("/")
    frames = ordered(_files(folders.images / name, _IMAGES), "images")
    if not frames:
        raise DataError(folders.images / name, "no images, but flows or masks of this name")
    if len(frames) == 1:
        raise DataError(frames[0], "the only frame of its sequence; expected two at least")
    require_gapless(frames)
    if len(frames) not in SEQUENCE_LENGTHS:
        expected = ", ".join(str(length) for length in SEQUENCE_LENGTHS[:-1])
        raise DataError(
            folders.images / name,
            f"{len(frames)} frames, expected {expected} or {SEQUENCE_LENGTHS[-1]}: frames are missing or left over",
        )
    facial = _matched(frames, folders.facial / name, _FLOWS, "flows")
    masks = _matched(frames, folders.masks / name, _ARRAYS, "masks", last_too=True)
    heads = _matched(frames, folders.head / name, _FLOWS, "head flows") if head else [None] * len(facial)
    regions = _if_there(frames, folders.regions / name, "region maps")
    occlusions = _if_there(frames, folders.occlusions / name, "occlusion maps")
    return [
        FFNPair(emotion, subject, len(frames), *parts)
        for parts in zip(frames[:-1], frames[1:], facial, heads, masks, regions, occlusions, strict=True)
    ]


def _matched(
    frames: list[DatasetPath], folder: DatasetPath, suffixes: frozenset[str], kind: str, *, last_too: bool = False
) -> list[DatasetPath]:
    if not folder.is_dir():
        raise DataError(folder, f"no such folder; expected the {len(frames) - 1} {kind} of the sequence")
    files = _files(folder, suffixes)
    if not files:
        raise DataError(folder, f"no {kind}, expected {len(frames) - 1}")
    return match(frames, ordered(files, kind), kind, last_too=last_too)


def _if_there(frames: list[DatasetPath], folder: DatasetPath, kind: str) -> list[DatasetPath] | list[None]:
    if not folder.is_dir():
        return [None] * (len(frames) - 1)
    return _matched(frames, folder, _ARRAYS, kind, last_too=True)


def _files(folder: DatasetPath, suffixes: frozenset[str]) -> list[DatasetPath]:
    """List files of these suffixes; others, such as `Thumbs.db`, cannot be taken for them and do not matter."""
    return [item for item in _listing(folder) if item.suffix.lower() in suffixes and item.is_file()]


def _folders(folder: DatasetPath) -> list[DatasetPath]:
    return [item for item in _listing(folder) if item.is_dir()]


def _listing(folder: DatasetPath) -> list[DatasetPath]:
    """List a folder, which need not be there."""
    return listing(folder) if folder.is_dir() else []
