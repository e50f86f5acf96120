"""FacialFlowNet as a dataset: what its paper says that it has, and a check of a copy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ffbench.cards import DatasetCard
from ffbench.datasets.base import Count, Dataset, Found, Progress
from ffbench.datasets.ffn import files as ffn_files
from ffbench.datasets.ffn import scan as ffn
from ffbench.datasets.mark import JawReading
from ffbench.datasets.provenance import engine_sign, rests_on
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath

_JAW: Mapping[JawReading, str] = {
    "expression": "jaw=expression: opening the mouth is expression flow",
    "pose": "jaw=pose: opening the mouth is head flow",
}


def check_ffn(path: DatasetPath, quick: bool, progress: Progress) -> Found:
    """Count pairs and sequences of each split, and list what cannot be used."""
    counts: list[Count] = []
    problems: list[str] = []
    left_out: list[str] = []
    parts = ("image/facial", "flow/facial", "mask")
    roots = {split: ffn.find_root(path, split) for split in ffn.SPLITS}
    folders = [place for split, root in roots.items() for place in (root, *(root / part / split for part in parts))]
    synthetic = engine_sign(*folders) is not None
    for split, root in roots.items():
        if synthetic and not (root / "image" / "facial" / split).is_dir():
            continue  # a mini dataset has the test split alone
        try:
            if quick:
                found = ffn.scan(root, split, head=True)
                pairs, lengths = len(found.pairs), Counter(found.sequences().values())
                problems += found.problems
            else:
                report = ffn_files.verify(root, split, progress=progress)
                pairs, lengths = report.pairs, Counter(report.sequences)
                problems += report.problems
                left_out += report.left_out
        except DataError as error:
            pairs, lengths = 0, Counter()
            problems.append(str(error))
        counts.append(Count(f"{split}: pairs", pairs, ffn.OFFICIAL_PAIRS[split]))
        counts += [Count(f"{split}: sequences of {length} frames", lengths[length]) for length in sorted(lengths)]
    return Found(counts, problems, synthetic, left_out)


def card_ffn(found: ffn.FFN) -> DatasetCard:
    """Return what a record says of the pairs that were found."""
    lengths = list(found.sequences().values())
    facts = {"pairs": float(len(found.pairs)), "sequences": float(len(lengths))}
    facts |= {f"sequences_1/{length}": float(lengths.count(length)) for length in sorted(set(lengths))}
    jaw = _JAW[found.jaw]
    if found.synthetic:
        return DatasetCard(
            name="FFN mini",
            origin="synthetic",
            reference="ground truth",
            reference_note=f"heads of ffbench's face engine in the layout of FacialFlowNet, {found.split} split; {jaw}",
            manifest_sha256=found.manifest_sha256(),
            problems=found.problems,
            facts=facts,
        )
    return DatasetCard(
        name="FFN",
        origin="real",
        origin_note=rests_on([path for pair in found.pairs for path in pair.files()]),
        reference="ground truth",
        reference_note=(
            f"FacialFlowNet as distributed: rendered heads with flows from the renderer; {found.split} split, "
            f"{len(found.pairs)} of the paper's {ffn.OFFICIAL_PAIRS[found.split]} pairs; {jaw} (by the letter of Eq. 4)"
        ),
        manifest_sha256=found.manifest_sha256(),
        problems=found.problems,
        facts={**facts, "official_pairs": float(ffn.OFFICIAL_PAIRS[found.split])},
    )


FFN = Dataset(
    id="ffn",
    title="FacialFlowNet (FFN)",
    summary="rendered heads with exact facial and head flow",
    licence="for research, from its authors",
    source="https://github.com/RIA1159/FacialFlowNet: as its authors say there",
    citation="""@inproceedings{lu2024facialflownet,
  author    = {Lu, Jianzhi and He, Ruian and Zhou, Shili and Tan, Weimin and Yan, Bo},
  title     = {FacialFlowNet: Advancing Facial Optical Flow Estimation with a Diverse Dataset and a Decomposed Model},
  booktitle = {Proceedings of the 32nd ACM International Conference on Multimedia},
  year      = {2024},
  doi       = {10.1145/3664647.3680921},
}""",
    folders=("FFN", "FacialFlowNet", "ffn"),
    check=check_ffn,
    counts={f"{split} pairs": pairs for split, pairs in ffn.OFFICIAL_PAIRS.items()},
    mini="ffbench.synth.minis.ffn:MINI",
)
