"""Which clips of CASME II a recognition protocol is run on, and what its records say of them."""

from __future__ import annotations

from pathlib import Path

from ffbench.datasets.casme2 import scan as casme2
from ffbench.datasets.casme2.coding import SelectionRule
from ffbench.datasets.provenance import rests_on
from ffbench.protocol import DatasetCard


def select_clips(name: str, data: Path, rule: SelectionRule) -> tuple[casme2.Selection, DatasetCard]:
    """Return the clips of a protocol with their classes, and the card of the dataset.

    Args:
        name: `casme2_5`, `casme2_3` or `megc_casme2`.
        data: the dataset's folder.
        rule: which clips count whose apex does not follow the onset.

    Raises:
        DataError: `data` does not hold CASME II, or too little of it.
    """
    found = casme2.scan(data, rule)
    if name == "megc_casme2":
        selection = casme2.select_megc(found)
    else:
        selection = casme2.select(found, casme2.FIVE if name == "casme2_5" else casme2.THREE)
    return selection, _dataset_card(selection, synthetic=found.synthetic)


def _dataset_card(selection: casme2.Selection, *, synthetic: bool) -> DatasetCard:
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
