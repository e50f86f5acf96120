"""Tracked videos of MEAD and CK+ as datasets: the metrical tracker's output, and the vertices that count."""

from __future__ import annotations

from ffbench.datasets.base import Count, Dataset, Found, Progress, file_faults, undecodable_images
from ffbench.datasets.ck_plus import dataset as ck_plus_dataset
from ffbench.datasets.ck_plus import scan as ck_plus
from ffbench.datasets.images import natural_key
from ffbench.datasets.mead import dataset as mead_dataset
from ffbench.datasets.mead import videos as mead
from ffbench.datasets.provenance import engine_sign
from ffbench.datasets.tracks import flame_masks
from ffbench.datasets.tracks import metrical as metrical_tracks
from ffbench.errors import DataError
from ffbench.formats.ply import read_vertices
from ffbench.io.archives.member_path import DatasetPath

_LICENCE = "that of {}, whose videos are tracked; FLAME's for the meshes"
_SOURCE = "run the metrical tracker (https://github.com/Zielon/metrical-tracker) on the videos of {}"


def _tracks(path: DatasetPath, quick: bool, progress: Progress) -> tuple[list[str], list[int], list[Count], list[str]]:
    """Return the names of tracked videos, the number of frames of each, the vertices that count, and every fault."""
    path = metrical_tracks.open_tracks(path)
    if not path.is_dir():
        raise DataError(path, f"no such folder; expected {metrical_tracks.LAYOUT}")
    folders = sorted((item for item in path.iterdir() if metrical_tracks.is_track(item)),
                     key=lambda item: (natural_key(item.name), item.name))  # fmt: skip
    if not folders:
        raise DataError(path, f"no tracks in it; expected {metrical_tracks.LAYOUT}")
    names: list[str] = []
    frames: list[int] = []
    problems: list[str] = []
    for done, folder in enumerate(folders, start=1):
        try:
            track = metrical_tracks.scan_track(folder)
        except DataError as error:
            problems.append(str(error))
            continue
        names.append(track.name)
        frames.append(len(track.frames))
        problems += track.problems
        numbers = set(track.frames)
        gaps = sorted(set(range(min(numbers), max(numbers))) - numbers)
        if gaps:
            problems.append(f"{folder}: frame {gaps[0]:05d} and {len(gaps) - 1} others are missing between the others")
        if not quick:
            problems += undecodable_images([frame.image for frame in track.frames.values()], lambda done, total: None)
            problems += [line for frame in track.frames.values() for line in file_faults(read_vertices, frame.mesh)]
        progress(done, len(folders))
    try:
        vertices = _vertices(path)
    except DataError as error:
        vertices = []
        problems.append(str(error))
    return names, frames, vertices, problems


def _vertices(path: DatasetPath) -> list[Count]:
    """Count the vertices that FLAME's masks make, where the protocols would take them from masks.

    Raises:
        DataError: the file that says which vertices count cannot be read.
    """
    try:
        file = flame_masks.find_regions(path)
    except DataError:
        return []  # a protocol is told where it is by its option `regions`
    if not flame_masks.is_masks_file(file):
        flame_masks.read_regions(file)
        return []
    counts: list[Count] = []
    for choice in flame_masks.CHOICES:
        regions, expected = flame_masks.read_regions(file, choice), flame_masks.OFFICIAL_COUNTS[choice]
        counts.append(Count(f"vertices={choice}", sum(map(len, regions.values())), sum(expected.values())))
        counts += [Count(f"vertices={choice}, {name}", len(regions[name]), expected[name]) for name in regions]
    return counts


def check_mead_tracks(path: DatasetPath, quick: bool, progress: Progress) -> Found:
    """Count tracked videos, frames and vertices, and list what cannot be used."""
    names, frames, vertices, problems = _tracks(path, quick, progress)
    counts = [
        Count("videos", len(names), mead.OFFICIAL_VIDEOS),
        Count("frames", sum(frames), mead.OFFICIAL_FRAMES),
    ]
    made = engine_sign(path, *(path / name for name in names)) is not None
    return Found([*counts, *vertices], problems, made)


def check_ck_plus_tracks(path: DatasetPath, quick: bool, progress: Progress) -> Found:
    """Count tracked sequences, subjects and vertices, and list what cannot be used."""
    names, _, vertices, problems = _tracks(path, quick, progress)
    counts = [
        Count("sequences", len(names), ck_plus.OFFICIAL_SEQUENCES),
        Count("subjects", len({name.partition("_")[0] for name in names}), ck_plus_dataset.OFFICIAL_SUBJECTS),
    ]
    made = engine_sign(path, *(path / name for name in names)) is not None
    return Found([*counts, *vertices], problems, made)


MEAD_TRACKS = Dataset(
    id="mead_tracks",
    title="MEAD, tracked",
    summary="FLAME meshes fitted to talking faces",
    licence=_LICENCE.format("MEAD"),
    source=_SOURCE.format("MEAD"),
    citation=mead_dataset.CITATION,
    folders=("MEAD-tracks", "mead_tracks"),
    check=check_mead_tracks,
    counts={"videos": mead.OFFICIAL_VIDEOS, "frames": mead.OFFICIAL_FRAMES},
    mini="ffbench.synth.minis.mead:MINI",
)
CK_PLUS_TRACKS = Dataset(
    id="ck_plus_tracks",
    title="CK+, tracked",
    summary="FLAME meshes fitted to acted expressions",
    licence=_LICENCE.format("CK+"),
    source=_SOURCE.format("CK+"),
    citation=ck_plus_dataset.CITATION,
    folders=("CK+-tracks", "ck_plus_tracks"),
    check=check_ck_plus_tracks,
    counts={"sequences": ck_plus.OFFICIAL_SEQUENCES, "subjects": ck_plus_dataset.OFFICIAL_SUBJECTS},
    mini="ffbench.synth.minis.ck_plus:TRACKS_MINI",
)
