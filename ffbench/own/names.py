"""Names of code of the user's own: `path/to/net.py:MyNet` and `package.module:MyNet`. Nothing is run here."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

from ffbench.cards import OWN_PREFIX
from ffbench.errors import UsageError

_FILE = re.compile(r"(?P<place>.+\.py):(?P<attribute>[^\W\d]\w*)")
_MODULE = re.compile(r"(?P<place>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<attribute>[^\W\d]\w*)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class OwnCode:
    """Where code of the user's own lies, a file or a module, and the name of the method or recogniser in it."""

    place: str
    attribute: str
    is_file: bool
    kind: str = "method"

    @property
    def name(self) -> str:
        """The name as the user wrote it."""
        return f"{self.place}:{self.attribute}"

    @property
    def id(self) -> str:
        """The method's id where its card says none: it does not tell in which folder the file lies.

        >>> OwnCode("nets/net.py", "MyNet", True).id
        'own/net.MyNet'
        """
        return own_id(f"{Path(self.place).stem if self.is_file else self.place}.{self.attribute}")


def own_id(name: str) -> str:
    """Mark an id as that of code of the user's own, in characters that are safe in names of folders.

    >>> own_id("my net+face512"), own_id("own/mynet")
    ('own/my-net-face512', 'own/mynet')
    """
    return OWN_PREFIX + _UNSAFE.sub("-", name.removeprefix(OWN_PREFIX))


def own_code(name: str, kind: str = "method") -> OwnCode | None:
    """Return what a name says if it names a file or a module of code; None if it does not.

    Args:
        name: as the user wrote it.
        kind: what it is of, in one word for messages: `method` or `recogniser`.

    Raises:
        UsageError: it names a file, but nothing in it.
    """
    if name.endswith(".py"):
        classes = _classes(Path(name), kind)
        raise UsageError(f"{kind} '{name}': name the class too: {name}:{classes[0] if classes else 'CLASS'}")
    for pattern, is_file in ((_FILE, True), (_MODULE, False)):
        if match := pattern.fullmatch(name):
            return OwnCode(match["place"], match["attribute"], is_file, kind)
    return None


def require_place(code: OwnCode) -> None:
    """Check that the file, or the top package of the module, is there; it is not imported.

    Raises:
        UsageError: it is not.
    """
    if code.is_file:
        path = Path(code.place).expanduser()
        if not path.is_file():
            raise UsageError(f"{code.kind} '{code.name}': {path}: {'is a folder' if path.is_dir() else 'no such file'}")
    elif not has_module(code):
        raise UsageError(
            f"{code.kind} '{code.name}': there is no module '{code.place}' here or among what is installed"
        )


def has_module(code: OwnCode) -> bool:
    """Whether the top package of a module can be found, in the current folder or where Python looks."""
    top = code.place.partition(".")[0]
    try:
        return PathFinder.find_spec(top, [str(Path.cwd())]) is not None or find_spec(top) is not None
    except ValueError:  # a module without a specification, such as that of an interactive session
        return False


def _classes(path: Path, kind: str) -> list[str]:
    """Name the classes of a file that may be of a kind, by their bases."""
    try:
        tree = ast.parse(path.expanduser().read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [node.name for node in classes if any(kind.capitalize() in ast.unparse(base) for base in node.bases)]
