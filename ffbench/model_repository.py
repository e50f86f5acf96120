"""Puts together what a model repository holds: configuration, weights, recipe, model card and evaluation results.

A card's numbers are those of records, and the records must be of the very weights beside it: the file's hash decides.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ffbench.cards import OWN_PREFIX, MethodCard
from ffbench.errors import DataError, UsageError, reading
from ffbench.formats.checkpoint_files import check_checkpoint
from ffbench.hub.download import MOST_WEIGHTS_BYTES
from ffbench.hub.names import PREFIX
from ffbench.io.hashing import data_sha256
from ffbench.own.model_folder import CONFIG, WEIGHTS, is_model_folder, read_model_folder
from ffbench.paths import shipped_store
from ffbench.registry import load_method
from ffbench.results.record.run_record import RECORD, RunRecord, read_record
from ffbench.results.report.model_card import README, card_files
from ffbench.results.store.records import record_files
from ffbench.wrappers.names import split_name

RUNS = Path("runs")
RECIPE, TRAINING = "recipe.json", "training.md"
_SAFETENSORS = ".safetensors"


class _Model(NamedTuple):
    """A model as it was named: its weights, the installed method that it runs by, if any, and files that it brings."""

    weights: Path
    method: str | None
    config: Path | None = None
    readme: Path | None = None


def model_files(
    source: str | Path,
    repository: str,
    *,
    weights: Path | None = None,
    records: Sequence[Path | str] = (),
    dataset_id: str | None = None,
    url: str | None = None,
) -> dict[str, Path | str]:
    """Return what a model repository is to hold: files and texts, by their paths in it.

    Args:
        source: a record or the folder of a run; an installed method; or a model folder.
        repository: `owner/name`; the card says how to run the model from there.
        weights: a safetensors file; None for those that come with the method or lie in the folder.
        records: records, runs, folders of runs and stores for the card. Without any, and unless `source` is a record,
            all that may be ranked are taken of these weights in `runs` and among those that ship.
        dataset_id, url: for `.eval_results`, as `card_files` takes them.

    Raises:
        UsageError: there are no weights or no records of them, or they are of several methods; or the method is no
            installed one, or is wrapped.
        DataError: a file cannot be read, or the weights are no safetensors, are too large to be fetched again, or are
            not those of the records.
        MethodError: the method cannot be built.
    """
    path = Path(source)
    found = [read_record(file) for file, _ in record_files(records)]
    if path.is_file() or (path / RECORD).is_file():
        found.insert(0, read_record(path))
        model = _of_record(found[0].method, weights)
    else:
        model = _of_folder(path, weights) if is_model_folder(path) else _of_method(str(source), weights)
    sha256 = _checked_sha256(model.weights)
    if not found and not records:
        found = _records_of(sha256, [place for place in (RUNS, shipped_store()) if place is not None])
    if not found and model.readme is None:
        raise UsageError(
            f"{model.weights}: there is no record of these weights ({sha256[:8]}) to make a card of; score them with "
            "`ffbench eval`, or name records with --record"
        )
    for record in found:
        measured = record.method.weights and record.method.weights.sha256
        if measured != sha256:
            raise DataError(
                model.weights,
                f"its SHA-256 is {sha256}, and the record of {record.method.id} on {record.protocol.id} is of weights "
                f"{measured}; name the file that was scored with --weights",
            )
    beside = _files_beside(model.weights)
    named = {} if model.method is None else {"ffbench": {"method": model.method}}
    files: dict[str, Path | str] = {CONFIG: model.config or json.dumps(named, indent=1) + "\n", WEIGHTS: model.weights}
    files |= beside
    if found:
        lines = [f"[{'recipe' if name == RECIPE else 'how it was trained'}]({name})" for name in beside]
        named_by = f"-m FILE.py:CLASS --weights {PREFIX}" if model.method is None else f"-m {PREFIX}"
        lines.append(f"run it: `ffbench eval {named_by}{repository} -p {found[0].protocol.id}`")
        files |= card_files(found, dataset_id, url, lines)
    elif model.readme is not None:
        files[README] = model.readme
    return files


def _of_record(card: MethodCard, weights: Path | None) -> _Model:
    """Find the weights of a record's method: those given, or those that come with it."""
    if not card.id.startswith(OWN_PREFIX):
        return _of_method(card.id, weights, card)
    if weights is None:
        raise UsageError(f"{card.id}: is code of your own; name the weights that were scored with --weights FILE")
    return _Model(weights, None)


def _of_folder(folder: Path, weights: Path | None) -> _Model:
    if weights is not None:
        raise UsageError(f"{folder}: a model folder brings its weights; leave --weights {weights} out")
    read = read_model_folder(folder)
    readme = folder / README
    return _Model(read.weights, read.method, folder / CONFIG, readme if readme.is_file() else None)


def _of_method(name: str, weights: Path | None, card: MethodCard | None = None) -> _Model:
    if split_name(name)[1]:
        raise UsageError(f"{name}: is a method with something around it; a model is published without: name the method")
    if weights is not None and card is not None:
        return _Model(weights, card.id)
    method = load_method(name, weights=weights, device="cpu", installed_only=True)
    if weights is not None:
        return _Model(weights, method.card.id)
    sha256 = method.card.weights and method.card.weights.sha256
    # The hash tells which of the files that come with a method's code it read.
    for file in sorted(Path(inspect.getfile(type(method))).parent.rglob(f"*{_SAFETENSORS}")):
        if data_sha256(file) == sha256:
            return _Model(file, method.card.id)
    raise UsageError(f"{name}: no weights of its own come with it as safetensors; name a file with --weights")


def _checked_sha256(weights: Path) -> str:
    """Return the hash of a file of weights that can be fetched and read again."""
    if weights.suffix != _SAFETENSORS:
        raise DataError(
            weights,
            "only safetensors are published, which hold no code: save it with safetensors.torch.save_file, and score "
            "that file, since its hash is another",
        )
    with reading(weights, missing="no such file; expected weights as safetensors"):
        size = weights.stat().st_size
        try:
            check_checkpoint(weights)
        except ValueError as error:
            raise DataError(weights, f"is no safetensors file ({error})") from error
    if size > MOST_WEIGHTS_BYTES:
        raise DataError(weights, f"has {size} bytes, more than the {MOST_WEIGHTS_BYTES} that `hf:` names fetch")
    return data_sha256(weights)


def _records_of(sha256: str, places: Iterable[Path]) -> list[RunRecord]:
    """Return the records of some weights that may be ranked; of a run that was repeated, the last."""
    last: dict[str, RunRecord] = {}
    for file, _ in record_files(place for place in places if place.is_dir()):
        record = read_record(file)
        if record.method.weights is None or record.method.weights.sha256 != sha256 or record.not_rankable:
            continue
        if split_name(record.method.id)[1]:
            continue  # of what is done around the method too
        key = f"{record.protocol.model_dump_json()} {record.dataset.manifest_sha256} {record.method.identity}"
        if key not in last or last[key].cost.started < record.cost.started:
            last[key] = record
    return list(last.values())


def _files_beside(weights: Path) -> dict[str, Path]:
    """Return the recipe and the account of the training that lie beside weights, by their names in a repository."""
    candidates = (
        (RECIPE, weights.with_name(f"{weights.stem}.recipe.json")),
        (RECIPE, weights.with_name(RECIPE)),
        (TRAINING, weights.with_name(f"{weights.stem}.md")),
        (TRAINING, weights.with_name(TRAINING)),
    )
    return {name: file for name, file in reversed(candidates) if file.is_file()}
