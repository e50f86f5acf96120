"""The pages of datasets say what ffbench knows of them, and draw the folders that it reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ffbench.datasets.registry import dataset_names, load_dataset
from tests.datasets.casme2_folder import make_casme2
from tests.datasets.ck_plus_folder import make_ck_plus
from tests.datasets.ffn_folder import make_ffn

FOLDER = Path(__file__).parents[2] / "docs" / "datasets"
PAGES = {
    "casme2": "casme2", "casme2_spot": "casme2",
    "ck_plus": "ck-plus", "ck_plus_tracks": "ck-plus", "ffn": "facialflownet", "mead": "mead",
    "mead_tracks": "mead",
    **dict.fromkeys(("samm", "smic", "casme3", "mmew", "megc2019", "own_clips"), "microexpressions"),
}  # fmt: skip
COMMAND = re.compile(r"^ffbench data (?:verify|prepare|make-mini) (\w+)", re.MULTILINE)
ENTRY = re.compile(r"^((?:│   |    )*)[├└]── (\S+)", re.MULTILINE)


def page(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text("utf-8")


def drawn(text: str, top: str) -> set[str]:
    """Return the paths that the tree of a folder draws, without what stands for many (`<split>`, `...`)."""
    (tree,) = re.findall(rf"^```\n{re.escape(top)}/(?: [^\n]*)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    parents: list[str] = []
    paths = set()
    for indent, name in ENTRY.findall(tree):
        parents = [*parents[: len(indent) // 4], name.rstrip("/")]
        paths.add("/".join(parents).partition("/<")[0])
    return {path for path in paths if "..." not in path}


def test_every_dataset_that_ships_has_a_page() -> None:
    assert set(dataset_names()) == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_the_dataset_says(name: str) -> None:
    text, dataset = page(PAGES[name]), load_dataset(name)
    assert dataset.folders[0] in text
    assert dataset.citation in text
    assert name in COMMAND.findall(text)
    for count in dataset.counts.values():
        assert f"{count:,}" in text
    if not name.endswith("_tracks"):
        assert dataset.licence in text
        assert dataset.source.partition(": ")[0] in text
        assert set(dataset.folders) <= set(re.findall(r"[\w+]+(?: II)?", text))


def test_pages_name_no_dataset_that_there_is_not() -> None:
    named = {name for file in FOLDER.glob("*.md") for name in COMMAND.findall(file.read_text("utf-8"))}
    assert named == set(PAGES)


@pytest.mark.parametrize(
    ("name", "top", "make"),
    [("ffn", "FFN", make_ffn), ("ck_plus", "CK+", make_ck_plus), ("casme2", "CASME2", make_casme2)],
)
def test_trees_are_those_of_folders_that_are_read(
    name: str, top: str, make: Callable[[Path], Path], tmp_path: Path
) -> None:
    made = make(tmp_path / "made")
    there = {path.relative_to(made).as_posix() for path in made.rglob("*")}
    folders = {path for path in drawn(page(PAGES[name]), top) if "." not in path}
    assert len(folders) >= 2
    assert folders - there == set()
