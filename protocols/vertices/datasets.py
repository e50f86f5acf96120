"""Where the vertex protocols' data lie: folders of tracks, the vertices that count, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ffbench.datasets.mark import SYNTHETIC_MARK
from ffbench.datasets.provenance import engine_sign, rests_on
from ffbench.datasets.tracks.flame_masks import OFFICIAL_COUNTS, Choice
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath
from ffbench.protocol import DatasetCard

from .tracks import FaceMeshPoints, MetricalPoints, Track

Kind = Literal["mead_vertices", "ck_vertices"]


@dataclass(frozen=True)
class Source:
    """What differs between the two protocols."""

    title: str
    of: str
    dataset: str


SOURCES: Mapping[Kind, Source] = {
    "mead_vertices": Source("MEAD vertices", "MEAD", "mead_tracks"),
    "ck_vertices": Source("CK+ vertices", "CK+", "ck_plus_tracks"),
}


def read_tracks(folders: Sequence[DatasetPath], *, face_mesh: bool, original: bool) -> tuple[list[Track], list[str]]:
    """Read the tracks in `folders`; those that cannot be used are named as problems.

    Raises:
        DataError: there is one folder, and it cannot be used.
    """
    tracks: list[Track] = []
    problems: list[str] = []
    for folder in folders:
        try:
            tracks.append(FaceMeshPoints(folder) if face_mesh else MetricalPoints(folder, original=original))
        except DataError as error:
            if len(folders) == 1:
                raise
            problems.append(f"{error}; the video is left out")
    return tracks, problems


def subject_of(video: str) -> str:
    """Return the person of a video: what stands before the first `_` of its name (`M003_front_...`, `S005_001`)."""
    return video.partition("_")[0]


def dataset_card(
    data: DatasetPath,
    kind: Kind,
    tracks: Sequence[Track],
    problems: Sequence[str],
    manifest: str,
    chosen: tuple[Choice, int] | None = None,
) -> DatasetCard:
    """Say what the tracks are, who made them, and what is missing.

    Args:
        data: the folder of tracks.
        kind: the protocol.
        tracks: the videos that are used, one at least.
        problems: one line each.
        manifest: hash of all files that are used.
        chosen: how the vertices were chosen from FLAME's masks, and how many they are; None without masks.
    """
    facts = {
        "videos": float(len(tracks)),
        "subjects": float(len({subject_of(track.name) for track in tracks})),
        "frames": float(sum(len(track.numbers) for track in tracks)),
    }
    if chosen is not None:
        facts["vertices"] = float(chosen[1])
    files = [file for track in tracks for file in track.files(track.numbers).values()]
    # One made video among real ones is enough: their mean is no measurement of real faces.
    made = engine_sign(*files) is not None or any(
        isinstance(track, FaceMeshPoints) and track.info.origin == "synthetic" for track in tracks
    )
    networks = {track.info.network_sha256 for track in tracks if isinstance(track, FaceMeshPoints)}
    reference: Literal["ground truth", "pseudo"] = "pseudo"
    name = f"{SOURCES[kind].of}, tracked"
    if (data / SYNTHETIC_MARK).is_file() and not isinstance(tracks[0], FaceMeshPoints):
        reference, name = "ground truth", f"{SOURCES[kind].of} mini, vertices"
        note = "rendered faces in the layout of the metrical tracker's output, with the exact mesh: nothing was tracked"
    elif isinstance(tracks[0], FaceMeshPoints):
        name = f"{data.resolve().name}, face mesh"  # any clip can be tracked, not only this dataset's
        note = "points that a face mesh network found in each frame: not the paper's reference, and not comparable"
        for track in tracks:
            if isinstance(track, FaceMeshPoints) and track.info.epe_floor_px is not None:
                facts[f"epe_floor_px/{track.name}"] = track.info.epe_floor_px
    else:
        note = f"vertices of FLAME as MICA's metrical tracker fitted it to each frame, not measured; {_which(chosen)}"
    return DatasetCard(
        name=name,
        origin="synthetic" if made else "real",
        origin_note="" if made else rests_on(files),
        reference=reference,
        reference_note=note,
        reference_networks=tuple(sorted(networks)),
        manifest_sha256=manifest,
        problems=tuple(problems),
        left_out=tuple(line for track in tracks for line in track.left_out),
        facts=facts,
    )


def _which(chosen: tuple[Choice, int] | None) -> str:
    paper = f"the paper counts {sum(OFFICIAL_COUNTS['paper'].values())} of them and does not say which"
    if chosen is None:
        return paper
    if chosen[0] == "paper":
        return f"{paper}; that it joins FLAME's lists of eyes and lips as they stand, and the cheeks, is inferred"
    return f"{paper}; here each counts once"
