"""What runs jobs: this process, processes of this machine, or Ray. No digit depends on which."""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

from ffbench.errors import MethodError, UsageError, one_line
from ffbench.extras import naming_extra
from ffbench.threads import VARIABLE, limit, limited, usable_cores

EngineName = Literal["processes", "ray"]
Job = tuple[Any, ...]
Result = TypeVar("Result")
_ADDRESS = "RAY_ADDRESS"
_OBJECT_STORE = 80 * 2**20
"""Bytes of memory that Ray on this machine shares between processes, nearly its least: what jobs return is small."""
_LONGEST = 300
"""Characters of what Ray says."""
_AT_RAY = 1000
"""Jobs that Ray is told of at once, so that it can see that more machines would help."""


class Engine(Protocol):
    """Calls a function of a module for each job, and yields what it returns as it is done, in whatever order."""

    def __call__(
        self, function: Callable[..., Result], jobs: Sequence[Job], /, *, shared: Job = ()
    ) -> Iterator[Result]:
        """Run the jobs; what one of them raises is raised here, and those under way are ended.

        Args:
            function: is called with the arguments of `shared`, then with those of a job.
            jobs: the arguments of each call.
            shared: those that all calls have in common. They go to a worker once.
        """
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


def here(
    function: Callable[..., Result], jobs: Sequence[Job], /, *, shared: Job = (), threads: int | None = 1
) -> Iterator[Result]:
    """Run jobs in this process, in `threads` threads; None: in as many as it has."""
    for job in jobs:
        yield function(*shared, *job) if threads is None else _in_threads(threads, function, shared, *job)


def _in_threads(threads: int, function: Callable[..., Result], shared: Job, *job: Any) -> Result:
    with limited(threads):
        return function(*shared, *job)


def _in_processes(
    function: Callable[..., Result], jobs: Sequence[Job], /, *, shared: Job = (), workers: int, threads: int
) -> Iterator[Result]:
    # Spawned, not forked: a fork of a process that has threads can hang.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, spawn, _start_worker, (threads, function, shared))
    others = set(multiprocessing.active_children())
    waiting = iter(jobs)
    running: set[Future[Any]] = set()
    try:
        while True:
            # Few at a time, so that a failure is not followed by thousands.
            for job in itertools.islice(waiting, 2 * workers - len(running)):
                running.add(pool.submit(_work, job))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            # What is done before what failed, which ends it all.
            for future in sorted(done, key=lambda one: one.exception() is not None):
                yield future.result()
    except BrokenProcessPool as error:
        raise MethodError("a worker process was killed (out of memory?): try fewer workers") from error
    except BaseException:
        # Stopped, or one failed: no one waits for the others, which may take minutes.
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_task: tuple[Callable[..., Any], Job] | None = None
"""What this worker calls, and the arguments that all its jobs share."""


def _start_worker(threads: int, function: Callable[..., Any], shared: Job) -> None:
    global _task
    _task = function, shared
    threading.Thread(target=_end_with_parent, daemon=True).start()
    limit(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends its workers


def _end_with_parent() -> None:
    """End this worker when the process that started it is killed: what it writes would be nobody's then."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(job: Job) -> Any:
    assert _task is not None
    function, shared = _task
    return function(*shared, *job)


def _on_ray(
    function: Callable[..., Result],
    jobs: Sequence[Job],
    /,
    *,
    shared: Job = (),
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
    told: list[Any] = []
    try:
        _require_cores(threads)
        # Ray runs a job again, three times at most, whose worker or machine was lost.
        task = ray.remote(_in_ray_worker).options(num_cpus=threads, num_gpus=int(gpu))
        # In a list: Ray would read what it stands for again for each job, a renderer with its process too.
        common = [ray.put(shared)]
        waiting = iter(jobs)
        while True:
            room = _AT_RAY - len(told)
            told += [task.remote(threads, function, common, *job) for job in itertools.islice(waiting, room)]
            if not told:
                return
            ray.wait(told, num_returns=1)
            # In the order of the jobs, so that what is done is yielded before a later one's error is raised.
            done, told = ray.wait(told, num_returns=len(told), timeout=0)
            for one in done:
                try:
                    yield ray.get(one)
                except ray.exceptions.RayTaskError as error:
                    raise error.cause from error
                except ray.exceptions.RayError as error:
                    raise MethodError(f"Ray gave up on a job: {one_line(error)[:_LONGEST]}") from error
    finally:
        for left in told:
            ray.cancel(left, force=True)
        if started:
            ray.shutdown()


_common: dict[str, Job] = {}
"""What jobs share that this worker of Ray has run, by Ray's name of it: one at most."""


def _in_ray_worker(threads: int, function: Callable[..., Result], common: list[Any], *job: Any) -> Result:
    import ray

    name = common[0].hex()
    if name not in _common:
        _common.clear()
        _common[name] = ray.get(common[0])
    return _in_threads(threads, function, _common[name], *job)


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
