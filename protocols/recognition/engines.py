"""What runs folds: processes of this machine, or Ray. Jobs leave their results in files."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, Literal

from ffbench.errors import UsageError
from ffbench.threads import limited

EngineName = Literal["processes", "ray"]
Job = tuple[Any, ...]
Function = Callable[..., None]
Engine = Callable[[Function, Sequence[Job]], Iterator[None]]
"""Calls a function of a module for each job, and yields once after each that is done, in whatever order."""

_OBJECT_STORE = 80 * 2**20
"""Bytes of memory that Ray on this machine shares between processes, nearly its least: jobs read and write files."""


def engine(name: EngineName, workers: int, *, gpu: bool = False) -> Engine:
    """Return what runs `workers` jobs at once, each in one thread; no digit depends on which it is.

    Args:
        name: `processes`, or `ray`: the cluster of RAY_ADDRESS, where `workers` says nothing and all machines must see
            the run's folder under one path, or else one of this machine.
        workers: how many jobs run at once.
        gpu: a job computes on a GPU. Ray gives each one of its own; processes share those that there are.

    Raises:
        UsageError: Ray is not installed.
    """
    if name == "ray":
        try:
            import ray  # noqa: F401
        except ImportError as error:
            raise UsageError(f"engine=ray needs Ray: pip install 'ffbench[ray]' ({error})") from error
        return lambda function, jobs: _on_ray(function, jobs, workers, gpu)
    return here if workers == 1 else lambda function, jobs: _in_processes(function, jobs, workers)


def here(function: Function, jobs: Sequence[Job]) -> Iterator[None]:
    """Run jobs in this process."""
    with limited(1):
        for job in jobs:
            function(*job)
            yield


def _in_processes(function: Function, jobs: Sequence[Job], workers: int) -> Iterator[None]:
    if not jobs:
        return
    # Spawned, not forked: a fork of a process that has threads can hang.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), spawn) as pool:
        for future in as_completed([pool.submit(_in_one_thread, function, *job) for job in jobs]):
            future.result()
            yield


def _on_ray(function: Function, jobs: Sequence[Job], workers: int, gpu: bool) -> Iterator[None]:
    import ray

    if not jobs:
        return
    started = not ray.is_initialized()
    if started and os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False, logging_level=logging.WARNING)
    elif started:
        ray.init(
            "local",
            num_cpus=workers,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE,
            log_to_driver=False,
            logging_level=logging.WARNING,
        )
    try:
        task = ray.remote(_in_one_thread).options(num_cpus=1, num_gpus=int(gpu))
        waiting = [task.remote(function, *job) for job in jobs]
        while waiting:
            done, waiting = ray.wait(waiting, num_returns=1)
            try:
                ray.get(done)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error
            yield
    finally:
        if started:
            ray.shutdown()


def _in_one_thread(function: Function, *job: Any) -> None:
    with limited(1):
        function(*job)
