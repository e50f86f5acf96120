"""`ffbench submit`: score predictions that were made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ffbench.cli.predictions.validate import Predictions, print_report
from ffbench.cli.shared import options
from ffbench.cli.shared.console import say_json


def submit_predictions(
    predictions: Predictions,
    protocol: Annotated[str, typer.Option("--protocol", "-p", help="Protocol. See `ffbench protocols list`.")],
    name: Annotated[str, typer.Option("--name", help="Name of the method, as the leaderboard shows it.")],
    paper: Annotated[Optional[str], typer.Option("--paper", help="Citation or URL.")] = None,  # noqa: UP045
    code: Annotated[Optional[str], typer.Option("--code", help="URL of the code.")] = None,  # noqa: UP045
    contact: Annotated[Optional[str], typer.Option("--contact", help="Whom to ask.")] = None,  # noqa: UP045
    claimed: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--claimed", help="Your own value of the primary metric, shown beside the one that is computed."),
    ] = None,
    challenge: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--challenge",
            help="Your challenge that the bundle must answer; without it a bundle is a preview, and never ranked.",
        ),
    ] = None,
    data: options.Data = None,
    variant: options.Variant = None,
    option: options.ProtocolOptions = [],  # noqa: B006
    rehash: options.Rehash = False,
    out: Annotated[Path, typer.Option("--out", help="Folder of runs.")] = Path("runs"),
    json: options.Json = False,
) -> None:
    """Validate and score predictions, and write the run record.

    The digits are those that `ffbench eval` gives for the same flows; of a bundle, nearly so.
    """
    assignments = options.parse_assignments(option)
    from ffbench.cli.shared.console import note, progress_bar
    from ffbench.datasets.manifest import rehashing
    from ffbench.evaluation import run_folder
    from ffbench.registry import load_protocol
    from ffbench.submissions.submit import InvalidSubmission, Submitter, submit

    submitter = Submitter(name, paper, code, contact, claimed)
    with rehashing(rehash):
        loaded = load_protocol(protocol, data=data, variant=variant, options=assignments)
    hints: list[str] = []
    try:
        record = submit(
            predictions, loaded, submitter, out=out, challenge=challenge, progress_bar=progress_bar, hints=hints
        )
    except InvalidSubmission as error:
        print_report(error.report, json)
        raise
    for hint in hints:
        note(f"hint: {hint}")
    if json:
        say_json(record.model_dump_json(indent=1))
    else:
        from ffbench.results.report.text import print_record

        folder = run_folder(out, record.protocol.id, record.method.id, record.fingerprint)
        print_record(record, folder / "record.json")
