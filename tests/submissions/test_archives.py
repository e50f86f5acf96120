"""Archives that no honest person packs are refused, in bounded memory and time."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import tarfile
import time
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from ffbench.errors import DataError, UsageError
from ffbench.flow.files import write_flow
from ffbench.io.archives.scratch import copy_exactly, write_scratch
from ffbench.submissions.checking.validation import validate
from ffbench.submissions.files import open_files
from ffbench.submissions.manifest import Manifest, build_manifest
from tests.submissions.toys import PAIRS, check, make_submission, pack
from tests.toys import Stripes
from tests.zips import write_zip

MIB = 2**20
NAMES = [f"facial/{number:03d}.flo" for number in range(PAIRS)]


@pytest.fixture
def flows(tmp_path: Path) -> dict[str, bytes]:
    folder = make_submission(tmp_path / "honest")
    return {name: (folder / name).read_bytes() for name in NAMES}


@contextmanager
def bounded(mebibytes: float, seconds: float = 5) -> Iterator[None]:
    """Hold what happens inside to a peak of memory and a time."""
    build_manifest(Stripes(PAIRS))
    tracemalloc.start()
    clock = time.perf_counter()
    try:
        yield
        assert time.perf_counter() - clock < seconds
        assert tracemalloc.get_traced_memory()[1] < mebibytes * MIB
    finally:
        tracemalloc.stop()


def write_tar(path: Path, members: dict[str, bytes] | list[tuple[str, bytes]], **info: object) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            member = tarfile.TarInfo(name)
            for key, value in info.items():
                setattr(member, key, value)
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content))
    return path


WRITERS = {"zip": write_zip, "tar": write_tar, "tar.gz": write_tar}


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("top", ["", "./", "results/", "my net/"])
def test_one_leading_folder_is_fine(tmp_path: Path, flows: dict[str, bytes], suffix: str, top: str) -> None:
    path = WRITERS[suffix](tmp_path / f"a.{suffix}", {top + name: content for name, content in flows.items()})
    assert check(path).sound


@pytest.mark.parametrize("suffix", WRITERS)
def test_two_leading_folders_are_not(tmp_path: Path, flows: dict[str, bytes], suffix: str) -> None:
    path = WRITERS[suffix](tmp_path / f"a.{suffix}", {f"a/b/{name}": content for name, content in flows.items()})
    assert {fault: found.count for fault, found in check(path).problems.items()} == {"missing": 6, "extra": 6}


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../facial/000.flo", "facial/../../x.flo", "C:/x.flo", "..\\x.flo", "a\x07.flo", "n" * 2000]
)
def test_names_that_lead_out_are_refused(tmp_path: Path, flows: dict[str, bytes], suffix: str, name: str) -> None:
    path = WRITERS[suffix](tmp_path / f"a.{suffix}", {**flows, name: b"x"})
    with pytest.raises(DataError, match=r"leads out of the archive|that no file should have|not in the archive"):
        check(path)


@pytest.mark.parametrize("suffix", WRITERS)
def test_duplicates_are_reported(tmp_path: Path, flows: dict[str, bytes], suffix: str) -> None:
    with pytest.warns(UserWarning, match="Duplicate") if suffix == "zip" else _nothing():
        path = WRITERS[suffix](tmp_path / f"a.{suffix}", [*flows.items(), ("facial/003.flo", flows[NAMES[0]])])
    problems = check(path).problems
    assert list(problems) == ["duplicate"]
    assert problems["duplicate"].first == ["facial/003.flo"]


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, suffix: str, kind: bytes) -> None:
    path = write_tar(tmp_path / f"a.{suffix}", {"facial/000.flo": b""}, type=kind, linkname="/etc/passwd")
    with pytest.raises(DataError, match=r"000\.flo is a link or a special file"):
        check(path)


def test_links_in_a_zip_and_in_a_folder_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"facial/000.flo": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16)
    with pytest.raises(DataError, match=r"000\.flo is a link or a special file"):
        check(path)
    folder = make_submission(tmp_path / "b")
    (folder / "facial" / "link.flo").symlink_to("/etc/passwd")
    with pytest.raises(DataError, match=r"link\.flo: is a link or a special file"):
        check(folder)
    (folder / "facial" / "link.flo").unlink()
    os.mkfifo(folder / "facial" / "pipe.flo")
    with pytest.raises(DataError, match=r"pipe\.flo: is a link or a special file"):
        check(folder)


def test_encrypted_zip_is_refused(tmp_path: Path, flows: dict[str, bytes]) -> None:
    path = write_zip(tmp_path / "a.zip", flows)
    content = bytearray(path.read_bytes())
    start = content.index(b"PK\x01\x02")
    content[start + 8] |= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"000\.flo is encrypted"):
        check(path)


@pytest.mark.parametrize("suffix", WRITERS)
def test_too_many_entries_are_refused(tmp_path: Path, suffix: str) -> None:
    members = {f"facial/{number}.flo": b"" for number in range(1073)}
    with pytest.raises(DataError, match="holds more than 1072 files"):
        check(WRITERS[suffix](tmp_path / f"a.{suffix}", members))
    folder = tmp_path / "many"
    folder.mkdir()
    for name in range(1073):
        (folder / str(name)).touch()
    with pytest.raises(DataError, match="holds more than 1072 files"):
        check(folder)


def test_large_directory_of_a_zip_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(60_000):
            archive.writestr(f"{number:05d}", b"")
    with bounded(12), pytest.raises(DataError, match="directory is larger"):
        check(path)


def test_compression_bomb_in_a_zip_is_not_unpacked(tmp_path: Path, flows: dict[str, bytes]) -> None:
    path = write_zip(tmp_path / "a.zip", {**flows, NAMES[2]: bytes(200 * MIB)})
    assert path.stat().st_size < MIB
    with bounded(8):
        report = check(path)
    assert report.problems["wrong size"].first == [f"{NAMES[2]}: {200 * MIB} bytes, expected 1548 as .flo"]


def test_zip_that_states_a_small_size_for_a_bomb_is_not_unpacked(tmp_path: Path, flows: dict[str, bytes]) -> None:
    path = write_zip(tmp_path / "a.zip", {**flows, NAMES[2]: bytes(200 * MIB)})
    content = path.read_bytes().replace((200 * MIB).to_bytes(4, "little"), (1548).to_bytes(4, "little"))
    path.write_bytes(content)
    with bounded(8):
        report = check(path)
    assert {fault: found.count for fault, found in report.problems.items()} == {"damaged": 1}


@pytest.mark.parametrize(("stated", "fault"), [(1600, "damaged"), (1540, "damaged")])
def test_zip_that_states_a_wrong_size(tmp_path: Path, flows: dict[str, bytes], stated: int, fault: str) -> None:
    path = write_zip(tmp_path / "a.zip", flows)
    path.write_bytes(path.read_bytes().replace((1548).to_bytes(4, "little"), stated.to_bytes(4, "little")))
    counts = {fault: found.count for fault, found in check(path).problems.items()}
    assert sum(counts.values()) == PAIRS
    assert set(counts) <= {fault, "truncated"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_is_refused(tmp_path: Path, flows: dict[str, bytes], method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr(NAMES[0], flows[NAMES[0]])
    with pytest.raises(DataError, match="expected deflate"):
        check(tmp_path / "a.zip")


def test_gzip_bomb_stops_at_what_a_submission_can_be(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(300):
            file.write(bytes(MIB))
    with bounded(8), pytest.raises(DataError, match="which no submission has"):
        check(path)


def test_header_of_a_tar_that_is_larger_than_any(tmp_path: Path) -> None:
    member = tarfile.TarInfo("facial/000.flo")
    member.pax_headers = {"comment": "x" * 3 * MIB}
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member)
    with bounded(2), pytest.raises(DataError, match="header is larger"):
        check(tmp_path / "a.tar")


def test_endless_chain_of_headers_in_a_tar(tmp_path: Path) -> None:
    header = tarfile.TarInfo("long")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 4
    block = header.tobuf(tarfile.GNU_FORMAT) + b"name".ljust(512, b"\0")
    (tmp_path / "a.tar").write_bytes(block * 5000)
    with bounded(2), pytest.raises(DataError, match="header is larger"):
        check(tmp_path / "a.tar")


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar"])
def test_every_truncation_is_noticed(tmp_path: Path, kind: str) -> None:
    path = pack(kind, make_submission(tmp_path / "a"))
    content = path.read_bytes()
    end = len(content) if kind != "tar" else content.rindex(b"ustar")
    for length in range(0, end, max(1, end // 60)):
        path.write_bytes(content[:length])
        with suppress(DataError):
            assert not check(path).sound, length


def test_bytes_after_the_end_of_gzip_are_refused(tmp_path: Path) -> None:
    path = pack("gztar", make_submission(tmp_path / "a"))
    for tail in (b"x", path.read_bytes()):
        other = tmp_path / "b.tgz"
        other.write_bytes(path.read_bytes() + tail)
        with pytest.raises(DataError, match="after the end"):
            check(other)


def test_archive_within_an_archive_is_an_extra_file(tmp_path: Path, flows: dict[str, bytes]) -> None:
    inner = write_zip(tmp_path / "inner.zip", flows)
    report = check(write_zip(tmp_path / "a.zip", {"facial/inner.zip": inner.read_bytes()}))
    assert {fault: found.count for fault, found in report.problems.items()} == {"missing": 6, "extra": 1}


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder or archive"):
        check(tmp_path / "nowhere.zip")
    for name, message in (("a.zip", "as a zip"), ("a.tar", "as a tar"), ("a.tgz", "unzipped"), ("a.rar", "expected a")):
        (tmp_path / name).write_bytes(b"nothing of the kind" * 100)
        with pytest.raises(DataError, match=message):
            check(tmp_path / name)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_scratch_folder_is_no_fault_of_the_submission() -> None:
    with open("/dev/full", "wb") as full, pytest.raises(UsageError, match=r"No space left on device.*TMPDIR"):
        write_scratch(full, b"x" * 100_000)
    with pytest.raises(UsageError, match=r"No space left on device"):
        copy_exactly(io.BytesIO(bytes(3 * MIB)), Path("/dev/full"), 3 * MIB)


@pytest.mark.parametrize("suffix", [".flo", ".flo5", ".png"])
@pytest.mark.parametrize("container", [".zip", ".tar", ".tar.gz"])
def test_a_flow_is_read_out_of_its_archive_as_from_a_folder(tmp_path: Path, suffix: str, container: str) -> None:
    flow = np.arange(3 * 4 * 2, dtype=np.float32).reshape(3, 4, 2) / 64
    write_flow(tmp_path / "flows" / "facial" / f"00{suffix}", flow)
    packed = tmp_path / f"flows{container}"
    kind = {".zip": "zip", ".tar": "tar", ".tar.gz": "gztar"}[container]
    shutil.make_archive(str(tmp_path / "flows"), kind, tmp_path / "flows")
    manifest = Manifest("toy", "1.0", "0" * 64, {"00": (3, 4)}, backward=False)
    with open_files(packed, manifest) as files:
        (entry,) = files.entries
        assert (files.read(entry, (3, 4)) == flow).all()
        with pytest.raises(DataError, match="expected 5 x 4"):
            files.read(entry, (4, 5))


def test_what_validation_decoded_is_not_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("00", "01"):
        write_flow(tmp_path / "flows" / "facial" / f"{key}.flo", np.full((3, 4, 2), float(key), np.float32))
    shutil.make_archive(str(tmp_path / "flows"), "zip", tmp_path / "flows")
    manifest = Manifest("toy", "1.0", "0" * 64, {"00": (3, 4), "01": (3, 4)}, backward=False)
    monkeypatch.setattr("ffbench.submissions.containers.entries.KEPT_BYTES", 3 * 4 * 2 * 4)  # room for one of the two
    with open_files(tmp_path / "flows.zip", manifest) as files:
        report = validate(files, manifest)
        decoded = []
        monkeypatch.setattr(
            files,
            "read_flow",
            lambda entry, size, read=files.read_flow: decoded.append(entry.name) or read(entry, size),
        )
        for _ in range(2):  # what was kept is given once, and its memory is free then
            for key, entry in report.files["facial"].items():
                assert (files.read_again(entry, (3, 4)) == float(key)).all()
    # Threads validate, so either of the two may have been kept.
    assert sorted(Counter(decoded).values()) == [1, 2]
