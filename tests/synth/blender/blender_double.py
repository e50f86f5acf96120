"""Stands in for `blender_worker.py`: the same lines and files, and a slow, obvious ray caster in place of Blender.

`FAULT` beside it, if there is such a file, says how to go wrong.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

fault_file = Path(__file__).with_name("FAULT")
FAULT = fault_file.read_text() if fault_file.exists() else ""


def say(what: object) -> None:
    print(what if isinstance(what, str) else json.dumps(what), flush=True)


def hits(scene, points):  # type: ignore[no-untyped-def]
    """Triangle and barycentrics (3,) that each pixel's centre sees, by trying all triangles; -1 for none."""
    height, width = scene["size"]
    rays = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(float)
    rays = (rays - [(width - 1) / 2, (height - 1) / 2]) / scene["focal"]
    nearest, seen = np.full((height, width), np.inf), np.full((height, width), -1)
    share = np.zeros((height, width, 3))
    ray = np.concatenate([rays, np.ones((height, width, 1))], axis=-1)
    for t, corners in enumerate(points[scene["triangles"]]):
        away = np.dot(np.cross(corners[1] - corners[0], corners[2] - corners[0]), corners[0]) > 0
        if away and scene["material"][t] == 0:
            continue  # its back, and it has one side
        try:
            weights = ray @ np.linalg.inv(corners)
        except np.linalg.LinAlgError:
            continue
        depth = 1 / weights.sum(axis=-1)
        new = (weights >= 0).all(axis=-1) & (depth > 0) & (depth < nearest)
        nearest[new], seen[new], share[new] = depth[new], t, (weights * depth[..., None])[new]
    return seen, share


def measure(folder: Path) -> None:
    scene = dict(np.load(folder / "scene.npz", allow_pickle=False))
    now, following = (np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("now", "following"))
    seen, share = hits(scene, now)
    result = np.zeros((*seen.shape, 3), np.float32)
    corners = scene["triangles"][seen]
    there, then = (np.einsum("yxk,yxkd->yxd", share, points[corners]) for points in (now, following))
    with np.errstate(all="ignore"):
        flow = scene["focal"] * (then[..., :2] / then[..., 2:] - there[..., :2] / there[..., 2:])
    result[seen >= 0] = np.concatenate([flow, there[..., 2:]], axis=-1)[seen >= 0]
    if FAULT == "shift":
        result[seen >= 0, 0] += 0.01
    np.save(folder / "result.npy", result)


def draw(folder: Path) -> None:
    """Draw white where the mesh is."""
    scene = dict(np.load(folder / "scene.npz", allow_pickle=False))
    seen, _ = hits(scene, np.load(folder / "now.npy", allow_pickle=False))
    np.save(folder / "result.npy", np.repeat((seen >= 0)[..., None], 4, axis=-1).astype(np.float32))


def serve() -> None:
    if FAULT == "no bpy":
        import bpy_is_not_here  # type: ignore[import-not-found]  # noqa: F401
    folder = Path(sys.argv[1])
    say({"blender": "3.6.0" if FAULT == "old" else "4.5.99"})
    for line in sys.stdin:
        job = json.loads(line)
        if FAULT == "crash":
            print("reading textures\nout of memory", file=sys.stderr, flush=True)
            os._exit(11)
        if FAULT == "garbage":
            say("Fra:1 Mem:22M")
            continue
        if FAULT == "sleep":
            time.sleep(60)
        if FAULT == "error":
            say({"error": "KeyError: 'no such pass'"})
            continue
        if job["do"] != "scene":
            {"draw": draw, "measure": measure}[job["do"]](folder)
        say({})


if __name__ == "__main__":
    serve()
