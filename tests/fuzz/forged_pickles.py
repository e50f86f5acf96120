"""Pickles that are forged instruction by instruction: what random bytes seldom make, programs that hold together.

Instructions: `pickletools.opcodes` of CPython.
"""

from __future__ import annotations

import pickletools
from collections.abc import Sequence

import numpy as np

from tests.fuzz.mutations import NUMBERS

_OPCODES = {opcode.code.encode("latin1"): opcode for opcode in pickletools.opcodes}
_PREFIX_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1, pickletools.TAKEN_FROM_ARGUMENT4: 4, pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}  # fmt: skip
CALLED: list[str] = []
"""What a pickle has run: Python's own machine notes it here."""


def note(text: str = "") -> str:
    """Note that a pickle has run this."""
    CALLED.append(text)
    return text


_NOTE = b"ctests.fuzz.forged_pickles\nnote\n"
_HOSTILE = (
    # Calls, in all the ways that there are.
    (_NOTE, b"(", b"S'reduce'\n", b"t", b"R"),
    (_NOTE, b"(", b"U\x06newobj", b"t", b"\x81"),
    (b"(", _NOTE, b"X\x04\0\0\0objt", b"o"),
    (b"(", b"S'inst'\n", b"itests.fuzz.forged_pickles\nnote\n"),
    (b"\x8c\x19tests.fuzz.forged_pickles", b"\x8c\x04note", b"\x93", b")", b"R"),
    (b"cbuiltins\nbytearray\n", b"J\xff\xff\xff\x7f", b"\x85", b"R"),
    (b"cnumpy\nndarray\n", b"(", b"J\xff\xff\xff\x7f", b"t", b"R"),
    (b"cnumpy\ndtype\n", b"(", b"S'O8'\n", b"K\0", b"K\x01", b"t", b"R"),
    # States, items and members for what has none.
    (b"}", b"b"), (b"N", b"a"), (b"(", b"N", b"N", b"u"), (b"\x8f", b"(", b"N", b"\x90"), (b"]", b"N", b"s"),
    # The memo, itself within itself, marks without an end, what is outside of the file.
    (b"g0\n",), (b"h\x01", b"a"), (b"p0\n",), (b"q\x01",), (b"\x94",), (b"r\xff\xff\xff\x7f",), (b"(",), (b"(",) * 50,
    (b"]",) * 50, (b"\x85",) * 50, (b"0",), (b"1",), (b"2",), (b"t",), (b".",), (b"Pid\n",), (b"Q",), (b"\x82\x01",),
    (b"\x97",), (b"\x80\x05",), (b"\x80\x00",), (b"\x95" + b"\xff" * 8,), (b"\x8e" + b"\xff" * 8,),
)  # fmt: skip


def instructions(content: bytes) -> list[bytes]:
    """Cut a sound pickle into its instructions, each with its argument."""
    found, place = [], 0
    while place < len(content):
        opcode = _OPCODES[content[place : place + 1]]
        end = place + 1
        if opcode.arg is not None:
            size = opcode.arg.n
            if size == pickletools.UP_TO_NEWLINE:
                for _ in range(2 if opcode.arg.name == "stringnl_noescape_pair" else 1):
                    end = content.index(b"\n", end) + 1
            elif size in _PREFIX_BYTES:
                width = _PREFIX_BYTES[size]
                end += width + int.from_bytes(content[end : end + width], "little")
            else:
                end += size
        found.append(content[place:end])
        place = end
    return found


def forge(seeds: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Return one of the seeds, sound pickles, with one to four of its instructions forged."""
    program = instructions(seeds[rng.integers(len(seeds))])
    for _ in range(rng.integers(1, 5)):
        program = _forged(program, seeds, rng)
    return b"".join(program)


def _forged(program: list[bytes], seeds: Sequence[bytes], rng: np.random.Generator) -> list[bytes]:
    if not program:
        return [b"."]
    # The first instructions say what the whole is; arrays in the middle have thousands of bytes and few instructions.
    reach = len(program) if rng.random() < 0.7 else min(len(program), 24)
    place, other = int(rng.integers(reach)), int(rng.integers(reach))
    kind = rng.integers(7)
    if kind == 0:
        return program[:place] + program[place + 1 :]
    if kind == 1:
        program[place], program[other] = program[other], program[place]
        return program
    if kind == 2:
        return program[:place] + list(_HOSTILE[rng.integers(len(_HOSTILE))]) + program[place:]
    if kind == 3:
        length = int(rng.integers(1, 12))
        return program[:other] + program[place : place + length] + program[other:]
    if kind == 4:
        donor = instructions(seeds[rng.integers(len(seeds))])
        start = int(rng.integers(len(donor)))
        return program[:place] + donor[start : start + int(rng.integers(1, 12))] + program[place:]
    if kind == 5:
        return [*program[:place], _extreme(program[place], rng), *program[place + 1 :]]
    return [*program[: place + 1], b"."]


def _extreme(instruction: bytes, rng: np.random.Generator) -> bytes:
    """Return an instruction with another number: its argument, or the count in front of it."""
    code, rest = instruction[:1], instruction[1:]
    number = NUMBERS[rng.integers(len(NUMBERS))]
    if code in b"ILFpg":
        return code + str(number).encode() + (b"L\n" if code == b"L" else b"\n")
    width = min(len(rest), int(rng.choice([1, 2, 4, 8])))
    return code + (number % 256**width).to_bytes(width, "little") + rest[width:]
