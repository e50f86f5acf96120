"""Names of pages: safe in any file system and address, and the same whatever other records there are."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict

from ffbench.results.record.row import Board

_LONGEST = 48


def slug(words: str, identity: str) -> str:
    """Return a name of lower-case letters, digits and hyphens, with 8 digits of a hash of what it stands for.

    >>> slug("DIS (MEDIUM) <b>", "evaluated dis")
    'dis-medium-b-79ec4761'
    """
    readable = re.sub(r"[^a-z0-9]+", "-", words.casefold()).strip("-")[:_LONGEST].strip("-")
    digits = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{readable}-{digits}" if readable else digits


def board_page(board: Board) -> str:
    """Return the path of a board's page below the site's top."""
    identity = json.dumps(asdict(board), sort_keys=True)
    return f"boards/{slug(f'{board.protocol} {board.variant}', identity)}.html"


def method_page(label: str, key: str) -> str:
    """Return the path of a method's page below the site's top.

    Args:
        label: the method's name on the pages.
        key: what tells it from all others (`method_key`).
    """
    return f"methods/{slug(label, key)}.html"
