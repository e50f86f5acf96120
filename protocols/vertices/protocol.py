"""MEAD and CK+ vertices (paper, section 5.4, Eq. 6, MEAD(V.) and CK+(V.) of Table 3): docs/protocols/vertices.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.datasets.manifest import manifest_sha256
from ffbench.datasets.registry import find_data
from ffbench.datasets.tracks.flame_masks import CHOICES, Choice, Indices, find_regions, is_masks_file, read_regions
from ffbench.datasets.tracks.metrical import open_tracks
from ffbench.errors import DataError, UsageError
from ffbench.flow.sampling import sample_flow
from ffbench.io.archives.member_path import DatasetPath
from ffbench.metrics.landmarks import endpoint_errors, error_terms, nonrigid_errors
from ffbench.protocol import (
    Annotation,
    MetricCard,
    NumpyFlows,
    Option,
    Pair,
    PairScore,
    Protocol,
    ProtocolCard,
    ProtocolEntry,
    ProtocolRequest,
    StatedScoring,
    Term,
)

from ..options import (
    a_number,
    choice,
    one_of,
    refuse_unknown,
    stated_choice,
    stated_number,
    stated_variant,
    variant,
    whole_number,
)
from .datasets import (
    SOURCES,
    Kind,
    dataset_card,
    read_tracks,
    subject_of,
)
from .tracks import FACE_MESH_REGIONS, Track, find_tracks

VERSION = "1.0"
OUTLIER_PX = 3.0
OPTIONS = {
    "gap": f"{a_number(1)}, frames between the two of a pair",
    "image": f"{one_of(('crop', 'original'), '')}; default: what the tracks have",
    "regions": "a file of vertex numbers by region, or FLAME_masks.pkl",
    "vertices": f"{one_of(CHOICES, '')}; with FLAME's masks",
    "visibility": f"{one_of(('all', 'visible'), '')}; default: what the tracks say",
}
_METRICS = {
    "epe": MetricCard(title="endpoint error", unit="px", minimum=0),
    "epe_nonrigid": MetricCard(title="endpoint error, non-rigid", unit="px", minimum=0),
    "outliers_3px": MetricCard(title="vertices off by more than 3 px", unit="%", minimum=0, maximum=100),
    "vertices_inside": MetricCard(title="vertices that count", unit="%", higher_is_better=True, minimum=0, maximum=100),
}


@dataclass(frozen=True)
class Vertices:
    """The vertices in both images, (N, 2) float64 px, and which of them may count, (N,)."""

    first: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]
    counts: npt.NDArray[np.bool_]


def _card(kind: Kind, options: Mapping[str, Option]) -> ProtocolCard:
    stated = ("tracks", "image", "visibility", "vertices", *(["gap"] if kind == "mead_vertices" else []))
    return ProtocolCard(
        id=kind,
        version=VERSION,
        title=SOURCES[kind].title,
        primary="epe",
        metrics=_METRICS,
        group_by=("video",) if kind == "mead_vertices" else (),
        # One person's videos share face, light and camera, and the tracker's errors.
        resample_by="subject",
        options={name: options[name] for name in stated if name in options},
    )


class FaceVertices(Protocol[Vertices]):
    """Endpoint error of the flow at the tracked vertices of lips, cheeks and eyes in the first image of a pair."""

    fixed_weights = True

    def __init__(
        self,
        data: DatasetPath,
        kind: Kind,
        *,
        regions: Path | None = None,
        vertices: Choice | None = None,
        image: str | None = None,
        visibility: str | None = None,
        gap: int = 1,
    ) -> None:
        """Scan the tracks in `data`.

        Args:
            data: folder of tracks, one subfolder a video.
            kind: `mead_vertices` pairs frames t and t + gap, `ck_vertices` the first and the last.
            regions: `FLAME_masks.pkl` or an index file; None for the one in `data` or in `$FFBENCH_DATA/FLAME`.
            vertices: how they are chosen from FLAME's masks: `paper` (default) or `distinct`; see `choose_vertices`.
            image: `crop` (default) or `original`.
            visibility: `all` (default), or `visible` for vertices that are seen in the first image.
            gap: frames between the two of a pair.

        Raises:
            DataError: no track can be used. Of several, those that cannot are named as problems.
            UsageError: an option that face mesh tracks, or an index file, do not have.
        """
        data = open_tracks(data)
        folders, face_mesh = find_tracks(data)
        if face_mesh and (regions or vertices or image or visibility):
            raise UsageError(
                "tracks of `ffbench track` have one set of points on the frames themselves: "
                "regions, vertices, image and visibility are options for the metrical tracker's output"
            )
        self._visible_only = visibility == "visible"
        regions_file = None if face_mesh else regions or find_regions(data)
        chosen: Choice | None = None
        if regions_file is not None and is_masks_file(regions_file):
            chosen = vertices or CHOICES[0]
        elif vertices:
            raise UsageError(f"{regions_file}: lists the vertices itself; option 'vertices' is for FLAME_masks.pkl")
        found = read_regions(regions_file, chosen or CHOICES[0]) if regions_file else FACE_MESH_REGIONS
        self._groups, self._indices = _share_out(found)
        self._pairs: dict[str, tuple[Track, int, int]] = {}
        tracks, problems = read_tracks(folders, face_mesh=face_mesh, original=image == "original")
        for track in tracks:
            for first, second in _frame_pairs(track, kind, gap):
                self._pairs[f"{track.name}/{first:05d}-{second:05d}"] = track, first, second
        problems += [problem for track in tracks for problem in track.problems]
        if not self._pairs:
            raise DataError(f"{data}: no pair of frames; {problems[0] if problems else 'the videos are too short'}")
        self.dataset = dataset_card(
            data, kind, tracks, problems, self._manifest(regions_file), (chosen, len(self._indices)) if chosen else None
        )
        exact = self.dataset.reference == "ground truth"
        options: dict[str, Option] = {
            "tracks": "face mesh" if face_mesh else "exact" if exact else "metrical tracker",
            "image": "frame" if face_mesh else image or "crop",
            "visibility": visibility or "all",
            "vertices": chosen or len(self._indices),
            "gap": gap,
        }
        self.card = _card(kind, options)

    def keys(self) -> Sequence[str]:
        """Name the pairs, such as `M003_front_angry_level_1_001/00010-00011`."""
        return list(self._pairs)

    def load(self, key: str) -> Pair[Vertices]:
        """Read the two images of a pair and the vertices in both."""
        track, first, second = self._pairs[key]
        image1, image2 = track.image(first), track.image(second)
        if image1.shape != image2.shape:
            sizes = [f"{image.shape[1]} x {image.shape[0]}" for image in (image1, image2)]
            raise DataError(f"{key}: the images are {sizes[0]} and {sizes[1]}, expected one size")
        counts = np.ones(len(self._indices), np.bool_)
        if self._visible_only:
            counts = track.visible(first, self._indices)
        vertices = Vertices(track.points(first, self._indices), track.points(second, self._indices), counts)
        return Pair(key, image1, image2, vertices, {"video": track.name, "subject": subject_of(track.name)})

    def annotation(self, pair: Pair[Vertices]) -> Annotation:
        """Return the vertices that may count."""
        counts = pair.reference.counts
        return Annotation(first=pair.reference.first[counts], second=pair.reference.second[counts])

    def score(self, pair: Pair[Vertices], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        """Compare the facial flow at the vertices of the first image with where they went (Eq. 6, sign corrected).

        Raises:
            DataError: the flow is unknown at a vertex that counts.
        """
        points, displacement = pair.reference.first, pair.reference.second - pair.reference.first
        height, width = pair.image1.shape[:2]
        inside = np.all((points >= 0) & (points <= (width - 1, height - 1)), axis=1) & pair.reference.counts
        inside &= np.isfinite(displacement).all(axis=1)  # a vertex behind the camera is nowhere in the image
        predicted, known = sample_flow(forward.facial, np.where(np.isfinite(points), points, -1.0))
        if not known[inside].all():
            raise DataError(
                f"{pair.key}: the flow is unknown at {int((inside & ~known).sum())} vertices inside the image; "
                "a flow must have a value at every pixel"
            )
        errors = endpoint_errors(predicted, displacement)
        terms = error_terms("epe", errors, inside, self._groups)
        if inside.sum() >= 3:
            residual = np.full(len(points), np.nan)
            residual[inside] = nonrigid_errors(points[inside], predicted[inside], displacement[inside])
            terms |= error_terms("epe_nonrigid", residual, inside, self._groups)
        terms |= error_terms("outliers_3px", np.where(errors > OUTLIER_PX, 100.0, 0.0), inside, self._groups)
        terms["vertices_inside"] = Term(100.0 * float(inside.sum()), float(len(points)))
        return PairScore(pair.key, terms, pair.labels)

    def _manifest(self, regions: DatasetPath | None) -> str:
        numbers: dict[Track, set[int]] = {}
        for track, first, second in self._pairs.values():
            numbers.setdefault(track, set()).update((first, second))
        files: dict[str, DatasetPath] = {} if regions is None else {regions.name: regions}
        for track, used in numbers.items():
            files |= track.files(sorted(used))
        return manifest_sha256(files)


def _share_out(regions: Mapping[str, Indices]) -> tuple[dict[str, npt.NDArray[np.bool_]], Indices]:
    """Return where the members of each region stand among all vertices that count, and the numbers of these.

    A vertex that is listed twice stands there twice, and so counts twice.
    """
    names = np.repeat(list(regions), [len(members) for members in regions.values()])
    return {name: names == name for name in regions}, np.concatenate(list(regions.values()))


def _frame_pairs(track: Track, kind: Kind, gap: int) -> list[tuple[int, int]]:
    numbers = list(track.numbers)
    if kind == "ck_vertices":
        return [(numbers[0], numbers[-1])] if len(numbers) > 1 else []
    there = set(numbers)
    return [(number, number + gap) for number in numbers if number + gap in there]


def load_mead(request: ProtocolRequest) -> FaceVertices:
    """Build `mead_vertices` on `request.data`, on the tracks in the data folder, or on the mini dataset.

    Raises:
        UsageError: an unknown option, variant or value.
        DataError: the tracks are not usable.
    """
    return _load(request, "mead_vertices")


def load_ck(request: ProtocolRequest) -> FaceVertices:
    """Build `ck_vertices`, as `load_mead` builds `mead_vertices`."""
    return _load(request, "ck_vertices")


def _options(kind: Kind) -> dict[str, str]:
    return {name: said for name, said in OPTIONS.items() if name != "gap" or kind == "mead_vertices"}


def _load(request: ProtocolRequest, kind: Kind) -> FaceVertices:
    options = request.options
    refuse_unknown(request, _options(kind))
    variant(request, ["paper"])
    return FaceVertices(
        request.data or find_data(SOURCES[kind].dataset),
        kind,
        regions=Path(options["regions"]) if "regions" in options else None,
        vertices=choice(request, "vertices", CHOICES) if "vertices" in options else None,
        image=choice(request, "image", ("crop", "original")) if "image" in options else None,
        visibility=choice(request, "visibility", ("all", "visible")) if "visibility" in options else None,
        gap=whole_number(request, "gap", 1),
    )


def _scoring(stated: ProtocolCard, kind: Kind) -> StatedScoring:
    stated_variant(stated, ["paper"])
    stated_choice(stated, "tracks", ("face mesh", "exact", "metrical tracker"))
    stated_choice(stated, "image", ("frame", "crop", "original"))
    stated_choice(stated, "visibility", ("all", "visible"))
    stated_number(stated, "gap")
    if isinstance(stated.options.get("vertices"), str):
        stated_choice(stated, "vertices", CHOICES)
    else:
        stated_number(stated, "vertices")
    return StatedScoring(_card(kind, stated.options), fixed_weights=True)


mead_entry = ProtocolEntry(
    "MEAD: flow at tracked vertices of lips, cheeks and eyes (paper, Table 3)",
    load_mead,
    lambda stated: _scoring(stated, "mead_vertices"),
    title=SOURCES["mead_vertices"].title,
    variants=("paper",),
    options=_options("mead_vertices"),
    task="points on the face",
)
ck_entry = ProtocolEntry(
    "CK+: flow from onset to apex at tracked vertices (paper, Table 3)",
    load_ck,
    lambda stated: _scoring(stated, "ck_vertices"),
    title=SOURCES["ck_vertices"].title,
    variants=("paper",),
    options=_options("ck_vertices"),
    task="points on the face",
)
