"""Two processes on one output: the second is told so in words, and learners wait for each other's flows."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from ffbench.errors import UsageError
from ffbench.evaluation import evaluate, fingerprint
from ffbench.evaluation.journal import Journal
from ffbench.io.atomic import is_temporary, write_text
from ffbench.io.locks import LOCK, writing_alone, writing_file_alone
from ffbench.method import Flows
from ffbench.protocol import DescribedPair, LearningProtocol, NumpyFlows, Pair, PairScore, Progress, Term
from ffbench.submissions.export.images import export_images
from ffbench.submissions.export.predict import predict
from ffbench.submissions.submit import bundle
from ffbench.synth.pairs.recipe import DatasetRecipe
from ffbench.synth.pairs.writer import write_dataset
from ffbench.training.loop import Settings, train
from tests.submissions.toys import Speckle, make_submission
from tests.synth.posing_head import PosingHead
from tests.toys import BrightnessFlow, Stripes
from tests.training.toy import ShiftTrainee, recipe

COMMANDS: dict[str, Callable[[Path], object]] = {
    "predict": lambda out: predict(Speckle(), Stripes(2), out),
    "export": lambda out: export_images(Stripes(2), out),
    "generate": lambda out: write_dataset(out, PosingHead(), DatasetRecipe(size=32), 1),
    "train": lambda out: train(ShiftTrainee(), recipe(), Settings(out=out)),
}


@pytest.fixture(autouse=True)
def _one_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method of this file and one of the toys' are the same run."""
    monkeypatch.setattr(fingerprint, "_source_sha256", lambda *places: "")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_second_process_is_told(name: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with writing_alone(out), pytest.raises(UsageError, match=r"out: another process is writing there; wait"):
        COMMANDS[name](out)
    assert list(out.iterdir()) == []


def test_the_second_bundle_is_told(tmp_path: Path) -> None:
    flows, out = make_submission(tmp_path / "flows", Stripes(2)), tmp_path / "a.bundle"
    with writing_file_alone(out), pytest.raises(UsageError, match=r"a\.bundle: another process is writing there"):
        bundle(flows, Stripes(2), out)
    bundle(flows, Stripes(2), out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bundle", "flows"]


def _hold(out: Path, held: threading.Event) -> None:
    with writing_alone(out):
        held.set()
        threading.Event().wait()


def test_the_lock_of_a_killed_process_is_gone(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    held = context.Event()
    child = context.Process(target=_hold, args=(tmp_path / "out", held))
    child.start()
    assert held.wait(60)
    with pytest.raises(UsageError, match="another process"):
        COMMANDS["predict"](tmp_path / "out")
    child.kill()
    child.join()
    assert (tmp_path / "out" / LOCK).exists()
    predict(Speckle(), Stripes(2), tmp_path / "out")
    assert not (tmp_path / "out" / LOCK).exists()


def test_litter_goes_and_files_stay(tmp_path: Path) -> None:
    for name in (".a.ffbench-0a1b2c3d.flo", ".a.b.ffbench-________", "facial/.x.ffbench-aaaaaaaa.flo"):
        write_text(tmp_path / name, "half")
        assert is_temporary(Path(name).name)
    kept = (".ffbench-predict", ".a.ffbench-0a1b2c3d.flo.txt", "a.ffbench-0a1b2c3d.flo", ".hidden", "facial/a.flo")
    for name in kept:
        write_text(tmp_path / name, "whole")
        assert not is_temporary(Path(name).name)
    with writing_alone(tmp_path):
        pass
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)


class Learner(Stripes, LearningProtocol[float]):
    """Learns from the mean flow of each pair; `during` is called while it does."""

    learning_options = frozenset({"seed"})

    def __init__(self, seed: int, during: Callable[[], None] = lambda: None) -> None:
        super().__init__(4)
        self.card = self.card.model_copy(update={"options": {"seed": str(seed)}})
        self._during = during

    def score(self, pair: Pair[float], forward: NumpyFlows, backward: NumpyFlows | None) -> DescribedPair:
        return DescribedPair(pair.key, {}, pair.labels, descriptor=np.array([forward.facial.mean()]))

    def learn(self, pairs: Sequence[DescribedPair], folder: Path, progress: Progress | None = None) -> list[PairScore]:
        folder.mkdir(parents=True, exist_ok=True)
        self._during()
        return [PairScore(pair.key, {"epe": Term(1.0, 1)}, pair.labels) for pair in pairs]


def test_who_learns_from_the_same_flows_need_not_wait_for_the_learning(tmp_path: Path) -> None:
    second = BrightnessFlow()

    def during() -> None:
        assert evaluate(second, Learner(2), out=tmp_path).pairs == 4
        with pytest.raises(UsageError, match="another process is writing there"):
            evaluate(BrightnessFlow(), Learner(1), out=tmp_path)

    assert evaluate(BrightnessFlow(), Learner(1, during), out=tmp_path).pairs == 4
    assert second.batches == []  # the flows of the first were taken


def test_who_needs_the_same_flows_waits_for_them(tmp_path: Path) -> None:
    told, second = threading.Event(), BrightnessFlow()
    lines: list[str] = []

    def waiting(line: str) -> None:
        lines.append(line)
        told.set()

    other = threading.Thread(target=lambda: evaluate(second, Learner(2), out=tmp_path, waiting=waiting))

    class Slow(BrightnessFlow):
        def forward(self, image1, image2) -> Flows:  # type: ignore[no-untyped-def,type-arg]
            if not self.batches:
                other.start()
                assert told.wait(60)
            return super().forward(image1, image2)

    slow = Slow()
    slow.card = second.card
    evaluate(slow, Learner(1), out=tmp_path)
    other.join(60)
    assert len(list(tmp_path.rglob("record.json"))) == 2
    assert second.batches == []
    assert lines[0].startswith("waiting for another process that estimates the same flows")


def test_a_journal_that_nobody_waits_for_is_an_error(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl", "a"), pytest.raises(Exception, match="another process is evaluating"):
        Journal(tmp_path / "journal.jsonl", "a")
