"""Errors that a user can mend. The command line prints them as one line and exits with `exit_code`."""

from __future__ import annotations


class FfbenchError(Exception):
    """Base of every error that ffbench raises on purpose; the message names the file or name at fault."""

    exit_code = 1


class UsageError(FfbenchError):
    """A wrong name, option or combination of options."""

    exit_code = 2


class DataError(FfbenchError):
    """A file or dataset that is missing, unreadable or not what it should be."""

    exit_code = 3


class MethodError(FfbenchError):
    """A method that cannot be built or that does not answer as a method must."""

    exit_code = 4


def reason(error: BaseException) -> str:
    """Return an exception of other code in one line: its type and the first line of what it says.

    A first line that only announces the next (`Error(s) in loading state_dict for Net:`) is followed by that.

    >>> reason(RuntimeError("Error(s) in loading:\n\tMissing key(s): a\n\tUnexpected key(s): b"))
    'RuntimeError: Error(s) in loading: Missing key(s): a'
    """
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()] or [""]
    said = " ".join(lines[: 2 if lines[0].endswith(":") else 1])
    return f"{type(error).__name__}: {said[:200]}".rstrip(": ")
