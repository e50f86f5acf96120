"""MEAD in the layout in which it is distributed, and its frames, extracted once.

    <root>/M003/video/front/angry/level_1/001.mp4     as distributed
    <out>/M003_front_angry_level_1_001/source/00001.png, ... and <out>/mead-frames.json    as `prepare` writes them

`source/` under a folder a video is what the metrical tracker takes for its input. The paper's 26 frontal videos (3,402
frames) are not listed anywhere, so that the user has to name videos.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict

from ffbench.datasets.clips import VIDEO_SUFFIXES, open_clip
from ffbench.datasets.folders import levels_below
from ffbench.datasets.images import encode_png, natural_key
from ffbench.datasets.mark import SYNTHETIC_MARK, synthetic_mark
from ffbench.datasets.provenance import engine_sign, mark_png
from ffbench.errors import DataError, writing
from ffbench.io.archives.member_path import DatasetPath, open_tree, relative_name
from ffbench.io.atomic import write_bytes, write_text
from ffbench.io.bounds import read_bounded
from ffbench.io.hashing import file_sha256
from ffbench.io.json_models import read_model

OFFICIAL_VIDEOS, OFFICIAL_FRAMES = 26, 3402
"""What the paper measured on (section 5.2)."""
LAYOUT = "M003/video/front/angry/level_1/001.mp4, ..."
MANIFEST = "mead-frames.json"
_SEARCH_DEPTH = 2
_SUBJECT, _LEVEL, _TAKE = re.compile(r"[MW]\d{3}"), re.compile(r"level_\d"), re.compile(r"\d+")
_MAX_BYTES = 2**26
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Video:
    """One video, by its place in MEAD."""

    path: DatasetPath
    subject: str
    view: str
    emotion: str
    level: str

    @property
    def name(self) -> str:
        """Such as `M003_front_angry_level_1_001`."""
        return f"{self.subject}_{self.view}_{self.emotion}_{self.level}_{self.path.stem}"


class PreparedVideo(BaseModel):
    """What the manifest says of one video: `frames` PNG files of `width` x `height` in `<name>/source`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    sha256: str
    frames: int
    width: int
    height: int


class VideoManifest(BaseModel):
    """`mead-frames.json`: the videos whose frames are there, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    videos: Mapping[str, PreparedVideo] = {}


def find_videos(root: DatasetPath | str, view: str = "front") -> tuple[list[Video], list[str]]:
    """List the videos of one view, and what does not fit the layout: one line each.

    The subjects' folders may lie up to two levels below `root`.

    Raises:
        DataError: no such folder, or no video of that view in it.
    """
    root = open_tree(root)
    if not root.is_dir():
        raise DataError(root, f"no such folder; expected MEAD: {LAYOUT}")
    videos: list[Video] = []
    problems: list[str] = []
    for subject in _subjects(root):
        folder = subject / "video" / view
        if not folder.is_dir():
            problems.append(f"{folder}: no such folder; the archive of {subject.name}'s videos is not unpacked here")
            continue
        for file in (file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.startswith(".")):
            video = _video(file, folder, subject.name, view)
            if video is not None:
                videos.append(video)
            elif file.suffix.lower() in VIDEO_SUFFIXES:
                problems.append(f"{file}: expected <emotion>/level_<n>/<number>.mp4 below {folder}; it is ignored")
    if not videos:
        first = f"; {problems[0]}" if problems else ""
        raise DataError(root, f"no {view} videos; expected MEAD: {LAYOUT}{first}")
    return sorted(videos, key=lambda video: (natural_key(video.name), video.name)), problems


def choose_videos(videos: Sequence[Video], listing: Path) -> list[Video]:
    """Keep the videos that a text file names, one a line: `M003/video/front/angry/level_1/001.mp4` or the short name.

    Empty lines and what follows a `#` do not matter.

    Raises:
        DataError: the file cannot be read, names a video that is not there, or none.
    """
    content = read_bounded(listing, _MAX_BYTES, f"larger than a list of videos can be ({_MAX_BYTES} bytes)")
    try:
        lines = [line.partition("#")[0].strip() for line in content.decode("utf-8").splitlines()]
    except UnicodeDecodeError as error:
        raise DataError(listing, f"not a text file ({error.reason}); expected one video a line") from error
    known = {video.name: video for video in videos}
    wanted = list(dict.fromkeys(_short_name(line) for line in lines if line))
    missing = [name for name in wanted if name not in known]
    if missing or not wanted:
        what = (
            f"{len(missing)} of the {len(wanted)} videos are not there, the first: {missing[0]}" if missing else "empty"
        )
        raise DataError(listing, f"{what}; expected one video a line, such as M003/video/front/angry/level_1/001.mp4")
    return [known[name] for name in wanted]


def prepare(videos: Sequence[Video], out: Path, progress: Progress | None = None) -> tuple[VideoManifest, list[str]]:
    """Extract every frame of videos as PNG files, in full, and write the manifest.

    Each video appears at once or not at all; a video that is there already, from the same file, is passed over, so
    that an interrupted run goes on where it stopped.

    Args:
        videos: what to extract.
        out: the folder; other videos in it stay.
        progress: called with the number of videos done, and of all.

    Returns:
        The manifest, and one line for each video that cannot be decoded.

    Raises:
        DataError: the folder cannot be written.
    """
    manifest = read_manifest(out) if (out / MANIFEST).is_file() else VideoManifest()
    problems: list[str] = []
    for done, video in enumerate(videos):
        if progress:
            progress(done, len(videos))
        try:
            with writing(out, more="; what is there is whole"):
                digest = file_sha256(video.path)
                known = manifest.videos.get(video.name)
                if known is not None and known.sha256 == digest and count_frames(out, video.name) == known.frames:
                    continue
                made = engine_sign(video.path) is not None
                entry = _extract(video, digest, out, made)
                if made:
                    # Frames of made videos are no real ones either, wherever they go.
                    mark = synthetic_mark(video.path)
                    write_bytes(out / SYNTHETIC_MARK, mark.read_bytes() if mark else b'{"synthetic": true}\n')
        except DataError as error:
            problems.append(f"{error}; the video is left out")
            continue
        manifest = VideoManifest(videos={**manifest.videos, video.name: entry})
        write_text(out / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    if progress:
        progress(len(videos), len(videos))
    return manifest, problems


def read_manifest(out: DatasetPath) -> VideoManifest:
    """Read the manifest of prepared frames.

    Raises:
        DataError: it is missing or damaged.
    """
    wrong = "not a manifest of frames; remove it, and `ffbench data prepare mead` makes it again"
    return read_model(out / MANIFEST, VideoManifest, _MAX_BYTES, kind="a manifest", wrong=wrong)


def count_frames(out: DatasetPath, name: str) -> int:
    """Count the frames of a prepared video: those numbered 00001.png, 00002.png, ... without a gap."""
    folder = out / name / "source"
    if not folder.is_dir():
        return 0
    there = {file.name for file in folder.iterdir()}
    return next(count for count in range(len(there) + 1) if f"{count + 1:05d}.png" not in there)


def _extract(video: Video, digest: str, out: Path, made: bool) -> PreparedVideo:
    """Write the frames of a video; those that the face engine made carry its comment on."""
    clip = open_clip(video.path)
    out.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{video.name}.", dir=out))
    try:
        temporary.chmod(0o755)
        (temporary / "source").mkdir()
        frames = 0
        for frames, frame in enumerate(clip.frames(), start=1):
            content = encode_png(frame)
            (temporary / "source" / f"{frames:05d}.png").write_bytes(mark_png(content) if made else content)
        target = out / video.name
        if target.exists():
            shutil.rmtree(target / "source", ignore_errors=True)
            target.mkdir(exist_ok=True)
            (temporary / "source").rename(target / "source")
        else:
            temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    source = PurePosixPath(video.subject, "video", video.view, video.emotion, video.level, video.path.name)
    return PreparedVideo(source=str(source), sha256=digest, frames=frames, width=clip.size[0], height=clip.size[1])


def _subjects(root: DatasetPath) -> list[DatasetPath]:
    for level in levels_below(root, _SEARCH_DEPTH + 1):
        if subjects := [folder for folder in level if _SUBJECT.fullmatch(folder.name)]:
            return subjects
    return []


def _video(file: DatasetPath, folder: DatasetPath, subject: str, view: str) -> Video | None:
    parts = relative_name(file, folder).split("/")
    fits = len(parts) == 3 and _LEVEL.fullmatch(parts[1]) and _TAKE.fullmatch(file.stem)
    if not fits or file.suffix.lower() not in VIDEO_SUFFIXES:
        return None
    return Video(file, subject, view, parts[0], parts[1])


def _short_name(line: str) -> str:
    parts = [part for part in re.split(r"[/\\]", line) if part != "video"]
    return "_".join([*parts[:-1], parts[-1].rpartition(".")[0] or parts[-1]])
