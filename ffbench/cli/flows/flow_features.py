"""The part of `ffbench flow` that writes features of flows: u, v, magnitude and optical strain, with a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ffbench.errors import UsageError

if TYPE_CHECKING:
    from ffbench.method import MethodCard
    from ffbench.microexpressions.feature_files import FeatureClip
    from ffbench.protocol import NumpyFlows

UVS = "uvs"


def require_features(name: str | None, out: Path | None) -> bool:
    """Return whether features are wanted.

    Raises:
        UsageError: features that there are not, or no folder to write them into.
    """
    if name is None:
        return False
    if name != UVS:
        raise UsageError(f"--features is '{name}', expected {UVS}: u, v, magnitude and optical strain")
    if out is None:
        raise UsageError("--features writes into --out; give that too")
    return True


class FeatureWriter:
    """Writes the features of some pairs into a folder, and says in a manifest how they were made."""

    def __init__(self, folder: Path, name: str) -> None:
        """Begin; `NAME_features.json` will be the manifest."""
        self._folder, self._path = folder, folder / f"{name}_features.json"
        self._clips: list[FeatureClip] = []
        self._size = (0, 0)

    def add(self, name: str, first: str, second: str, flows: NumpyFlows) -> list[Path]:
        """Write `NAME_facial.npz`, and the same for head and expression flow if there are these; give the paths."""
        import numpy as np

        from ffbench.microexpressions.feature_files import FeatureClip, clip_path, write_clip
        from ffbench.microexpressions.features import flow_features

        found = flows.found is None or bool(np.all(flows.found))
        paths = []
        for kind, field in (("facial", flows.facial), ("head", flows.head), ("expression", flows.expression)):
            if field is None:
                continue
            key = f"{name}_{kind}"
            sha256 = write_clip(self._folder, key, flow_features(field))
            self._clips.append(FeatureClip(key=key, onset=first, apex=second, found=found, sha256=sha256))
            self._size = (field.shape[0], field.shape[1])
            paths.append(clip_path(self._folder, key))
        return paths

    def finish(self, card: MethodCard) -> Path:
        """Write the manifest of all that was added, and return its path."""
        from ffbench.microexpressions.feature_files import (
            FeatureManifest,
            array_facts,
            ffbench_version,
            write_manifest,
        )

        manifest = FeatureManifest(
            ffbench=ffbench_version(),
            method=card,
            flow="all",
            alignments={"none": "the whole image, in its own pixels"},
            size=self._size,
            arrays=array_facts(onset=False),
            clips=tuple(self._clips),
        )
        write_manifest(self._path, manifest)
        return self._path
