"""`ffbench protocols`: what can be measured."""

from __future__ import annotations

from typing import Annotated

import typer

from ffbench.cli import options

app = typer.Typer(help="List the protocols, or show one.", no_args_is_help=True)


@app.command("list")
def list_protocols(json: options.Json = False) -> None:
    """List every protocol that is installed."""
    from ffbench.registry import protocol_entry, protocol_names

    rows = {name: protocol_entry(name).summary for name in protocol_names()}
    if json:
        import json as json_module

        typer.echo(json_module.dumps(rows, indent=1))
    else:
        from ffbench.results.text import print_pairs

        print_pairs(list(rows.items()))


@app.command("show")
def show_protocol(
    name: Annotated[str, typer.Argument(help="A protocol.")],
    data: options.Data = None,
    variant: options.Variant = None,
    option: options.ProtocolOptions = [],  # noqa: B006
    json: options.Json = False,
) -> None:
    """Show a protocol's card, its dataset and the number of pairs."""
    assignments = options.parse_assignments(option)
    from ffbench.registry import load_protocol

    protocol = load_protocol(name, data=data, variant=variant, options=assignments)
    if json:
        import json as json_module

        shown = {
            "protocol": protocol.card.model_dump(mode="json"),
            "dataset": protocol.dataset.model_dump(mode="json"),
            "pairs": list(protocol.keys()),
        }
        typer.echo(json_module.dumps(shown, indent=1))
        return
    from ffbench.results.text import print_pairs

    card, dataset = protocol.card, protocol.dataset
    metrics = "; ".join(f"{key}: {metric.title} [{metric.unit}]" for key, metric in card.metrics.items())
    rows = [
        ("protocol", f"{card.id} {card.version} ({card.variant}): {card.title}"),
        ("metrics", metrics),
        ("ranks by", card.primary),
        ("options", ", ".join(f"{key}={value}" for key, value in card.options.items()) or "none"),
        ("dataset", f"{dataset.name} ({dataset.origin}, {dataset.reference})"),
        ("reference", dataset.reference_note),
        ("pairs", str(len(protocol.keys()))),
        *((key, f"{value:.4g}") for key, value in dataset.facts.items()),
        *(("left out", line) for line in dataset.left_out),
        *(("problem", line) for line in dataset.problems),
    ]
    print_pairs(rows)
