"""`ffbench push`: a model with its card and its results, to the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say


def push_model(
    source: Annotated[
        str, typer.Argument(metavar="MODEL", help="A record or a run, an installed method, or a model folder.")
    ],
    repository: Annotated[
        str, typer.Argument(metavar="OWNER/NAME", help="Model repository of the hub; made if there is none.")
    ],
    weights: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--weights", help="Weights as safetensors; default: those of the method or the folder."),
    ] = None,
    record: Annotated[
        list[str],
        typer.Option(
            "--record",
            help="Record, folder of runs or store for the card; may be repeated. Default: the record named, or else "
            "`runs` and the records that ship, as far as they are of these weights.",
        ),
    ] = [],  # noqa: B006
    dataset: options.HubDataset = None,
    url: options.RecordsUrl = None,
    private: Annotated[bool, typer.Option("--private", help="Make a repository that only its owner sees.")] = False,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", help="Write the files into a new folder to look at, and upload nothing."),
    ] = None,
) -> None:
    """Upload a model: weights, configuration, recipe, a model card of its records, and `.eval_results`.

    Prints the name by which the commit is loaded, `hf:OWNER/NAME@COMMIT`. Log in first with `hf auth login`.
    """
    import shutil

    from ffbench.errors import UsageError, writing
    from ffbench.hub.names import check_repository
    from ffbench.io import atomic
    from ffbench.model_repository import model_files

    check_repository(repository)
    if out is not None and out.exists():
        raise UsageError(f"{out}: exists; name a folder that is not there yet")
    files = model_files(source, repository, weights=weights, records=record, dataset_id=dataset, url=url)
    if out is None:
        from ffbench.hub.upload import upload

        say(upload(repository, files, private=private))
        return
    for name, content in files.items():
        with atomic.atomic_path(out / name) as temporary, writing(out / name):
            if isinstance(content, Path):
                shutil.copyfile(content, temporary)
            else:
                temporary.write_text(content, "utf-8")
        say(str(out / name))
