"""Archives of datasets that no honest person packs, and damaged ones: one DataError that names all that is wrong."""

from __future__ import annotations

import io
import stat
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest

from ffbench.datasets.ffn.files import verify
from ffbench.errors import DataError
from ffbench.io.archives.member_path import open_tree
from tests.archives.test_datasets import pack
from tests.datasets.ffn_folder import add_sequence
from tests.zips import write_zip

# Some archives are to hold a name twice.
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")


def patched(path: Path, offset: int, value: bytes) -> Path:
    """Change the first entry of the directory."""
    content = bytearray(path.read_bytes())
    start = content.index(b"PK\x01\x02") + offset
    content[start : start + len(value)] = value
    path.write_bytes(bytes(content))
    return path


def test_all_faults_are_named_together(tmp_path: Path) -> None:
    members = [("a.png", b"1"), ("/etc/x", b"2"), ("b/../../y", b"3"), ("c.png", b"4"), ("c.png", b"5")]
    path = write_zip(tmp_path / "a.zip", members)
    patched(path, 8, b"\x01")
    with pytest.raises(DataError) as caught:
        open_tree(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    for fault in ("a.png is encrypted", "'/etc/x'", "'b/../../y'", "holds c.png twice"):
        assert fault in text
    assert "\n" not in text


def test_links_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", [("a.png", b"/etc/passwd")], external_attr=(stat.S_IFLNK | 0o777) << 16)
    with pytest.raises(DataError, match=r"a\.png is a link"):
        open_tree(path)


@pytest.mark.parametrize("stated", [2**31, 2**20])
def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, stated: int) -> None:
    path = patched(write_zip(tmp_path / "a.zip", [("a.flo", b"x")]), 24, stated.to_bytes(4, "little"))
    with pytest.raises(DataError, match=rf"a\.flo would unpack from 3 to {stated} bytes"):
        open_tree(path)


def test_a_member_gives_no_more_than_is_stated(tmp_path: Path) -> None:
    path = patched(write_zip(tmp_path / "a.zip", [("a.flo", b"x" * 1000), ("b", b"")]), 24, (10).to_bytes(4, "little"))
    place = open_tree(path) / "a.flo"
    assert place.stat().st_size == 10
    with pytest.raises(OSError, match="the archive is damaged"):
        place.read_bytes()
    with pytest.raises(OSError, match="the archive is damaged"), place.open() as file:
        file.read()


def test_a_file_and_a_folder_of_one_name(tmp_path: Path) -> None:
    for members in ([("a", b"1"), ("a/b", b"2")], [("a/b", b"2"), ("a", b"1")]):
        path = write_zip(tmp_path / f"{members[0][0].replace('/', '')}.zip", members)
        with pytest.raises(DataError, match="a is"):
            open_tree(path)


def test_cut_short_and_every_bad_archive_of_a_folder(tmp_path: Path) -> None:
    add_sequence(tmp_path / "data", "happy/0002", 5)
    for name in ("a", "b"):
        path = pack(tmp_path / "data", tmp_path / f"{name}.zip")
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"a\.zip: cannot be read as a zip.*b\.zip: cannot be read as a zip"):
        open_tree(tmp_path)


def test_links_and_twins_in_a_tar_and_a_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind, content in (
            ("a.png", tarfile.REGTYPE, b"1"),
            ("b.png", tarfile.SYMTYPE, b""),
            ("c.png", tarfile.LNKTYPE, b""),
            ("../d.png", tarfile.REGTYPE, b"2"),
            ("./a.png", tarfile.REGTYPE, b"3"),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, "/etc/passwd", len(content)
            archive.addfile(member, io.BytesIO(content))
    with pytest.raises(DataError) as caught:
        open_tree(path)
    for fault in ("b.png is a link", "c.png is a link", "'../d.png'", "holds a.png twice"):
        assert fault in str(caught.value)
    add_sequence(tmp_path / "data", "happy/0002", 5)
    whole = pack(tmp_path / "data", tmp_path / "whole.tar")
    whole.write_bytes(whole.read_bytes()[:20_000])
    with pytest.raises(DataError, match=r"whole\.tar: is cut short inside flow/facial"):
        open_tree(whole)


def test_a_tar_that_is_cut_after_it_was_opened(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_bytes(b"0123456789")
    path = pack(tmp_path / "data", tmp_path / "a.tar")
    place = open_tree(path) / "a.txt"
    with place.open() as file:
        assert (file.seek(4), file.read(3), file.read()) == (4, b"456", b"789")
    path.write_bytes(path.read_bytes()[:516])
    with pytest.raises(OSError, match="cut short"):
        place.read_bytes()


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_a_damaged_archive_gives_data_errors_alone(tmp_path: Path, suffix: str) -> None:
    """Bytes anywhere in an archive are changed: it is refused, has problems, or reads as before."""
    add_sequence(tmp_path / "data", "happy/0002", 5)
    good = pack(tmp_path / "data", tmp_path / f"good{suffix}", "FFN/").read_bytes()
    if suffix == ".zip":
        directory = np.arange(good.index(b"PK\x01\x02"), len(good))
    else:  # its directory is spread over the file: one header before each member
        starts = [place for place in range(0, len(good), 512) if good[place + 257 : place + 262] == b"ustar"]
        directory = np.add.outer(starts, np.arange(160)).ravel()
    random = np.random.default_rng(0)
    outcomes: dict[str, int] = {}
    for number in range(60):
        content = bytearray(good)
        # Half of the changes are made in the directory, which is a small part of the file.
        for place in random.choice(directory, 3) if number % 2 else random.integers(0, len(content), 3):
            content[place] = random.integers(256)
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(bytes(content))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                report = verify(path, "test")
                # A label that is no longer finite, or very large, is not known there, and is listed.
                outcome = "problems" if report.problems or report.left_out else "sound"
            except DataError:
                outcome = "refused"
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        path.unlink()
    assert outcomes["refused"] > 5
    # A tar has no checksums of contents: another flow is as good as the one that was there.
    assert outcomes["problems"] > (5 if suffix == ".zip" else 2)
