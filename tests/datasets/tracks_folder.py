"""Makes small folders in the layout of the metrical tracker's output: a dome for a face, seen by a turning camera."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

SIZE = 64
"""Width and height of the crops."""
SIDE = 9
"""The dome is a grid of SIDE x SIDE vertices."""


def dome(lift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices (81, 3) and triangles (128, 3) of a dome 0.2 wide that bulges to +z."""
    x, y = np.meshgrid(np.linspace(-0.1, 0.1, SIDE), np.linspace(-0.1, 0.1, SIDE))
    z = 0.06 - 3 * (x**2 + y**2) + lift * np.exp(-((x**2 + y**2) / 0.002))
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    corner = (np.arange(SIDE - 1)[:, None] * SIDE + np.arange(SIDE - 1)).reshape(-1)
    triangles = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + SIDE], axis=1),
            np.stack([corner + 1, corner + SIDE + 1, corner + SIDE], axis=1),
        ]
    )
    return vertices, triangles


def scattered(lift: float = 0.0, count: int = 5023) -> tuple[np.ndarray, np.ndarray]:
    """Return as many vertices of the dome as FLAME has, at places drawn by lot, and a few triangles."""
    x, y = np.random.default_rng(6).uniform(-0.1, 0.1, (2, count))
    z = 0.06 - 3 * (x**2 + y**2) + lift * np.exp(-((x**2 + y**2) / 0.002))
    return np.stack([x, y, z], axis=1), np.arange(30).reshape(10, 3)


def renderer_camera(turn: float, size: int = SIZE) -> dict[str, np.ndarray]:
    """Return R, T, focal length and principal point as PyTorch3D has them (row vectors, x left, y up, [-1, 1])."""
    c, s = math.cos(turn), math.sin(turn)
    # Seen from +z: the camera looks along -z, so that its x axis (to the left) is -x of the model.
    rotation = np.array([[-c, 0, s], [0, 1, 0], [-s, 0, -c]])
    return {
        "R": rotation,
        "T": np.array([0.004, -0.003, 1.0]),
        "focal": np.array([6.0]),
        "principal": np.array([0.05, -0.03]),
    }


def opencv_camera(camera: dict[str, np.ndarray], size: int = SIZE) -> dict[str, np.ndarray]:
    """Turn a camera of the renderer into OpenCV's R, t, K: x and y change sign, matrices are transposed."""
    flip = np.diag([-1.0, -1.0, 1.0])
    half = size / 2
    focal = camera["focal"][0] * half
    center = half - camera["principal"] * half
    return {
        "R": (flip @ camera["R"].T)[None].astype(np.float32),
        "t": (flip @ camera["T"])[None].astype(np.float32),
        "K": np.array([[[focal, 0, center[0]], [0, focal, center[1]], [0, 0, 1]]], np.float32),
    }


def screen_points(vertices: np.ndarray, camera: dict[str, np.ndarray], size: int = SIZE) -> np.ndarray:
    """Project as the renderer does, in pixels counted from the image's outer corner."""
    seen = vertices @ camera["R"] + camera["T"]
    ndc = camera["focal"] * seen[:, :2] / seen[:, 2:] + camera["principal"]
    return size / 2 * (1 - ndc)


def write_ply(path: Path, vertices: np.ndarray, triangles: np.ndarray) -> None:
    header = (
        "ply\nformat binary_little_endian 1.0\ncomment made by a test\n"
        f"element vertex {len(vertices)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    faces = b"".join(struct.pack("<B3i", 3, *map(int, triangle)) for triangle in triangles)
    path.write_bytes(header.encode() + vertices.astype("<f4").tobytes() + faces)


def checkpoint(turn: float, number: int, size: int = SIZE) -> dict[str, object]:
    camera = renderer_camera(turn, size)
    return {
        "flame": {"exp": np.zeros((1, 100), np.float32), "jaw": np.zeros((1, 6), np.float32)},
        "camera": {"R": np.zeros((1, 6), np.float32), "t": camera["T"][None].astype(np.float32)},
        "opencv": opencv_camera(camera, size),
        "img_size": np.array([size, size]),
        "frame_id": f"{number:05d}",
        "global_step": 12 * number,
    }


def turn_of(number: int) -> float:
    return 0.02 * number


def lift_of(number: int) -> float:
    return 0.004 * number


def add_track(
    root: Path,
    video: str,
    frames: int = 4,
    *,
    original: bool = False,
    size: int = SIZE,
    mesh: Callable[[float], tuple[np.ndarray, np.ndarray]] = dome,
) -> Path:
    """Add the tracker's output of a video whose face turns by `turn_of` and bulges by `lift_of` its number."""
    folder = root / video
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "input").mkdir()
    for number in range(frames):
        name = f"{number:05d}"
        torch.save(checkpoint(turn_of(number), number, size), folder / "checkpoint" / f"{name}.frame")
        write_ply(folder / "mesh" / f"{name}.ply", *mesh(lift_of(number)))
        noise = np.random.default_rng(number).integers(0, 256, (size, size, 3), np.uint8)
        Image.fromarray(noise).save(folder / "input" / f"{name}.png")
        if original:
            (folder / "source").mkdir(exist_ok=True)
            frame = np.random.default_rng(100 + number).integers(0, 256, (90, 160, 3), np.uint8)
            Image.fromarray(frame).save(folder / "source" / f"{number + 1:05d}.png")
    if original:
        torch.save(np.array([20, 84, 5, 69]), folder / "bbox.pt")
    return folder


def write_regions(root: Path) -> dict[str, list[int]]:
    """Say which vertices of the dome count: three rows of it."""
    regions = {"lips": list(range(18, 27)), "cheeks": list(range(27, 36)), "eyes": list(range(45, 54))}
    root.mkdir(parents=True, exist_ok=True)
    (root / "regions.json").write_text(json.dumps(regions))
    return regions


def make_tracks(
    root: Path,
    videos: tuple[str, ...] = ("M003_front_angry_level_1_001", "W009_front_sad_level_2_004"),
    *,
    original: bool = False,
) -> Path:
    for number, video in enumerate(videos):
        add_track(root, video, 4 - number, original=original)
    write_regions(root)
    return root
