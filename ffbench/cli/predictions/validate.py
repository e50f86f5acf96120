"""`ffbench validate`: whether predictions may be submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say_json, say_lines

if TYPE_CHECKING:
    from ffbench.submissions.checking.validation import Report

Predictions = Annotated[
    str,
    typer.Argument(
        help="Folder or .zip, .tar, .tar.gz, .tgz archive of flow files, or a .bundle; archives also by URL "
        "(s3://BUCKET/FLOWS.zip)."
    ),
]


def validate_predictions(
    predictions: Predictions,
    protocol: options.ProtocolOrImages,
    data: options.Data = None,
    variant: options.Variant = None,
    option: options.ProtocolOptions = [],  # noqa: B006
    json: options.Json = False,
) -> None:
    """Check predictions against a protocol's files: all faults in one report, with counts and the first ten names.

    Ends with exit code 3 if there are any. `ffbench protocols show P --manifest` lists the files. Hints say how wrong
    names are put right, and whether a sample of the flows looks as if x and y were swapped, signs changed, and so on.
    """
    assignments = options.parse_assignments(option)
    from ffbench.cli.shared.console import progress_bar
    from ffbench.submissions.submit import InvalidSubmission, validate_submission

    loaded = options.protocol_or_images(protocol, data, variant, assignments)
    report = validate_submission(predictions, loaded, progress_bar, advise=True)
    print_report(report, json)
    if not report.sound:
        raise InvalidSubmission(predictions, report)


def print_report(report: Report, json: bool) -> None:
    """Print a report to stdout, as text or as JSON."""
    if json:
        import json as json_module

        say_json(json_module.dumps(report.summary(), indent=1))
    else:
        say_lines(report.lines())
