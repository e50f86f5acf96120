"""Flows, images and videos made by hand that ask for far more memory than they have bytes, and honest ones."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import h5py
import numpy as np
from PIL import Image

from ffbench.flow.files import write_flow
from tests.attacks.bombs import BOMB, zeros


def _hdf5(path: Path, shape: tuple[int, ...], chunks: tuple[int, ...], chunk: bytes, deflates: int = 1) -> None:
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk(chunks)
        for _ in range(deflates):
            plan.set_deflate(9)
        most = tuple(max(sides) for sides in zip(shape, chunks, strict=True))
        space = h5py.h5s.create_simple(shape, most)
        dataset = h5py.h5d.create(file.id, b"flow", h5py.h5t.IEEE_F32LE, space, plan)
        for row in range(0, shape[0], chunks[0]):
            for column in range(0, shape[1], chunks[1]):
                dataset.write_direct_chunk((row, column, 0), chunk)


def overfull_chunk(path: Path) -> int:
    _hdf5(path, (512, 512, 2), (512, 512, 2), zeros(BOMB))
    return 512 * 512 * 8


def twice_deflated_chunk(path: Path) -> int:
    _hdf5(path, (64, 64, 2), (64, 64, 2), zlib.compress(zeros(BOMB), 9), deflates=2)
    return 64 * 64 * 8


def chunk_larger_than_flow(path: Path) -> int:
    side = 5120
    _hdf5(path, (64, 64, 2), (side, side, 2), zeros(side * side * 8))
    return 64 * 64 * 8


def many_empty_chunks(path: Path) -> int:
    _hdf5(path, (8192, 8192, 2), (1024, 1024, 2), zeros(2**20 * 8))
    return path.stat().st_size


def noisy_flo5(path: Path) -> int:
    flow = np.random.default_rng(0).normal(size=(1400, 1400, 2)).astype(np.float32)
    write_flow(path, flow)
    return int(flow.nbytes)


def noisy_flo(path: Path) -> int:
    return noisy_flo5(path)


def _png(path: Path, side: int, depth: int, row_bytes: int) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, depth, 2, 0, 0, 0)
    packed = zeros(side * (1 + row_bytes))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b""))


def empty_kitti(path: Path) -> int:
    _png(path, 6144, 16, 6 * 6144)
    return path.stat().st_size


def noisy_kitti(path: Path) -> int:
    flow = np.random.default_rng(0).uniform(-99, 99, (1500, 1500, 2)).astype(np.float32)
    write_flow(path, flow)
    return int(flow.nbytes)


def black_png(path: Path) -> int:
    _png(path, 8192, 8, 3 * 8192)
    return path.stat().st_size


def noisy_pfm(path: Path) -> int:
    """A pixmap of floating-point samples under the name of one of bytes."""
    noise = np.random.default_rng(0).random((4000, 4000), np.float32)
    path.write_bytes(b"Pf\n4000 4000\n-1.0\n" + noise.tobytes())
    return path.stat().st_size


def black_webp(path: Path) -> int:
    path.write_bytes(cv2.imencode(".webp", np.zeros((4500, 4500, 3), np.uint8), [cv2.IMWRITE_WEBP_QUALITY, 101])[1])
    return path.stat().st_size


def noisy_jpeg(path: Path) -> int:
    noise = np.random.default_rng(0).integers(0, 256, (4500, 4500, 3), np.uint8)
    Image.fromarray(noise).save(path, quality=30, progressive=True)
    return int(noise.nbytes)


def giant_tile(path: Path) -> int:
    """A TIFF of 64 x 64 pixels in one tile of 8192 x 8192."""
    side, packed = 8192, zeros(8192 * 8192 * 3)
    entries = [(256, 64), (257, 64), (258, 8), (259, 8), (262, 2), (277, 3), (284, 1), (322, side), (323, side),
               (324, 0), (325, len(packed))]  # fmt: skip
    data = 8 + 2 + 12 * len(entries) + 4
    directory = struct.pack("<H", len(entries))
    for tag, value in entries:
        directory += struct.pack("<HHII", tag, 4, 1, data if tag == 324 else value)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 0) + packed)
    return 64 * 64 * 3


def wide_video(path: Path) -> int:
    side = 5000
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (side, side))
    for _ in range(2):
        writer.write(np.zeros((side, side, 3), np.uint8))
    writer.release()
    return path.stat().st_size


def video_of_two_frames(path: Path) -> int:
    noise = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (1920, 1080))
    for _ in range(2):
        writer.write(noise)
    writer.release()
    return 2 * int(noise.nbytes)
