"""Which vertices of a face mesh count (paper, section 5.4): lips, cheeks and eyes; not nose and forehead.

The paper counts 1,435 vertices of FLAME's 1,787 of the face and does not publish which. Here a vertex of the face is
given to the first region that has it in this order: eyes, lips, nose, forehead; what is left is cheeks. The masks of
FLAME overlap (around the brows, the root of the nose and its base), so that the order matters. It gives 1,431.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffbench.archives.member_path import Place, as_place
from ffbench.errors import DataError
from ffbench.json_models import parse_json

FLAME_VERTICES = 5023
USED = ("lips", "cheeks", "eyes")
_ORDER = {"eyes": "eye_region", "lips": "lips", "nose": "nose", "forehead": "forehead"}
_MAX_BYTES = 2**22

Indices = npt.NDArray[np.int64]


def face_regions(masks: dict[str, npt.NDArray[np.int32]]) -> dict[str, Indices]:
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


def read_regions(path: Place | str) -> dict[str, Indices]:
    """Read the vertices that count, by region: `FLAME_masks.pkl`, or an index file.

    An index file is JSON: `{"lips": [...], "cheeks": [...], "eyes": [...]}`, numbers of vertices from 0, under any
    names. All of them count.

    Raises:
        DataError: the file is missing, damaged, or a vertex is in it twice.
    """
    path = as_place(path)
    if path.suffix.lower() == ".pkl":
        from ffbench.synth.flame_files import read_masks

        regions = face_regions(read_masks(path, FLAME_VERTICES))
        return {name: regions[name] for name in USED}
    content = _read_json(path)
    if not (isinstance(content, dict) and content and all(_is_index_list(value) for value in content.values())):
        raise DataError(f'{path}: expected {{"lips": [...], "cheeks": [...], "eyes": [...]}}, lists of vertex numbers')
    listed, times = np.unique(np.concatenate(list(content.values())), return_counts=True)
    if (times > 1).any():
        raise DataError(f"{path}: vertex {listed[times > 1][0]} is listed twice; every vertex counts once")
    return {str(name): np.array(indices, np.int64) for name, indices in content.items()}


def _is_index_list(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(index, int) and not isinstance(index, bool) and 0 <= index < 2**31 for index in value)
    )


def _read_json(path: Place) -> object:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(f"{path}: larger than {_MAX_BYTES} bytes, which no list of a face's vertices is")
        found: object = parse_json(path.read_bytes())
        return found
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); expected FLAME_masks.pkl or an index file (.json)"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error}); expected FLAME_masks.pkl or an index file (.json)") from error
