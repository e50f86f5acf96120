"""Pickles as `pickle.dump` of Python 2.7 writes them, instruction by instruction; Python 3 writes others.

Protocol 0 is the one that FLAME's masks are distributed in: an array's bytes stand in the `repr` of a string. Held
against Python 2.7.18 with numpy 1.16.6, scipy 1.2.3 and chumpy 0.68 by the hashes in `test_pickle_reader.py`.
"""

from __future__ import annotations

import builtins
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csc_matrix


class Ch:
    """What chumpy.ch.Ch keeps in a pickle."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = x
        self._dirty_vars: set[str] = set()
        self._itr = None
        self._depends_on_deps: dict[str, Any] = {}


@dataclass(frozen=True)
class Unicode:
    """A text of Python 2; a plain `str` stands for its string of bytes."""

    text: str


@dataclass(frozen=True)
class Class:
    module: str
    name: str


_DTYPE = Class("numpy", "dtype")
_NDARRAY = Class("numpy", "ndarray")
_RECONSTRUCT = Class("numpy.core.multiarray", "_reconstruct")
_RECONSTRUCTOR = Class("copy_reg", "_reconstructor")


def dumps(value: Any, protocol: int = 0, *, escape: bool = True, long_sizes: bool = False) -> bytes:
    """Pickle containers, strings (str as bytes in Latin-1), numbers, arrays, sparse matrices and `Ch`.

    Args:
        value: what is pickled.
        protocol: 0, 1 or 2.
        escape: whether strings of protocol 0 have bytes over 127 escaped, as `repr` has them.
        long_sizes: whether the sides of arrays are `long`, as on Windows.
    """
    writer = _Writer(protocol, escape, long_sizes)
    if protocol == 2:
        writer.out += b"\x80\x02"
    writer.save(value)
    return bytes(writer.out) + b"."


def python2_repr(raw: bytes, *, escape: bool = True) -> bytes:
    quote = b'"' if b"'" in raw and b'"' not in raw else b"'"
    special = {9: b"\\t", 10: b"\\n", 13: b"\\r", 92: b"\\\\", quote[0]: b"\\" + quote}
    escaped = (
        special[byte] if byte in special
        else bytes([byte]) if 32 <= byte < 127 or (byte > 127 and not escape)
        else b"\\x%02x" % byte
        for byte in raw
    )  # fmt: skip
    return quote + b"".join(escaped) + quote


class _Writer:
    def __init__(self, protocol: int, escape: bool, long_sizes: bool) -> None:
        self.protocol, self.escape, self.long_sizes = protocol, escape, long_sizes
        self.out = bytearray()
        # Keys are what stands for the identity of an object in Python 2; objects are kept alive.
        self.memo: dict[Any, tuple[int, Any]] = {}

    def save(self, value: Any) -> None:
        key = self._identity(value)
        if key in self.memo:
            self._index(self.memo[key][0], b"g", b"h", b"j")
        else:
            _SAVERS[type(value)](self, value)

    def memoize(self, value: Any) -> None:
        index = len(self.memo)
        self._index(index, b"p", b"q", b"r")
        self.memo[self._identity(value)] = index, value

    def _identity(self, value: Any) -> Any:
        # Names and strings of up to one character are there once; a dtype of numbers, too.
        if isinstance(value, Class | np.dtype) or (type(value) is str and len(value) < 2):
            return type(value), value
        return id(value)

    def _index(self, index: int, text: bytes, short: bytes, long: bytes) -> None:
        if self.protocol == 0:
            self.out += text + b"%d\n" % index
        else:
            self.out += short + bytes([index]) if index < 256 else long + struct.pack("<i", index)

    def none(self, _: None) -> None:
        self.out += b"N"

    def boolean(self, value: bool) -> None:
        self.out += (b"\x88" if value else b"\x89") if self.protocol == 2 else b"I%02d\n" % value

    def integer(self, value: int) -> None:
        if self.protocol == 0:
            self.out += b"I%d\n" % value
        elif 0 <= value < 2**16:
            self.out += b"K" + bytes([value]) if value < 256 else b"M" + struct.pack("<H", value)
        else:
            self.out += b"J" + struct.pack("<i", value)

    def size(self, value: int) -> None:
        if not self.long_sizes:
            self.integer(value)
        elif self.protocol < 2:
            self.out += b"L%dL\n" % value
        else:
            raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True) if value else b""
            self.out += b"\x8a" + bytes([len(raw)]) + raw

    def string(self, value: str) -> None:
        raw = value.encode("latin1")
        if self.protocol == 0:
            self.out += b"S" + python2_repr(raw, escape=self.escape) + b"\n"
        else:
            self.out += b"U" + bytes([len(raw)]) + raw if len(raw) < 256 else b"T" + struct.pack("<i", len(raw)) + raw
        self.memoize(value)

    def unicode(self, value: Unicode) -> None:
        if self.protocol == 0:
            text = value.text.replace("\\", "\\u005c").replace("\n", "\\u000a")
            self.out += b"V" + text.encode("raw_unicode_escape") + b"\n"
        else:
            raw = value.text.encode()
            self.out += b"X" + struct.pack("<i", len(raw)) + raw
        self.memoize(value)

    def tuple(self, value: tuple[Any, ...]) -> None:
        if not value:
            self.out += b")" if self.protocol else b"(t"
            return
        short = self.protocol == 2 and len(value) <= 3
        if not short:
            self.out += b"("
        for item in value:
            self.save(item)
        self.out += (b"", b"\x85", b"\x86", b"\x87")[len(value)] if short else b"t"
        self.memoize(value)

    def list(self, value: list[Any]) -> None:
        self.out += b"]" if self.protocol else b"(l"
        self.memoize(value)
        self._batch([(item,) for item in value], b"a", b"e")

    def dict(self, value: dict[str, Any]) -> None:
        self.out += b"}" if self.protocol else b"(d"
        self.memoize(value)
        self._batch(list(value.items()), b"s", b"u")

    def _batch(self, items: builtins.list[builtins.tuple[Any, ...]], one: bytes, many: bytes) -> None:
        marked = self.protocol > 0 and len(items) > 1
        self.out += b"(" if marked else b""
        for item in items:
            for part in item:
                self.save(part)
            self.out += b"" if marked else one
        self.out += many if marked else b""

    def name(self, value: Class) -> None:
        self.out += b"c%s\n%s\n" % (value.module.encode(), value.name.encode())
        self.memoize(value)

    def call(self, function: Class, args: builtins.tuple[Any, ...], made: Any, state: Any) -> None:
        self.save(function)
        self.save(args)
        self.out += b"R"
        self.memoize(made)
        if state is not None:
            self.save(state)
            self.out += b"b"

    def plain_object(self, of: Class, made: Any, state: builtins.dict[str, Any]) -> None:
        if self.protocol < 2:
            self.call(_RECONSTRUCTOR, (of, Class("__builtin__", "object"), None), made, state)
            return
        self.save(of)
        self.out += b")\x81"
        self.memoize(made)
        self.save(state)
        self.out += b"b"

    def dtype(self, value: np.dtype[Any]) -> None:
        code = f"{value.kind}{value.itemsize}"
        order = "|" if value.itemsize == 1 else ">" if value.byteorder == ">" else "<"
        self.call(_DTYPE, (code, 0, 1), value, (3, _Own(order), None, None, None, -1, -1, 0))

    def array(self, value: np.ndarray) -> None:
        shape = tuple(_Size(side) for side in value.shape)
        fortran = value.ndim > 1 and value.flags.f_contiguous
        raw = value.tobytes("F" if fortran else "C").decode("latin1")
        empty = tuple(0 for _ in range(1))  # a tuple for each array: a constant would be one object
        self.call(_RECONSTRUCT, (_NDARRAY, empty, "b"), value, (1, shape, value.dtype, bool(fortran), raw))

    def sparse(self, value: csc_matrix) -> None:
        state = {"indices": value.indices, "data": value.data, "maxprint": 50, "_shape": value.shape,
                 "indptr": value.indptr}  # fmt: skip
        self.plain_object(Class("scipy.sparse.csc", "csc_matrix"), value, state)

    def chumpy(self, value: Ch) -> None:
        state = {_Own("_make_sparse"): False, "_dirty_vars": {"x"}, "_itr": None, "_depends_on_deps": {},
                 _Own("_make_dense"): False, "x": value.x}  # fmt: skip
        self.plain_object(Class("chumpy.ch", "Ch"), value, state)

    def set(self, value: set[Any]) -> None:
        self.call(Class("__builtin__", "set"), (list(value),), value, None)


class _Size(int):
    """One side of an array."""


class _Own(str):
    """A string that is an object of its own, however short."""


_DTYPES = {type(np.dtype(code)) for code in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")}
_SAVERS: dict[type, Any] = {
    type(None): _Writer.none, bool: _Writer.boolean, int: _Writer.integer, _Size: _Writer.size, str: _Writer.string,
    _Own: _Writer.string, Unicode: _Writer.unicode, tuple: _Writer.tuple, list: _Writer.list, dict: _Writer.dict,
    set: _Writer.set, Class: _Writer.name, np.ndarray: _Writer.array, csc_matrix: _Writer.sparse, Ch: _Writer.chumpy,
    **dict.fromkeys(_DTYPES, _Writer.dtype),
}  # fmt: skip
