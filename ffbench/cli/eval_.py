"""`ffbench eval`: one method on one protocol."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say, say_json
from ffbench.cli.shared.run_options import takes_run_config
from ffbench.run_config import RunConfig

if TYPE_CHECKING:
    from ffbench.evaluation.shards import Elsewhere, NamedEvaluation
    from ffbench.evaluation.source import MethodSource
    from ffbench.method import Method

FLOWS = "flows"
"""Folder of the flows of a run, beside its record."""
INTERRUPTED = 130


class EngineChoice(str, Enum):
    """What estimates and scores the pairs."""

    here = "here"
    ray = "ray"


@takes_run_config
def evaluate_method(
    config: RunConfig,
    protocol: Annotated[str, typer.Option("--protocol", "-p", help="Protocol. See `ffbench protocols list`.")],
    data: options.Data = None,
    variant: options.Variant = None,
    option: options.ProtocolOptions = [],  # noqa: B006
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Pairs through the method at once.")] = 1,
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--limit", min=1, help="Only the first pairs; such a record is never ranked."),
    ] = None,
    one_thread: Annotated[
        bool,
        typer.Option(
            "--one-thread", help="On one thread; speed by its processor time, so that a busy machine will do."
        ),
    ] = False,
    rehash: options.Rehash = False,
    save_flows: Annotated[
        bool,
        typer.Option("--save-flows", help="Keep the flows of all pairs too, in `flows` beside the record (.flo)."),
    ] = False,
    reuse_flows: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--reuse-flows",
            metavar="FOLDER",
            help="Share flows with other runs of this method: take those that they left there, and leave the others.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="First run a pair with and without --compile and --precision: more than 0.01 px apart is an error.",
        ),
    ] = False,
    engine: Annotated[
        EngineChoice,
        typer.Option("--engine", help="This process, or Ray: shards of pairs at once, to the same digits."),
    ] = EngineChoice.here,
    address: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--address", help="Ray cluster; default: RAY_ADDRESS, else one on this machine."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of runs.")] = Path("runs"),
    json: options.Json = False,
) -> None:
    """Evaluate a method on a protocol and write the run record.

    An interrupted run goes on where it stopped when the same command is given again.
    """
    assignments = options.parse_assignments(option)
    from ffbench.cli.shared.console import note, note_each, progress_bar, stderr
    from ffbench.datasets.manifest import rehashing
    from ffbench.errors import UsageError
    from ffbench.evaluation import evaluate, run_folder
    from ffbench.evaluation.fast_path import require_fast_path
    from ffbench.evaluation.remembered import RememberedFlows
    from ffbench.evaluation.shards import NamedEvaluation
    from ffbench.evaluation.source import MethodSource
    from ffbench.registry import load_protocol, protocol_entry, require_method
    from ffbench.submissions.export.predict import FlowFiles

    if address is not None and engine is not EngineChoice.ray:
        raise UsageError("--address is of --engine ray")
    if reuse_flows is not None and engine is EngineChoice.ray:
        raise UsageError("--reuse-flows shares flows that this process estimates: leave out --engine ray")
    # A misspelt name is found before either of the two is built, which can take long.
    protocol_entry(protocol)
    require_method(config.method)
    with rehashing(rehash):
        loaded = load_protocol(protocol, data=data, variant=variant, options=assignments)
    note_each("left out", loaded.dataset.left_out)
    note_each("problem", loaded.dataset.problems)
    if one_thread and config.device == "auto":
        config = replace(config, device="cpu")
    chosen = config.load()
    named = NamedEvaluation(config, protocol, data, variant, assignments, "cpu" if one_thread else "elapsed")
    elsewhere = _on_ray(named, chosen, address) if engine is EngineChoice.ray else None
    try:
        with (
            progress_bar(f"{chosen.card.id} on {protocol}", "pairs") as progress,
            _one_thread(chosen) if one_thread else contextlib.nullcontext(MethodSource(chosen)) as source,
        ):
            if check:
                found = require_fast_path(config, source, loaded.load(loaded.keys()[0]))
                note(f"fast path: off by at most {found.largest:.2g} px, {found.ratio:.2g} times as fast (one pair)")
            record = evaluate(
                source if reuse_flows is None else RememberedFlows(source, reuse_flows),
                loaded,
                out=out,
                batch_size=batch_size,
                limit=limit,
                progress=progress,
                learning=progress,
                keep=(lambda folder: FlowFiles(folder / FLOWS, chosen, loaded)) if save_flows else None,
                elsewhere=elsewhere,
                waiting=lambda line: stderr().print(line, markup=False, highlight=False, soft_wrap=True),
            )
    except KeyboardInterrupt:
        stderr().print("interrupted: what was scored is kept; the same command goes on from there")
        raise typer.Exit(INTERRUPTED) from None
    note_each("problem", record.dataset.problems[len(loaded.dataset.problems) :])
    if json:
        say_json(record.model_dump_json(indent=1))
    else:
        from ffbench.results.report.text import print_record

        folder = run_folder(out, record.protocol.id, record.method.id, record.fingerprint, record.method.weights)
        print_record(record, folder / "record.json")
        if save_flows:
            say(f"flows: {folder / FLOWS}")
    if record.dataset.problems:
        from ffbench.errors import DataError

        raise DataError(
            record.dataset.name,
            f"{len(record.dataset.problems)} problems are listed above and in the record, "
            "which is therefore not complete",
        )


def _on_ray(named: NamedEvaluation, method: Method, address: str | None) -> Elsewhere:
    """Have shards of an evaluation run on Ray, each with as many threads as it would have here.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    from ffbench.engines import engine
    from ffbench.evaluation.shards import Elsewhere
    from ffbench.threads import default_threads

    threads = 1 if named.clock == "cpu" else default_threads()
    return Elsewhere(engine("ray", threads=threads, gpu=method.device.type == "cuda", address=address), named)


@contextlib.contextmanager
def _one_thread(method: Method) -> Iterator[MethodSource]:
    """Hold the process to one thread, and give the flows of a method as they are timed on it.

    Raises:
        UsageError: the method is not on the CPU.
    """
    from ffbench.errors import UsageError
    from ffbench.evaluation.source import MethodSource
    from ffbench.threads import limited

    if method.device.type != "cpu":
        raise UsageError(f"--one-thread is of the CPU, and {method.card.id} is on {method.device}: give --device cpu")
    with limited(1):
        yield MethodSource(method, clock="cpu")
