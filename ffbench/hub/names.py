"""Names of models on the hub: `hf:OWNER/NAME` and `hf:OWNER/NAME@REVISION`. Nothing is fetched here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ffbench.errors import UsageError
from ffbench.io.escape import plain

PREFIX = "hf:"
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_REPOSITORY = re.compile(f"{_PART}/{_PART}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_NEVER = ("..", "--", "//")
"""What neither part of a name holds: both become folders of the hub's cache, in which `--` stands for `/`."""


@dataclass(frozen=True)
class HubName:
    """A model repository, `owner/name`, and the branch, tag or commit that is meant; None: its main branch."""

    repository: str
    revision: str | None = None

    def __str__(self) -> str:
        """Return the name as a user writes it."""
        return PREFIX + self.repository + (f"@{self.revision}" if self.revision else "")


def is_hub_name(name: object) -> bool:
    """Whether a method's name, or that of weights, is meant to be one of the hub."""
    return str(name).startswith(PREFIX)


def hub_name(name: object) -> HubName:
    """Parse a name of the hub.

    >>> hub_name("hf:lab/faces@v1.0")
    HubName(repository='lab/faces', revision='v1.0')

    Raises:
        UsageError: it is not of the form `hf:OWNER/NAME[@REVISION]`, or would leave its folder of the cache.
    """
    repository, at, revision = str(name).removeprefix(PREFIX).partition("@")
    check_repository(repository)
    if at and (not _REVISION.fullmatch(revision) or any(mark in revision for mark in ("..", "//"))):
        raise UsageError(f"'{plain(name)}': expected a branch, a tag or a commit after the @")
    return HubName(repository, revision or None)


def check_repository(repository: str) -> str:
    """Return the name of a repository that can be one.

    Raises:
        UsageError: it is not of the form `OWNER/NAME`.
    """
    if not _REPOSITORY.fullmatch(repository) or any(mark in repository for mark in _NEVER):
        raise UsageError(f"'{plain(repository)}' is no repository of the hub, expected OWNER/NAME")
    return repository
