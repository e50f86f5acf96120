"""From a run to weights that ship: `python -m ffbench.methods.decflow.release RUN/STAGE.safetensors RECORD...`.

Values are stored in half precision, if that changes the endpoint error by less than `MAX_CHANGE`. Beside the
weights a model card says how they were made (the run's `recipe.json`) and what they score (records of `ffbench eval`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from ffbench.errors import DataError, FfbenchError, MethodError
from ffbench.io import atomic
from ffbench.io.hashing import file_sha256
from ffbench.method import Method, MethodRequest
from ffbench.registry import load_protocol
from ffbench.results.record.run_record import RunRecord, read_record
from ffbench.training.recipe import Recipe, Stage
from ffbench.training.validation import validate

from .adapter import WEIGHTS_FOLDER, load
from .weights import load_weights, save_weights, weights_architecture

MAX_CHANGE = 1e-3
"""Largest change of the mean endpoint error, in px, that half precision may make."""
MAX_BYTES = 20 * 2**20
_PROTOCOL = "ffn_motion_scale"
_PAIRS = 48


def release(weights: Path, folder: Path = WEIGHTS_FOLDER, pairs: int = _PAIRS) -> tuple[Path, float]:
    """Store the weights of a run in half precision as `folder/ARCHITECTURE.safetensors`.

    Args:
        weights: what `ffbench train` wrote, at full precision.
        folder: where weights that ship lie.
        pairs: how many pairs of the mini FFN both precisions are compared on.

    Returns:
        The file, and by how much the mean endpoint error changed, px.

    Raises:
        MethodError: the file cannot be used, the change is too large, or what comes out is too large to ship.
    """
    full, architecture = _method(weights)
    network, training = load_weights(weights, architecture)
    target = folder / f"{architecture}.safetensors"
    candidate = folder / f"{architecture}.half.safetensors"
    try:
        save_weights(candidate, network, training, torch.float16)
        if candidate.stat().st_size > MAX_BYTES:
            raise MethodError(
                f"{weights}: {candidate.stat().st_size} bytes in half precision, at most {MAX_BYTES} ship"
            )
        half, _ = _method(candidate)
        change = abs(_error(half, pairs) - _error(full, pairs))
        if not change < MAX_CHANGE:
            raise MethodError(f"{weights}: half precision changes the error by {change:.2g} px, at most {MAX_CHANGE}")
        candidate.replace(target)
    finally:
        candidate.unlink(missing_ok=True)
    return target, change


def model_card(weights: Path, recipe: Recipe, change: float, records: Sequence[RunRecord], note: str = "") -> str:
    """Write the model card of weights that ship, in Markdown.

    Args:
        weights: the file.
        recipe: what was run.
        change: what half precision changed, px.
        records: what the weights score; records of other methods stand beside them, those of other weights of the
            same method are left out.
        note: what else a reader should know of how they were made.

    Raises:
        DataError: no record is of these weights.
    """
    method, architecture = _method(weights)
    _, training = load_weights(weights, architecture)
    digest = file_sha256(weights)
    own = [record for record in records if record.method.weights and record.method.weights.sha256 == digest]
    others = [record for record in records if record.method.id != architecture]
    if not own:
        raise DataError(weights, f"no record is of these weights; make some with `ffbench eval -m {architecture}`")
    lines = [
        f"# {method.card.title}: `{weights.name}`",
        "",
        f"{method.card.parameters:,} parameters, {weights.stat().st_size / 1e6:.1f} MB, SHA-256 `{digest}`. Stored in "
        f"half precision, which changes the mean endpoint error on the mini FFN by {change:.1g} px. Apache-2.0.",
        "",
        "Trained from random weights on faces that ffbench renders and on layered photographs, with no other network's "
        "weights. Of all that it is scored on it has seen one photograph: scikit-image's astronaut, one of the six "
        "people of `reanimated_faces`, was among the 15 that layers were cut from "
        "(docs/protocols/reanimated_faces.md).",
        "",
        "## How it was made",
        "",
        *_table(("", ""), [(f"{key}", f"{value}") for key, value in training.items()]),
        "",
        *_table(("stage", "steps", "batch", "crop", "data", "learning rate"), [_stage(s) for s in recipe.stages]),
        "",
        f"Precision {recipe.precision}; the whole recipe is in `{weights.stem}.recipe.json`. {note}".rstrip(),
        "",
        "## What it scores",
        "",
        "Primary metric of each protocol with its 95 % interval. Synthetic data say nothing of real faces; a pseudo "
        "reference is points that a network found.",
        "",
        *_table(("protocol", "data", "reference", "method", "score"), [_score(r) for r in _in_order([*own, *others])]),
        "",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ffbench.methods.decflow.release", description=__doc__)
    parser.add_argument("weights", type=Path, help="STAGE.safetensors of a run; its recipe.json lies beside it")
    parser.add_argument("records", type=Path, nargs="*", help="record.json files; without any no card is written")
    parser.add_argument("--folder", type=Path, default=WEIGHTS_FOLDER, help="where weights that ship lie")
    parser.add_argument("--pairs", type=int, default=_PAIRS, help="pairs that both precisions are compared on")
    parser.add_argument("--note", default="", help="for the card: how the run differs from its recipe")
    chosen = parser.parse_args(arguments)
    try:
        recipe = Recipe.model_validate_json((chosen.weights.parent / "recipe.json").read_bytes())
        chosen.folder.mkdir(parents=True, exist_ok=True)
        target, change = release(chosen.weights, chosen.folder, chosen.pairs)
        print(f"{target}: half precision changes the endpoint error by {change:.2g} px")
        if chosen.records:
            card = model_card(target, recipe, change, [read_record(path) for path in chosen.records], chosen.note)
            atomic.write_text(target.with_suffix(".md"), card)
            atomic.write_text(target.with_suffix(".recipe.json"), recipe.model_dump_json(indent=1) + "\n")
    except (FfbenchError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _method(weights: Path) -> tuple[Method, str]:
    """Build the method that a weights file is of."""
    architecture = weights_architecture(weights)
    return load(MethodRequest(architecture, weights)), architecture


def _error(method: Method, pairs: int) -> float:
    return validate(method, [load_protocol(_PROTOCOL)], pairs)[f"val/{_PROTOCOL}"]


def _stage(stage: Stage) -> tuple[str, ...]:
    data = ", ".join(f"{name} {share:g}" for name, share in stage.data.items())
    crop = f"{stage.crop[0]} x {stage.crop[1]}"
    return stage.name, f"{stage.steps:,}", str(stage.batch), crop, data, f"{stage.learning_rate:g}"


def _in_order(records: Sequence[RunRecord]) -> list[RunRecord]:
    """Protocol by protocol, the best first."""

    def place(record: RunRecord) -> tuple[str, str, float]:
        primary = record.primary
        title = f"{record.protocol.id} {record.protocol.variant}"
        return title, record.dataset.name, -primary.value if primary.higher_is_better else primary.value

    return sorted(records, key=place)


def _score(record: RunRecord) -> tuple[str, ...]:
    primary = record.primary
    interval = "" if primary.ci_low is None else f" [{primary.ci_low:.3f}, {primary.ci_high:.3f}]"
    options = record.protocol.options
    how = "".join(f", {key} {value}" for key, value in options.items()) if options else ""
    return (
        f"`{record.protocol.id}` {record.protocol.version} ({record.protocol.variant}){how}",
        record.dataset.origin,
        record.dataset.reference,
        f"`{record.method.id}`",
        f"{primary.value:.3f}{interval} {primary.unit}",
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


if __name__ == "__main__":
    raise SystemExit(main())
