"""CK+ as a dataset: what its authors say that it has, and a check of a copy."""

from __future__ import annotations

from collections import Counter

from ffbench.cards import DatasetCard
from ffbench.datasets.base import Count, Dataset, Found, Progress, undecodable_images
from ffbench.datasets.ck_plus import scan as ck_plus
from ffbench.datasets.provenance import rests_on
from ffbench.io.archives.member_path import DatasetPath

OFFICIAL_SUBJECTS = 123
OFFICIAL_EMOTION_COUNTS = {
    "anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28, "surprise": 83
}  # fmt: skip
"""Sequences of each emotion, as CK+'s authors count them; together 327."""
CITATION = """@inproceedings{lucey2010ckplus,
  author    = {Lucey, Patrick and Cohn, Jeffrey F. and Kanade, Takeo and Saragih, Jason and Ambadar, Zara and
               Matthews, Iain},
  title     = {The Extended {Cohn-Kanade} Dataset ({CK+}): A complete dataset for action unit and emotion-specified
               expression},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition Workshops},
  pages     = {94--101},
  year      = {2010},
  doi       = {10.1109/CVPRW.2010.5543262},
}"""
SOURCE = "http://www.jeffcohn.net/Resources: sign the agreement and ask its authors"
LICENCE = "for research, by a signed agreement"


def check_ck_plus(path: DatasetPath, quick: bool, progress: Progress) -> Found:
    """Count sequences, subjects and emotion labels, and list what cannot be used."""
    found = ck_plus.scan(path)
    problems = list(found.problems)
    if not quick:
        problems += undecodable_images(
            [image for s in found.sequences for image in (s.first_image, s.last_image)], progress
        )
    emotions = Counter(s.emotion for s in found.sequences if s.emotion)
    counts = [
        Count("sequences", len(found.sequences), ck_plus.OFFICIAL_SEQUENCES),
        Count("subjects", len({s.subject for s in found.sequences}), OFFICIAL_SUBJECTS),
        Count("emotion labels", sum(emotions.values()), ck_plus.OFFICIAL_EMOTIONS),
        *(
            Count(f"emotion {name}", emotions[name], OFFICIAL_EMOTION_COUNTS.get(name))
            for name in sorted({*OFFICIAL_EMOTION_COUNTS, *emotions})
        ),
    ]
    return Found(counts, problems, found.synthetic)


def card_ck_plus(found: ck_plus.CKPlus) -> DatasetCard:
    """Return what a record says of the sequences that were found."""
    sequences = found.sequences
    facts = {
        "sequences": float(len(sequences)),
        "subjects": float(len({s.subject for s in sequences})),
        "emotion_labels": float(sum(s.emotion is not None for s in sequences)),
    }
    if found.synthetic:
        return DatasetCard(
            name="CK+ mini",
            origin="synthetic",
            reference="ground truth",
            reference_note="rendered faces in the layout of CK+, with the exact positions of 68 points of the mesh",
            manifest_sha256=found.manifest_sha256,
            problems=found.problems,
            facts=facts,
        )
    # Not a problem of the dataset: a part of CK+ is a fair test set, as long as the record says so.
    return DatasetCard(
        name="CK+",
        origin="real",
        origin_note=rests_on([path for sequence in sequences for path in sequence.files]),
        reference="annotation",
        reference_note=(
            "landmarks tracked by an active appearance model, as distributed with CK+; "
            f"{len(sequences)} of its {ck_plus.OFFICIAL_SEQUENCES} sequences"
        ),
        manifest_sha256=found.manifest_sha256,
        problems=found.problems,
        facts={
            **facts,
            "official_sequences": float(ck_plus.OFFICIAL_SEQUENCES),
            "official_emotion_labels": float(ck_plus.OFFICIAL_EMOTIONS),
        },
    )


CK_PLUS = Dataset(
    id="ck_plus",
    title="CK+",
    summary="expressions from neutral to their peak, with 68 landmarks",
    licence=LICENCE,
    source=SOURCE,
    citation=CITATION,
    folders=("CK+", "ck_plus", "ckplus"),
    check=check_ck_plus,
    counts={
        "sequences": ck_plus.OFFICIAL_SEQUENCES,
        "subjects": OFFICIAL_SUBJECTS,
        "emotion labels": ck_plus.OFFICIAL_EMOTIONS,
    },
    mini="ffbench.synth.minis.ck_plus:MINI",
)
