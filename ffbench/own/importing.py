"""Imports a user's file or module and finds a name in it: a method or a recogniser.

Such code does whatever its author wrote, with the rights of who runs ffbench: it is loaded where a user names it, and
never by a name that stands in a record, on a page or in a model folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from ffbench.errors import FfbenchError, MethodError, UsageError, reading, reason, user_line
from ffbench.own.names import OwnCode, require_place
from ffbench.own.sources import local_sources, module_name, sources_sha256
from ffbench.packages.entry_points import nearest


class Imported(NamedTuple):
    """What stands under a name in code of the user's own, and the hash of all its files."""

    found: object
    sha256: str


@dataclass(frozen=True)
class _Module:
    """A module as it is imported: its name, its file, and the folder from which its imports are found."""

    name: str
    file: Path
    root: Path


_loaded: dict[str, str] = {}
"""Hashes of the code as it was run, by the name of the module."""


def import_own(code: OwnCode, is_one: Callable[[object], bool]) -> Imported:
    """Run code of the user's own. A file that was edited since is run anew, with what it imports from beside it.

    Args:
        code: which.
        is_one: whether a value of the module is of the kind that is looked for: named where the name is not there.

    Raises:
        UsageError: there is no such file, module or name in it.
        MethodError: it cannot be imported, with the line of the user's that failed; or a module was edited after it
            was imported.
    """
    require_place(code)
    module = _file_module(code) if code.is_file else _named_module(code)
    files = local_sources(module.file, module.root)
    with reading(module.file):
        sha256 = sources_sha256(files, module.root)
    if _loaded.get(module.name) not in (None, sha256) and not code.is_file:
        raise MethodError(
            f"{code.name}: {module.file} was edited after it was imported: restart Python, "
            f"or name the file, which is read anew: {module.file}:{code.attribute}"
        )
    with _importing(code, module.root):
        if code.is_file and _loaded.get(module.name) != sha256:
            _forget(code, module, files)
        found = _attribute(_import(module), code, is_one)
    _loaded[module.name] = sha256
    return Imported(found, sha256)


def _file_module(code: OwnCode) -> _Module:
    """Find a file's name as a module: that within its package, or one that no other file has."""
    file = Path(code.place).expanduser().resolve()
    root = file.parent
    while (root / "__init__.py").is_file():
        root = root.parent
    if root != file.parent:
        return _Module(module_name(file, root), file, root)
    return _Module(f"ffbench_own_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}", file, root)


def _named_module(code: OwnCode) -> _Module:
    with _importing(code, Path.cwd()):
        spec = importlib.util.find_spec(code.place)
    origin = Path(spec.origin).resolve() if spec is not None and spec.origin is not None else None
    if origin is None or origin.suffix != ".py":
        raise UsageError(f"{code.kind} '{code.name}': there is no module '{code.place}' written in Python")
    parts = len(code.place.split(".")) + (origin.name == "__init__.py")
    return _Module(code.place, origin, origin.parents[parts - 1])


@contextlib.contextmanager
def _importing(code: OwnCode, root: Path) -> Iterator[None]:
    """Have imports look into `root` first, and turn what goes wrong into one line that names the user's file and line.

    Raises:
        MethodError: whatever the code raised.
    """
    kept = sys.dont_write_bytecode
    importlib.invalidate_caches()
    sys.path.insert(0, str(root))
    # A file that is edited within a second, to the same length, would be taken for what was compiled before.
    sys.dont_write_bytecode = True
    try:
        yield
    except (FfbenchError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        hint = "; what it does as a program belongs below `if __name__ == '__main__':`"
        said = f"{reason(error)}{hint if isinstance(error, SystemExit) else ''}"
        raise MethodError(f"{code.name}: cannot be imported: {said}{user_line(error)}") from error
    finally:
        sys.dont_write_bytecode = kept
        with contextlib.suppress(ValueError):
            sys.path.remove(str(root))
        if str(root) not in sys.path:
            sys.path.append(str(root))  # for what is imported late, while it runs


def _import(module: _Module) -> ModuleType:
    if module.name in sys.modules or not module.name.startswith("ffbench_own_"):
        return importlib.import_module(module.name)
    spec = importlib.util.spec_from_file_location(module.name, module.file)
    assert spec is not None
    assert spec.loader is not None
    made = sys.modules[module.name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(made)
    except BaseException:
        del sys.modules[module.name]
        raise
    return made


def _forget(code: OwnCode, module: _Module, files: Sequence[Path]) -> None:
    """Take modules of the user's out of Python's list, so that they are run anew.

    Raises:
        MethodError: another file has one of their names; which of them would be run, nobody could tell.
    """
    names = {module.name if file == module.file else module_name(file, module.root): file for file in files}
    for name, file in names.items():
        known = sys.modules.get(name)
        if known is None:
            continue
        other = getattr(known, "__file__", None)
        if other is None or Path(other).resolve() != file:
            raise MethodError(
                f"{code.name}: imports {name} ({file}), and another {name} is loaded already "
                f"({other or 'a part of Python'}); rename one of them, or run them in two commands"
            )
    for name in names:
        sys.modules.pop(name, None)


def _attribute(module: ModuleType, code: OwnCode, is_one: Callable[[object], bool]) -> object:
    if hasattr(module, code.attribute):
        return getattr(module, code.attribute)
    known = [name for name, value in vars(module).items() if is_one(value)]
    hint = nearest(code.attribute, known) or (f"; it has {', '.join(known)}" if known else "")
    raise UsageError(f"{code.kind} '{code.name}': {code.place} has no '{code.attribute}'{hint}")
