"""What a head model is: a mesh whose vertices follow identity, expression and pose (paper, Eq. 1)."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from ffbench.datasets.mark import JawReading

FloatArray = npt.NDArray[np.float64]


class Part(IntEnum):
    """The material of a triangle."""

    SKIN = 0
    EYE = 1
    TEETH = 2
    TONGUE = 3
    LASHES = 4


class Region(IntEnum):
    """The region of a vertex; BACKGROUND is what pixels without a surface have."""

    BACKGROUND = 0
    FOREHEAD = 1
    EYES = 2
    NOSE = 3
    CHEEKS = 4
    LIPS = 5
    CHIN = 6
    EARS = 7
    SCALP = 8
    NECK = 9
    TORSO = 10
    MOUTH = 11


@dataclass(frozen=True)
class Pose:
    """Where the head is: theta of Eq. 1 without jaw and eyes, which are units of the expression here.

    `neck` is the rotation of the head against the torso and `rotation` that of the whole body about the base
    of the neck: rotation vectors (3,) in radians, x to the subject's left, y up, z forward. `translation`
    (3,) moves the whole body, in the model's unit of length.
    """

    neck: FloatArray = field(default_factory=lambda: np.zeros(3))
    rotation: FloatArray = field(default_factory=lambda: np.zeros(3))
    translation: FloatArray = field(default_factory=lambda: np.zeros(3))

    def scaled(self, share: float) -> Pose:
        """Return this pose at `share` of the way from the rest pose (Eqs. 2-4)."""
        return Pose(self.neck * share, self.rotation * share, self.translation * share)


@dataclass(frozen=True)
class Topology:
    """What stays the same for every shape of a head model.

    Attributes:
        triangles: (T, 3) int32, counter-clockwise seen from outside.
        uv: (T, 3, 2) float32 texture coordinates of the corners; u may pass 1 and then wraps.
        part: (T,) uint8, values of `Part`.
        region: (V,) uint8, values of `Region`.
        landmark_triangles: (68,) int32, the triangle of each iBUG landmark.
        landmark_weights: (68, 3) float64, its barycentric coordinates.
    """

    triangles: npt.NDArray[np.int32]
    uv: npt.NDArray[np.float32]
    part: npt.NDArray[np.uint8]
    region: npt.NDArray[np.uint8]
    landmark_triangles: npt.NDArray[np.int32]
    landmark_weights: FloatArray

    @functools.cached_property
    def two_sided(self) -> npt.NDArray[np.bool_]:
        """Triangles (T,) of which both sides are drawn: sheets, and the mouth, which may fold through itself.

        Elsewhere the surface is closed and its inside is never seen.
        """
        mouth = np.isin(self.region, [Region.LIPS, Region.MOUTH])
        return np.asarray((self.part != Part.SKIN) | mouth[self.triangles].all(axis=1))

    def triangle_region(self) -> npt.NDArray[np.uint8]:
        """Region of each triangle (T,): the one that most of its corners have, the first corner's at a draw."""
        a, b, c = (self.region[self.triangles[:, k]] for k in range(3))
        return np.where(b == c, b, a)


class HeadModel(ABC):
    """A head that can be shaped and moved. Unit of length: 1 dm; y up, z forward, x to the subject's left."""

    name: str
    uv_layout: str
    """Name of the layout of the skin's texture coordinates: textures in it fit this head."""
    topology: Topology
    template: FloatArray
    """(V, 3): the neutral head in rest pose, between its eyes and the base of the neck inside the mesh."""
    expression_names: tuple[str, ...]
    identity_size: int
    open_mouth: Mapping[str, float] = MappingProxyType({"jawOpen": 0.5})
    """The expression, by named units, with which the inside of the mouth can be seen."""

    @abstractmethod
    def sample_identity(self, rng: np.random.Generator) -> FloatArray:
        """Draw an identity (identity_size,) that looks like a person."""

    def traits(self, identity: FloatArray) -> tuple[float | None, float | None]:
        """How male an identity is, and how old (0 young, 1 old); None where the model does not know."""
        return None, None

    @abstractmethod
    def shape(self, identity: FloatArray) -> FloatArray:
        """Return the neutral vertices (V, 3) in rest pose of an identity (identity_size,)."""

    @abstractmethod
    def pose(self, shape: FloatArray, expression: FloatArray, pose: Pose) -> FloatArray:
        """Return the vertices (V, 3) of `shape` with an expression (len(expression_names),) and a pose."""

    def vertices(self, identity: FloatArray, expression: FloatArray, pose: Pose) -> FloatArray:
        """M(beta, theta, psi) of Eq. 1: vertices (V, 3)."""
        return self.pose(self.shape(identity), expression, pose)

    def expression(self, weights: Mapping[str, float]) -> FloatArray:
        """Make an expression vector from named units.

        Raises:
            KeyError: a name that is not in `expression_names`.
        """
        vector = np.zeros(len(self.expression_names))
        index = {name: i for i, name in enumerate(self.expression_names)}
        for name, weight in weights.items():
            vector[index[name]] = weight
        return vector

    def units_of_pose(self, jaw: JawReading) -> npt.NDArray[np.bool_]:
        """Return which entries of an expression take the new frame's values in a head partner (Eq. 4).

        With `expression` none do; with `pose` those of the jaw, whose names begin with `jaw`: FLAME's rotation of its
        joint, or ARKit's units, which move chin, lower lip, teeth and tongue too. Eyes stay with the expression: EMOCA
        does not estimate them, so that in FFN they are at rest.
        """
        return np.array([jaw == "pose" and name.startswith("jaw") for name in self.expression_names])

    def landmarks(self, vertices: npt.NDArray[np.floating]) -> FloatArray:
        """Return the 68 iBUG landmarks of `vertices` (V, D): (68, D)."""
        corners = vertices[self.topology.triangles[self.topology.landmark_triangles]]
        return np.asarray(np.einsum("nk,nkd->nd", self.topology.landmark_weights, corners))
