"""Features in files: an `.npz` for each clip, and a manifest that says how they were made."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from ffbench.cards import MethodCard, Origin
from ffbench.errors import DataError, UsageError, writing
from ffbench.formats.flame_files import read_npz
from ffbench.io.atomic import write_text
from ffbench.io.bounds import names_file_if_out_of_memory
from ffbench.io.hashing import data_sha256
from ffbench.io.json_models import read_model
from ffbench.microexpressions.features import DEFINITIONS, ONSET, ONSET_DEFINITION

MANIFEST = "features.json"
FORMAT: Literal["ffbench-features/1"] = "ffbench-features/1"
_MOST_MANIFEST = 2**26
_MOST_SIDE = 8192
_LONGEST_HEADER = 4096
# Every key names a file, so that no part of it may lead elsewhere.
_KEY = r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}){0,3}"
Alignment = Literal["crop", "mesh", "none"]
"""How the face was registered: by the authors' crop, by the face mesh, or not at all."""
Arrays = Mapping[str, npt.NDArray[Any]]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ArrayFacts(_Frozen):
    """What an array of each file holds."""

    unit: str
    definition: str


class FeatureClip(_Frozen):
    """One file: `KEY.npz` beside the manifest."""

    key: Annotated[str, Field(pattern=f"^{_KEY}$")]
    subject: str = Field(default="", description="who shows it; empty where nobody says")
    label: str = Field(default="", description="the dataset's own; empty where there is none")
    onset: str = Field(description="name of the file or number of the frame that is image 1")
    apex: str = Field(description="name of the file or number of the frame that is image 2")
    alignment: Alignment = "none"
    found: bool = Field(default=True, description="false: the method found no face, or nothing else to go by")
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class FeatureManifest(_Frozen):
    """How features were made, and the hash of each file."""

    format: Literal["ffbench-features/1"] = FORMAT
    ffbench: str = Field(description="version of ffbench")
    dataset: str = Field(default="", description="title of the dataset; empty: images of the user's")
    origin: Origin | None = Field(default=None, description="of the dataset; None: images of the user's")
    dataset_sha256: str = Field(default="", description="hash of all files of the dataset that are used")
    method: MethodCard = Field(description="of the flow, with its weights and their hash")
    flow: Literal["facial", "head", "expression", "all"] = Field(
        description="which flow; all: those that the method gives, each in its own file"
    )
    derive_head: str = Field(default="none", description="how a method with one flow got a head flow")
    alignments: dict[Alignment, str] = Field(description="what the alignments of the clips mean")
    size: tuple[Annotated[int, Field(ge=2, le=_MOST_SIDE)], Annotated[int, Field(ge=2, le=_MOST_SIDE)]] = Field(
        description="height and width of each array"
    )
    arrays: dict[str, ArrayFacts]
    clips: tuple[FeatureClip, ...]
    left_out: tuple[str, ...] = Field(default=(), description="clips without a flow, and the rule")
    problems: tuple[str, ...] = Field(default=(), description="faults of the files; not empty: clips are missing")


def array_facts(*, onset: bool) -> dict[str, ArrayFacts]:
    """Return what the arrays of a file hold, with or without the registered face at onset."""
    definitions = {**DEFINITIONS, **({ONSET: ONSET_DEFINITION} if onset else {})}
    return {name: ArrayFacts(unit=one.unit, definition=one.definition) for name, one in definitions.items()}


def write_clip(folder: Path, key: str, arrays: Arrays) -> str:
    """Write the arrays of a clip as `KEY.npz` and return the hash of the file.

    The same arrays give the same bytes: nothing is packed, and no time of day stands in the file. It is not flushed to
    the disk: the manifest, which comes last, is.

    Raises:
        DataError: it cannot be written.
    """
    path = clip_path(folder, key)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array, np.float32), allow_pickle=False)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.getbuffer())
    return hashlib.sha256(content.getbuffer()).hexdigest()


def clip_bytes(size: tuple[int, int]) -> int:
    """Return about how long the file of a flow's features becomes, of (H, W) px."""
    return len(DEFINITIONS) * (4 * size[0] * size[1] + _LONGEST_HEADER // 8)


def write_manifest(path: Path, manifest: FeatureManifest) -> None:
    """Write a manifest as JSON.

    Raises:
        DataError: it cannot be written.
    """
    write_text(path, f"{manifest.model_dump_json(indent=1)}\n")


def read_manifest(path: Path) -> FeatureManifest:
    """Read a manifest, or that of a folder.

    Raises:
        DataError: it is missing, damaged or too large.
    """
    place = path / MANIFEST if path.is_dir() else path
    return read_model(
        place, FeatureManifest, _MOST_MANIFEST, kind="a manifest of features", wrong="is no manifest of features"
    )


@names_file_if_out_of_memory
def read_clip(folder: Path, manifest: FeatureManifest, key: str) -> dict[str, npt.NDArray[np.float32]]:
    """Read the arrays of one clip; memory is bounded by the size that the manifest states.

    Args:
        folder: of the manifest.
        manifest: says what there must be.
        key: of the clip.

    Returns:
        By name, (H, W) float32, and (H, W, 3) of `onset`.

    Raises:
        UsageError: the manifest has no such clip.
        DataError: the file is missing, is not the one that the manifest names, or does not hold what it says.
    """
    clip = next((one for one in manifest.clips if one.key == key), None)
    if clip is None:
        raise UsageError(f"{folder}: the manifest has no clip '{key}'; it has {len(manifest.clips)}")
    path = clip_path(folder, key)
    if (found := data_sha256(path)) != clip.sha256:
        raise DataError(path, f"is another file than the manifest names (SHA-256 {found[:12]}, not {clip.sha256[:12]})")
    shapes = {name: (*manifest.size, 3) if name == ONSET else tuple(manifest.size) for name in manifest.arrays}
    largest = 4 * 3 * manifest.size[0] * manifest.size[1] + _LONGEST_HEADER
    arrays = read_npz(path, tuple(shapes), largest, "f")
    for name, shape in shapes.items():
        if arrays[name].shape != shape or arrays[name].dtype != np.float32:
            raise DataError(path, f"{name} is {arrays[name].shape} {arrays[name].dtype}, expected {shape} float32")
        if not np.isfinite(arrays[name]).all():
            raise DataError(path, f"{name} has values that are not finite")
    return {name: np.asarray(arrays[name], np.float32) for name in shapes}


def clip_path(folder: Path, key: str) -> Path:
    """Return where the file of a clip is."""
    return folder.joinpath(*f"{key}.npz".split("/"))


def ffbench_version() -> str:
    """Return the version of ffbench that is installed."""
    return version("ffbench")
