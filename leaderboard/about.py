"""What the first page says beside results: links, how to cite, questions, datasets, news."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

PAPER = "https://doi.org/10.1145/3664647.3680921"
BIBTEX = """@inproceedings{lu2024facialflownet,
  title     = {FacialFlowNet: Advancing Facial Optical Flow Estimation with a Diverse Dataset and a Decomposed Model},
  author    = {Lu, Jianzhi and He, Ruian and Zhou, Shili and Tan, Weimin and Yan, Bo},
  booktitle = {Proceedings of the 32nd ACM International Conference on Multimedia (MM '24)},
  year      = {2024},
  doi       = {10.1145/3664647.3680921}
}

@software{ffbench,
  title   = {ffbench: a benchmark and leaderboard suite for facial optical flow},
  author  = {{The ffbench authors}},
  version = {0.1.0},
  license = {Apache-2.0}
}"""
"""What CITATION.cff says; a test compares them."""
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
class Dataset:
    """A card of a dataset for readers: what it is, how much, on what terms, and where it can be had."""

    name: str
    what: str
    counts: str
    terms: str
    where: str


DATASETS = (
    Dataset(
        "FacialFlowNet",
        "rendered heads with exact facial and head flow",
        "9,635 identities, 105,970 pairs",
        "set by its authors",
        "from the authors of the paper",
    ),
    Dataset(
        "CK+",
        "expressions from neutral to their peak, with 68 landmarks",
        "593 sequences of 123 subjects, 327 with an emotion",
        "an agreement, research only",
        "from its authors on request (Lucey et al. 2010)",
    ),
    Dataset(
        "MEAD",
        "talking faces with eight emotions",
        "60 actors",
        "set by its authors",
        "from its authors (Wang et al., ECCV 2020)",
    ),
    Dataset(
        "CASME II",
        "spontaneous micro-expressions, 200 frames a second",
        "255 clips of 26 subjects",
        "an agreement, research only",
        "from its authors on request (Yan et al. 2014)",
    ),
    Dataset(
        "Real clips",
        "faces before a camera, their points found by a network (pseudo reference)",
        "2 recordings of 2 people",
        "not stated, so they are never redistributed",
        "on first use, out of public packages (`ffbench assets list`)",
    ),
    Dataset(
        "Reanimated faces",
        "photographs of people, moved by a known motion",
        "6 people",
        "as the real clips",
        "on first use, or made from portraits of yours (`--data FOLDER`)",
    ),
    Dataset(
        "Mini datasets",
        "rendered faces in the layouts of FacialFlowNet, CK+, MEAD and CASME II, with exact flow",
        "138 pairs (FacialFlowNet), 24 sequences (CK+)",
        "none, ffbench makes them",
        "on first use, or by `ffbench data make-mini`",
    ),
)
_NEWS = 3
_TOP = Path(__file__).resolve().parents[1]


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
