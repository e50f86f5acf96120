"""Damage to files: what disks, networks, careless scripts and attackers do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**62, 2**63, 2**64 - 1)
_TEXTS = (b"nan", b"inf", b"-1", b"1e999", b"9" * 40, b"null", b"[" * 50, b"\0", b"\xff\xfe", b"../" * 3, b"\n\n")


def mutate(seeds: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Return one of the seeds with one to three kinds of damage."""
    content = bytearray(seeds[rng.integers(len(seeds))])
    for _ in range(rng.integers(1, 4)):
        content = _damage(content, seeds, rng)
    return bytes(content)


def _damage(content: bytearray, seeds: Sequence[bytes], rng: np.random.Generator) -> bytearray:
    size = len(content)
    if not size:
        return bytearray(rng.bytes(8))
    # Headers stand at the beginning, directories at the end: hit them more often than the middle.
    windows = ((0, size), (0, size), (0, min(size, 256)), (max(0, size - 512), size))
    place = int(rng.integers(*windows[rng.integers(4)]))
    kind = rng.integers(9)
    if kind == 0:
        content[place] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        content[place] = int(rng.integers(256))
    elif kind == 2:
        del content[place:]
    elif kind == 3:
        del content[place : place + int(rng.integers(1, 64))]
    elif kind == 4:
        content[place:place] = rng.bytes(int(rng.integers(1, 64)))
    elif kind == 5:
        width = int(rng.choice([1, 2, 4, 8]))
        number = NUMBERS[rng.integers(len(NUMBERS))] % 256**width
        content[place : place + width] = number.to_bytes(width, "little" if rng.random() < 0.7 else "big")
    elif kind == 6:
        content[place:place] = _TEXTS[rng.integers(len(_TEXTS))]
    elif kind == 7:
        other = seeds[rng.integers(len(seeds))]
        start = int(rng.integers(len(other)))
        content[place:] = other[start:]
    else:
        start = int(rng.integers(size))
        content[place : place + 32] = content[start : start + 32]
    return content
