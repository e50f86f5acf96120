"""What a tag needs before it becomes a release."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.ci_scripts import load_script

ROOT = Path(__file__).parents[1]
PROJECT = '[project]\nname = "ffbench"\nversion = "1.2.0"\n'
CHANGELOG = """# Changelog

## 1.3.0 (unreleased)

- later

## 1.2.0 (2027-01-31)

- this
- and that

## 1.1.0 (2027-01-01)

- before
"""


@pytest.fixture(scope="module")
def release() -> ModuleType:
    return load_script("release_notes")


def test_the_notes_are_the_section_of_the_version(release: ModuleType) -> None:
    assert release.release_notes("v1.2.0", PROJECT, CHANGELOG) == "- this\n- and that\n"


@pytest.mark.parametrize("tag", ["v1.3.0", "1.2.0", "v1.2", "v1.2.0rc1"])
def test_a_tag_of_another_version_is_refused(release: ModuleType, tag: str) -> None:
    with pytest.raises(ValueError, match=r"expected v1\.2\.0"):
        release.release_notes(tag, PROJECT, CHANGELOG)


def test_a_version_without_a_date_is_not_released(release: ModuleType) -> None:
    with pytest.raises(ValueError, match="a date"):
        release.release_notes("v1.3.0", PROJECT.replace("1.2.0", "1.3.0"), CHANGELOG)


def test_what_is_there_now_is_read(release: ModuleType) -> None:
    """Unreleased yet, and so refused for want of a date, not of a version."""
    texts = [(ROOT / name).read_text("utf-8") for name in ("pyproject.toml", "CHANGELOG.md")]
    version = release._VERSION.search(texts[0])[1]
    if f"## {version} (unreleased)" in texts[1]:
        with pytest.raises(ValueError, match="a date"):
            release.release_notes(f"v{version}", *texts)
