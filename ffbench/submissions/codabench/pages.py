"""The pages of a competition, in Markdown, and its logo."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image as PillowImage

from ffbench.flow.color import flow_to_color
from ffbench.io.escape import markdown
from ffbench.protocol import DatasetCard, MetricCard, ProtocolCard
from ffbench.submissions.export.notes import readme

_LOGO_SIDE = 256


def overview(protocol: ProtocolCard, dataset: DatasetCard, pairs: int) -> str:
    """Return what the competition is about, and on what data."""
    metric = protocol.metrics[protocol.primary]
    lines = [
        f"# {markdown(protocol.title)}",
        "",
        f"Estimate the optical flow of {pairs} pairs of images of faces. The value that ranks is the "
        f"{markdown(metric.title)} [{markdown(metric.unit)}], "
        f"{'higher' if metric.higher_is_better else 'lower'} is better.",
        "",
        f"- protocol: {markdown(protocol.id)} {markdown(protocol.version)}, variant {markdown(protocol.variant)}",
        *(f"- option {markdown(name)}: {markdown(value)}" for name, value in protocol.options.items()),
        f"- data: {markdown(dataset.name)}, **{dataset.origin}**",
        f"- reference: {dataset.reference}. {markdown(dataset.reference_note)}".rstrip(". ") + ".",
    ]
    if dataset.origin == "synthetic":
        lines += ["", "The images are rendered. What a method scores here says nothing of how it does on real faces."]
    if dataset.reference == "pseudo":
        lines += ["", "The reference is what another network found, and has errors of its own."]
    return "\n".join([*lines, ""])


def evaluation(protocol: ProtocolCard) -> str:
    """Return how a submission is scored, and what each column is."""
    rows = [
        f"| {markdown(name)} | {markdown(metric.title)} | {markdown(metric.unit)} | "
        f"{'higher' if metric.higher_is_better else 'lower'} |"
        for name, metric in columns(protocol)
    ]
    return "\n".join(
        [
            "# Evaluation",
            "",
            f"ffbench validates every file and scores it by {markdown(protocol.id)} {markdown(protocol.version)}. A "
            "submission with a file that is missing, damaged, of a wrong size or not finite is not scored; its log "
            "names the faults.",
            "",
            f"The first column, {markdown(protocol.primary)}, ranks. The detailed results hold every value with its "
            "95 % interval: two submissions whose intervals overlap may not differ.",
            "",
            "| column | metric | unit | better |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def participation(protocol: ProtocolCard, dataset: DatasetCard, pairs: int, backward: bool, has_images: bool) -> str:
    """Return where the images are, and how predictions are written and sent in."""
    where = (
        "Download the public data: the images, `pairs.csv`, and how flows are written."
        if has_images
        else "The organizer says where the images are had: they are not part of this competition."
    )
    layout = readme(protocol, dataset, pairs, backward).partition("## What to write")[2].partition("## How to check")[0]
    return f"""# Taking part

{where} Send in a `.zip` with the folder `facial` at its top.

## What to write{layout}"""


def terms(dataset: DatasetCard) -> str:
    """Return terms that the organizer is to complete."""
    return (
        f"# Terms\n\nThe flows are scored on {markdown(dataset.name)} ({dataset.origin} data). The organizer states "
        "here who may take part, and under which terms the data may be used.\n"
    )


def logo() -> bytes:
    """Return a PNG: the colors that show the directions of flow."""
    side = np.linspace(-1, 1, _LOGO_SIDE, dtype=np.float32)
    flow = np.stack(np.meshgrid(side, side), axis=2)
    flow[np.hypot(flow[..., 0], flow[..., 1]) > 1] = 0
    file = io.BytesIO()
    PillowImage.fromarray(flow_to_color(flow, 1.0)).save(file, "PNG")
    return file.getvalue()


def columns(protocol: ProtocolCard) -> list[tuple[str, MetricCard]]:
    """Return the metrics, that which ranks first."""
    return sorted(protocol.metrics.items(), key=lambda item: item[0] != protocol.primary)
