"""What runs jobs: this process, processes of this machine, or Ray. No digit depends on which."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

from ffbench.errors import MethodError, UsageError, one_line
from ffbench.extras import naming_extra
from ffbench.threads import VARIABLE, limited, usable_cores

EngineName = Literal["processes", "ray"]
Job = tuple[Any, ...]
Result = TypeVar("Result")
_ADDRESS = "RAY_ADDRESS"
_OBJECT_STORE = 80 * 2**20
"""Bytes of memory that Ray on this machine shares between processes, nearly its least: what jobs return is small."""
_LONGEST = 300
"""Characters of what Ray says."""


class Engine(Protocol):
    """Calls a function of a module for each job, and yields what it returns as it is done, in whatever order."""

    def __call__(self, function: Callable[..., Result], jobs: Sequence[Job], /) -> Iterator[Result]:
        """Run the jobs; what one of them raises is raised here."""
        ...


def engine(
    name: EngineName,
    workers: int | None = None,
    *,
    threads: int = 1,
    gpu: bool = False,
    address: str | None = None,
) -> Engine:
    """Return what runs jobs, each in `threads` threads; the last digits of a network depend on how many there are.

    Args:
        name: `processes`, or `ray`: the cluster at `address`, where `workers` says nothing, or else one of this
            machine. All machines of a cluster must see the files that jobs name under one path.
        workers: how many jobs run at once on this machine; None: as many as it has cores for.
        threads: of each job.
        gpu: a job computes on a GPU. Ray gives each one of its own; processes share those that there are.
        address: of a cluster, as `ray.init` takes it; None: that of the variable RAY_ADDRESS, if it is set.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    at_once = max(1, usable_cores() // threads) if workers is None else workers
    if name == "ray":
        with naming_extra("engine=ray"):
            import ray  # noqa: F401
        cluster = address or os.environ.get(_ADDRESS)
        return partial(_on_ray, workers=at_once, threads=threads, gpu=gpu, address=cluster)
    if at_once == 1:
        return partial(here, threads=threads)
    return partial(_in_processes, workers=at_once, threads=threads)


def here(function: Callable[..., Result], jobs: Sequence[Job], threads: int = 1) -> Iterator[Result]:
    """Run jobs in this process."""
    for job in jobs:
        yield _in_threads(threads, function, *job)


def _in_threads(threads: int, function: Callable[..., Result], *job: Any) -> Result:
    with limited(threads):
        return function(*job)


def _in_processes(function: Callable[..., Result], jobs: Sequence[Job], workers: int, threads: int) -> Iterator[Result]:
    if not jobs:
        return
    # Spawned, not forked: a fork of a process that has threads can hang.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), spawn) as pool:
        for future in as_completed([pool.submit(_in_threads, threads, function, *job) for job in jobs]):
            yield future.result()


def _on_ray(
    function: Callable[..., Result],
    jobs: Sequence[Job],
    workers: int,
    threads: int,
    gpu: bool,
    address: str | None,
) -> Iterator[Result]:
    import ray

    if not jobs:
        return
    started = not ray.is_initialized()
    if started:
        _connect(workers * threads, address)
    waiting: list[Any] = []
    try:
        _require_cores(threads)
        # Ray runs a job again, three times at most, whose worker or machine was lost.
        task = ray.remote(_in_threads).options(num_cpus=threads, num_gpus=int(gpu))
        waiting = [task.remote(threads, function, *job) for job in jobs]
        while waiting:
            (done,), waiting = ray.wait(waiting, num_returns=1)
            try:
                yield ray.get(done)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error
            except ray.exceptions.RayError as error:
                raise MethodError(f"Ray gave up on a job: {one_line(error)[:_LONGEST]}") from error
    finally:
        for left in waiting:
            ray.cancel(left, force=True)
        if started:
            ray.shutdown()


def _connect(cores: int, address: str | None) -> None:
    """Connect to a cluster, or start one on this machine.

    Raises:
        UsageError: there is none at the address.
    """
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.WARNING}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is None:
        ray.init("local", num_cpus=cores, include_dashboard=False, object_store_memory=_OBJECT_STORE, **quiet)
        return
    try:
        ray.init(address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        said = one_line(error)[:_LONGEST]
        raise UsageError(f"no Ray cluster at {address}: give the address of one that runs ({said})") from error


def _require_cores(threads: int) -> None:
    """Raise UsageError if no machine of the cluster has cores enough for one job, which would wait for ever."""
    import ray

    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call,unused-ignore]
    most = max((node["Resources"].get("CPU", 0) for node in nodes if node["Alive"]), default=0)
    if 0 < most < threads:
        raise UsageError(
            f"a job is to have {threads} threads, as here, and no machine of the Ray cluster has more than {most:g} "
            f"cores: set {VARIABLE} to fewer"
        )
