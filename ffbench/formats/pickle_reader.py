"""A reader of pickles of protocols 0 to 5 that runs nothing, whatever is in them.

A pickle is a program for a stack machine. This machine knows every instruction of it, but none that leads out of the
file: names of classes and functions become a `Name`, a call of one becomes a `Node` that only notes what it would have
been called with. Python's own machine is not used, and `pickletools` neither: it takes the strings of Python 2, which
hold an array's bytes in protocol 0, for ASCII.

Instructions: `pickletools.py` of CPython, and PEP 307, 3154 and 574.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any

from ffbench.formats.pickle_machine import MOST_STEPS, Machine, Name, Node

_LONGEST_NUMBER = 40
"""Characters or bytes; numbers of FLAME's files have 64 bits."""
_FOREIGN_ESCAPE = re.compile(rb"\\[^'\"nrtx]")
"""What `repr` of Python 2 does not write, backslashes aside; others would mean more than a byte, or warn."""


def read_pickle(content: bytes, allowed: frozenset[str]) -> Any:
    """Read a pickle into plain containers, strings, numbers, names and nodes.

    Strings of Python 2 become `str` with one character, 0 to 255, for each byte. Keys of dictionaries and members of
    sets are strings or bytes: no others are needed, and hashes of others can be made to collide. Containers may hold
    themselves, as pickles can say so: do not walk a tree without a bound.

    Args:
        content: the pickle; what follows its end is not looked at.
        allowed: names that may occur, such as `numpy.ndarray`.

    Raises:
        RefusedNameError: another name occurs.
        ValueError: it is damaged, or not of bounded size.
    """
    machine = Machine(content, allowed)
    for _ in range(MOST_STEPS):
        code = machine.take(1)
        if code == b".":
            return machine.pop()
        act = _INSTRUCTIONS.get(code)
        if act is None:
            raise ValueError(f"no instruction {code!r}, at byte {machine.place - 1}")
        act(machine)
    raise ValueError(f"more than {MOST_STEPS:,} instructions")


def _integer(text: bytes) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} characters")
    return int(text)


def _text_integer(machine: Machine) -> None:
    text = machine.line()
    # Python 2 has no instruction for truth values before protocol 2.
    machine.push(text == b"01" if text in (b"00", b"01") else _integer(text))


def _binary_integer(machine: Machine, width: int) -> None:
    if width > _LONGEST_NUMBER:
        raise ValueError(f"a number of {width} bytes")
    machine.push(int.from_bytes(machine.take(width), "little", signed=True))


def _text_float(machine: Machine) -> None:
    text = machine.line()
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} characters")
    machine.push(float(text))


def _text_string(machine: Machine) -> None:
    """Read what `repr` of Python 2 made of a string: quoted, bytes escaped or (not by `repr`) as they are."""
    text = machine.line()
    if not (len(text) >= 2 and text[:1] == text[-1:] and text[:1] in b"'\""):
        raise ValueError(f"a string without quotes, at byte {machine.place - len(text) - 2}")
    if _FOREIGN_ESCAPE.search(text[1:-1].replace(b"\\\\", b"")):
        raise ValueError(f"a string with escapes that are not Python 2's, at byte {machine.place - len(text) - 2}")
    machine.push(text[1:-1].decode("unicode_escape"))


def _unicode(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _append(machine: Machine, items: list[Any]) -> None:
    target = machine.top()
    if not isinstance(target, list):
        raise ValueError(f"items for a {type(target).__name__}")
    target.extend(items)


def _add(machine: Machine, items: list[Any]) -> None:
    target = machine.top()
    if not isinstance(target, set):
        raise ValueError(f"members for a {type(target).__name__}")
    target.update(map(_key, items))


def _set_items(target: Any, items: list[Any]) -> None:
    if not isinstance(target, dict) or len(items) % 2:
        raise ValueError(f"{len(items)} keys and values for a {type(target).__name__}")
    for key, value in zip(items[::2], items[1::2], strict=True):
        target[_key(key)] = value


def _key(value: Any) -> str | bytes:
    if not isinstance(value, str | bytes):
        raise ValueError(f"a key of type {type(value).__name__}")
    return value


def _dictionary(machine: Machine) -> None:
    made: dict[str | bytes, Any] = {}
    _set_items(made, machine.pop_to_mark())
    machine.push(made)


def _set_item(machine: Machine) -> None:
    value, key = machine.pop(), machine.pop()
    _set_items(machine.top(), [key, value])


def _set_marked_items(machine: Machine) -> None:
    items = machine.pop_to_mark()
    _set_items(machine.top(), items)


def _tuple(machine: Machine, count: int) -> None:
    items = [machine.pop() for _ in range(count)]
    machine.push(tuple(reversed(items)))


def _text_name(machine: Machine) -> Name:
    module, name = (machine.line().decode("utf-8", "backslashreplace") for _ in range(2))
    return machine.find(module, name)


def _stacked_name(machine: Machine) -> None:
    name, module = machine.pop(), machine.pop()
    if not (isinstance(module, str) and isinstance(name, str)):
        raise ValueError("a name that is no text")
    machine.push(machine.find(module, name))


def _instance(machine: Machine) -> None:
    function = _text_name(machine)
    machine.call(function, tuple(machine.pop_to_mark()))


def _object(machine: Machine) -> None:
    function, *args = machine.pop_to_mark() or [None]
    machine.call(function, tuple(args))


def _reduce(machine: Machine) -> None:
    args, function = machine.pop(), machine.pop()
    machine.call(function, args)


def _new_object_with_keywords(machine: Machine) -> None:
    keywords = machine.pop()
    if keywords != {}:
        raise ValueError("a call with keywords")
    _reduce(machine)


def _build(machine: Machine) -> None:
    state, target = machine.pop(), machine.top()
    if not isinstance(target, Node):
        raise ValueError(f"a state for a {type(target).__name__}")
    target.state = state


def _protocol(machine: Machine) -> None:
    if (protocol := machine.unsigned(1)) > 5:
        raise ValueError(f"protocol {protocol}, expected 0 to 5")


def _frame(machine: Machine) -> None:
    length = machine.unsigned(8)
    if machine.place + length > len(machine.content):
        raise ValueError(f"cut short: {len(machine.content)} bytes, expected {machine.place + length} at least")


def _outside(machine: Machine) -> None:
    raise ValueError(f"refers to something outside of the file, at byte {machine.place - 1}")


_INSTRUCTIONS: dict[bytes, Callable[[Machine], None]] = {
    b"\x80": _protocol,
    b"\x95": _frame,
    # Numbers and constants.
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": _text_integer,
    b"L": lambda m: m.push(_integer(m.line().removesuffix(b"L"))),
    b"K": lambda m: m.push(m.unsigned(1)),
    b"M": lambda m: m.push(m.unsigned(2)),
    b"J": lambda m: _binary_integer(m, 4),
    b"\x8a": lambda m: _binary_integer(m, m.unsigned(1)),
    b"\x8b": lambda m: _binary_integer(m, m.unsigned(4)),
    b"F": _text_float,
    b"G": lambda m: m.push(struct.unpack(">d", m.take(8))[0]),
    # Strings of Python 2, text, bytes.
    b"S": _text_string,
    b"T": lambda m: m.push(m.counted(4).decode("latin1")),
    b"U": lambda m: m.push(m.counted(1).decode("latin1")),
    b"V": lambda m: m.push(m.line().decode("raw_unicode_escape")),
    b"X": lambda m: m.push(_unicode(m.counted(4))),
    b"\x8c": lambda m: m.push(_unicode(m.counted(1))),
    b"\x8d": lambda m: m.push(_unicode(m.counted(8))),
    b"B": lambda m: m.push(m.counted(4)),
    b"C": lambda m: m.push(m.counted(1)),
    b"\x8e": lambda m: m.push(m.counted(8)),
    b"\x96": lambda m: m.push(bytearray(m.counted(8))),
    # Containers.
    b")": lambda m: m.push(()),
    b"\x85": lambda m: _tuple(m, 1),
    b"\x86": lambda m: _tuple(m, 2),
    b"\x87": lambda m: _tuple(m, 3),
    b"t": lambda m: m.push(tuple(m.pop_to_mark())),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(m.pop_to_mark()),
    b"a": lambda m: _append(m, [m.pop()]),
    b"e": lambda m: _append(m, m.pop_to_mark()),
    b"}": lambda m: m.push({}),
    b"d": _dictionary,
    b"s": _set_item,
    b"u": _set_marked_items,
    b"\x8f": lambda m: m.push(set()),
    b"\x90": lambda m: _add(m, m.pop_to_mark()),
    b"\x91": lambda m: m.push(frozenset(map(_key, m.pop_to_mark()))),
    # The stack and the memo.
    b"(": lambda m: m.marks.append(len(m.stack)),
    b"0": lambda m: m.discard(),
    b"1": lambda m: m.pop_to_mark().clear(),
    b"2": lambda m: m.push(m.top()),
    b"p": lambda m: m.remember(_integer(m.line())),
    b"q": lambda m: m.remember(m.unsigned(1)),
    b"r": lambda m: m.remember(m.unsigned(4)),
    b"\x94": lambda m: m.remember(len(m.memo)),
    b"g": lambda m: m.recall(_integer(m.line())),
    b"h": lambda m: m.recall(m.unsigned(1)),
    b"j": lambda m: m.recall(m.unsigned(4)),
    # Names and calls, none of which is made.
    b"c": lambda m: m.push(_text_name(m)),
    b"\x93": _stacked_name,
    b"i": _instance,
    b"o": _object,
    b"R": _reduce,
    b"\x81": _reduce,
    b"\x92": _new_object_with_keywords,
    b"b": _build,
    # Persistent identifiers, the extension registry, out-of-band buffers.
    **dict.fromkeys((b"P", b"Q", b"\x82", b"\x83", b"\x84", b"\x97", b"\x98"), _outside),
}
