"""FLAME's files: the model, the vertex masks, the 68-landmark embedding and the texture layout.

ffbench ships none of them; they come from FLAME's authors (the landmarks from those of DECA) under their
own terms. Nothing in them is run (`flame_pickle`), and no number in them is believed before it is checked.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.formats.flame_pickle import one_line, read_tree, single_object, to_array
from ffbench.formats.npy import read_npy, split_npy
from ffbench.io.archives.member_path import DatasetPath
from ffbench.io.archives.zip_directory import checked_name, read_directory
from ffbench.io.bounds import read_bounded, refuse_bomb

FloatArray = npt.NDArray[np.float64]
JOINTS = 5
SHAPES, EXPRESSIONS = 300, 100
PARENTS = (-1, 0, 1, 1, 1)
"""Of the joints: root, neck, jaw and the two eyes."""
MASKS = (
    "face", "scalp", "neck", "forehead", "eye_region", "nose", "lips", "left_ear", "right_ear", "left_eyeball",
    "right_eyeball",
)  # fmt: skip
LARGEST_FILE = 512 * 2**20
"""Bytes; the model has 53 MB. The texture archive is larger, but only two small members of it are read."""
LARGEST_MEMBER = 16 * 2**20
_MOST_MEMBERS = 1000


@dataclass(frozen=True)
class FlameArrays:
    """A FLAME model, in its own units (metres; y up, z forward, x to the subject's left).

    Attributes:
        template: (V, 3) float64.
        shape_directions: (V, 3, 400) float64: 300 of identity, then 100 of expression.
        pose_directions: (V, 3, 36) float64, for the nine entries of R - I of neck, jaw and eyes.
        joint_regressor: (5, V) float64.
        weights: (V, 5) float64, rows sum to 1.
        triangles: (F, 3) int32.
    """

    template: FloatArray
    shape_directions: FloatArray
    pose_directions: FloatArray
    joint_regressor: FloatArray
    weights: FloatArray
    triangles: npt.NDArray[np.int32]


def read_flame(path: Path) -> FlameArrays:
    """Read FLAME's model: `generic_model.pkl` of 2020, or that of 2023.

    Raises:
        DataError: the file is missing, damaged, tries to name code, or holds another model or topology.
    """
    tree = _dictionary(read_tree(_content(path, "FLAME's model, e.g. generic_model.pkl of FLAME 2020"), path), path)
    template = _numbers(tree, "v_template", path)
    count = len(template)
    arrays = FlameArrays(
        template=_shaped(template, (count, 3), "v_template", path),
        shape_directions=_shaped(
            _numbers(tree, "shapedirs", path), (count, 3, SHAPES + EXPRESSIONS), "shapedirs", path
        ),
        pose_directions=_shaped(_numbers(tree, "posedirs", path), (count, 3, 9 * (JOINTS - 1)), "posedirs", path),
        joint_regressor=_shaped(_numbers(tree, "J_regressor", path), (JOINTS, count), "J_regressor", path),
        weights=_shaped(_numbers(tree, "weights", path), (count, JOINTS), "weights", path),
        triangles=_indices(tree, "f", count, path),
    )
    if arrays.triangles.ndim != 2 or arrays.triangles.shape[1] != 3:
        raise DataError(path, f"expected f (F, 3), found {arrays.triangles.shape}; this is no FLAME model")
    if count == 0 or np.abs(arrays.weights.sum(axis=1) - 1).max() > 1e-3:
        raise DataError(path, "expected weights that sum to 1 at each vertex; this is no FLAME model")
    tree_of_joints = _shaped(_numbers(tree, "kintree_table", path), (2, JOINTS), "kintree_table", path)
    # The root's parent is written as 2^32 - 1.
    if tuple(tree_of_joints[0, 1:]) != PARENTS[1:]:
        raise DataError(
            path,
            f"expected joints root, neck, jaw and two eyes with parents {PARENTS[1:]}, "
            f"found {tuple(tree_of_joints[0, 1:].astype(int).tolist())}; this is no FLAME model",
        )
    return arrays


def read_masks(path: DatasetPath, vertex_count: int) -> dict[str, npt.NDArray[np.int32]]:
    """Read the vertices of each region from `FLAME_masks.pkl`.

    Raises:
        DataError: the file is missing, damaged, tries to name code, lacks a region or is of another topology.
    """
    tree = _dictionary(read_tree(_content(path, "FLAME's vertex masks, FLAME_masks.pkl"), path), path)
    return {name: _indices(tree, name, vertex_count, path).reshape(-1) for name in MASKS}


def read_landmarks(path: Path, triangle_count: int) -> tuple[npt.NDArray[np.int32], FloatArray]:
    """Read the 68 iBUG landmarks: a dict with `full_lmk_faces_idx` and `full_lmk_bary_coords`, .npy or .npz.

    Returns:
        The triangle (68,) int32 and the barycentric weights (68, 3) float64 of each.

    Raises:
        DataError: the file is missing, damaged, tries to name code, or has other landmarks or another topology.
    """
    content = _content(path, "the 68 landmarks of FLAME, landmark_embedding.npy (it comes with DECA, in data/)")
    faces, weights = "full_lmk_faces_idx", "full_lmk_bary_coords"
    if content[:2] == b"PK":
        members = read_npz(path, (faces, weights))
        triangles = _checked_indices(members[faces], faces, triangle_count, path)
        values = _checked_numbers(members[weights], weights, path)
    else:
        tree = _dictionary(_read_object(content, path), path)
        triangles, values = _indices(tree, faces, triangle_count, path), _numbers(tree, weights, path)
    if triangles.size != 68 or values.size != 3 * 68:
        raise DataError(
            path,
            f"expected 68 landmarks in {faces} and {weights}, found {triangles.size} and "
            f"{values.size // 3}; the embedding of 51 does not do",
        )
    values = values.reshape(68, 3)
    if np.abs(values.sum(axis=1) - 1).max() > 1e-3:
        raise DataError(path, f"expected weights that sum to 1 in {weights}; get the file again")
    return triangles.reshape(68), values / values.sum(axis=1, keepdims=True)


def read_texture_uv(path: Path, triangle_count: int) -> npt.NDArray[np.float32]:
    """Read the texture layout, `vt` and `ft` of `FLAME_texture.npz`.

    Returns:
        (F, 3, 2) float32, the corners' coordinates in the texture image: u to the right, v downwards, 0 to 1.

    Raises:
        DataError: the file is missing, damaged or of another topology.
    """
    _require(path, "FLAME's texture space, FLAME_texture.npz")
    members = read_npz(path, ("vt", "ft"))
    points = _checked_numbers(members["vt"], "vt", path)
    if points.ndim != 2 or points.shape[1] != 2 or np.abs(points - 0.5).max(initial=0) > 0.5 + 1e-3:
        raise DataError(path, f"expected vt (N, 2) from 0 to 1, found {points.shape}; get the file again")
    corners = _checked_indices(members["ft"], "ft", len(points), path)
    if corners.shape != (triangle_count, 3):
        raise DataError(
            path,
            f"expected ft ({triangle_count}, 3) as the model has triangles, found {corners.shape}; "
            "it belongs to another model",
        )
    # Like an .obj file it counts v from the bottom of the image.
    return np.stack([points[:, 0], 1 - points[:, 1]], axis=1).astype(np.float32)[corners]


def read_npz(
    path: Path, names: tuple[str, ...], largest: int | None = None, kinds: str = "biuf"
) -> dict[str, npt.NDArray[Any]]:
    """Read some arrays of an .npz archive, and nothing else of it.

    Args:
        path: the archive.
        names: the arrays.
        largest: bytes that each may have; default: `LARGEST_MEMBER`.
        kinds: as for `read_npy`.

    Raises:
        DataError: the file is missing, damaged, lacks one of them, or one is larger or of another kind.
    """
    limit = LARGEST_MEMBER if largest is None else largest
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is not a zip file")
        with path.open("rb") as file, read_directory(path, file, _MOST_MEMBERS) as archive:
            sizes = {checked_name(path, entry): entry.file_size for entry in archive.infolist()}
            missing = [name for name in names if f"{name}.npy" not in sizes]
            if missing:
                raise DataError(path, f"expected {', '.join(names)}, found no {', '.join(missing)}")
            if max(sizes[f"{name}.npy"] for name in names) > limit:
                raise DataError(path, f"{' or '.join(names)} is larger than {limit:,} bytes")
            refuse_bomb(path, path.stat().st_size, sum(sizes[f"{name}.npy"] for name in names))
            return {name: read_npy(archive.read(f"{name}.npy"), kinds) for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise DataError(path, f"expected an .npz archive of numpy ({one_line(error)}); get the file again") from error


def _require(path: DatasetPath, what: str) -> None:
    if not path.is_file():
        raise DataError(path, f"not found; expected {what}")


def _content(path: DatasetPath, what: str) -> bytes:
    _require(path, what)
    return read_bounded(path, LARGEST_FILE, f"expected {what}, found {{size:,}} bytes, more than {LARGEST_FILE:,}")


def _read_object(content: bytes, path: DatasetPath) -> Any:
    """The object in an .npy file of one object: numpy's header, then a pickle."""
    try:
        _, _, kind, body = split_npy(content)
        if not kind.hasobject:
            raise ValueError("found plain numbers")
        return single_object(read_tree(body, path))
    except ValueError as error:
        raise DataError(path, f"expected a dict saved by numpy ({one_line(error)}); get the file again") from error


def _dictionary(tree: object, path: DatasetPath) -> Mapping[str, Any]:
    if not isinstance(tree, dict):
        raise DataError(path, f"expected a dict of arrays, found {type(tree).__name__}; it is another file")
    return tree


def _array(tree: Mapping[str, Any], name: str, path: DatasetPath) -> npt.NDArray[Any]:
    if name not in tree:
        known = one_line(", ".join(sorted(str(key) for key in tree)))
        raise DataError(path, f"expected {name}, found only {known}; it is another file")
    try:
        return to_array(tree[name])
    except ValueError as error:
        raise DataError(path, f"{name} is not what FLAME has there ({error}); download it again") from error


def _numbers(tree: Mapping[str, Any], name: str, path: Path) -> FloatArray:
    return _checked_numbers(_array(tree, name, path), name, path)


def _checked_numbers(values: npt.NDArray[Any], name: str, path: Path) -> FloatArray:
    numbers = np.ascontiguousarray(values, np.float64)
    if not np.isfinite(numbers).all():
        raise DataError(path, f"{name} has values that are not finite; download it again")
    return numbers


def _shaped(values: FloatArray, shape: tuple[int, ...], name: str, path: Path) -> FloatArray:
    if values.shape != shape:
        raise DataError(path, f"expected {name} {shape}, found {values.shape}; this is no FLAME model")
    return values


def _indices(tree: Mapping[str, Any], name: str, limit: int, path: DatasetPath) -> npt.NDArray[np.int32]:
    return _checked_indices(_array(tree, name, path), name, limit, path)


def _checked_indices(values: npt.NDArray[Any], name: str, limit: int, path: DatasetPath) -> npt.NDArray[np.int32]:
    if values.dtype.kind not in "iu" or values.size == 0:
        raise DataError(path, f"expected whole numbers in {name}, found {values.dtype} {values.shape}")
    if values.min() < 0 or values.max() >= limit:
        raise DataError(
            path,
            f"{name} reaches from {values.min()} to {values.max()}, but the model has 0 to {limit - 1}; "
            "it belongs to another model",
        )
    return np.ascontiguousarray(values, np.int32)
