"""Which vertices of a face mesh count (paper, section 5.4): lips, cheeks and eyes; not nose and forehead.

The paper counts 1,435 vertices and does not publish which. FLAME's masks overlap (around the brows, the root of the
nose and its base), so a vertex of the face is given to the first region that has it, in the order eyes, lips, nose,
forehead; what is left is cheeks. That makes 1,431 distinct vertices. The mask of the lips lists four of its vertices
twice: the lists joined as they stand make 751 + 254 + 430 = 1,435. That the authors joined them so is inferred from the
number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.formats.flame_files import read_masks
from ffbench.io.archives.member_path import DatasetPath, as_dataset_path
from ffbench.io.bounds import read_bounded
from ffbench.io.json_models import parse_json
from ffbench.paths import data_dir

Indices = npt.NDArray[np.int64]
Choice = Literal["paper", "distinct"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
"""How the vertices are chosen from FLAME's masks; the first is the default."""

FLAME_VERTICES = 5023
OFFICIAL_COUNTS: Mapping[Choice, Mapping[str, int]] = {
    "paper": {"lips": 254, "cheeks": 430, "eyes": 751},
    "distinct": {"lips": 250, "cheeks": 430, "eyes": 751},
}
"""Vertices of each region that FLAME's masks, as its authors distribute them, make of each choice."""
MASKS_FILE, INDEX_FILE = "FLAME_masks.pkl", "regions.json"
_ORDER = {"eyes": "eye_region", "lips": "lips", "nose": "nose", "forehead": "forehead"}
_MAX_BYTES = 2**22


def face_regions(masks: Mapping[str, npt.NDArray[np.int32]]) -> dict[str, Indices]:
    """Share out the vertices of FLAME's face mask: each is in one of eyes, lips, nose, forehead and cheeks.

    Args:
        masks: indices of vertices by the names of `FLAME_masks.pkl`: face, eye_region, lips, nose, forehead.

    >>> regions = face_regions({"face": np.arange(8), "eye_region": np.array([0, 1, 99]), "lips": np.array([2]),
    ...                         "nose": np.array([1, 3]), "forehead": np.array([4, 0])})
    >>> {name: indices.tolist() for name, indices in regions.items()}
    {'eyes': [0, 1], 'lips': [2], 'nose': [3], 'forehead': [4], 'cheeks': [5, 6, 7]}
    """
    left = np.unique(masks["face"]).astype(np.int64)
    regions: dict[str, Indices] = {}
    for region, mask in _ORDER.items():
        members = np.isin(left, masks[mask])
        regions[region], left = left[members], left[~members]
    return {**regions, "cheeks": left}


def choose_vertices(masks: Mapping[str, npt.NDArray[np.int32]], choice: Choice) -> dict[str, Indices]:
    """Return the vertices of lips, cheeks and eyes that count.

    Args:
        masks: indices of vertices by the names of `FLAME_masks.pkl`: face, eye_region, lips, nose, forehead.
        choice: `distinct` is the rule of `face_regions`: each vertex of the face once. `paper` takes the masks of the
            eye region and of the lips as they stand, so that a vertex that is listed twice counts twice, and the cheeks
            by the rule.

    >>> masks = {"face": np.arange(6), "eye_region": np.array([0, 1]), "lips": np.array([2, 3, 2]),
    ...          "nose": np.array([4]), "forehead": np.array([4])}
    >>> [choose_vertices(masks, choice)["lips"].tolist() for choice in ("paper", "distinct")]
    [[2, 3, 2], [2, 3]]
    """
    regions = face_regions(masks)
    if choice == "paper":
        regions |= {name: masks[_ORDER[name]].astype(np.int64) for name in ("lips", "eyes")}
    return {name: regions[name] for name in ("lips", "cheeks", "eyes")}


def is_masks_file(path: DatasetPath | str) -> bool:
    """Tell whether a file is to be read as `FLAME_masks.pkl`, by its suffix; others are index files."""
    return as_dataset_path(path).suffix.lower() == ".pkl"


def find_regions(data: DatasetPath) -> DatasetPath:
    """Find the file that says which vertices count: with the tracks, or in `$FFBENCH_DATA/FLAME`.

    Raises:
        DataError: there is none.
    """
    places = [data / INDEX_FILE, data / MASKS_FILE]
    folder = data_dir()
    if folder is not None:
        places.append(folder / "FLAME" / MASKS_FILE)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise DataError(
            data / MASKS_FILE,
            f"not found; the vertices of lips, cheeks and eyes are read from FLAME's own "
            f"{MASKS_FILE} (here or in $FFBENCH_DATA/FLAME), from {INDEX_FILE} here, or from the file in the option "
            "regions=...",
        )
    return found


def read_regions(path: DatasetPath | str, choice: Choice = "paper") -> dict[str, Indices]:
    """Read the vertices that count, by region: `FLAME_masks.pkl`, or an index file.

    An index file is JSON: `{"lips": [...], "cheeks": [...], "eyes": [...]}`, numbers of vertices from 0, under any
    names. All of them count.

    Args:
        path: the file.
        choice: which vertices of FLAME's masks count; an index file leaves no choice.

    Raises:
        DataError: the file is missing, damaged, or a vertex is in an index file twice.
    """
    path = as_dataset_path(path)
    if is_masks_file(path):
        return choose_vertices(read_masks(path, FLAME_VERTICES), choice)
    content = _read_json(path)
    if not (isinstance(content, dict) and content and all(_is_index_list(value) for value in content.values())):
        raise DataError(f'{path}: expected {{"lips": [...], "cheeks": [...], "eyes": [...]}}, lists of vertex numbers')
    listed, times = np.unique(np.concatenate(list(content.values())), return_counts=True)
    if (times > 1).any():
        raise DataError(path, f"vertex {listed[times > 1][0]} is listed twice; every vertex counts once")
    return {str(name): np.array(indices, np.int64) for name, indices in content.items()}


def _is_index_list(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(index, int) and not isinstance(index, bool) and 0 <= index < 2**31 for index in value)
    )


def _read_json(path: DatasetPath) -> object:
    expected = "; expected FLAME_masks.pkl or an index file (.json)"
    too_large = f"larger than {_MAX_BYTES} bytes, which no list of a face's vertices is"
    content = read_bounded(path, _MAX_BYTES, too_large, more=expected)
    try:
        found: object = parse_json(content)
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"not JSON ({error}){expected}") from error
    return found
