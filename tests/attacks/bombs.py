"""What a bomb is made of."""

from __future__ import annotations

import zlib

from tests.attacks.memory import MIB

BOMB = 200 * MIB
"""What a bomb unpacks to: three times what any reader may take for a file that declares nothing."""


def zeros(count: int) -> bytes:
    """Deflate so many zeros: a thousandth of them is left."""
    return zlib.compress(bytes(count), 1)
