"""Hooks of mkdocs.yml: README.md and CONTRIBUTING.md as pages, links that hold on the site, and pages new to `nav`.

The API reference is read from the sources, in the folders that a wheel would have.
"""

from __future__ import annotations

import posixpath
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

# Files of the repository's top folder by the pages that show them. A page named README would be an index.
_TOP = {"README.md": "start.md", "CONTRIBUTING.md": "contributing.md"}
_LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s:]+)(#[^)\s]*)?\)")

# By name inside the package: the folders that `package-dir` of pyproject.toml puts there.
_INSIDE = ("methods", "protocols", "leaderboard")
_TREE = tempfile.TemporaryDirectory()


@event_priority(100)  # before mkdocstrings reads its settings
def on_config(config: MkDocsConfig) -> None:
    """Show mkdocstrings the package as it is installed: `methods/` is `ffbench.methods`."""
    top = Path(config.config_file_path).parent
    package = Path(_TREE.name) / "ffbench"
    if not package.exists():
        package.mkdir()
        for place in [*(top / "ffbench").iterdir(), *(top / name for name in _INSIDE)]:
            (package / place.name).symlink_to(place)
    config.plugins["mkdocstrings"].config.handlers["python"]["paths"] = [_TREE.name]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in `docs/`, and put those that `nav` does not name at its end."""
    top = Path(config.config_file_path).parent
    for name, page in _TOP.items():
        files.append(File.generated(config, page, content=(top / name).read_text("utf-8")))
    named = set(_leaves(config.nav))
    others = [page.src_uri for page in files.documentation_pages() if page.src_uri not in named]
    if others:
        config.nav = [*(config.nav or []), {"More": others}]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository into links between pages, and those to other files into plain text."""
    shown = {page: name for name, page in _TOP.items()}
    here = posixpath.dirname(shown.get(page.file.src_uri, f"docs/{page.file.src_uri}"))

    def linked(match: re.Match[str]) -> str:
        text, anchor = match[1], match[3] or ""
        target = posixpath.normpath(posixpath.join(here, match[2]))
        if target == "docs/protocols":  # a folder, which has no page of its own
            target = "docs/index.md"
        if target not in _TOP and not target.startswith("docs/"):
            return text
        inside = _TOP.get(target, target.removeprefix("docs/"))
        return f"[{text}]({posixpath.relpath(inside, posixpath.dirname(page.file.src_uri) or '.')}{anchor})"

    return _LINK.sub(linked, markdown)


def _leaves(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif nav:
        for item in nav.values() if isinstance(nav, dict) else nav:
            yield from _leaves(item)
