"""Who the people of a rendered dataset are: the skin and the age that the face engine gave them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import ValidationError

from ffbench.datasets.ffn.scan import FFN
from ffbench.io.archives.member_path import DatasetPath
from ffbench.metrics.people.skin_tone import tone_class, typology_angle
from ffbench.synth.appearance.look import Appearance, sample_appearance
from ffbench.synth.heads.head import HeadModel
from ffbench.synth.pairs.journal import MANIFEST, DatasetManifest
from ffbench.synth.pairs.recipe import ORIGIN

_LARGEST_MANIFEST = 1 << 26
_AGES = (("younger", 1 / 3), ("middle", 2 / 3), ("older", 1.0))
"""Names of thirds of the engine's scale from young to old, with their upper bounds."""


def people_labels(found: FFN) -> Mapping[str, Mapping[str, str]]:
    """Return labels `skin_tone` and `age` of the people of a dataset, by sequence.

    They are drawn again from the seeds in the manifest of a dataset that the engine made: nothing is measured. Empty
    where there is no manifest, as in FacialFlowNet itself, or where skins or shapes came from elsewhere.

    Raises:
        DataError: the head data cannot be had.
    """
    manifest = _read_manifest(found.root / MANIFEST) if found.synthetic else None
    if manifest is None:
        return {}
    from ffbench.synth.heads.makehuman import load_makehuman

    head = load_makehuman()
    labels = {}
    for one in manifest.sequences:
        look, age = look_and_age(head, one.seed)
        labels[f"{one.emotion}/{one.identity:05d}"] = {
            "skin_tone": tone_class(typology_angle(look.skin)),
            "age": next(name for name, bound in _AGES if age <= bound),
        }
    return labels


def look_and_age(head: HeadModel, seed: int) -> tuple[Appearance, float]:
    """Return the appearance and the age (0 young to 1 old) of the person that `sample_person` makes of a seed."""
    rng = np.random.default_rng([seed, 0])
    traits = head.traits(head.sample_identity(rng))
    return sample_appearance(rng, *traits), traits[1] or 0.0


def _read_manifest(path: DatasetPath) -> DatasetManifest | None:
    """Return the manifest of a dataset whose people follow from its seeds; None where there is none."""
    try:
        content = path.read_bytes() if path.is_file() and path.stat().st_size <= _LARGEST_MANIFEST else b""
        manifest = DatasetManifest.model_validate_json(content)
    except (OSError, ValidationError):
        return None
    origin = manifest.origin
    drawn = origin.codes_sha256 is None and origin.textures_sha256 is None and origin.head == "makehuman"
    return manifest if drawn and origin.recipe == ORIGIN else None
