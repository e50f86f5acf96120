"""The notes of a release: `python ci/release_notes.py v1.2.3` prints that section of CHANGELOG.md.

Ends with exit code 1 where the tag is not the version of the package, or the changelog has no dated section of it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)


def release_notes(tag: str, project: str, changelog: str) -> str:
    """Return the text of a version's section.

    Args:
        tag: such as `v1.2.3`.
        project: the text of pyproject.toml.
        changelog: the text of CHANGELOG.md, with sections such as `## 1.2.3 (2027-01-31)`.

    Raises:
        ValueError: the tag is of another version, or there is no section with a date.
    """
    found = _VERSION.search(project)
    version = found[1] if found else "none"
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag} and the version in pyproject.toml {version}: expected v{version}")
    section = re.search(
        rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    if section is None:
        raise ValueError(f"CHANGELOG.md has no section '## {version} (YYYY-MM-DD)': give the version a date")
    return section[1].strip() + "\n"


if __name__ == "__main__":
    try:
        texts = [(ROOT / name).read_text("utf-8") for name in ("pyproject.toml", "CHANGELOG.md")]
        print(release_notes(sys.argv[1], *texts), end="")
    except (ValueError, IndexError) as error:
        sys.exit(f"release: {error}")
