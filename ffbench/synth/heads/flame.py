"""The FLAME head: the user's own model file behind the engine's interface (paper, section 3.1, Eq. 1)."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from ffbench.formats.flame_files import (
    EXPRESSIONS,
    PARENTS,
    SHAPES,
    FlameArrays,
    read_flame,
    read_landmarks,
    read_masks,
    read_texture_uv,
)
from ffbench.synth.heads.head import FloatArray, HeadModel, Part, Pose, Region, Topology
from ffbench.synth.heads.skinning import blend, joint_transforms, rotation_matrix

DM_PER_METRE = 10.0
# Each overrules those before it: the masks overlap.
REGION_OF_MASK = {
    "face": Region.CHEEKS, "scalp": Region.SCALP, "neck": Region.NECK, "forehead": Region.FOREHEAD,
    "nose": Region.NOSE, "lips": Region.LIPS, "eye_region": Region.EYES, "left_ear": Region.EARS,
    "right_ear": Region.EARS, "left_eyeball": Region.EYES, "right_eyeball": Region.EYES,
}  # fmt: skip
MODEL_NAMES = ("generic_model.pkl", "flame2023.pkl", "flame2023_Open.pkl")
MASK_NAMES = ("FLAME_masks.pkl", "FLAME_masks/FLAME_masks.pkl")
LANDMARK_NAMES = ("landmark_embedding.npy", "landmark_embedding.npz")
TEXTURE_NAMES = ("FLAME_texture.npz",)


class FlameHead(HeadModel):
    """FLAME 2020 or 2023: 300 shapes, 100 expressions, rotations of root, neck, jaw and eyes.

    M(beta, theta, psi) of Eq. 1 is `vertices(identity, expression, pose)` with identity = beta (300,) and

    - expression (107,) = psi (`exp_000` to `exp_099`), the jaw's rotation vector (`jaw_x`, `jaw_y`, `jaw_z`;
      x opens the mouth) and those of the eyes without their roll (`eye_l_x`, `eye_l_y` of the subject's left
      eye, `eye_r_x`, `eye_r_y`), in radians;
    - pose.rotation = FLAME's global rotation, pose.neck = that of its neck, pose.translation in dm.

    FLAME itself counts jaw and eyes to the pose theta; in this engine they are units of the expression. Whether a
    head partner (Eq. 4) keeps its jaw is chosen (`units_of_pose`). Expression weights may be negative. FLAME has no
    teeth, tongue or lashes. Lengths are FLAME's metres times ten; axes and origin are FLAME's own.
    """

    name = "flame"
    identity_size = SHAPES
    open_mouth = MappingProxyType({"jaw_x": 0.25})

    def __init__(
        self,
        arrays: FlameArrays,
        masks: dict[str, npt.NDArray[np.int32]],
        landmarks: tuple[npt.NDArray[np.int32], FloatArray],
        uv: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """Put a head together from what `flame_files` reads; `uv` None takes a cylinder around the head."""
        count = len(arrays.template)
        self.template = arrays.template * DM_PER_METRE
        directions = arrays.shape_directions.reshape(3 * count, -1) * DM_PER_METRE
        self._shapes = np.ascontiguousarray(directions[:, :SHAPES])
        self._expressions = np.ascontiguousarray(directions[:, SHAPES:])
        self._correctives = arrays.pose_directions.reshape(3 * count, -1) * DM_PER_METRE
        self._regressor = arrays.joint_regressor
        self._weights = arrays.weights
        joints = self._regressor @ self.template
        # The subject's left is where x is larger.
        self._left_eye, self._right_eye = (3, 4) if joints[3, 0] >= joints[4, 0] else (4, 3)
        self.uv_layout = "flame" if uv is not None else "ffbench-flame"
        self.expression_names = (
            *(f"exp_{i:03d}" for i in range(EXPRESSIONS)),
            *("jaw_x", "jaw_y", "jaw_z", "eye_l_x", "eye_l_y", "eye_r_x", "eye_r_y"),
        )
        self.topology = self._topology(arrays.triangles, masks, landmarks, uv, joints)

    def sample_identity(self, rng: np.random.Generator) -> FloatArray:
        """Draw the first 100 shape coefficients, those that EMOCA estimates, from FLAME's own normal distribution."""
        identity = np.zeros(SHAPES)
        identity[:100] = np.clip(rng.standard_normal(100), -2.5, 2.5)
        return identity

    def shape(self, identity: FloatArray) -> FloatArray:
        """Return the neutral vertices (V, 3) in rest pose of beta (300,)."""
        if identity.shape != (SHAPES,):
            raise ValueError(f"identity must be ({SHAPES},), got {identity.shape}")
        return self.template + (self._shapes @ identity).reshape(-1, 3)

    def pose(self, shape: FloatArray, expression: FloatArray, pose: Pose) -> FloatArray:
        """Return vertices (V, 3) of `shape` with an expression (107,) and a pose: blend skinning with correctives."""
        if expression.shape != (len(self.expression_names),):
            raise ValueError(f"expression must be ({len(self.expression_names)},), got {expression.shape}")
        shaped = shape + (self._expressions @ expression[:EXPRESSIONS]).reshape(-1, 3)
        joints = self._regressor @ shaped
        jaw, left, right = np.split(expression[EXPRESSIONS:], (3, 5))
        vectors = np.zeros((len(PARENTS), 3))
        vectors[:3] = pose.rotation, pose.neck, jaw
        vectors[self._left_eye, :2], vectors[self._right_eye, :2] = left, right
        rotations = [rotation_matrix(vector) for vector in vectors]
        if vectors[1:].any():
            bend = np.concatenate([(rotation - np.eye(3)).reshape(-1) for rotation in rotations[1:]])
            shaped = shaped + (self._correctives @ bend).reshape(-1, 3)
        if vectors.any():
            shaped = blend(shaped, self._weights, *joint_transforms(rotations, joints, PARENTS))
        return shaped + pose.translation

    def _topology(
        self,
        triangles: npt.NDArray[np.int32],
        masks: dict[str, npt.NDArray[np.int32]],
        landmarks: tuple[npt.NDArray[np.int32], FloatArray],
        uv: npt.NDArray[np.float32] | None,
        joints: FloatArray,
    ) -> Topology:
        # An eyeball moves with nothing but its joint.
        part = np.full(len(triangles), Part.SKIN, np.uint8)
        corners = _cylinder_uv(self.template, triangles) if uv is None else uv.copy()
        for joint in (3, 4):
            eye = (self._weights[triangles, joint] > 0.5).all(axis=1)
            part[eye] = Part.EYE
            corners[eye] = _eye_uv(self.template, joints[joint])[triangles[eye]]
        return Topology(
            triangles=triangles,
            uv=corners,
            part=part,
            region=_regions(self.template, masks),
            landmark_triangles=landmarks[0],
            landmark_weights=landmarks[1],
        )


def load_flame(
    path: Path, masks: Path | None = None, landmarks: Path | None = None, texture: Path | None = None
) -> FlameHead:
    """Load the head from the user's files.

    Args:
        path: the model's pickle, or a folder that holds it under the name it is distributed with.
        masks: `FLAME_masks.pkl`; None looks for it beside the model.
        landmarks: the 68-landmark embedding, `landmark_embedding.npy` as it comes with DECA; None likewise.
        texture: `FLAME_texture.npz`, for skin textures in FLAME's layout; None likewise, and where there is
            none the skin is wrapped on a cylinder, and `FlameHead.uv_layout` is `ffbench-flame`.

    Raises:
        DataError: a file is missing, damaged, of another topology, or names something that could be run.
    """
    folder = path if path.is_dir() else path.parent
    model = _find(folder, MODEL_NAMES) if path.is_dir() else path
    texture = texture if texture is not None else _find(folder, TEXTURE_NAMES)
    arrays = read_flame(model if model is not None else folder / MODEL_NAMES[0])
    triangle_count = len(arrays.triangles)
    return FlameHead(
        arrays,
        read_masks(masks or _find(folder, MASK_NAMES) or folder / MASK_NAMES[0], len(arrays.template)),
        read_landmarks(landmarks or _find(folder, LANDMARK_NAMES) or folder / LANDMARK_NAMES[0], triangle_count),
        read_texture_uv(texture, triangle_count) if texture is not None else None,
    )


def _find(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _regions(template: FloatArray, masks: dict[str, npt.NDArray[np.int32]]) -> npt.NDArray[np.uint8]:
    """Name the region of each vertex: FLAME's masks, the chin cut from the face, the rest as their neighbours."""
    from scipy.spatial import cKDTree

    region = np.full(len(template), Region.BACKGROUND, np.uint8)
    for name, value in REGION_OF_MASK.items():
        region[masks[name]] = value
    # FLAME has no mask of the chin: it is what lies below the lips and is no wider than they are.
    lips = template[masks["lips"]]
    below = (template[:, 1] < lips[:, 1].min()) & (np.abs(template[:, 0]) < np.abs(lips[:, 0]).max())
    region[(region == Region.CHEEKS) & below] = Region.CHIN
    named = region != Region.BACKGROUND
    region[~named] = region[named][cKDTree(template[named]).query(template[~named])[1]]
    return region


def _cylinder_uv(template: FloatArray, triangles: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """Wrap the skin on a cylinder: u = 0.5 in front and grows to the subject's left, v grows downwards.

    Corners of triangles across the seam at the back get u > 1.
    """
    low, high = template.min(axis=0), template.max(axis=0)
    u = 0.5 + np.arctan2(template[:, 0], template[:, 2] - (low[2] + high[2]) / 2) / (2 * np.pi)
    v = (high[1] - template[:, 1]) / (high[1] - low[1])
    uv = np.stack([u, v], axis=1)[triangles]
    wrapped = np.ptp(uv[..., 0], axis=1) > 0.5
    uv[..., 0] += wrapped[:, None] & (uv[..., 0] < 0.5)
    return uv.astype(np.float32)


def _eye_uv(template: FloatArray, center: FloatArray) -> npt.NDArray[np.float32]:
    """Place an eye in the detail texture: the iris in the middle of the first quarter, the equator 0.24 away."""
    direction = template - center
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    angle = np.arccos(np.clip(direction[:, 2], -1, 1)) / (np.pi / 2)
    around = np.arctan2(-direction[:, 1], direction[:, 0])
    radius = np.minimum(angle, 1.04) * 0.24
    uv = 0.25 + radius[:, None] * np.stack([np.cos(around), np.sin(around)], axis=1)
    return np.asarray(uv, np.float32)
