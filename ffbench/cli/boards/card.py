"""`ffbench card`: a model card, and evaluation results, for Hugging Face."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say


def write_card(
    records: Annotated[list[str], typer.Argument(help="Records, or folders of runs, of one method; also by URL.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the model, with its weights.")] = Path("."),
    dataset: options.HubDataset = None,
    url: options.RecordsUrl = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a README.md that is there.")] = False,
) -> None:
    """Write README.md with a `model-index` from run records, as model pages of Hugging Face read it.

    With --dataset also a file of `.eval_results` for each record. Nothing is uploaded.
    """
    from ffbench.errors import UsageError
    from ffbench.io import atomic
    from ffbench.results.record.run_record import read_record
    from ffbench.results.report.model_card import README, card_files
    from ffbench.results.store.places import local_copy

    files = card_files([read_record(local_copy(place).path) for place in records], dataset, url)
    if (out / README).exists() and not force:
        raise UsageError(f"{out / README}: exists; --force overwrites it")
    for name, content in files.items():
        atomic.write_text(out / name, content)
        say(str(out / name))
