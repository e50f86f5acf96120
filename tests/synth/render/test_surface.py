from __future__ import annotations

import numpy as np

from ffbench.synth.heads.head import Part, Pose
from ffbench.synth.motion.expressions import Frame
from ffbench.synth.render.camera import Camera
from ffbench.synth.render.raster import rasterize_supersampled
from ffbench.synth.render.surface import texture_coordinates
from tests.synth.toy_head import ToyHead

HEIGHT, WIDTH = 48, 64


def test_texture_coordinates_are_those_of_the_point_that_a_ray_meets() -> None:
    """Against barycentrics in space: the ray through a pixel, solved with the plane of the triangle it sees."""
    head = ToyHead()
    camera = Camera(HEIGHT, WIDTH, 160.0, 9.0, (0.0, 7.0, 0.4), (0.05, 0.1, 0.02))
    frame = Frame(np.full(len(head.expression_names), 0.2), Pose(neck=np.array([0.1, 0.2, 0.05])))
    topology = head.topology
    projected = camera.project(head.pose(head.shape(np.zeros(head.identity_size)), frame.expression, frame.pose))
    seen = rasterize_supersampled(projected.xy, projected.depth, topology.triangles, HEIGHT, WIDTH, topology.two_sided)
    found = texture_coordinates(topology, projected, seen)
    ids = seen.ids[1::2, 1::2]
    assert found.shape == (HEIGHT, WIDTH, 2)
    checked = 0
    for y, x in np.ndindex(HEIGHT, WIDTH):
        triangle = ids[y, x]
        if triangle < 0 or topology.part[triangle] != Part.SKIN:
            assert not found[y, x].any()
            continue
        ray = np.array([x - (WIDTH - 1) / 2, y - (HEIGHT - 1) / 2, camera.focal])
        corners = projected.points[topology.triangles[triangle]]
        weights = np.linalg.solve(corners.T, ray)
        expected = (weights / weights.sum()) @ topology.uv[triangle].astype(np.float64) % 1
        # Where u wraps, 0 and 1 are one place.
        off = np.abs(found[y, x] - expected)
        assert np.minimum(off, 1 - off).max() < 1e-5
        checked += 1
    assert checked > 300
