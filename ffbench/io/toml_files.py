"""TOML files that people write, read in bounded memory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ffbench.errors import DataError
from ffbench.io.bounds import read_bounded

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

_MOST_BYTES = 2**20


def read_toml(path: Path, kind: str) -> dict[str, Any]:
    """Read a file of TOML.

    Args:
        path: the file.
        kind: what it is, with its article, such as `a list of rows`.

    Raises:
        DataError: it cannot be read, is larger than 1 MiB, or is not TOML.
    """
    too_large = f"larger than {kind} can be ({_MOST_BYTES} bytes)"
    content = read_bounded(path, _MOST_BYTES, too_large, more=f"; expected {kind}")
    try:
        table: dict[str, Any] = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(path, f"is not TOML ({error}); expected TOML of {kind}") from error
    return table
