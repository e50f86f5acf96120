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
