"""Stores by URL: what is copied of them, what is not, and that a copy is never believed more than a folder."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from ffbench.errors import DataError, UsageError
from ffbench.io.object_store import ObjectStore
from ffbench.method import MethodCard
from ffbench.results.named import compare
from ffbench.results.report.leaderboard import leaderboard
from ffbench.results.store import places
from ffbench.results.store.places import copy_folder, local_copy
from ffbench.results.store.records import publish_record, read_rows
from ffbench.results.store.verification import verify_store
from tests.commands import run_command
from tests.results.made_runs import make_run

MEMORY = "memory://lab/board"


class RemoteFolder(LocalFileSystem):
    """Local files below a URL that is not of this machine: `folder:///path`. Counts what is read, and can fail."""

    protocol = "folder"
    cachable = False
    read: ClassVar[list[str]] = []
    vanishing: ClassVar[set[str]] = set()
    forbidden: ClassVar[set[str]] = set()
    broken: ClassVar[bool] = False

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **more: Any) -> bytes:
        name = os.path.basename(path)
        if self.broken:
            raise ConnectionError("the line is down")
        if name in self.vanishing:
            raise FileNotFoundError(path)
        if name in self.forbidden:
            raise PermissionError(path)
        self.read.append(name)
        content: bytes = super().cat_file(path, start, end, **more)
        return content


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    fsspec.register_implementation("folder", RemoteFolder, clobber=True)
    RemoteFolder.read, RemoteFolder.vanishing, RemoteFolder.forbidden = [], set(), set()
    yield
    RemoteFolder.broken = False
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture(params=["memory", "folder"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store by URL that does not hold anything yet."""
    (tmp_path / "remote").mkdir()
    return MEMORY if request.param == "memory" else f"folder://{tmp_path}/remote"


def run(tmp_path: Path, name: str, values: tuple[float, ...] = (1.0, 2.0, 4.0), **changes: Any) -> Path:
    return make_run(tmp_path / "runs", name, values, **{"fingerprint": name, **changes})


def objects(url: str) -> dict[str, bytes]:
    store = ObjectStore(url)
    return {item.name: content for item, content in store.read(store.listing()) if isinstance(content, bytes)}


def put(url: str, name: str, content: bytes) -> None:
    files, root = fsspec.core.url_to_fs(url)
    files.makedirs(os.path.dirname(f"{root}/{name}"), exist_ok=True)
    files.pipe_file(f"{root}/{name}", content)


def remove(url: str, name: str) -> None:
    files, root = fsspec.core.url_to_fs(url)
    files.rm_file(f"{root}/{name}")


def test_a_published_record_is_read_as_from_a_folder(tmp_path: Path, url: str) -> None:
    runs = [run(tmp_path, "alpha"), run(tmp_path, "beta", (1.5, 2.5, 4.0))]
    named = [publish_record(url, path, "verified") for path in runs]
    local = [publish_record(tmp_path / "store", path, "verified") for path in runs]
    assert [str(name).startswith(f"{url}/verified/stripes/") for name in named] == [True, True]
    # The very same bytes under the same names, so that a folder can be copied to a bucket and back by any tool.
    files = {path.relative_to(tmp_path / "store").as_posix(): path.read_bytes()
             for path in (tmp_path / "store").rglob("*.*")}  # fmt: skip
    assert objects(url) == files
    tables = [leaderboard(read_rows([place])) for place in (url, tmp_path / "store")]
    lines = [
        [(line.position, line.title, line.verified, line.rank_best) for line in table.lines] for (table,) in tables
    ]
    assert lines[0] == lines[1]
    assert [position for position, *_ in lines[0]] == [1, 2]
    assert len(local) == 2


def test_only_what_is_new_is_copied_and_what_is_gone_goes(tmp_path: Path) -> None:
    url = f"folder://{tmp_path}/remote"
    (tmp_path / "remote").mkdir()
    first = publish_record(url, run(tmp_path, "alpha"), "claimed")
    read_rows([url])
    RemoteFolder.read.clear()
    assert len(read_rows([url])) == 1
    assert RemoteFolder.read == []
    publish_record(url, run(tmp_path, "beta"), "claimed")
    RemoteFolder.read.clear()
    assert [row.method for row in read_rows([url])] == ["alpha", "beta"]
    assert sorted(name.partition("-")[0] for name in RemoteFolder.read) == ["beta", "beta"]
    name = str(first).removeprefix(f"{url}/")
    remove(url, name)
    remove(url, name.replace(".json", ".parquet"))
    assert [row.method for row in read_rows([url])] == ["beta"]
    assert not [path for path in copy_folder(url).rglob("*.*") if path.name.startswith("alpha")]


def test_tables_are_copied_before_records(tmp_path: Path) -> None:
    url = f"folder://{tmp_path}/remote"
    (tmp_path / "remote").mkdir()
    for name in ("alpha", "beta"):
        publish_record(url, run(tmp_path, name), "claimed")
    RemoteFolder.read.clear()
    read_rows([url])
    assert [name.rpartition(".")[2] for name in RemoteFolder.read] == ["parquet", "parquet", "json", "json"]


def test_publishing_twice_writes_once_and_mends_a_torn_write(tmp_path: Path) -> None:
    url, path = f"folder://{tmp_path}/remote", run(tmp_path, "alpha")
    (tmp_path / "remote").mkdir()
    stored = tmp_path / "remote" / str(publish_record(url, path, "claimed")).removeprefix(f"{url}/")
    written = stored.stat().st_mtime_ns
    assert publish_record(url, path, "claimed") == f"{url}/{stored.relative_to(tmp_path / 'remote')}"
    assert stored.stat().st_mtime_ns == written
    whole = stored.read_bytes()
    stored.write_bytes(whole[:100])
    problems: list[str] = []
    assert read_rows([url], problems) == []
    assert len(problems) == 1
    assert problems[0].startswith(f"{url}/claimed/stripes/{stored.name}: not a run record")
    publish_record(url, path, "claimed")
    assert stored.read_bytes() == whole
    assert len(read_rows([url])) == 1


def test_a_torn_table_ranks_nothing(tmp_path: Path) -> None:
    url = f"folder://{tmp_path}/remote"
    (tmp_path / "remote").mkdir()
    for name in ("alpha", "beta"):
        publish_record(url, run(tmp_path, name), "verified")
    table = next((tmp_path / "remote").rglob("alpha*.parquet"))
    table.write_bytes(table.read_bytes()[:50])
    (board,) = leaderboard(read_rows([url]))
    assert [(line.method, line.position) for line in board.lines] == [("beta", 1), ("alpha", None)]
    found = verify_store(url, {"stripes": "1.0"})
    assert any(fault.startswith(f"{url}/verified/stripes/alpha") and "other sha256" in fault for fault in found.faults)


def test_objects_that_vanish_are_passed_over_and_forbidden_ones_named(tmp_path: Path) -> None:
    url = f"folder://{tmp_path}/remote"
    (tmp_path / "remote").mkdir()
    names = [str(publish_record(url, run(tmp_path, name), "claimed")) for name in ("alpha", "beta", "gamma")]
    RemoteFolder.vanishing = {os.path.basename(names[0])}
    RemoteFolder.forbidden = {os.path.basename(names[1])}
    problems: list[str] = []
    assert [row.method for row in read_rows([url], problems)] == ["gamma"]
    assert problems == [f"{names[1]}: cannot be read (PermissionError: {str(names[1]).removeprefix('folder://')})"]
    with pytest.raises(DataError, match=r"beta.*cannot be read"):
        read_rows([url])
    # They are asked for again.
    RemoteFolder.vanishing = RemoteFolder.forbidden = set()
    assert len(read_rows([url])) == 3


def test_a_broken_line_is_one_error_and_keeps_what_was_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"folder://{tmp_path}/remote"
    (tmp_path / "remote").mkdir()
    monkeypatch.setattr("ffbench.io.object_store.BATCH_OBJECTS", 2)
    for name in ("alpha", "beta", "gamma"):
        publish_record(url, run(tmp_path, name), "claimed")
    RemoteFolder.read.clear()
    whole = RemoteFolder.cat_file

    def breaking(self: RemoteFolder, path: str, *more: Any, **named: Any) -> bytes:
        RemoteFolder.broken = len(RemoteFolder.read) >= 2
        return whole(self, path, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(RemoteFolder, "cat_file", breaking)
        with pytest.raises(DataError, match=r"folder://.*: cannot be read \(ConnectionError: the line is down\)"):
            read_rows([url])
    RemoteFolder.broken = False
    assert len(RemoteFolder.read) == 2
    RemoteFolder.read.clear()
    assert len(read_rows([url])) == 3
    assert len(RemoteFolder.read) == 4


def test_foreign_names_are_not_copied_and_verify_names_them(tmp_path: Path, url: str) -> None:
    publish_record(url, run(tmp_path, "alpha"), "verified")
    foreign = ["readme.txt", "verified/stripes/notes.txt", "verified/stripes/deep/a.json", "Verified/stripes/b.json",
               "verified/stripes/.hidden.json", "verified/a.json"]  # fmt: skip
    for name in foreign:
        put(url, name, b"{}")
    assert [row.method for row in read_rows([url])] == ["alpha"]
    copied = [path for path in copy_folder(url).rglob("*") if path.is_file() and path.name != places._STATES]
    assert len(copied) == 2
    found = verify_store(url, {"stripes": "1.0"})
    fault = "neither a record nor a table; a store holds nothing else"
    assert sorted(found.faults) == [f"{url}/{name}: {fault}" for name in sorted(foreign)]
    assert found.records == 1


HOSTILE = ("../../escape", "a/../../b", "c:\\x", "a\nb", "a.json", ".git", "a//b")


@pytest.mark.parametrize("name", [f"{folder}/record.json" for folder in HOSTILE])
def test_hostile_names_leave_no_file(tmp_path: Path, name: str) -> None:
    good = run(tmp_path, "alpha")
    put(MEMORY, "alpha/record.json", good.read_bytes())
    # Past the file system's own cleaning of names: an object's key is any text.
    MemoryFileSystem.store[f"/lab/board/{name}"] = MemoryFileSystem.store["/lab/board/alpha/record.json"]
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "cache")}
    problems: list[str] = []
    rows = read_rows([MEMORY], problems)
    assert [row.method for row in rows] == ["alpha"]
    inside = [path.relative_to(copy_folder(MEMORY)) for path in copy_folder(MEMORY).rglob("*") if path.is_file()]
    assert sorted(map(str, inside)) == [places._STATES, "alpha/record.json"]
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "cache")} == before
    assert len(problems) == 1
    assert "has a name that not every system gives a file" in problems[0]


def test_objects_and_copies_are_bounded_in_bytes(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = publish_record(url, run(tmp_path, "alpha"), "claimed")
    put(url, "claimed/stripes/big-0.json", b" " * 20_000)
    monkeypatch.setitem(places._MOST_BYTES, ".json", 15_000)
    problems: list[str] = []
    assert [row.method for row in read_rows([url], problems)] == ["alpha"]
    assert problems == [f"{url}/claimed/stripes/big-0.json: has 20000 bytes, more than a file like it can have (15000)"]
    assert not list(copy_folder(url).rglob("big*"))
    monkeypatch.setattr(places, "MAX_COPY_BYTES", 1000)
    with pytest.raises(DataError, match=f"{url}: holds .* bytes of records, more than are copied"):
        read_rows([url], [])
    assert isinstance(name, str)


def test_an_object_that_grows_after_it_was_listed_is_read_no_further(tmp_path: Path) -> None:
    store = ObjectStore(MEMORY)
    put(MEMORY, "a.json", b"x" * 10)
    listed = store.listing()
    put(MEMORY, "a.json", b"x" * 1000)
    assert [content for _, content in store.read(listed)] == [b"x" * 10]
    put(MEMORY, "a.json", b"x")
    ((_, short),) = store.read(listed)
    assert "has 1 bytes, its listing says 10" in str(short)


def test_runs_and_single_records_by_url(tmp_path: Path, url: str) -> None:
    for name, values in (("alpha", (1.0, 2.0, 4.0)), ("beta", (2.0, 3.0, 5.5))):
        folder = run(tmp_path, name, values).parent
        for path in folder.iterdir():
            put(url, f"stripes/{name}/{path.name}", path.read_bytes())
        put(url, f"stripes/{name}/facial/0.flo", b"not of a record")
    rows = read_rows([url])
    assert [(row.method, row.level) for row in rows] == [("alpha", "local"), ("beta", "local")]
    assert not list(copy_folder(url).rglob("*.flo"))
    (one,) = read_rows([f"{url}/stripes/beta/record.json"])
    assert (one.method, one.value) == ("beta", 3.5)
    found = compare(f"{url}/stripes/alpha/record.json", f"{url}/stripes/beta")
    assert found.groups[0].difference == pytest.approx(7 / 3 - 3.5)
    assert compare("alpha", "beta", places=[url]).groups == found.groups


def test_a_copy_that_was_changed_by_hand_is_not_believed(tmp_path: Path, url: str) -> None:
    publish_record(url, run(tmp_path, "alpha"), "verified")
    read_rows([url])
    (path,) = copy_folder(url).rglob("alpha*.json")
    record = json.loads(path.read_bytes())
    record["primary"]["value"] = 0.0
    path.write_text(json.dumps(record))
    problems: list[str] = []
    assert read_rows([url], problems) == []
    assert "was changed or renamed" in problems[0]
    # Deleted at any time, it is made again.
    shutil.rmtree(copy_folder(url))
    assert len(read_rows([url])) == 1
    (copy_folder(url) / places._STATES).write_text("[damaged")
    assert len(read_rows([url])) == 1


def test_no_such_place_no_such_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="memory://nowhere: no such record, store or folder of runs"):
        read_rows(["memory://nowhere/"])
    with pytest.raises(UsageError, match="nope://x: no backend of fsspec has URLs like that"):
        read_rows(["nope://x"])
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(import_module("fsspec.registry")._registry, "s3", raising=False)
    with pytest.raises(UsageError, match="s3://lab/board: s3fs is not installed: pip install s3fs"):
        read_rows(["s3://lab/board"])
    with pytest.raises(DataError, match="there is no such bucket or folder: make it first"):
        publish_record(f"folder://{tmp_path}/typo", run(tmp_path, "alpha"), "claimed")
    assert not (tmp_path / "typo").exists()


def test_file_urls_are_paths(tmp_path: Path) -> None:
    path = run(tmp_path, "alpha")
    stored = publish_record(f"file://{tmp_path}/store", path, "claimed")
    assert stored == publish_record(tmp_path / "store", path, "claimed")
    assert local_copy(f"file://{tmp_path}/store").path == tmp_path / "store"
    assert len(read_rows([f"file://{tmp_path}/store"])) == 1
    assert not (tmp_path / "cache" / "places").exists()


def test_passwords_are_not_printed(tmp_path: Path) -> None:
    assert ObjectStore("memory://me:secret@lab/board").url == "memory://lab/board"
    with pytest.raises(DataError) as failed:
        read_rows(["memory://me:secret@lab/board"])
    assert "secret" not in str(failed.value)
    assert "secret" not in str(copy_folder("memory://me:secret@lab/board"))


def _publish(arguments: tuple[str, list[str]]) -> None:
    fsspec.register_implementation("folder", RemoteFolder, clobber=True)
    for path in arguments[1]:
        publish_record(arguments[0], path, "claimed")
        read_rows([arguments[0]], [])


def test_several_writers_and_readers_at_once_lose_nothing(tmp_path: Path) -> None:
    url = f"folder://{tmp_path}/remote"
    (tmp_path / "remote").mkdir()
    shared = run(tmp_path, "same")
    tasks = [(url, [str(run(tmp_path, f"m{writer}-{k}")) for k in range(3)] + [str(shared)]) for writer in range(3)]
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.map(_publish, tasks, chunksize=1)
    assert len(read_rows([url])) == 10


def test_commands_take_urls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weak = run(tmp_path, "weak", method=MethodCard(id="weak", title="Weak", parameters=5))
    for path in (run(tmp_path, "alpha"), run(tmp_path, "beta", (3.0, 4.0, 5.0))):
        assert run_command(monkeypatch, "publish", path, "--store", MEMORY, "--verified") == 0
    assert capsys.readouterr().out.startswith(f"{MEMORY}/verified/stripes/alpha-")
    put(MEMORY, "verified/stripes/weak-0.json", weak.read_bytes())
    assert run_command(monkeypatch, "leaderboard", MEMORY) == 0
    shown = capsys.readouterr()
    assert "Alpha" in shown.out
    assert f"problem: {MEMORY}/verified/stripes/weak-0.json: was changed or renamed" in shown.err
    assert run_command(monkeypatch, "verify", MEMORY, "--no-rescore") == 3
    assert f"fault: {MEMORY}/verified/stripes/weak-0.json" in capsys.readouterr().out
    assert run_command(monkeypatch, "compare", "alpha", "beta", "--runs", MEMORY) == 0
    assert run_command(monkeypatch, "site", MEMORY, "--out", tmp_path / "site") == 0
    assert (tmp_path / "site" / "index.html").is_file()
    capsys.readouterr()
    assert run_command(monkeypatch, "eval", "-m", "zero", "-p", "ck_landmarks", "--out", MEMORY) == 2
    assert f"--out {MEMORY}: expected a path" in capsys.readouterr().err
