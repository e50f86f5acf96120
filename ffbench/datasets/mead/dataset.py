"""MEAD as a dataset: a check of its frontal videos, or of their frames."""

from __future__ import annotations

from ffbench.datasets.base import Count, Dataset, Found, Progress, undecodable_images
from ffbench.datasets.clips import open_clip
from ffbench.datasets.mead import videos as mead
from ffbench.datasets.provenance import engine_sign
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath

CITATION = """@inproceedings{wang2020mead,
  author    = {Wang, Kaisiyuan and Wu, Qianyi and Song, Linsen and Yang, Zhuoqian and Wu, Wayne and Qian, Chen and
               He, Ran and Qiao, Yu and Loy, Chen Change},
  title     = {{MEAD}: A Large-scale Audio-visual Dataset for Emotional Talking-face Generation},
  booktitle = {European Conference on Computer Vision},
  year      = {2020},
}"""
SOURCE = "https://wywu.github.io/projects/MEAD/MEAD.html: as its authors say there"
LICENCE = "for research, from its authors"


def check_mead(path: DatasetPath, quick: bool, progress: Progress) -> Found:
    """Count subjects, videos and frames, and list what cannot be used."""
    if (path / mead.MANIFEST).is_file():
        return _mead_frames(path, quick, progress)
    videos, problems = mead.find_videos(path)
    frames = 0
    for done, video in enumerate(videos, start=1):
        try:
            clip = open_clip(video.path)
            frames += 0 if quick else len(clip)
        except DataError as error:
            problems.append(str(error))
        progress(done, len(videos))
    counts = [
        Count("subjects", len({video.subject for video in videos})),
        Count("frontal videos", len(videos)),
        Count("emotions", len({video.emotion for video in videos})),
    ]
    synthetic = engine_sign(*(video.path for video in videos)) is not None
    return Found([*counts, *([] if quick else [Count("frames", frames)])], problems, synthetic)


def _mead_frames(path: DatasetPath, quick: bool, progress: Progress) -> Found:
    """Check extracted frames against their manifest."""
    videos = mead.read_manifest(path).videos
    problems: list[str] = []
    frames: list[DatasetPath] = []
    for name, entry in videos.items():
        there = mead.count_frames(path, name)
        if there != entry.frames:
            problems.append(f"{path / name / 'source'}: {there} frames in a row, expected {entry.frames}")
        frames += [path / name / "source" / f"{number:05d}.png" for number in range(1, there + 1)]
    if not quick:
        problems += undecodable_images(frames, progress)
    counts = [
        Count("videos", len(videos), mead.OFFICIAL_VIDEOS),
        Count("frames", len(frames), mead.OFFICIAL_FRAMES),
    ]
    return Found(counts, problems, engine_sign(path, *frames) is not None)


MEAD = Dataset(
    id="mead",
    title="MEAD",
    summary="talking faces with eight emotions",
    licence=LICENCE,
    source=SOURCE,
    citation=CITATION,
    folders=("MEAD", "mead"),
    check=check_mead,
    mini="ffbench.synth.minis.mead:MINI",
)
