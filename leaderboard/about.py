"""What the first page says beside results: links, how to cite, questions, datasets, news."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from ffbench.datasets.ffn.dataset import FFN
from ffbench.datasets.registry import load_dataset

PAPER = "https://doi.org/10.1145/3664647.3680921"
BIBTEX = f"""{FFN.citation}

@software{{ffbench,
  title   = {{ffbench: a benchmark and leaderboard suite for facial optical flow}},
  author  = {{{{The ffbench authors}}}},
  version = {{0.1.0}},
  license = {{Apache-2.0}}
}}"""
"""What CITATION.cff says; a test compares them."""
HEADINGS = {
    "real": "Real faces",
    "reanimated": "Reanimated faces: real skin, made motion",
    "synthetic": "Synthetic faces: rendered, exact flow",
}
"""What boards of data of one origin stand under."""
ROBUSTNESS = "Robustness: how much corrupted images change a flow"
ROBUSTNESS_NOTE = (
    "A flow that changes little need not be right: zero flow, which sees no image, never changes. So these positions "
    "are in no mean with others."
)
QUESTIONS = (
    (
        "Why do two methods share ranks?",
        "A position is the order of measured values. The **95 % rank set** beside it holds all ranks that the data do "
        "not rule out, from paired comparisons over independent units (people, sequences, blocks of time). Where the "
        "sets of two methods overlap, do not read much into their order.",
    ),
    (
        "Why are real, reanimated and synthetic data apart?",
        "Rendered faces have exact flow, and say nothing of real skin, light and cameras. Reanimated faces are "
        "photographs that are moved by a known motion. A method can be first on one and last on another, so no table "
        "and no mean mixes them.",
    ),
    (
        "What is a pseudo reference?",
        "Nobody can annotate the motion of every point of a real face. Some protocols take points that another network "
        "tracked. These are inexact, which the protocol measures and prints; a perfect flow would not score zero.",
    ),
    (
        "How does my method get here?",
        "Run `ffbench eval --method NAME --protocol PROTOCOL`, or upload flow files on the page **Submit**. A record "
        "that is sent in is **claimed** until a maintainer has scored it again; then it is **verified**.",
    ),
    (
        "Where are the numbers on CK+, MEAD, CASME II and FacialFlowNet themselves?",
        "They need licensed data, which ffbench does not redistribute. The protocols run on your copy: "
        "`ffbench eval --protocol ck_landmarks --data FOLDER`. Without one they run on a rendered stand-in, marked as "
        "synthetic. The page **Paper** shows what the paper prints.",
    ),
)


@dataclass(frozen=True)
class DatasetNote:
    """A dataset in one line: its title, and all that a reader asks of it."""

    title: str
    text: str


_LICENSED = ("ffn", "ck_plus", "mead", "casme2")
_OWN = (
    DatasetNote(
        "Real clips",
        "faces before a camera, their points found by a network (pseudo reference). 2 recordings of 2 people. Terms "
        "not stated, so they are never redistributed. Fetched on first use (`ffbench assets list`).",
    ),
    DatasetNote(
        "Reanimated faces",
        "photographs of people, moved by a known motion. 6 people. Made on first use, or from portraits of yours "
        "(`--data FOLDER`).",
    ),
    DatasetNote(
        "Mini datasets",
        "rendered faces in the layouts of the licensed datasets, with exact flow: 138 pairs (FacialFlowNet), 24 "
        "sequences (CK+). Made on first use, or by `ffbench data make-mini`.",
    ),
)
_EXAMPLE = Path(__file__).parent / "example.webp"
_NEWS = 3
_TOP = Path(__file__).resolve().parents[1]


def example() -> bytes:
    """Return the animated picture of a face and its flows (WebP)."""
    return _EXAMPLE.read_bytes()


def example_still() -> bytes:
    """Return a frame of the example, for readers who ask for less motion (PNG)."""
    from PIL import Image

    content = io.BytesIO()
    with Image.open(_EXAMPLE) as picture:
        picture.convert("RGB").save(content, format="PNG")
    return content.getvalue()


def project_links() -> dict[str, str]:
    """Return the addresses that the installed package names, such as Repository and Documentation, by their names."""
    try:
        named = metadata("ffbench").get_all("Project-URL") or []
    except PackageNotFoundError:
        return {}
    pairs = (line.partition(", ") for line in named)
    return {name: address for name, _, address in pairs if address.startswith("https://")}


def news(changelog: Path = _TOP / "CHANGELOG.md") -> list[str]:
    """Return the latest entries of the changelog, newest first; none where the file is not there, as in a wheel."""
    try:
        text = changelog.read_text(encoding="utf-8")
    except OSError:
        return []
    entries = re.split(r"^- ", text.partition("\n## ")[2].partition("\n## ")[0], flags=re.MULTILINE)[1:]
    return [" ".join(entry.split()) for entry in entries[: -_NEWS - 1 : -1]]


def dataset_notes() -> list[DatasetNote]:
    """Return a line on each dataset of the paper, as `ffbench data show` knows it, and on those that ffbench makes."""
    notes = []
    for name in _LICENSED:
        dataset = load_dataset(name)
        counts = ", ".join(f"{count:,} {what}" for what, count in dataset.counts.items())
        parts = [dataset.summary, counts, f"Terms: {dataset.licence}", dataset.source]
        notes.append(DatasetNote(dataset.title, "".join(f"{part}. " for part in parts if part).rstrip()))
    return [*notes, *_OWN]
