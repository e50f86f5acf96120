"""Leave one subject out: every fold learns without one subject and predicts that subject after every epoch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ffbench.engines import Engine, here
from ffbench.errors import DataError
from ffbench.io.atomic import atomic_path
from ffbench.metrics.classification import macro_f1
from ffbench.protocol import Progress
from ffbench.recogniser import Features, Labels, Predictions, Recogniser

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Task:
    """What all folds share. `inputs` is a file of features (N, ...): workers map it, so that it is in memory once.

    `learnt_from` says of which samples folds learn, (N,); the others are only predicted, and their label says nothing.
    None: of all.
    """

    recogniser: Recogniser
    inputs: Path
    labels: Labels
    subjects: npt.NDArray[np.int64]
    classes: int
    folder: Path
    learnt_from: npt.NDArray[np.bool_] | None = None


class Learnt(NamedTuple):
    """What came of all folds of all seeds.

    Attributes:
        predicted: the class predicted for every pair after every epoch, (seeds, epochs, N).
        seconds: processor time of all folds together, also of those that an interrupted run left.
    """

    predicted: npt.NDArray[np.int8]
    seconds: float


def leave_one_subject_out(task: Task, seeds: int, engine: Engine = here, progress: Progress | None = None) -> Learnt:
    """Run all folds of all seeds.

    A fold that is done lies in `task.folder`, and an interrupted run takes it from there. The seed of a fold depends on
    neither the order nor the engine and the process in which it runs.

    Raises:
        DataError: the folder cannot be written.
    """
    folds = [(seed, subject) for seed in range(seeds) for subject in range(int(task.subjects.max()) + 1)]
    waiting = [fold for fold in folds if _read(task, *fold) is None]
    done = len(folds) - len(waiting)
    if progress:
        progress(done, len(folds))
    for _ in engine(_run, waiting, shared=(task,)):
        done += 1
        if progress:
            progress(done, len(folds))
    predicted = np.empty((seeds, task.recogniser.epochs, len(task.labels)), np.int8)
    seconds = 0.0
    for seed, subject in folds:
        found = _read(task, seed, subject)
        if found is None:
            raise DataError(f"{_place(task, seed, subject)}: was written and cannot be read; run the command again")
        predicted[seed][:, task.subjects == subject] = found[0]
        seconds += found[1]
    return Learnt(predicted, seconds)


def chosen_epochs(
    predicted: npt.NDArray[np.int8], labels: Labels, subjects: npt.NDArray[np.int64], classes: int, by: str
) -> npt.NDArray[np.int8]:
    """Return the predictions that count, (seeds, N), out of those of all epochs, (seeds, epochs, N).

    Args:
        predicted: class numbers.
        labels, subjects: true class and subject of each pair, (N,).
        classes: how many there are.
        by: `last`: those of the last epoch. `accuracy`, `f1`: those of the epoch that is best on the very subject that
            was held out, as MMNet's released code has it: of several the earliest by accuracy, the latest by F1.
    """
    if by == "last":
        return predicted[:, -1]
    chosen = np.empty((len(predicted), len(labels)), np.int8)
    for seed, epochs in enumerate(predicted):
        for subject in np.unique(subjects):
            member = subjects == subject
            mine, true = epochs[:, member], labels[member]
            if by == "accuracy":
                best = int(np.argmax((mine == true).sum(axis=1)))
            else:
                tables = np.zeros((len(mine), classes, classes))
                for table, row in zip(tables, mine, strict=True):
                    np.add.at(table, (true, row), 1)
                quality = macro_f1(tables)
                # Means of the same fractions in another order may differ in their last digit.
                best = int(np.flatnonzero(quality >= quality.max() - _ROUNDING)[-1])
            chosen[seed, member] = mine[best]
    return chosen


def subject_numbers(names: Sequence[str], dataset: str) -> npt.NDArray[np.int64]:
    """Number the subjects of pairs in sorted order of their names.

    Raises:
        DataError: there is one only; the message names the dataset.
    """
    known, numbers = np.unique(np.asarray(names), return_inverse=True)
    if len(known) < 2:
        raise DataError(f"{dataset}: clips of one subject only; leaving one out needs two at least")
    return numbers.astype(np.int64)


def write_inputs(features: Sequence[Features], folder: Path) -> Path:
    """Write the features of all pairs into a file that folds map; see `Task`.

    Raises:
        OSError: the folder cannot be written.
    """
    place = folder / "inputs.npy"
    with atomic_path(place) as temporary, temporary.open("wb") as file:
        np.save(file, np.stack(features))
    return place


def _run(task: Task, seed: int, subject: int) -> None:
    features = np.load(task.inputs, mmap_mode="r")
    started = time.process_time()
    left_out = task.subjects == subject
    known = ~left_out if task.learnt_from is None else ~left_out & task.learnt_from
    predicted = task.recogniser.fit_predict(
        np.ascontiguousarray(features[known]),
        task.labels[known],
        np.ascontiguousarray(features[left_out]),
        task.classes,
        # One number a fold, so that folds of one seed do not start alike.
        1000 * seed + subject,
    )
    seconds = time.process_time() - started
    with atomic_path(_place(task, seed, subject)) as temporary, temporary.open("wb") as file:
        np.save(file, predicted)
        np.save(file, np.float64(seconds))


def _read(task: Task, seed: int, subject: int) -> tuple[Predictions, float] | None:
    """Return the predictions of a fold and the processor time it took; None where they are not there as they should."""
    expected = (task.recogniser.epochs, int((task.subjects == subject).sum()))
    try:
        with _place(task, seed, subject).open("rb") as file:
            found, seconds = (np.load(file, allow_pickle=False) for _ in range(2))
    except (OSError, ValueError, EOFError):
        return None
    if found.shape != expected or found.dtype != np.int8 or seconds.shape != ():
        return None
    return found, float(seconds)


def _place(task: Task, seed: int, subject: int) -> Path:
    return task.folder / f"fold-{seed}-{subject}.npy"
