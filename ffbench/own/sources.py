"""Which files of the user's make up a method: the one that is named, and what it imports from beside it.

They are read, not run, so that the hash is that of the whole code, also of what is imported late.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

_KERNEL = "ffbench"
"""Its own code is part of every run's fingerprint; a checkout of it may lie beside the user's file."""


def local_sources(file: Path, root: Path) -> list[Path]:
    """Find a file and all files below `root` that it imports, directly or not, sorted.

    Args:
        file: a Python file below `root`.
        root: the folder from which its imports are found. In one of installed packages, only files of the package
            that `file` is in are looked at.
    """
    within = root
    if {"site-packages", "dist-packages"} & set(root.parts):
        within = root / file.relative_to(root).parts[0]
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        waiting += [other for other in _imported_files(path, root) if other.is_relative_to(within)]
    return sorted(found)


def module_name(file: Path, root: Path) -> str:
    """Return the name by which a file below `root` is imported: `nets.layers` of `nets/layers.py`."""
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources_sha256(files: Sequence[Path], root: Path) -> str:
    """Hash the names below `root` and the contents of files.

    Raises:
        OSError: one cannot be read.
    """
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _imported_files(file: Path, root: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # the import itself will say what is wrong
    package = file.relative_to(root).parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            start = [*above, *([node.module] if node.module else [])]
            names = [".".join([*start, alias.name]) for alias in node.names]
        else:
            continue
        for name in names:
            yield from _files_of(name.split("."), root)


def _files_of(parts: Sequence[str], root: Path) -> Iterator[Path]:
    """Find the files that an import of a dotted name runs: those of its packages, and its own."""
    if parts[0] == _KERNEL:
        return
    folder = root
    for part in parts:
        for file in (folder / part / "__init__.py", folder / f"{part}.py"):
            if file.is_file():
                yield file
                break
        folder = folder / part
