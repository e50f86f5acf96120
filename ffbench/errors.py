"""Errors that a user can mend. The command line prints them as one line and exits with `exit_code`."""

from __future__ import annotations

import contextlib
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal

_INSTALLED = ("site-packages", "dist-packages")
_STDLIB = Path(sysconfig.get_path("stdlib"))
Fault = Literal["wrong size", "wrong format", "truncated", "not finite", "damaged"]
"""What kind of fault a file has, for those who count them."""


class FfbenchError(Exception):
    """Base of every error that ffbench raises on purpose; the message names the file or name at fault."""

    exit_code = 1

    def plus(self, more: str) -> FfbenchError:
        """Return the same error with more words at its end."""
        return type(self)(f"{self}{more}")


class UsageError(FfbenchError):
    """A wrong name, option or combination of options."""

    exit_code = 2


class DataError(FfbenchError):
    """A file or dataset that is missing, unreadable or not what it should be.

    Attributes:
        path: what is at fault, as it is printed; "" where the message is of several things.
        reason: what is wrong with it, what was expected, what to do. The message is `path: reason`.
        fault: the kind of fault, where the reader knows it.
    """

    exit_code = 3

    def __init__(self, path: object, reason: str | None = None, *, fault: Fault | None = None) -> None:
        """Take the parts of the message; `path` alone is the whole message."""
        super().__init__(str(path) if reason is None else f"{path}: {reason}")
        self.path = "" if reason is None else str(path)
        self.reason = str(path) if reason is None else reason
        self.fault = fault

    def of(self, path: object) -> DataError:
        """Return the same error of another path: a member of an archive in place of the scratch copy of it."""
        return DataError(path, self.reason, fault=self.fault)

    def plus(self, more: str) -> DataError:
        """Return the same error with more words at its end."""
        if not self.path:
            return DataError(self.reason + more, fault=self.fault)
        return DataError(self.path, self.reason + more, fault=self.fault)


class MethodError(FfbenchError):
    """A method that cannot be built or that does not answer as a method must."""

    exit_code = 4


@contextlib.contextmanager
def reading(
    path: object, *, cannot: str = "be read", missing: str | None = None, folder: str | None = None, more: str = ""
) -> Iterator[None]:
    """Turn an operating system's error into a DataError that names `path`.

    Args:
        path: what is read, or written.
        cannot: what cannot be done with it.
        missing, folder: the reasons where it is not there, or is a folder; None: as for every other error.
        more: what is said at the end, such as what to do; begins with its own mark.

    Raises:
        DataError: the body raised an OSError.
    """
    try:
        yield
    except OSError as error:
        if missing is not None and isinstance(error, FileNotFoundError):
            raise DataError(path, missing) from error
        if folder is not None and isinstance(error, IsADirectoryError):
            raise DataError(path, folder) from error
        raise DataError(path, f"cannot {cannot} ({os_reason(error)}){more}") from error


def writing(path: object, *, more: str = "") -> contextlib.AbstractContextManager[None]:
    """Turn an operating system's error while `path` is written into a DataError that names it; see `reading`."""
    return reading(path, cannot="be written", more=more)


def one_line(error: BaseException) -> str:
    """Return what an exception says in one line; its type where it says nothing.

    >>> one_line(ValueError("a\\n  b")), one_line(KeyError())
    ('a b', 'KeyError')
    """
    return " ".join(str(error).split()) or type(error).__name__


def os_reason(error: OSError) -> str:
    """Return what an operating system's error says, without its number and path."""
    return error.strerror or one_line(error)


def reason(error: BaseException) -> str:
    """Return an exception of other code in one line: its type and the first line of what it says.

    A first line that only announces the next (`Error(s) in loading state_dict for Net:`) is followed by that.

    >>> reason(RuntimeError("Error(s) in loading:\n\tMissing key(s): a\n\tUnexpected key(s): b"))
    'RuntimeError: Error(s) in loading: Missing key(s): a'
    """
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()] or [""]
    said = " ".join(lines[: 2 if lines[0].endswith(":") else 1])
    return f"{type(error).__name__}: {said[:200]}".rstrip(": ")


def user_line(error: BaseException) -> str:
    """Return ` (FILE, line N)` of the last line of the user's that an error went through; "" where there is none.

    The user's is what is neither Python's, nor ffbench's, nor an installed package's.
    """
    if isinstance(error, SyntaxError) and error.filename is not None and _is_users(error.filename):
        return f" ({_near(error.filename)}, line {error.lineno})"
    found, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if _is_users(file) and not _is_kernels(trace):
            found = f" ({_near(file)}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return found


def _near(file: str) -> Path:
    """Return a path as it is from the current folder, where it lies below that."""
    return Path(file).relative_to(Path.cwd()) if Path(file).is_relative_to(Path.cwd()) else Path(file)


def _is_users(file: str) -> bool:
    path = Path(file)
    return path.is_absolute() and not path.is_relative_to(_STDLIB) and not set(_INSTALLED) & set(path.parts)


def _is_kernels(trace: TracebackType) -> bool:
    return str(trace.tb_frame.f_globals.get("__name__")).startswith("ffbench.")
