"""What a dataset must say of itself, and do."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ffbench.datasets.base import Dataset
from ffbench.datasets.minis import mini_dataset
from ffbench.errors import DataError
from ffbench.io.archives.member_path import open_tree
from ffbench.testing.checks import Check, Outcome, run_checks


def check_dataset(dataset: Dataset) -> list[Check]:
    """Check a dataset against its contract; its mini dataset is made where the cache has none yet."""
    return list(
        run_checks(
            {
                "what it says of itself": lambda: _said(dataset),
                "an empty folder": lambda: _empty(dataset),
                "mini dataset": lambda: _mini(dataset),
            }
        )
    )


def _said(dataset: Dataset) -> tuple[Outcome, str]:
    parts = ("id", "title", "summary", "licence", "source", "citation", "folders")
    missing = [part for part in parts if not getattr(dataset, part)]
    if missing:
        return "wrong", f"nothing in {', '.join(missing)}"
    if not dataset.citation.lstrip().startswith("@"):
        return "wrong", "the citation is not BibTeX, which begins with @"
    return "ok", f"{dataset.title}; {dataset.licence}"


def _empty(dataset: Dataset) -> tuple[Outcome, str]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = dataset.check(open_tree(Path(folder)), True, lambda done, total: None)
        except DataError as error:
            if len(str(error).splitlines()) == 1:
                return "ok", "refused in one line"
            return "wrong", "refused in more than one line"
    if found.problems or any(not count.fits for count in found.counts):
        return "ok", f"{len(found.problems)} problems"
    return "wrong", "passes as a sound copy"


def _mini(dataset: Dataset) -> tuple[Outcome, str]:
    if dataset.mini is None:
        return "note", "none: protocols on it run for nobody who has not applied for it"
    folder = mini_dataset(dataset)
    found = dataset.check(open_tree(folder), False, lambda done, total: None)
    if found.problems:
        return "wrong", f"{len(found.problems)} problems, such as {found.problems[0]}"
    if not found.synthetic:
        return "wrong", "does not say that it is synthetic; `ffbench.datasets.mark.mark_synthetic` marks it"
    return "ok", "sound, and marked as synthetic"
