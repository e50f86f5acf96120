"""Commands that write files: what each works on, how its folder is known to be sound, and what is to come out of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch

from ffbench.datasets.ffn.files import read_pair
from ffbench.datasets.ffn.scan import scan
from ffbench.errors import DataError
from ffbench.evaluation import evaluate
from ffbench.flow.files import read_flow
from ffbench.io.atomic import is_temporary
from ffbench.io.hashing import file_sha256
from ffbench.results.record.run_record import read_record
from ffbench.results.store.records import add_record
from ffbench.results.store.verification import verify_store
from ffbench.submissions.export.images import ProtocolImages, export_images
from ffbench.submissions.export.predict import predict
from ffbench.submissions.submit import bundle, validate_submission
from ffbench.synth.pairs.journal import MANIFEST
from ffbench.synth.pairs.recipe import DatasetRecipe
from ffbench.synth.pairs.stream import RenderedPairs
from ffbench.synth.pairs.writer import write_dataset
from ffbench.training.checkpoint import load_checkpoint
from ffbench.training.loop import Settings, train
from tests.evaluation.test_not_found import DarkIsNothing
from tests.results.made_runs import make_run
from tests.submissions.toys import make_submission
from tests.synth.posing_head import PosingHead
from tests.toys import BrightnessFlow, Stripes
from tests.training.toy import ShiftTrainee, made_sample, recipe

PAIRS = 3


@dataclass(frozen=True)
class Work:
    """A command.

    `prepare` makes what it reads; `run` does it, in the folder `out`; `check` raises unless what is in `out` is sound,
    however far the command came; `outcome` gives what must be the same whatever happened on the way. `every` k-th
    operation is tried in the quick tests. `litter` says that temporary files may stay after all.
    """

    name: str
    prepare: Callable[[Path], None]
    run: Callable[[Path, Path], object]
    check: Callable[[Path, Path], None]
    outcome: Callable[[Path, Path], str]
    every: int = 1
    litter: bool = False


def _nothing(inputs: Path) -> None:
    pass


def _make_run(inputs: Path) -> None:
    make_run(inputs / "run", "a", [1.0, 2.0, 4.0])


def _make_flows(inputs: Path) -> None:
    make_submission(inputs / "flows", Stripes(PAIRS))


def _evaluate(inputs: Path, out: Path) -> object:
    return evaluate(BrightnessFlow(), Stripes(PAIRS), out=out / "runs", batch_size=2)


def _check_run(inputs: Path, out: Path) -> None:
    for path in out.rglob("record.json"):
        record = read_record(path)
        assert file_sha256(path.with_name(record.pair_table.file)) == record.pair_table.sha256


def _run_outcome(inputs: Path, out: Path) -> str:
    (path,) = out.rglob("record.json")
    assert sorted(item.name for item in path.parent.iterdir()) == ["pairs.parquet", "record.json"]
    record = read_record(path)
    return f"{record.model_copy(update={'cost': None, 'environment': None})}"


def _publish(inputs: Path, out: Path) -> object:
    return add_record(out / "store", inputs / "run" / "a" / "record.json", "claimed")


def _check_store(inputs: Path, out: Path) -> None:
    if (out / "store" / "claimed").is_dir():
        found = verify_store(out / "store", {"stripes": "1.0"})
        assert not found.faults, found.faults


def _bundle(inputs: Path, out: Path) -> object:
    return bundle(inputs / "flows", Stripes(PAIRS), out / "a.bundle", step=2)


def _check_bundle(inputs: Path, out: Path) -> None:
    if (out / "a.bundle").exists():
        assert validate_submission(out / "a.bundle", Stripes(PAIRS)).sound


def _export(inputs: Path, out: Path) -> object:
    return export_images(Stripes(PAIRS), out / "images")


def _check_export(inputs: Path, out: Path) -> None:
    if (out / "images" / "manifest.json").exists():
        protocol, keys = ProtocolImages(out / "images"), Stripes(PAIRS).keys()
        assert list(protocol.keys()) == keys
        assert len((out / "images" / "pairs.csv").read_text().splitlines()) == 1 + len(keys)
        for key in keys:
            protocol.load(key)


def _predict(inputs: Path, out: Path) -> object:
    return predict(DarkIsNothing(), Stripes(PAIRS), out / "flows")


def _check_flows(inputs: Path, out: Path) -> None:
    for path in out.rglob("*.flo"):
        if not path.name.startswith("."):
            read_flow(path, (12, 16))


def _files(inputs: Path, out: Path) -> str:
    return repr(
        sorted(
            (path.relative_to(out).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
            for path in out.rglob("*")
            if path.is_file() and not is_temporary(path.name)
        )
    )


def _train(inputs: Path, out: Path) -> object:
    RenderedPairs.sample = lambda self, index: made_sample(index, self.height)  # type: ignore[method-assign]
    return train(ShiftTrainee(), recipe(), Settings(out=out / "run", workers=0, log_every=1, save_every=2))


def _check_training(inputs: Path, out: Path) -> None:
    load_checkpoint(out / "run", recipe())
    for path in out.rglob("*.safetensors"):
        if not is_temporary(path.name):
            safetensors.torch.load_file(path)


def _weights(inputs: Path, out: Path) -> str:
    weights = safetensors.torch.load_file(out / "run" / "second.safetensors")
    return repr({name: values.tolist() for name, values in sorted(weights.items())})


def _generate(inputs: Path, out: Path) -> object:
    return write_dataset(out / "faces", PosingHead(), DatasetRecipe(size=32, split="test"), 1)


def _check_dataset(inputs: Path, out: Path) -> None:
    if (out / "faces" / MANIFEST).exists():
        for pair in scan(out / "faces", "test").pairs:
            read_pair(pair)


def _write_carelessly(inputs: Path, out: Path) -> None:
    """Write a file in place, as a careless program does: the control."""
    try:
        out.mkdir(exist_ok=True)
        with (out / "a.txt").open("w") as file:
            file.write("whole\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DataError(str(error)) from error


def _check_careless(inputs: Path, out: Path) -> None:
    if (out / "a.txt").exists():
        assert (out / "a.txt").read_text() == "whole\n"


WORKS = (
    Work("evaluate", _nothing, _evaluate, _check_run, _run_outcome, every=4),
    Work("publish", _make_run, _publish, _check_store, _files, litter=True),
    Work("bundle", _make_flows, _bundle, _check_bundle, _files),
    Work("export", _nothing, _export, _check_export, _files, every=4),
    Work("predict", _nothing, _predict, _check_flows, _files, every=3),
    Work("train", _nothing, _train, _check_training, _weights, every=40),
    Work("generate", _nothing, _generate, _check_dataset, _files, every=19),
    Work("careless", _nothing, _write_carelessly, _check_careless, _files),
)
