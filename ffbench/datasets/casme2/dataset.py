"""CASME II as a dataset: what its authors say that it has, and a check of a copy."""

from __future__ import annotations

from collections import Counter

from ffbench.cards import DatasetCard
from ffbench.datasets.base import Count, Dataset, Found, Progress, undecodable_images
from ffbench.datasets.casme2 import scan as casme2
from ffbench.datasets.onset_apex import OnsetApexClip, OnsetApexClips, clips_sha256
from ffbench.datasets.provenance import rests_on
from ffbench.io.archives.member_path import DatasetPath


def check_casme2(path: DatasetPath, quick: bool, progress: Progress) -> Found:
    """Count rows, subjects, emotions and the clips of each selection, and list what cannot be used."""
    # This rule takes every clip; what the others leave out is counted by the coding.
    found = casme2.scan(path, "paper")
    problems = list(found.problems)
    if not quick:
        problems += undecodable_images([file for clip in found.clips for file in clip.files], progress)
    emotions = Counter(row.emotion for row in found.rows)
    usable_rows = [clip.coding for clip in found.clips]
    counts = [
        Count("rows of the coding table", len(found.rows), casme2.OFFICIAL_ROWS),
        Count("subjects", len({row.subject for row in found.rows}), casme2.OFFICIAL_SUBJECTS),
        *(Count(f"emotion {name}", emotions[name], count) for name, count in casme2.OFFICIAL_EMOTIONS.items()),
    ]
    # Which three of 249 the paper did not use, nothing that is published says.
    for name, classes, rows, fits in (
        ("5 classes", casme2.FIVE, casme2.OFFICIAL_FIVE, 246),
        ("3 classes", casme2.THREE, casme2.OFFICIAL_THREE, 156),
    ):
        there = sum(row.emotion in classes for row in found.rows)
        counts.append(Count(f"rows of {name} (the paper's accuracies fit {fits})", there, rows))
        for rule, fewer in casme2.OFFICIAL_LEFT_OUT.items():
            usable = sum(row.emotion in classes and row.left_out_by(rule) is None for row in usable_rows)
            counts.append(Count(f"clips of {name}, selection {rule}", usable, rows - fewer))
    counts.append(Count("clips with frames at onset and apex", len(found.clips)))
    if found.megc is not None:
        listed = Counter(found.megc.values())
        counts += [Count(f"MEGC 2019 {name}", listed[name], count) for name, count in casme2.OFFICIAL_MEGC.items()]
        usable = sum(row.key in found.megc and row.left_out_by("clean") is None for row in usable_rows)
        counts.append(Count("clips of MEGC 2019, selection clean", usable))
    left_out = [
        f"{row.key}: {reason} (selection {rule})"
        for row in found.rows
        for rule in casme2.OFFICIAL_LEFT_OUT
        if (reason := row.left_out_by(rule))
    ]
    return Found(counts, problems, found.synthetic, left_out)


def list_casme2(path: DatasetPath) -> OnsetApexClips:
    """List the clips of the coding table whose apex follows the onset, whatever their emotion.

    Raises:
        DataError: `path` does not hold CASME II.
    """
    found = casme2.scan(path)
    clips = tuple(
        OnsetApexClip(
            clip.coding.key,
            clip.coding.subject,
            clip.coding.emotion,
            clip.onset_image,
            clip.apex_image,
            clip.onset_crop,
        )
        for clip in found.clips
    )
    return OnsetApexClips(clips, found.problems, found.left_out, found.synthetic, clips_sha256(clips))


def card_casme2(selection: casme2.Selection, *, synthetic: bool) -> DatasetCard:
    """Return what a record says of the clips that were selected."""
    counts = {f"class_{name}": float(sum(of == name for _, of in selection.clips)) for name in selection.classes}
    facts = {
        "clips": float(len(selection.clips)),
        "subjects": float(len({clip.coding.subject for clip, _ in selection.clips})),
        **counts,
    }
    note = (
        "rendered faces in the layout of CASME II, each moved by action units of its class"
        if synthetic
        else "emotions estimated by the authors' coders from action units, clips and self-reports"
    )
    return DatasetCard(
        name="CASME II mini" if synthetic else "CASME II",
        origin="synthetic" if synthetic else "real",
        origin_note="" if synthetic else rests_on([path for clip, _ in selection.clips for path in clip.files]),
        reference="ground truth" if synthetic else "annotation",
        reference_note=note + _irregular_clips(selection),
        manifest_sha256=selection.manifest_sha256,
        problems=selection.problems,
        left_out=selection.left_out,
        facts=facts,
    )


def _irregular_clips(selection: casme2.Selection) -> str:
    """Return how the clips that count were read whose apex does not follow the onset; empty where there are none."""
    codings = [clip.coding for clip, _ in selection.clips]
    still = [coding.key for coding in codings if coding.apex == coding.onset]
    uncoded = [coding.key for coding in codings if coding.apex is None]
    note = f"; {', '.join(still)} counts though its apex is its onset" if still else ""
    return note + (f"; the apex of {', '.join(uncoded)} is the middle of onset and offset" if uncoded else "")


CASME2 = Dataset(
    id="casme2",
    title="CASME II",
    summary="spontaneous micro-expressions, 200 frames a second",
    licence="for research, by a signed agreement",
    source="http://casme.psych.ac.cn/casme/e2: sign the agreement and ask its authors",
    citation="""@article{yan2014casme2,
  author  = {Yan, Wen-Jing and Li, Xiaobai and Wang, Su-Jing and Zhao, Guoying and Liu, Yong-Jin and Chen, Yu-Hsin and
             Fu, Xiaolan},
  title   = {{CASME II}: An Improved Spontaneous Micro-Expression Database and the Baseline Evaluation},
  journal = {PLoS ONE},
  volume  = {9},
  number  = {1},
  pages   = {e86041},
  year    = {2014},
}""",
    folders=("CASME2", "CASMEII", "CASME_II", "CASME II", "casme2"),
    check=check_casme2,
    counts={"clips": casme2.OFFICIAL_ROWS, "subjects": casme2.OFFICIAL_SUBJECTS},
    mini="ffbench.synth.minis.casme2:MINI",
    onset_apex="ffbench.datasets.casme2.dataset:list_casme2",
)
