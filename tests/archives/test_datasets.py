"""Each dataset, in the layout in which it is distributed, reads the same from a folder, an archive and many of them."""

from __future__ import annotations

import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffbench import load_protocol
from ffbench.datasets.casme2 import scan as casme2
from ffbench.datasets.clips import find_clips, open_clip
from ffbench.datasets.images import read_image
from ffbench.datasets.mark import mark_synthetic, synthetic_mark
from ffbench.datasets.mead import videos as mead
from ffbench.datasets.registry import verify_dataset
from ffbench.errors import DataError
from ffbench.method import Flows
from tests.datasets.casme2_folder import make_casme2
from tests.datasets.ck_plus_folder import make_ck_plus
from tests.datasets.ffn_folder import add_sequence, make_ffn
from tests.datasets.test_clips import make_folder, make_video
from tests.datasets.test_mead import write_video
from tests.datasets.tracks_folder import make_tracks

PROTOCOLS: dict[str, Callable[[Path], Path]] = {
    "ffn_motion_scale": make_ffn,
    "ffn_expression": make_ffn,
    "ck_landmarks": make_ck_plus,
    "mead_vertices": make_tracks,
    "casme2_3": make_casme2,
}
VERIFIED: dict[str, Callable[[Path], Path]] = {
    "ffn": make_ffn,
    "ck_plus": make_ck_plus,
    "casme2": make_casme2,
    "mead_tracks": make_tracks,
}


def pack(folder: Path, target: Path, top: str = "", method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Pack what is in a folder as `.zip` or `.tar`, below the folder `top` if there is one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    files = {top + file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}
    if target.suffix == ".tar":
        with tarfile.open(target, "w") as tar:
            for name, file in files.items():
                tar.add(file, name)
    else:
        with zipfile.ZipFile(target, "w", method) as archive:
            for name, file in files.items():
                archive.write(file, name)
    return target


def pack_each(folder: Path, target: Path, suffix: str = ".zip") -> Path:
    """Every folder of the dataset in an archive of its own, its files beside them."""
    target.mkdir()
    for item in folder.iterdir():
        if item.is_dir():
            pack(item, target / f"{item.name}{suffix}", f"{item.name}/")
        else:
            (target / item.name).write_bytes(item.read_bytes())
    return target


def digits(name: str, data: Path) -> tuple[Any, ...]:
    """Everything that a record takes from the data: hash, facts, problems' number, and the score of every pair."""
    protocol: Any = load_protocol(name, data=data)
    scores: list[object] = []
    if name.startswith("casme2"):  # noise has no face that could be found in it
        found = casme2.select(casme2.scan(data), casme2.THREE)
        scores += [(of, [read_image(file).tobytes() for file in clip.files]) for clip, of in found.clips]
    else:
        for key in list(protocol.keys()):
            pair = protocol.load(key)
            flow = np.random.default_rng(0).normal(size=(*pair.image1.shape[:2], 2)).astype(np.float32)
            scores.append((key, repr(protocol.score(pair, Flows(flow, flow / 2), None).terms)))
    card = protocol.dataset
    return card.manifest_sha256, card.facts, len(card.problems), card.origin, scores


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols_give_the_same_digits(tmp_path: Path, name: str) -> None:
    if name == "casme2_3":
        pytest.importorskip("openpyxl")
    folder = tmp_path / "data"
    PROTOCOLS[name](folder)
    expected = digits(name, folder)
    assert expected[-1]
    assert digits(name, pack(folder, tmp_path / "flat.zip")) == expected
    assert digits(name, pack(folder, tmp_path / "nested.zip", "Some name/", zipfile.ZIP_STORED)) == expected
    assert digits(name, pack_each(folder, tmp_path / "zips")) == expected
    assert digits(name, pack(folder, tmp_path / "nested.tar", "Some name/")) == expected
    assert digits(name, pack_each(folder, tmp_path / "tars", ".tar")) == expected


@pytest.mark.parametrize("name", VERIFIED)
def test_verification_finds_the_same(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    VERIFIED[name](folder)
    expected = verify_dataset(name, folder)
    for data in (pack(folder, tmp_path / "a.zip", "top/"), pack_each(folder, tmp_path / "zips")):
        found = verify_dataset(name, data)
        assert found.counts == expected.counts
        assert len(found.problems) == len(expected.problems)


def test_an_image_that_is_missing_or_damaged_is_named_by_archive_and_member(tmp_path: Path) -> None:
    folder = make_ffn(tmp_path / "data")
    (folder / "flow" / "facial" / "test" / "sad" / "0001" / "0002.flo").unlink()
    (folder / "mask" / "test" / "happy" / "0002" / "0001.npy").write_bytes(b"no mask")
    path = pack(folder, tmp_path / "a.zip", "FFN/")
    problems = verify_dataset("ffn", path).problems
    assert any(f"{path}/FFN/flow/facial/test/sad/0001" in line and "0002.flo" in line for line in problems)
    assert any(line.startswith(f"{path}/FFN/mask/test/happy/0002/0001.npy: not a .npy file") for line in problems)


def test_videos_of_mead_one_archive_a_subject(tmp_path: Path) -> None:
    for subject in ("M003", "W009"):
        write_video(tmp_path / "MEAD" / subject / "video" / "front" / "angry" / "level_1" / "001.mp4", 4)
    expected = [video.name for video in mead.find_videos(tmp_path / "MEAD")[0]]
    for subject in ("M003", "W009"):
        pack(tmp_path / "MEAD" / subject / "video", tmp_path / "zips" / f"{subject}.zip", "video/")
        pack(tmp_path / "MEAD" / subject / "video", tmp_path / "tars" / subject / "video.tar", "video/")
    (tmp_path / "tars" / "W009" / "audio.tar.gz").write_bytes(b"is not looked at")
    for data in (pack(tmp_path / "MEAD", tmp_path / "all.zip"), tmp_path / "zips", tmp_path / "tars"):
        videos, problems = mead.find_videos(data)
        assert ([video.name for video in videos], problems) == (expected, [])
        manifest, faults = mead.prepare(videos, tmp_path / f"out-{data.stem}")
        assert faults == []
        assert [video.frames for video in manifest.videos.values()] == [4, 4]


def test_clips(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    make_video(folder / "a.avi")
    make_folder(folder / "b")
    plain = [open_clip(path) for path in find_clips(folder)]
    packed = [open_clip(path) for path in find_clips(pack(folder, tmp_path / "c.zip"))]
    assert [clip.name for clip in packed] == [clip.name for clip in plain]
    for first, second in zip(plain, packed, strict=True):
        assert first.sha256() == second.sha256()
        assert np.array_equal(np.stack(list(first.frames())), np.stack(list(second.frames())))


def test_the_mark_of_synthetic_data_is_seen_inside_and_around(tmp_path: Path) -> None:
    folder = make_ffn(tmp_path / "data")
    mark_synthetic(folder, "test", "1", 0)
    assert load_protocol("ffn_motion_scale", data=pack(folder, tmp_path / "a.zip", "x/")).dataset.origin == "synthetic"
    (folder / "ffbench-mini.json").unlink()
    around = tmp_path / "around"
    pack(folder, around / "a.zip")
    assert load_protocol("ffn_motion_scale", data=around / "a.zip").dataset.origin == "real"
    mark_synthetic(around, "test", "1", 0)
    assert load_protocol("ffn_motion_scale", data=around / "a.zip").dataset.origin == "synthetic"


def test_other_processes_read_the_same_place(tmp_path: Path) -> None:
    clips = find_clips(pack(make_folder(tmp_path / "b"), tmp_path / "c.zip", "b/"))
    restored = pickle.loads(pickle.dumps(clips))
    assert restored == clips
    assert open_clip(restored[0]).sha256() == open_clip(tmp_path / "b").sha256()
    assert synthetic_mark(restored[0]) is None


def test_what_was_unpacked_beside_its_archive_counts(tmp_path: Path) -> None:
    folder = make_ck_plus(tmp_path / "data")
    expected = digits("ck_landmarks", folder)
    pack(folder / "Landmarks", folder / "Landmarks.zip", "Landmarks/")
    assert digits("ck_landmarks", folder) == expected


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x.rar").write_bytes(b"Rar!")
    with pytest.raises(
        DataError, match=r"x\.rar: cannot be read in place; unpack it, or pack it anew as \.tar or \.zip"
    ):
        verify_dataset("ffn", tmp_path / "x.rar")
    (tmp_path / "x.csv").touch()
    with pytest.raises(DataError, match=r"expected a folder, a \.zip or \.tar archive, or a folder of these"):
        verify_dataset("ffn", tmp_path / "x.csv")


def test_parts_of_a_split_in_several_archives(tmp_path: Path) -> None:
    """They share their folders and go together; a part of the files in each."""
    folder = make_ffn(tmp_path / "data")
    expected = digits("ffn_expression", folder)
    for number, sequence in enumerate(("happy/0002", "happy/0010", "sad/0001")):
        part = tmp_path / "parts" / str(number)
        for kind in ("image/facial", "flow/facial", "flow/head", "mask"):
            shutil.copytree(folder / kind / "test" / sequence, part / kind / "test" / sequence)
        pack(part, tmp_path / "zips" / f"part{number}.{'tar' if number else 'zip'}")
    assert digits("ffn_expression", tmp_path / "zips") == expected


@pytest.mark.parametrize("readme", [False, True])
def test_splits_in_archives_of_their_own(tmp_path: Path, readme: bool) -> None:
    """Whether they go together or, since both hold a file of one name, each reads as a folder."""
    for split, frames in (("test", 5), ("val", 10), ("train", 15)):
        add_sequence(tmp_path / split, "happy/0001", frames, split=split)
        if readme:
            (tmp_path / split / "README.txt").write_text(split)
        pack(tmp_path / split, tmp_path / "zips" / f"FFN_{split}.zip")
    found = {count.what: count.found for count in verify_dataset("ffn", tmp_path / "zips").counts}
    assert [found[f"{split}: pairs"] for split in ("test", "val", "train")] == [4, 9, 14]
    assert len(list(load_protocol("ffn_motion_scale", data=tmp_path / "zips", options={"split": "val"}).keys())) == 9


def test_clips_in_a_folder_of_archives(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    make_folder(clips / "b")
    make_video(clips / "c.avi")
    expected = [open_clip(path).sha256() for path in find_clips(clips)]
    pack(clips / "b", clips / "b.tar")
    shutil.rmtree(clips / "b")
    found = [open_clip(path) for path in find_clips(clips)]
    assert [clip.name for clip in found] == ["b", "c.avi"]
    assert [clip.sha256() for clip in found] == expected
