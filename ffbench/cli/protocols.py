"""`ffbench protocols`: what can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say, say_json, say_pairs

if TYPE_CHECKING:
    from ffbench.protocol import Protocol

app = typer.Typer(help="List the protocols, or show one.", no_args_is_help=True)


@app.command("list")
def list_installed(json: options.Json = False) -> None:
    """List every protocol that is installed."""
    from ffbench.registry import list_protocols

    say_pairs(list(list_protocols().items()), json)


@app.command("show")
def show_protocol(
    name: Annotated[str, typer.Argument(help="A protocol.")],
    data: options.Data = None,
    variant: options.Variant = None,
    option: options.ProtocolOptions = [],  # noqa: B006
    manifest: Annotated[bool, typer.Option("--manifest", help="The files that a submission must hold.")] = False,
    json: options.Json = False,
) -> None:
    """Show a protocol's card, its dataset, the number of pairs, and what options it takes."""
    assignments = options.parse_assignments(option)
    from ffbench.registry import load_protocol, protocol_entry

    protocol = load_protocol(name, data=data, variant=variant, options=assignments)
    entry = protocol_entry(name)
    if manifest:
        _print_manifest(protocol, json)
        return
    if json:
        import json as json_module

        shown = {
            "protocol": protocol.card.model_dump(mode="json"),
            "dataset": protocol.dataset.model_dump(mode="json"),
            "pairs": list(protocol.keys()),
            "variants": list(entry.variants),
            "options": dict(entry.options),
        }
        say_json(json_module.dumps(shown, indent=1))
        return
    from ffbench.results.report.text import print_pairs

    card, dataset = protocol.card, protocol.dataset
    metrics = "; ".join(f"{key}: {metric.title} [{metric.unit}]" for key, metric in card.metrics.items())
    rows = [
        ("protocol", f"{card.id} {card.version} ({card.variant}): {card.title}"),
        ("metrics", metrics),
        ("ranks by", card.primary),
        ("options", ", ".join(f"{key}={value}" for key, value in card.options.items()) or "none"),
        *([("--variant", _variants(entry.variants))] if entry.variants else []),
        *((f"-o {key}=", said) for key, said in entry.options.items()),
        ("dataset", f"{dataset.name} ({dataset.origin}, {dataset.reference})"),
        ("reference", dataset.reference_note),
        ("pairs", str(len(protocol.keys()))),
        *((key, f"{value:.4g}") for key, value in dataset.facts.items()),
        *(("left out", line) for line in dataset.left_out),
        *(("problem", line) for line in dataset.problems),
    ]
    print_pairs(rows)


@app.command("try")
def try_protocol(
    name: Annotated[str, typer.Argument(help="A protocol.")],
    data: options.Data = None,
    variant: options.Variant = None,
    option: options.ProtocolOptions = [],  # noqa: B006
    json: options.Json = False,
) -> None:
    """Check a protocol against its contract, over its first pairs. Ends with exit code 3 if a check comes out wrong."""
    assignments = options.parse_assignments(option)
    from ffbench.cli.shared.trying import report_checks
    from ffbench.errors import DataError
    from ffbench.registry import load_protocol
    from ffbench.testing import check_protocol

    protocol = load_protocol(name, data=data, variant=variant, options=assignments)
    report_checks(name, check_protocol(protocol), json, DataError)


@app.command("codabench")
def write_competition(
    name: Annotated[str, typer.Argument(help="A protocol.")],
    out: Annotated[Path, typer.Option("--out", help="The bundle to write, a .zip.")],
    image: Annotated[
        str,
        typer.Option("--image", help="Docker image that Codabench scores in; it must hold this version of ffbench."),
    ],
    data: options.Data = None,
    variant: options.Variant = None,
    option: options.ProtocolOptions = [],  # noqa: B006
    start: Annotated[
        Optional[datetime],  # noqa: UP045
        typer.Option("--start", formats=["%Y-%m-%d"], help="First day; default: today."),
    ] = None,
    end: Annotated[
        Optional[datetime],  # noqa: UP045
        typer.Option("--end", formats=["%Y-%m-%d"], help="Last day; default: a year after the first."),
    ] = None,
) -> None:
    """Write a competition for Codabench: its pages, a scoring program, and the data where ffbench made it.

    Only a folder that ffbench made goes into the bundle, with the images for the participants: name it with --data.
    Licensed data never do; their organizer adds them.
    """
    assignments = options.parse_assignments(option)
    from ffbench.cli.shared.console import note, progress_bar
    from ffbench.registry import load_protocol
    from ffbench.submissions.codabench.bundle import Phase, make_task, write_bundle

    first = (start or datetime.now()).date()
    phase = Phase(first, (end.date() if end is not None else first + timedelta(days=365)), image)
    loaded = load_protocol(name, data=data, variant=variant, options=assignments)
    task = make_task(name, loaded, variant, assignments)
    with progress_bar(f"images of {name}", "pairs") as progress:
        made = write_bundle(out, loaded, task, phase, data, progress)
    if not made.has_data:
        note(
            f"it holds no reference data and no images, since {data or 'the dataset'} has no mark of ffbench's: add "
            "the dataset to reference_data.zip, or name one of `ffbench data make-mini` with --data"
        )
    say(f"{out}: {made.pairs} pairs, {'with' if made.has_data else 'without'} reference data and images")


def _variants(names: Sequence[str]) -> str:
    return " or ".join([f"{names[0]} (default)", *names[1:]])


def _print_manifest(protocol: Protocol[Any], json: bool) -> None:
    """Print a line a file: its bytes as .flo, width x height, and its name."""
    from ffbench.cli.shared.console import progress_bar, stderr
    from ffbench.submissions.manifest import build_manifest

    with progress_bar("reading sizes", "pairs") as progress:
        found = build_manifest(protocol, progress)
    files = list(found.files())
    optional = [kind for kind in found.kinds if kind != "facial"]
    if json:
        import json as json_module

        rows = [{"file": name, "width": size[1], "height": size[0], "bytes": count} for name, _, size, count in files]
        say_json(json_module.dumps({"files": rows, "optional_folders": optional}, indent=1))
        return
    for name, _, (height, width), count in files:
        say(f"{count} {width}x{height} {name}")
    stderr().print(
        f"{len(files)} files, {sum(row[3] for row in files)} bytes as .flo (float32 little-endian); the same names may "
        f"stand under {' and '.join(f'{kind}/' for kind in optional)} too, all or none; .flo5 and KITTI .png are read",
        style="dim",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
