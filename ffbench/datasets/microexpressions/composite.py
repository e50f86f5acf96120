"""The composite dataset of the Micro-Expression Grand Challenge 2019: parts of CASME II, SMIC-HS and SAMM."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from ffbench.datasets.casme2.dataset import list_casme2
from ffbench.datasets.casme2.scan import MEGC_CLASSES, MEGC_LIST
from ffbench.datasets.folders import visible
from ffbench.datasets.microexpressions.published import list_samm, list_smic
from ffbench.datasets.onset_apex import OnsetApexClip, OnsetApexClips, clips_sha256
from ffbench.errors import DataError
from ffbench.formats.spreadsheet import read_tables
from ffbench.io.archives.member_path import DatasetPath, open_tree

OFFICIAL_CLIPS = {"casme2": 145, "smic": 164, "samm": 133}
OFFICIAL_SUBJECTS = 68
_FOLDERS = {
    "casme2": ("casme2", "casmeii", "casme_ii", "casme ii"), "smic": ("smic", "smic_all_raw"), "samm": ("samm",)
}  # fmt: skip


def list_megc2019(root: DatasetPath | str) -> OnsetApexClips:
    """List the clips of the organisers' list, each with its class of three as its label.

    `root` holds `combined_3class_gt.csv` and the three datasets in folders `CASME2`, `SMIC` and `SAMM`. A subject is
    named with its dataset, such as `samm/006`. Faces are registered by the face mesh in all three, since crops
    are read of CASME II alone.

    Raises:
        DataError: no such folder, no list, or a dataset is missing.
    """
    root = open_tree(root)
    listed, problems = _read_list(root / MEGC_LIST)
    clips: list[OnsetApexClip] = []
    left_out: list[str] = []
    synthetic = False
    readers: Mapping[str, Callable[[DatasetPath], OnsetApexClips]] = {
        "casme2": list_casme2, "smic": list_smic, "samm": list_samm
    }  # fmt: skip
    for name, read in readers.items():
        found = read(_dataset(root, name))
        synthetic = synthetic or found.synthetic
        wanted = {key: of for (dataset, key), of in listed.items() if dataset == name}
        problems += found.problems
        left_out += [f"{name}/{line}" for line in found.left_out if _short(line.partition(":")[0]) in wanted]
        for clip in found.clips:
            of = wanted.pop(_short(clip.key), None)
            if of is not None:
                clips.append(
                    replace(clip, key=f"{name}/{clip.key}", subject=f"{name}/{clip.subject}", label=of, crop=None)
                )
        out = {_short(line.partition(":")[0]) for line in found.left_out}
        problems += [
            f"{MEGC_LIST}: {name} {key}: no such clip among those that can be read" for key in wanted if key not in out
        ]
    kept = tuple(clips)
    return OnsetApexClips(kept, tuple(problems), tuple(left_out), synthetic, clips_sha256(kept))


def _read_list(path: DatasetPath) -> tuple[dict[tuple[str, str], str], list[str]]:
    """Return the class of each clip by dataset and short name, and a line for each row that makes no sense.

    Raises:
        DataError: there is no list, or it cannot be read.
    """
    if not path.is_file():
        raise DataError(
            path, "no such file; put the organisers' list (rows of dataset, subject, clip, class 0 to 2) there"
        )
    listed: dict[tuple[str, str], str] = {}
    problems = []
    for number, cells in enumerate(read_tables(path)[0], start=1):
        if not any(cells):
            continue
        name = _known(cells[0]) if cells else None
        if name is None or len(cells) < 4 or cells[3] not in ("0", "1", "2"):
            problems.append(
                f"{path}: row {number}: expected casme2, smic or samm, a subject, a clip and a class 0 to 2"
            )
            continue
        key = _short(f"{cells[1]}/{cells[2]}")
        if (name, key) in listed:
            problems.append(f"{path}: row {number}: {name} {key} is in an earlier row too; the later one is left out")
            continue
        listed[name, key] = MEGC_CLASSES[int(cells[3])]
    return listed, problems


def _dataset(root: DatasetPath, name: str) -> DatasetPath:
    """Return the folder of a part.

    Raises:
        DataError: there is none.
    """
    for item in visible(root):
        if item.is_dir() and item.name.casefold() in _FOLDERS[name]:
            return item
    raise DataError(
        root, f"no folder {_FOLDERS[name][0].upper()}; the composite needs CASME2, SMIC and SAMM beside {MEGC_LIST}"
    )


def _known(text: str) -> str | None:
    plain = text.casefold()
    return next((name for name, folders in _FOLDERS.items() if plain in (name, *folders)), None)


def _short(key: str) -> str:
    """Return subject and clip as both the list and the datasets can be brought to: numbers without leading zeros.

    The list says s01 and 6 where SMIC has s1 and SAMM 006.
    """
    subject, _, clip = key.partition("/")
    return f"{_without_zeros(subject)}/{_without_zeros(clip)}" if clip else _without_zeros(key)


def _without_zeros(text: str) -> str:
    """Take the zeros from the number that a name begins with."""
    match = re.fullmatch(r"(sub|s)?0*(\d+)(.*)", text, re.IGNORECASE | re.DOTALL)
    return text.casefold() if match is None else f"{(match[1] or '').casefold()}{match[2]}{match[3].casefold()}"
