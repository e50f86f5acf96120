"""`ffbench check`: fail when a score is not what it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ffbench.cli.shared.console import say, say_lines

if TYPE_CHECKING:
    from ffbench.evaluation.regression.check import Case
    from ffbench.results.record.run_record import RunRecord


def check_baseline(
    baseline: Annotated[Path, typer.Option("--baseline", help="Committed baseline, such as ci/baseline.json.")],
    tolerance: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--tolerance", min=0, max=1, help="Relative change that passes; default: the baseline's own."),
    ] = None,
    weights: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--weights", help="File of weights in place of those that cases name, if they name any."),
    ] = None,
    junit: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--junit", metavar="FILE", help="Write a JUnit XML report too."),
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Write what was measured into the baseline.")] = False,
) -> None:
    """Run the methods and protocols of a baseline and compare their scores, and speed ratios, with it.

    Ends with exit code 1 if a number changed beyond the tolerance, for better or worse, or if the baseline holds no
    scores yet and --update is not given; with 2, 3 or 4 if a name, a file or a method is at fault.
    """
    from ffbench.cli.shared.console import stderr
    from ffbench.errors import FfbenchError
    from ffbench.evaluation.regression.case import evaluate_case
    from ffbench.evaluation.regression.check import check, placed, read_baseline, write_baseline
    from ffbench.evaluation.regression.report import report_lines, write_junit

    wanted = read_baseline(baseline)
    with stderr().status("checking") as status:

        def run(case: Case) -> RunRecord:
            status.update(case.name)
            return evaluate_case(placed(case, baseline.parent, weights))

        result = check(wanted, run, tolerance=tolerance)
    say_lines(report_lines(result))
    if junit is not None:
        write_junit(junit, result.findings)
    if update:
        write_baseline(baseline, result.measured)
        say(f"{baseline}: {'new baseline' if result.new == len(result.findings) else 'updated'}")
    elif result.changed:
        raise FfbenchError(
            f"{baseline}: {result.changed} numbers changed; "
            "if that is right, run the same command with --update and commit the file"
        )
    elif result.new:
        raise FfbenchError(
            f"{baseline}: new baseline, which holds no scores for {result.new} numbers yet; "
            "run the same command with --update and commit the file"
        )
