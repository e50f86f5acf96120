"""Which files make up a method: found by reading, and all of them count in its hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffbench.own.sources import local_sources, module_name, sources_sha256

FILES = {
    "net.py": "import os\nimport torch, layers\nfrom blocks.conv import C\ndef late():\n    import lazy.part as part\n",
    "layers.py": "import net\n",
    "blocks/__init__.py": "from . import norm\n",
    "blocks/conv.py": "from .deep import x\nfrom ..nothing import y\n",
    "blocks/norm.py": "",
    "blocks/deep/__init__.py": "",
    "lazy/part.py": "",
    "unused.py": "",
    "ffbench/__init__.py": "",
    "broken.py": "import (",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_files_are_followed_through_imports_of_every_kind(root: Path) -> None:
    found = [file.relative_to(root).as_posix() for file in local_sources(root / "net.py", root)]
    assert found == [
        "blocks/__init__.py", "blocks/conv.py", "blocks/deep/__init__.py", "blocks/norm.py", "layers.py",
        "lazy/part.py", "net.py",
    ]  # fmt: skip
    assert local_sources(root / "broken.py", root) == [root / "broken.py"]
    assert [module_name(root / name, root) for name in ("blocks/__init__.py", "lazy/part.py")] == [
        "blocks", "lazy.part",
    ]  # fmt: skip


def test_every_file_counts_and_no_other(root: Path) -> None:
    def sha256() -> str:
        return sources_sha256(local_sources(root / "net.py", root), root)

    first = sha256()
    (root / "unused.py").write_text("x = 1\n")
    assert sha256() == first
    for name in ("net.py", "blocks/deep/__init__.py", "lazy/part.py"):
        (root / name).write_text((root / name).read_text() + "# edited\n")
        assert sha256() != first, name
        first = sha256()


def test_among_installed_packages_only_the_methods_own_is_read(tmp_path: Path) -> None:
    packages = tmp_path / "site-packages"
    for name, text in {
        "mine/__init__.py": "import huge\nfrom mine import net\n",
        "mine/net.py": "",
        "huge.py": "",
    }.items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text(text)
    found = local_sources(packages / "mine" / "__init__.py", packages)
    assert [file.relative_to(packages).as_posix() for file in found] == ["mine/__init__.py", "mine/net.py"]
