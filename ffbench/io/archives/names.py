"""Names of members of archives: which are refused, and which are litter."""

from __future__ import annotations

from ffbench.errors import DataError

MAX_NAME = 1024
_IGNORED = ("__MACOSX", "Thumbs.db", "desktop.ini")


def safe_name(archive: object, name: str) -> str:
    """Return a member's name with `/` between folders and no leading `./`.

    Raises:
        DataError: the name is absolute, has `..`, or cannot be a file's name.
    """
    plain = name.replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if plain.startswith("/") or ".." in parts or plain[1:2] == ":" or not parts:
        raise DataError(archive, f"holds {name[:80]!r}, a name that leads out of the archive; it is refused")
    if len(name) > MAX_NAME or not plain.isprintable():
        raise DataError(archive, f"holds a name that no file should have, {name[:80]!r}; it is refused")
    return "/".join(parts)


def is_ignored(name: str) -> bool:
    """Tell whether a file is one that operating systems leave behind, or hidden."""
    return any(part.startswith(".") or part in _IGNORED for part in name.split("/"))
