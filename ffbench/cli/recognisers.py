"""`ffbench recognisers`: what can learn from flows, and its results as a paper needs them."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say, say_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ffbench.protocol import PairScore
    from ffbench.results.record.run_record import RunRecord
    from ffbench.results.tables import Table

app = typer.Typer(help="List the recognisers of the recognition protocols; show their results.", no_args_is_help=True)


class PaperFormat(str, Enum):
    """What to write."""

    text = "text"
    md = "md"
    latex = "latex"
    html = "html"


class PaperMetric(str, Enum):
    """What a table shows."""

    accuracy = "accuracy"
    macro_f1 = "macro_f1"
    uf1 = "uf1"
    uar = "uar"


Record = Annotated[Path, typer.Argument(help="A record of a recognition protocol, or the folder of its run.")]
Form = Annotated[PaperFormat, typer.Option("--format", "-f", help="What to write.")]


@app.callback()
def recognisers() -> None:
    """List the recognisers of the recognition protocols; show their results."""


@app.command("list")
def list_installed(json: options.Json = False) -> None:
    """List every recogniser that is installed; -o recogniser=NAME of a recognition protocol takes it."""
    from ffbench.recogniser_registry import list_recognisers

    say_pairs(list(list_recognisers().items()), json)


@app.command("report")
def report(
    record: Record,
    form: Form = PaperFormat.text,
    picture: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--png", metavar="FILE", help="Write the confusion matrix as a picture too."),
    ] = None,
) -> None:
    """Show a record in full: accuracy, F1, UF1 and UAR with intervals over subjects, by seed, class and subject.

    McNemar's test between two methods: `ffbench compare A B`.
    """
    from ffbench.results.recognition.report import report_tables

    found, scores = _read(record)
    _print(report_tables(found, scores), form)
    if picture is not None and found.confusion is not None:
        from ffbench.results.recognition.confusion_picture import write_confusion
        from ffbench.results.recognition.records import flow_of

        origin = "" if found.dataset.origin == "real" else f"{found.dataset.origin.upper()} data: "
        card = found.protocol
        title = f"{flow_of(found).label(with_weights=False)}, {card.options['recogniser']}, {card.variant}\n"
        write_confusion(picture, found.confusion, f"{title}{card.title}: {origin}{found.dataset.name}")
        from ffbench.cli.shared.console import note

        note(f"picture: {picture}")


@app.command("table")
def table(
    places: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(help="Stores, folders of runs, records; default: runs, and what ships.", show_default=False),
    ] = None,
    metric: Annotated[PaperMetric, typer.Option("--metric", help="What the cells show.")] = PaperMetric.uf1,
    variant: Annotated[str, typer.Option("--variant", help="clean or official.")] = "clean",
    optimism: Annotated[
        bool, typer.Option("--optimism", help="clean beside official in one table, and what choosing epochs adds.")
    ] = False,
    form: Form = PaperFormat.text,
) -> None:
    """Print methods by recognisers, with intervals over subjects; a table for each protocol and dataset.

    Of several records for one cell the one with most seeds counts, of these the latest. Synthetic data are called so.
    """
    from ffbench.cli.shared.console import note_each
    from ffbench.errors import DataError, UsageError
    from ffbench.paths import shipped_store
    from ffbench.results.recognition.records import find_recognition
    from ffbench.results.recognition.tables import CLEAN, OFFICIAL, method_tables, optimism_tables

    if variant not in (CLEAN, OFFICIAL):
        raise UsageError(f"--variant is '{variant}', expected {CLEAN} or {OFFICIAL}")
    shipped = shipped_store()
    default = [*([Path("runs")] if Path("runs").is_dir() else []), *([] if shipped is None else [shipped])]
    records, problems = find_recognition(places or default)
    note_each("problem", problems)
    found = optimism_tables(records) if optimism else method_tables(records, metric.value, variant)
    if not found:
        where = ", ".join(map(str, places or default)) or "any place"
        raise DataError(where, "no record of recognition that may be ranked; `ffbench eval -p casme2_5` makes one")
    _print(found, form)


@app.command("splits")
def splits(
    record: Record,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", metavar="FILE", help="CSV file; default: standard output."),
    ] = None,
) -> None:
    """Write the exact folds of a record as CSV: fold, held-out subject, clip, its subject and class, train or test.

    Fold f of seed s learns with the seed 1000 s + f.
    """
    from ffbench.io.atomic import write_text
    from ffbench.results.recognition.splits import splits_csv

    text = splits_csv(_read(record)[1])
    if out is None:
        typer.echo(text, nl=False)
        return
    write_text(out, text)
    say(f"{out}: {text.count(chr(10)) - 1} rows")


def _read(path: Path) -> tuple[RunRecord, list[PairScore]]:
    """Read a record of recognition and the scores of its pairs.

    Raises:
        DataError: a file is missing or damaged, or it is a record of something else.
    """
    from ffbench.errors import DataError, reading
    from ffbench.io.hashing import file_sha256
    from ffbench.results.recognition.records import require_recognition
    from ffbench.results.record.pair_table import read_pair_table
    from ffbench.results.record.row import table_path
    from ffbench.results.record.run_record import RECORD, read_record

    place = path / RECORD if path.is_dir() else path
    record = read_record(place)
    require_recognition(record, place)
    scores = table_path(place, record)
    with reading(scores, more=f", it belongs to {place}"):
        if file_sha256(scores) != record.pair_table.sha256:
            raise DataError(scores, f"is not the table that {place} names (other sha256)")
    return record, read_pair_table(scores)


def _print(found: Sequence[Table], form: PaperFormat) -> None:
    from ffbench.io.escape import markdown
    from ffbench.results import tables

    def as_markdown(table: Table) -> str:
        notes = "".join(f"\n- {markdown(note)}" for note in table.notes)
        return f"**{markdown(table.title)}**\n\n{tables.as_markdown(table)}\n{notes}\n"

    writers = {
        PaperFormat.text: tables.as_text,
        PaperFormat.md: as_markdown,
        PaperFormat.latex: tables.as_latex,
        PaperFormat.html: tables.as_html,
    }
    head = "% needs \\usepackage{booktabs}\n" if form is PaperFormat.latex else ""
    typer.echo(head + "\n".join(map(writers[form], found)), nl=False)
