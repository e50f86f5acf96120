"""Measures the diversity of a dataset by an embedding: what turns a person into a vector."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench import assets
from ffbench.datasets.feature_file import SOURCE, read_feature_file
from ffbench.datasets.images import read_image
from ffbench.datasets.provenance import engine_sign
from ffbench.diversity.people import Person, find_people, find_sources
from ffbench.errors import DataError
from ffbench.facemesh.embedding import MeshFace, describe_face, expression_features
from ffbench.io.archives.member_path import DatasetPath
from ffbench.io.hashing import file_sha256
from ffbench.metrics.people.diversity import Estimate, map_to_plane, neighbor_agreement, source_similarity, spread
from ffbench.threads import limited

Vector = npt.NDArray[np.float64]
FEWEST_EXPRESSIONS = 4
"""Fewer are not laid out in a plane."""


@dataclass(frozen=True)
class Embedding:
    """What turns a person into a vector, and what a reader has to know of it.

    `of` takes a name, `happy/0012` or of its source `source/happy/0012`, and the image, and gives None where it has
    nothing; `lacks` says what that means. `sha256` is that of the network or file.
    """

    title: str
    note: str
    sha256: str
    lacks: str
    of: Callable[[str, DatasetPath], Vector | None]


@dataclass(frozen=True)
class Expression:
    """A sequence's place in the plane of expressions; directions and the unit mean nothing."""

    sequence: str
    emotion: str
    x: float
    y: float


@dataclass(frozen=True)
class Diversity:
    """What was measured. The keys of `spread` and `similarity` are those of `ffbench.metrics.people.diversity`.

    `neighbours` is the share of expressions whose nearest other one, by features and not in the plane, has the same
    emotion, and `neighbours_by_chance` what it would be by chance; None with fewer than four.
    """

    dataset: str
    origin: str
    embedding: Embedding
    identities: int
    spread: dict[str, Estimate]
    sources: int
    source_spread: dict[str, Estimate]
    similarity: dict[str, Estimate]
    expressions: tuple[Expression, ...]
    neighbours: float | None
    neighbours_by_chance: float | None
    left_out: tuple[str, ...]


def face_mesh_embedding() -> Embedding:
    """Return the embedding that needs nothing from the user: features of the face mesh network."""
    return Embedding(
        "face mesh features",
        "pooled features of a network that finds the points of a face: they describe its geometry and appearance, not "
        "identity as ArcFace does; compare them with figures of this embedding alone",
        assets.find("face_mesh").sha256,
        "no face was found",
        lambda _, image: None if (face := _face_in(image)) is None else face.features,
    )


def file_embedding(path: Path) -> tuple[Embedding, frozenset[str]]:
    """Return an embedding that was computed elsewhere, and all names in it.

    Raises:
        DataError: as `read_feature_file`.
    """
    vectors = read_feature_file(path)
    note = "features computed elsewhere; compare them with figures of the same network on faces cut out alike"
    embedding = Embedding(path.name, note, file_sha256(path), f"not in {path.name}", lambda name, _: vectors.get(name))
    return embedding, frozenset(vectors)


def measure(
    root: Path,
    source: Path | None = None,
    features: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Diversity:
    """Measure a dataset in FacialFlowNet's layout, all splits together.

    Args:
        root: the dataset.
        source: folder of the images that it was made from, see `find_sources`.
        features: feature file in place of the face mesh; sources are in it too, so that it goes without `source`.
        progress: told (done, people).

    Raises:
        DataError: a file cannot be read, or fewer than two people have a vector.
    """
    # Network and rows are so small that threads which wait for each other cost more than they bring.
    with limited(1):
        return _measure(root, source, features, progress)


def _measure(root: Path, source: Path | None, features: Path | None, progress: Callable[[int, int], None]) -> Diversity:
    people, problems = find_people(root)
    if features is None:
        embedding = face_mesh_embedding()
        origins = {} if source is None else find_sources(source, people)
    else:
        embedding, names = file_embedding(features)
        origins = {person.name: features for person in people if SOURCE + person.name in names}
    found = _collect(people, origins, embedding, dict.fromkeys(problems), progress)
    if len(found.vectors) < 2:
        first = f"; the first: {next(iter(found.left_out))}" if found.left_out else ""
        raise DataError(root, f"{len(found.vectors)} of {len(people)} people have features, two are needed{first}")
    both = [name for name in found.vectors if name in found.sources]
    own, others = ([table[name] for name in both] for table in (found.vectors, found.sources))
    drawn = found.changes if len(found.changes) >= FEWEST_EXPRESSIONS else []
    changes = [change for _, change in drawn]
    share, chance = neighbor_agreement(changes, [person.emotion for person, _ in drawn]) if drawn else (None, None)
    return Diversity(
        dataset=root.resolve().name,
        origin="real" if engine_sign(*(person.rest for person in people)) is None else "synthetic",
        embedding=embedding,
        identities=len(found.vectors),
        spread=spread(list(found.vectors.values())),
        sources=len(both),
        source_spread=spread(others) if len(both) > 1 else {},
        similarity=source_similarity(own, others) if len(both) > 1 else {},
        expressions=tuple(
            Expression(person.name, person.emotion, float(x), float(y))
            for (person, _), (x, y) in zip(drawn, map_to_plane(changes) if drawn else (), strict=True)
        ),
        neighbours=share,
        neighbours_by_chance=chance,
        left_out=tuple(found.left_out),
    )


@dataclass(frozen=True)
class _Collected:
    """Vectors of people and of their sources by the person's name, expressions, and what is left out, in order."""

    vectors: dict[str, Vector]
    sources: dict[str, Vector]
    changes: list[tuple[Person, Vector]]
    left_out: dict[str, None]


def _collect(
    people: Sequence[Person],
    origins: Mapping[str, Path],
    embedding: Embedding,
    left_out: dict[str, None],
    progress: Callable[[int, int], None],
) -> _Collected:
    found = _Collected({}, {}, [], left_out)
    for done, person in enumerate(people):
        progress(done, len(people))
        _add(found.vectors, person.name, embedding, person.name, person.rest, left_out)
        if person.name in origins:
            _add(found.sources, person.name, embedding, SOURCE + person.name, origins[person.name], left_out)
        elif origins:
            left_out[f"{person.name}: no source image"] = None
        rest, apex = _face_in(person.rest), _face_in(person.apex)
        if rest is not None and apex is not None:
            found.changes.append((person, expression_features(rest.points, apex.points)))
        for face, image in ((rest, person.rest), (apex, person.apex)):
            if face is None:
                left_out[f"{person.name}: no face was found ({image.name})"] = None
    return found


def _add(
    table: dict[str, Vector], key: str, embedding: Embedding, name: str, image: DatasetPath, left_out: dict[str, None]
) -> None:
    vector = embedding.of(name, image)
    if vector is None:
        left_out[f"{name}: {embedding.lacks} ({image.name})"] = None
    else:
        table[key] = vector


@functools.lru_cache(maxsize=4)
def _face_in(image: DatasetPath) -> MeshFace | None:
    """Describe the face of a file; the frame at rest is asked for as identity and for the expression."""
    return describe_face(read_image(image))
