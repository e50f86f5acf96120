"""`ffbench diversity`: how much the people and expressions of a generated dataset differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say_json, say_lines
from ffbench.errors import UsageError


def measure_diversity(
    dataset: Annotated[Path, typer.Argument(help="Dataset in FacialFlowNet's layout, as `generate` writes it.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for diversity.json and expressions.png.")],
    source: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--source", help="Folder of the images it was made from, named as sequences: happy/0012.png."),
    ] = None,
    features: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--features", metavar="FILE.npz", help="Identity features of your own, such as ArcFace's."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Measure how much people differ, what is left of their source images in them, and draw their expressions.

    Identity features are those of the face mesh network, which was not trained to tell people apart, unless --features
    has others: arrays names (happy/0012, its source source/happy/0012) and features.
    """
    if source is not None and features is not None:
        raise UsageError("--features has the sources' features too, as source/NAME; --source does not go with it")
    from ffbench.cli.shared.console import note, progress_bar
    from ffbench.diversity.measure import measure
    from ffbench.diversity.picture import write_expressions
    from ffbench.diversity.report import problem_lines, report_lines, to_json
    from ffbench.io.atomic import write_text

    with progress_bar("diversity", "people") as progress:
        found = measure(dataset, source, features, progress)
    for line in problem_lines(found):
        note(line)
    written = [out / "diversity.json"]
    write_text(written[0], to_json(found))
    if found.expressions:
        written.append(out / "expressions.png")
        write_expressions(written[1], found)
    if json:
        say_json(to_json(found).rstrip("\n"))
    else:
        say_lines([*report_lines(found), *map(str, written)])
