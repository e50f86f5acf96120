"""Which clips of which dataset a recognition protocol is run on, and what its records say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ffbench.datasets.casme2 import scan as casme2
from ffbench.datasets.casme2.coding import SelectionRule
from ffbench.datasets.casme2.dataset import card_casme2
from ffbench.datasets.microexpressions.tasks import THREE, Selected, own_classes, select
from ffbench.datasets.onset_apex import OnsetApexClip
from ffbench.datasets.registry import load_dataset
from ffbench.io.archives.member_path import open_tree
from ffbench.protocol import DatasetCard

ClassRule = Literal["own", "three"]
"""Of clips of the user's own: each label is a class, or the labels make the three classes of MEGC 2019."""
CASME2_TASKS = ("casme2_5", "casme2_3", "megc_casme2")
OWN = "own_clips"


@dataclass(frozen=True)
class Task:
    """What a protocol beside those of CASME II is run on.

    Attributes:
        dataset: its id.
        title: of the protocol.
        classes: class of each label; None: what the option `classes` says.
        mini: whether the dataset has a mini one.
    """

    dataset: str
    title: str
    classes: Mapping[str, str | None] | None
    mini: bool = False


def _each(*labels: str, out: tuple[str, ...] = ()) -> dict[str, str | None]:
    """Make a class of each label; those of `out` are known, and no part of the task."""
    return {**{label: label for label in labels}, **dict.fromkeys(out)}


TASKS: Mapping[str, Task] = {
    "megc2019": Task("megc2019", "MEGC 2019 composite, 3 classes", _each(*casme2.MEGC_CLASSES)),
    "samm_5": Task(
        "samm",
        "SAMM, 5 classes",
        _each("anger", "contempt", "happiness", "surprise", "other", out=("disgust", "fear", "sadness")),
        mini=True,
    ),
    "smic_hs": Task("smic", "SMIC-HS, 3 classes", _each("negative", "positive", "surprise"), mini=True),
    "casme3_7": Task(
        "casme3",
        "CAS(ME)^3 part A, 7 classes",
        _each("anger", "disgust", "fear", "happy", "sad", "surprise", "others"),
    ),
    "mmew_7": Task(
        "mmew", "MMEW, 7 classes", _each("anger", "disgust", "fear", "happiness", "sadness", "surprise", "others")
    ),
    OWN: Task("own_clips", "Clips of one's own", None),
}


def select_clips(
    name: str, data: Path, rule: SelectionRule = "clean", classes: ClassRule = "own"
) -> tuple[Selected, DatasetCard]:
    """Return the clips of a protocol with their classes, and the card of the dataset.

    Args:
        name: of the protocol.
        data: the dataset's folder.
        rule: of CASME II, which clips count whose apex does not follow the onset.
        classes: of clips of the user's own, what the classes are.

    Raises:
        DataError: `data` does not hold the dataset, or too little of it.
    """
    if name in CASME2_TASKS:
        return _select_casme2(name, data, rule)
    task = TASKS[name]
    dataset = load_dataset(task.dataset)
    found = dataset.load_clips(open_tree(data))
    known = task.classes
    if known is None:
        known = own_classes(found) if classes == "own" else THREE
    return select(dataset.title, found, known)


def _select_casme2(name: str, data: Path, rule: SelectionRule) -> tuple[Selected, DatasetCard]:
    found = casme2.scan(data, rule)
    if name == "megc_casme2":
        selection = casme2.select_megc(found)
    else:
        selection = casme2.select(found, casme2.FIVE if name == "casme2_5" else casme2.THREE)
    clips = tuple(
        (OnsetApexClip(row.key, row.subject, of, clip.onset_image, clip.apex_image, clip.onset_crop), of)
        for clip, of in selection.clips
        for row in (clip.coding,)
    )
    return Selected(selection.classes, clips), card_casme2(selection, synthetic=found.synthetic)
