"""What a person sees while a command works: all of it on stderr, so that stdout holds results alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from ffbench.evaluation import Progress


@cache
def stderr() -> Console:
    """Give the console of messages and progress bars."""
    return Console(stderr=True)


@contextlib.contextmanager
def progress_bar(title: str, unit: str) -> Iterator[Progress]:
    """Show a bar with rate and time left; gives the function that moves it: (done, total) -> None.

    The rate counts from the first call, so that a resumed run shows its own speed.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=stderr(),
        transient=True,
        # In a file or a pipe a bar that is removed leaves an empty line.
        disable=not stderr().is_terminal,
    ) as bar:
        task = bar.add_task(title, total=None, rate="")

        def move(done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            rate = f"{speed:.3g} {unit}/s" if speed else ""
            bar.update(task, completed=done, total=total, rate=rate)

        yield move
