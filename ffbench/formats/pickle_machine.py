"""What a pickle's instructions work on, and the notes that they leave: nothing is imported, nothing is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MOST_STEPS = 50_000
"""More instructions than any FLAME file has (hundreds); bounds time, memory and memo."""
_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}


@dataclass(frozen=True)
class Name:
    """The name of a class or function, in the modules of Python 3; never imported."""

    name: str


@dataclass(eq=False, repr=False)
class Node:
    """What a name in a pickle would have been called to make; nothing is called.

    Attributes:
        name: of the class or function.
        args: of the call.
        state: what the object would have been given as its state, or None.
    """

    name: str = ""
    args: tuple[Any, ...] = ()
    state: Any = None

    @property
    def kind(self) -> str:
        """Name of the class or function, seen through the helper that old pickles make objects with."""
        if self.name == "copyreg._reconstructor" and self.args and isinstance(self.args[0], Name):
            return self.args[0].name
        return self.name


class RefusedNameError(Exception):
    """A pickle names something that it has no use for."""


class Machine:
    """The file, the stack and the memo; the instructions are functions of it in `pickle_reader`.

    Methods raise ValueError, in words, where the file or the stack has not what they are to take.
    """

    def __init__(self, content: bytes, allowed: frozenset[str]) -> None:
        self.content, self.allowed = content, allowed
        self.place = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.names: dict[str, Name] = {}

    def take(self, count: int) -> bytes:
        """Return the next bytes of the file."""
        end = self.place + count
        if end > len(self.content):
            raise ValueError(f"cut short: {len(self.content)} bytes, expected {end} at least")
        taken, self.place = self.content[self.place : end], end
        return taken

    def line(self) -> bytes:
        """Return the rest of the line, without its end."""
        end = self.content.find(b"\n", self.place)
        if end < 0:
            raise ValueError(f"cut short: no end of the line at byte {self.place}")
        taken, self.place = self.content[self.place : end], end + 1
        return taken

    def unsigned(self, width: int) -> int:
        """Read a little-endian number."""
        return int.from_bytes(self.take(width), "little")

    def counted(self, width: int) -> bytes:
        """Read bytes that come after their number, which has `width` bytes."""
        return self.take(self.unsigned(width))

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def pop(self) -> Any:
        """Take the uppermost value above the last mark."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise ValueError(f"nothing to take from the stack, at byte {self.place}")
        return self.stack.pop()

    def top(self) -> Any:
        """Return the uppermost value above the last mark and leave it there."""
        value = self.pop()
        self.push(value)
        return value

    def pop_to_mark(self) -> list[Any]:
        """Take all values above the last mark, and the mark."""
        if not self.marks:
            raise ValueError(f"no mark, at byte {self.place}")
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def discard(self) -> None:
        """Drop the uppermost value, or the mark that stands there, as Python does."""
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.pop()

    def remember(self, index: int) -> None:
        """Note the uppermost value at a place of the memo."""
        if not 0 <= index <= MOST_STEPS:
            raise ValueError(f"place {index} of the memo, expected at most {MOST_STEPS:,}")
        self.memo[index] = self.top()

    def recall(self, index: int) -> None:
        """Push the value at a place of the memo."""
        if index not in self.memo:
            raise ValueError(f"nothing at place {index} of the memo")
        self.push(self.memo[index])

    def find(self, module: str, name: str) -> Name:
        """Return an allowed name, in the modules of Python 3."""
        full = f"{_PYTHON_2.get(module, module)}.{name}"
        if full not in self.allowed:
            raise RefusedNameError(full)
        return self.names.setdefault(full, Name(full))

    def call(self, function: Any, args: Any) -> None:
        """Push the note of a call."""
        if not (isinstance(function, Name) and isinstance(args, tuple)):
            raise ValueError(f"a call of {type(function).__name__} with {type(args).__name__}")
        self.push(Node(function.name, args))
