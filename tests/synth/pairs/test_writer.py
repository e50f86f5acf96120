from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ffbench.datasets.ffn.scan import scan
from ffbench.datasets.mark import SYNTHETIC_MARK
from ffbench.engines import engine
from ffbench.errors import DataError, MethodError, UsageError
from ffbench.synth.pairs import writer
from ffbench.synth.pairs.journal import JOURNAL, MANIFEST, DatasetManifest
from ffbench.synth.pairs.recipe import DatasetRecipe
from ffbench.synth.pairs.writer import write_dataset
from ffbench.synth.render.shading import FloatImage
from ffbench.synth.scenes.scene import RASTER, PosedMesh, Raster, Scene
from tests.synth.posing_head import PosingHead

SMALL = DatasetRecipe(size=32)
COUNT = 5


@pytest.fixture(scope="module")
def toy() -> PosingHead:
    return PosingHead()


@pytest.fixture(scope="module")
def whole(toy: PosingHead, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    write_dataset(out, toy, SMALL, COUNT)
    return out


def content(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def fail_at(monkeypatch: pytest.MonkeyPatch, number: int, error: BaseException) -> None:
    """Let `render_sequence` raise in its third frame for one identity, in the middle of its files."""
    true = writer.render_sequence  # type: ignore[attr-defined]

    def render(recipe: DatasetRecipe, head: Any, plan: Any, renderer: Any) -> Any:
        for count, frame in enumerate(true(recipe, head, plan, renderer)):
            if plan.identity == number and count == 2:
                raise error
            yield frame

    monkeypatch.setattr(writer, "render_sequence", render)


def test_layout_and_manifest(whole: Path) -> None:
    manifest = json.loads((whole / MANIFEST).read_text())
    found = content(whole)
    listed = {name: digest for record in manifest["sequences"] for name, digest in record["files"].items()}
    assert {name: found[name] for name in listed} == listed
    assert set(found) - set(listed) == {MANIFEST, SYNTHETIC_MARK}
    assert manifest["synthetic"] is True
    assert manifest["identities"] == COUNT
    assert manifest["origin"]["recipe"] == "ffbench.synth.ffn 2"
    assert manifest["origin"]["engine"]
    assert [record["frames"] for record in manifest["sequences"]] == [5, 10, 15, 20, 5]
    assert sorted(number for split in manifest["splits"].values() for number in split) == list(range(COUNT))
    for record in manifest["sequences"]:
        assert record["identity"] in manifest["splits"][record["split"]]
        folder = f"{record['split']}/{record['emotion']}/{record['identity']:05d}"
        n = record["frames"]
        for kind, suffix, count in (("image/head", ".jpg", n), ("flow/head", ".flo", n - 1), ("mask", ".npy", n - 1)):
            names = sorted(path.name for path in (whole / kind / folder).iterdir())
            assert names == [f"{number:04d}{suffix}" for number in range(1, count + 1)]
    for split in {record["split"] for record in manifest["sequences"]}:
        assert scan(whole, split, head=True).problems == ()


@pytest.mark.slow
def test_the_bytes_are_the_same_whatever_the_number_of_workers(toy: PosingHead, whole: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path, toy, SMALL, COUNT, engine=engine("processes", 2))
    assert content(tmp_path) == content(whole)


def test_a_full_disk_is_told_and_the_run_goes_on(
    toy: PosingHead, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        fail_at(broken, 3, OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(DataError, match="No space left on device"):
            write_dataset(tmp_path, toy, SMALL, COUNT)
    assert not (tmp_path / MANIFEST).exists()
    assert not (tmp_path / ".staging").exists()
    assert (tmp_path / SYNTHETIC_MARK).exists()
    assert len(list((tmp_path / "mask").glob("*/*/*"))) == 3

    made = []
    true = writer.write_sequence
    monkeypatch.setattr(writer, "write_sequence", lambda *a: made.append(a[4].identity) or true(*a))
    told: list[tuple[int, int]] = []
    write_dataset(tmp_path, toy, SMALL, COUNT, progress=lambda done, total: told.append((done, total)))
    assert made == [3, 4]
    assert told == [(3, COUNT), (4, COUNT), (5, COUNT)]
    assert content(tmp_path) == content(whole)


def test_a_killed_run_leaves_no_half_sequence(
    toy: PosingHead, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        fail_at(broken, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            write_dataset(tmp_path, toy, SMALL, COUNT)
    # What a kill at the worst moments leaves: a torn line, a sequence that is moved in part, a file cut short.
    with (tmp_path / JOURNAL).open("a") as journal:
        journal.write('{"identity": 2, "spl')
    first, second = sorted((tmp_path / "image" / "facial").glob("*/*/*"), key=lambda path: path.name)
    (first / "0002.jpg").write_bytes(b"")
    for path in (tmp_path / "region").glob(f"*/*/{second.name}/0001.npy"):
        path.unlink()
    (tmp_path / ".staging" / "00002").mkdir(parents=True)
    write_dataset(tmp_path, toy, SMALL, COUNT)
    assert content(tmp_path) == content(whole)


def test_a_dataset_says_how_it_reads_the_jaw(toy: PosingHead, whole: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path, toy, DatasetRecipe(size=32, jaw="pose", split="test"), 1)
    assert json.loads((tmp_path / MANIFEST).read_text())["origin"]["jaw"] == "pose"
    assert json.loads((tmp_path / SYNTHETIC_MARK).read_text())["jaw"] == "pose"
    assert scan(tmp_path, "test", head=True).jaw == "pose"
    assert json.loads((whole / MANIFEST).read_text())["origin"]["jaw"] == "expression"
    with pytest.raises(UsageError, match="jaw expression, now pose"):
        write_dataset(whole, toy, DatasetRecipe(size=32, jaw="pose"), COUNT)
    # What was made before there was a choice has the jaw in the expression.
    manifest = json.loads((whole / MANIFEST).read_text())
    del manifest["origin"]["jaw"]
    assert DatasetManifest.model_validate(manifest).origin.jaw == "expression"


def test_a_dataset_grows(toy: PosingHead, whole: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path, toy, SMALL, 2)
    write_dataset(tmp_path, toy, SMALL, COUNT)
    assert content(tmp_path) == content(whole)
    with pytest.raises(UsageError, match=f"has {COUNT} identities already"):
        write_dataset(tmp_path, toy, SMALL, 2)


def test_other_settings_and_other_files_are_refused(toy: PosingHead, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="size 32, now 48"):
        write_dataset(whole, toy, DatasetRecipe(size=48), COUNT)
    with pytest.raises(UsageError, match="seed 0, now 1"):
        write_dataset(whole, toy, DatasetRecipe(seed=1, size=32), COUNT)
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="found other files"):
        write_dataset(tmp_path, toy, SMALL, 1)
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["thesis.tex"]
    with pytest.raises(UsageError, match="expected 1 to"):
        write_dataset(tmp_path / "none", toy, SMALL, 0)


@pytest.mark.parametrize("name", [MANIFEST, JOURNAL])
def test_a_file_of_that_name_that_is_something_else(toy: PosingHead, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"identities": "many"}')
    with pytest.raises(DataError, match="ffbench generate"):
        write_dataset(tmp_path, toy, SMALL, 1)


def test_two_processes_do_not_write_one_dataset(toy: PosingHead, tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"), pytest.raises(UsageError, match="another process"):
        write_dataset(tmp_path, toy, SMALL, 1)


def test_a_folder_that_cannot_be_made(toy: PosingHead, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_dataset(tmp_path / "file" / "out", toy, SMALL, 1)


class Slow(Raster):
    """Leaves a file and then takes very long."""

    def __init__(self, started: Path) -> None:
        self.started = started

    def draw(self, scene: Scene, posed: PosedMesh, number: int) -> FloatImage:
        self.started.touch()
        time.sleep(600)
        return super().draw(scene, posed, number)


@pytest.mark.slow
def test_no_one_waits_for_sequences_under_way_when_it_is_stopped(toy: PosingHead, tmp_path: Path) -> None:
    started, out = tmp_path / "started", tmp_path / "out"

    def stop() -> None:
        while not started.exists():
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    # A shell that starts the tests in the background has them ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=stop, daemon=True).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            write_dataset(out, toy, SMALL, 3, renderer=Slow(started), engine=engine("processes", 2))
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.time() - started.stat().st_mtime < 60
    assert sorted(path.name for path in out.iterdir() if path.name != ".lock") == [SYNTHETIC_MARK, JOURNAL]


class Deadly(Raster):
    """Kills its process with the second frame that the first of all processes draws: once, or each time."""

    def __init__(self, marks: Path, once: bool) -> None:
        self.marks, self.once = marks, once

    def draw(self, scene: Scene, posed: PosedMesh, number: int) -> FloatImage:
        if number == 1 and not (self.once and any(self.marks.iterdir())):
            (self.marks / str(os.getpid())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().draw(scene, posed, number)


@pytest.mark.slow
def test_a_killed_worker_ends_the_command_and_what_was_made_is_kept(
    toy: PosingHead, whole: Path, tmp_path: Path
) -> None:
    (tmp_path / "marks").mkdir()
    with pytest.raises(MethodError, match="a worker process was killed"):
        write_dataset(
            tmp_path / "out",
            toy,
            SMALL,
            COUNT,
            renderer=Deadly(tmp_path / "marks", once=False),
            engine=engine("processes", 2),
        )
    assert not (tmp_path / "out" / MANIFEST).exists()
    write_dataset(tmp_path / "out", toy, SMALL, COUNT)
    assert content(tmp_path / "out") == content(whole)


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True], ids=["control", "one killed"])
def test_ray_makes_the_same_bytes_and_a_killed_worker_costs_its_sequence(
    toy: PosingHead, whole: Path, tmp_path: Path, killed: bool
) -> None:
    pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    (tmp_path / "marks").mkdir()
    renderer = Deadly(tmp_path / "marks", once=True) if killed else RASTER
    told: list[tuple[int, int]] = []
    write_dataset(tmp_path / "out", toy, SMALL, COUNT, lambda *done: told.append(done), renderer, engine("ray", 2))
    assert len(list((tmp_path / "marks").iterdir())) == killed
    assert content(tmp_path / "out") == content(whole)
    assert told == [(done, COUNT) for done in range(COUNT + 1)]
