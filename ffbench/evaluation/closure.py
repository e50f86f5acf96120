"""The source code that a class runs: its own module, what that imports, what these import, and so on.

Imports are read off the source and nothing is imported. Those that only type checkers see do not count.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ffbench.paths import PACKAGE

_TREES = ("methods", "protocols", "leaderboard")
"""Packages of ffbench that stand beside the kernel in a checkout, and inside it where it is installed."""
_CHECKING = "TYPE_CHECKING"


def own_folders(package: Path = PACKAGE) -> dict[str, Path]:
    """Return where the packages of ffbench lie, by name, in a checkout or as a wheel installs them."""
    trees = {tree: package / tree if (package / tree).is_dir() else package.parent / tree for tree in _TREES}
    return {"ffbench": package, **{f"ffbench.{tree}": folder for tree, folder in trees.items()}}


def import_closure(roots: Iterable[str], folders: Mapping[str, Path]) -> dict[str, Path]:
    """Return the files of modules and of all that they import, by module name; other packages are not followed.

    A package itself counts where something is imported from it that is none of its modules. What a package imports for
    type checkers alone is followed for the names that are imported from it: that is how packages offer names lazily.

    Args:
        roots: full names of the modules.
        folders: folders of the packages that are followed, by full name; that of "" holds all others.
    """
    found: dict[str, Path] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        file = _file_of(name, folders)
        if file is None or name in found:
            continue
        found[name] = file
        for module, member in _imports(file, name).seen:
            waiting += _meant(module, member, folders)
    return found


def ancestors(module: str) -> list[str]:
    """Return a module's name and those of the packages that it lies in: `a.b.c`, `a.b`, `a`."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def files_sha256(files: Mapping[str, Path], also: Collection[Path] = ()) -> str:
    """Hash files by what they are called and hold, wherever they lie.

    Args:
        files: by name.
        also: folders whose modules count too, by their place in them.
    """
    named = {f"module {name}": file for name, file in files.items()}
    for folder in also:
        named |= {f"file {file.relative_to(folder.parent).as_posix()}": file for file in folder.rglob("*.py")}
    digest = hashlib.sha256()
    for name in sorted(named):
        content = named[name].read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


@dataclass(frozen=True)
class _Imports:
    """The imports of a module as (module, name in it); `seen` when it runs, `lazy` by type checkers alone."""

    seen: tuple[tuple[str, str], ...]
    lazy: Mapping[str, tuple[str, str]]


def _file_of(name: str, folders: Mapping[str, Path]) -> Path | None:
    """Return the file of a module, or the `__init__` of a package, below the longest name in `folders`."""
    held = next((above for above in (*ancestors(name), "") if above in folders), None)
    if held is None:
        return None
    place = folders[held].joinpath(*name.split(".")[len(held.split(".")) if held else 0 :])
    for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
        if file.is_file():
            return file
    return None


def _meant(module: str, member: str, folders: Mapping[str, Path]) -> list[str]:
    """Return the modules that `from module import member` runs."""
    if not member or _file_of(f"{module}.{member}", folders) is not None:
        return [f"{module}.{member}" if member else module]
    file = _file_of(module, folders)
    lazy = _imports(file, module).lazy.get(member) if file is not None and file.name == "__init__.py" else None
    return [module, *(_meant(*lazy, folders) if lazy is not None else [])]


def _imports(file: Path, name: str) -> _Imports:
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    return _parsed(file.read_bytes(), package)


@lru_cache(maxsize=1024)
def _parsed(source: bytes, package: str) -> _Imports:
    """Read the imports off a module's source, wherever they stand in it; of one that is not Python there are none."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return _Imports((), {})
    checked = {id(node) for block in ast.walk(tree) if _is_for_checkers(block) for node in _within(block)}
    seen: list[tuple[str, str]] = []
    lazy: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree):
        for module, member, bound in _named(node, package):
            if id(node) in checked:
                lazy[bound] = module, member
            else:
                seen.append((module, member))
    return _Imports(tuple(seen), lazy)


def _named(node: ast.AST, package: str) -> Iterator[tuple[str, str, str]]:
    """Yield module, name in it (or nothing) and the name that is bound, of an import statement."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "", alias.asname or alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        module = ".".join([*above, *([node.module] if node.module else [])])
        yield from ((module, alias.name, alias.asname or alias.name) for alias in node.names)


def _is_for_checkers(node: ast.AST) -> bool:
    test = node.test if isinstance(node, ast.If) else None
    return (isinstance(test, ast.Name) and test.id == _CHECKING) or (
        isinstance(test, ast.Attribute) and test.attr == _CHECKING
    )


def _within(block: ast.AST) -> Iterator[ast.AST]:
    """Yield all that stands in the body of an `if`, but not in its `else`."""
    for statement in block.body if isinstance(block, ast.If) else ():
        yield from ast.walk(statement)
