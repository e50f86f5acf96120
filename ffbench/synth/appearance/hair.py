"""Thickness of hair and cloth: a shape's scalp and torso moved outwards."""

from __future__ import annotations

import numpy as np

from ffbench.synth.appearance.chart import chart
from ffbench.synth.appearance.look import Appearance
from ffbench.synth.heads.head import FloatArray, HeadModel, Part, Region
from ffbench.synth.heads.normals import vertex_normals
from ffbench.synth.render.bake import smooth_field


def dress(head: HeadModel, look: Appearance, shape: FloatArray) -> FloatArray:
    """Return a neutral shape, as `HeadModel.shape` makes it, the volume of its hair and cloth; same layout."""
    topology = head.topology
    count = len(head.template)
    skin = topology.part == Part.SKIN
    uv = np.zeros((count, 2))
    uv[topology.triangles[skin]] = topology.uv[skin]
    rng = np.random.default_rng([look.seed, 1])

    inside = chart(head).hair(look, uv[:, 0], uv[:, 1])
    bare = np.isin(topology.region, [Region.EARS, Region.TORSO, Region.LIPS, Region.MOUTH, Region.EYES, Region.NOSE])
    # Hair rises from its edge over a finger's breadth, and lies closer at the nape.
    hair = look.hair_volume * np.clip(inside / 0.45, 0, 1) ** 0.7
    sideways = np.abs(uv[:, 0] % 1 - 0.5)
    hair *= np.where(bare, 0.0, 0.6 + 0.4 * np.clip((0.5 - uv[:, 1]) / 0.35, 0, 1) + 0.3 * (sideways > 0.25))
    # Unevenness of a few centimetres in size, from waves in random directions.
    waves = np.zeros(count)
    for _ in range(8):
        waves += np.sin(head.template @ rng.normal(0, 4.5, 3) + rng.uniform(0, 2 * np.pi)) / 5
    hair *= 1 + 0.35 * waves
    cloth = 0.03 * (topology.region == Region.TORSO) * (1 + 0.6 * waves)
    thickness = smooth_field(topology, np.stack([hair, cloth], axis=1), 2).sum(axis=1)
    thickness[np.isin(topology.region, [Region.EARS, Region.EYES, Region.MOUTH])] = 0
    moved: FloatArray = shape.copy()
    moved[:count] += vertex_normals(shape[:count], topology.triangles) * np.clip(thickness, 0, None)[:, None]
    return moved
