"""What runs folds: one interface, behind which stand processes of this machine, and Ray."""

from __future__ import annotations

import multiprocessing
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, Literal

from ffbench.errors import UsageError

EngineName = Literal["processes", "ray"]
Job = tuple[Any, ...]


@dataclass(frozen=True)
class Engine(ABC):
    """Runs jobs that leave their results in files. `workers` is how many run at once."""

    workers: int = 1

    @abstractmethod
    def run(self, function: Callable[..., None], jobs: Sequence[Job], *, gpu: bool = False) -> Iterator[None]:
        """Call `function(*job)` for each job, and yield once after each that is done, in whatever order.

        Args:
            function: of a module, so that other processes can import it.
            jobs: its arguments.
            gpu: a job computes on a GPU.
        """


@dataclass(frozen=True)
class Processes(Engine):
    """Processes of this machine; with one worker, this very process."""

    def run(self, function: Callable[..., None], jobs: Sequence[Job], *, gpu: bool = False) -> Iterator[None]:
        """Run the jobs. Processes share the GPUs that there are."""
        if self.workers == 1:
            for job in jobs:
                function(*job)
                yield
        elif jobs:
            # Spawned, not forked: a fork of a process that has threads can hang.
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(min(self.workers, len(jobs)), spawn, _one_thread) as pool:
                for future in as_completed([pool.submit(function, *job) for job in jobs]):
                    future.result()
                    yield


@dataclass(frozen=True)
class Ray(Engine):
    """A Ray cluster: the one of RAY_ADDRESS, where `workers` says nothing, or one of `workers` CPUs on this machine.

    Jobs leave their results in files: the machines of a cluster must see the run's folder under one path.
    """

    def run(self, function: Callable[..., None], jobs: Sequence[Job], *, gpu: bool = False) -> Iterator[None]:
        """Run the jobs, each on one CPU and, where it wants one, a GPU of its own."""
        import ray

        if not jobs:
            return
        started = not ray.is_initialized()
        if started:
            here = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": self.workers, "include_dashboard": False}
            ray.init(log_to_driver=False, logging_level="warning", **here)
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


def engine(name: EngineName, workers: int) -> Engine:
    """Give an engine by its name.

    Raises:
        UsageError: Ray is not installed.
    """
    if name == "processes":
        return Processes(workers)
    try:
        import ray  # noqa: F401
    except ImportError as error:
        raise UsageError(f"engine=ray needs Ray: pip install 'ffbench[ray]' ({error})") from error
    return Ray(workers)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _in_one_thread(function: Callable[..., None], *job: Any) -> None:
    _one_thread()
    function(*job)
