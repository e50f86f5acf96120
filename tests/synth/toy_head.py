"""A ball with a nose that bends its neck, as a head model that needs no asset."""

from __future__ import annotations

import numpy as np

from ffbench.synth.heads.head import FloatArray, HeadModel, Part, Pose, Region, Topology
from ffbench.synth.heads.skinning import rotation_matrix

ROWS, COLUMNS = 17, 24


class ToyHead(HeadModel):
    """A ball of radius 1 at height 7 with units that open its jaw, lift its brow and turn an eye."""

    name = "toy"
    uv_layout = "toy"
    expression_names = ("jawOpen", "browInnerUp", "mouthSmileLeft", "mouthSmileRight")
    identity_size = 2

    def __init__(self) -> None:
        down, around = np.meshgrid(np.linspace(0.02, np.pi - 0.02, ROWS), np.arange(COLUMNS) * 2 * np.pi / COLUMNS)
        down, around = down.T.ravel(), around.T.ravel()
        nose = 0.5 * np.exp(-((around - np.pi) ** 2 + (down - 1.6) ** 2) * 12)
        radius = 1 + nose
        # u = 0.5 looks forward, and grows to the subject's left.
        side = around - np.pi
        self.template = np.stack(
            [
                radius * np.sin(down) * np.sin(side),
                7 + radius * np.cos(down),
                0.4 + radius * np.sin(down) * np.cos(side),
            ],
            axis=1,
        )
        quads = []
        for r in range(ROWS - 1):
            for c in range(COLUMNS):
                n = (c + 1) % COLUMNS
                quads.append([r * COLUMNS + c, (r + 1) * COLUMNS + c, (r + 1) * COLUMNS + n, r * COLUMNS + n])
        quad = np.array(quads)
        triangles = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]]).astype(np.int32)
        u, v = around / (2 * np.pi), 0.1 + 0.7 * down / np.pi
        uv = np.stack([u, v], axis=1)[triangles]
        uv[..., 0] += (np.ptp(uv[..., 0], axis=1) > 0.5)[:, None] & (uv[..., 0] < 0.5)
        y, z = self.template[:, 1], self.template[:, 2]
        region = np.where(y > 7.5, Region.SCALP, np.where(y < 6.4, Region.CHIN, Region.CHEEKS))
        region[nose > 0.2] = Region.NOSE
        region[(y < 6.9) & (y > 6.6) & (z > 1)] = Region.MOUTH
        part = np.zeros(len(triangles), np.uint8)
        part[(self.template[triangles][..., 1].mean(axis=1) > 7.2) & (z[triangles].mean(axis=1) > 1.1)] = Part.EYE
        self.topology = Topology(
            triangles=triangles,
            uv=uv.astype(np.float32),
            part=part,
            region=region.astype(np.uint8),
            landmark_triangles=np.arange(68, dtype=np.int32) + 100,
            landmark_weights=np.tile([0.2, 0.3, 0.5], (68, 1)),
        )

    def sample_identity(self, rng: np.random.Generator) -> FloatArray:
        return rng.normal(0, 0.05, 2)

    def shape(self, identity: FloatArray) -> FloatArray:
        return (self.template - [0, 7, 0.4]) * (1 + np.array([identity[0], identity[1], 0])) + [0, 7, 0.4]

    def pose(self, shape: FloatArray, expression: FloatArray, pose: Pose) -> FloatArray:
        moved = shape.copy()
        low = np.clip(6.8 - shape[:, 1], 0, 1)
        moved[:, 1] -= 0.6 * expression[0] * low
        moved[:, 2] += 0.3 * expression[1] * np.clip(shape[:, 1] - 7.2, 0, 1)
        moved[:, 0] += 0.2 * (expression[2] * (shape[:, 0] > 0) - expression[3] * (shape[:, 0] < 0)) * low
        pivot = np.array([0, 5.9, 0])
        moved = (moved - pivot) @ rotation_matrix(pose.neck).T + pivot
        moved = (moved - pivot) @ rotation_matrix(pose.rotation).T + pivot
        return moved + pose.translation
