"""The command line. Each command is a thin module here that imports what is heavy only when it runs."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ffbench.cli import bench, check, eval_, methods, protocols, recognisers, train
from ffbench.cli.boards import app_, card, compare, leaderboard, publish, push, records, site, table, verify
from ffbench.cli.datasets import assets, corrupt, data, data_verify, diversity, features, generate, texture, track
from ffbench.cli.flows import flow, points, show, stabilize
from ffbench.cli.predictions import bundle, export, predict, submit, validate
from ffbench.errors import FfbenchError, UsageError
from ffbench.extras import MissingExtraError, missing_extra
from ffbench.io.escape import plain
from ffbench.io.object_store import is_url, shown_url
from ffbench.threads import wait_without_spinning

_DEBUG = "--debug"
_LONGEST_ERROR = 4000

app = typer.Typer(
    name="ffbench",
    help="Benchmark and leaderboard suite for facial optical flow.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Plain help: brackets in method names are no markup, and rich need not be imported.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("eval")(eval_.evaluate_method)
app.command("flow")(flow.flow)
app.command("show")(show.show)
app.command("stabilize")(stabilize.stabilize_clip)
app.command("points")(points.carry)
app.command("generate")(generate.generate_dataset)
app.command("texture")(texture.make_textures)
app.command("train")(train.train_method)
app.command("predict")(predict.predict_flows)
app.command("export")(export.export_protocol)
app.command("bundle")(bundle.bundle_predictions)
app.command("validate")(validate.validate_predictions)
app.command("submit")(submit.submit_predictions)
app.command("compare")(compare.compare_records)
app.command("leaderboard")(leaderboard.show_leaderboard)
app.command("app")(app_.open_app)
app.command("site")(site.write_site)
app.command("publish")(publish.publish_record)
app.command("records")(records.make_records)
app.command("verify")(verify.verify_records)
app.command("check")(check.check_baseline)
app.command("bench")(bench.bench_methods)
app.command("table")(table.paper_table)
app.command("card")(card.write_card)
app.command("push")(push.push_model)
app.command("track")(track.track_faces)
app.command("corrupt")(corrupt.show_corruptions)
app.command("features")(features.write_dataset_features)
app.command("diversity")(diversity.measure_diversity)
data.app.command("verify")(data_verify.verify_data)
data.app.command("prepare")(data_verify.prepare_data)
app.add_typer(methods.app, name="methods")
app.add_typer(protocols.app, name="protocols")
app.add_typer(recognisers.app, name="recognisers")
app.add_typer(data.app, name="data")
app.add_typer(assets.app, name="assets")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ffbench {version('ffbench')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option(_DEBUG, help="Show the traceback of an error.")] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an error becomes one line on stderr and its exit code."""
    wait_without_spinning()
    arguments = sys.argv[1:]
    debug = _DEBUG in arguments
    try:
        _refuse_url_to_write(arguments)
        # --debug is taken anywhere: it is added after a command has failed, at the end of the line.
        app([argument for argument in arguments if argument != _DEBUG])
    except Exception as error:
        if debug:
            raise
        if isinstance(error, FfbenchError):
            _fail(str(error), error.exit_code)
        missing = missing_extra(error)
        if missing is not None:
            _fail(missing, MissingExtraError.exit_code)
        if isinstance(error, MemoryError):
            _fail("there is not enough memory; try a smaller --batch-size or fewer workers", FfbenchError.exit_code)
        _fail(f"internal error, {type(error).__name__}: {error} (--debug shows where)", FfbenchError.exit_code)


def _refuse_url_to_write(arguments: Sequence[str]) -> None:
    """Refuse a URL after --out, of which a path would be made; runs go on where they stopped, which needs files.

    Raises:
        UsageError: there is one.
    """
    values = [value for name, value in itertools.pairwise(arguments) if name == "--out"]
    values += [argument.removeprefix("--out=") for argument in arguments if argument.startswith("--out=")]
    for value in values:
        if is_url(value):
            raise UsageError(
                f"--out {shown_url(value)}: expected a path, for this is written on this machine; `ffbench publish RUN "
                "--store URL` puts the record of a run into a store that a URL names"
            )


def _fail(message: str, exit_code: int) -> None:
    typer.echo(f"ffbench: {plain(message, _LONGEST_ERROR)}", err=True)
    sys.exit(exit_code)
