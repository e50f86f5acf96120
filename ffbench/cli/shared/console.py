"""What a person sees while a command works: all of it on stderr, so that stdout holds results alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

import typer

from ffbench.io.escape import json_text, plain, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from ffbench.evaluation import Progress


@cache
def stderr() -> Console:
    """Return the console of messages and progress bars."""
    from rich.console import Console

    return Console(stderr=True)


def say(line: object) -> None:
    """Print one line to stdout; what a stranger wrote in it stays in it, and is no command to the terminal."""
    typer.echo(terminal(line).rstrip())


def say_lines(lines: Iterable[object]) -> None:
    """Print lines to stdout, as `say` does."""
    for line in lines:
        say(line)


def say_pairs(rows: list[tuple[str, str]], json: bool) -> None:
    """Print names and what is said of each to stdout: a table of two columns, or one JSON object."""
    if json:
        import json as json_module

        say_json(json_module.dumps(dict(rows), indent=1))
    else:
        from ffbench.results.report.text import print_pairs

        print_pairs(rows)


def say_json(document: str) -> None:
    """Print a JSON document to stdout."""
    typer.echo(json_text(document))


def note(line: object) -> None:
    """Print one line to stderr, for what a person should see."""
    stderr().print(terminal(line), style="yellow", markup=False, highlight=False, soft_wrap=True)


def note_each(kind: str, lines: Iterable[object]) -> None:
    """Print lines to stderr, each with the word for what it is, such as `problem`."""
    for line in lines:
        note(f"{kind}: {line}")


@contextlib.contextmanager
def progress_bar(title: str, unit: str) -> Iterator[Progress]:
    """Show a bar with rate and time left; gives the function that moves it: (done, total) -> None.

    The rate counts from the first call, so that a resumed run shows its own speed.
    """
    from rich.markup import escape
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
        task = bar.add_task(escape(plain(title)), total=None, rate="")

        def move(done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            rate = f"{speed:.3g} {unit}/s" if speed else ""
            bar.update(task, completed=done, total=total, rate=rate)

        yield move
