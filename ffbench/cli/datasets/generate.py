"""`ffbench generate`: a facial-flow dataset of synthetic heads, in the layout of FacialFlowNet."""

from __future__ import annotations

import contextlib
import dataclasses
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ffbench.cli.eval_ import INTERRUPTED, EngineChoice
from ffbench.cli.shared.console import say
from ffbench.errors import DataError, MethodError, UsageError

if TYPE_CHECKING:
    from ffbench.engines import Engine
    from ffbench.synth.heads.head import HeadModel
    from ffbench.synth.pairs.recipe import DatasetRecipe
    from ffbench.synth.scenes.scene import Renderer

PREVIEW_IDENTITIES = 10


class RendererName(str, Enum):
    """What draws the images."""

    raster = "raster"
    blender = "blender"


class HeadName(str, Enum):
    """Which head model."""

    makehuman = "makehuman"
    flame = "flame"


class Jaw(str, Enum):
    """What the jaw counts to in the head flow (Eq. 4)."""

    expression = "expression"
    pose = "pose"


class Split(str, Enum):
    """The split that all identities go to."""

    train = "train"
    test = "test"
    val = "val"


def generate_dataset(
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", help="Folder of the dataset; a run that was interrupted goes on in it."),
    ] = None,
    identities: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--identities", min=1, help="How many people, one sequence each; default: all of --codes."),
    ] = None,
    preview: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--preview", metavar="PNG", help="Write a contact sheet of the first identities, 10 if not told."),
    ] = None,
    renderer: Annotated[
        RendererName, typer.Option("--renderer", help="What draws the images: the engine, or Blender's Cycles.")
    ] = RendererName.raster,
    blender_python: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--blender-python", help="A Python that has bpy; default: FFBENCH_BLENDER_PYTHON, or this one."),
    ] = None,
    samples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--samples", min=1, max=4096, help="Samples a pixel with --renderer blender; default: 16."),
    ] = None,
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--workers", min=1, help="Processes; default: 1, with --engine ray one a core."),
    ] = None,
    engine: Annotated[
        EngineChoice, typer.Option("--engine", help="This machine, or Ray. The files are the same.")
    ] = EngineChoice.here,
    address: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--address", help="Ray cluster; default: RAY_ADDRESS, or one started on this machine."),
    ] = None,
    size: Annotated[int, typer.Option("--size", min=64, max=2048, help="Height and width of the images, px.")] = 512,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, other people.")] = 0,
    split: Annotated[
        Optional[Split],  # noqa: UP045
        typer.Option("--split", help="Put all identities into one split; default: 85 % train, 10 % test, 5 % val."),
    ] = None,
    head: Annotated[HeadName, typer.Option("--head", help="Head model.")] = HeadName.makehuman,
    flame: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--flame", help="Folder with your FLAME model, masks and landmark embedding."),
    ] = None,
    codes: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--codes", help="Folder of EMOCA codes: shapes and targets of the sequences; needs --head flame."),
    ] = None,
    jaw: Annotated[
        Jaw, typer.Option("--jaw", help="What opening the mouth is: expression flow, or head flow as in FFN (pose).")
    ] = Jaw.expression,
    textures: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--textures", help="Folder of square skin textures in the head's layout; default: painted."),
    ] = None,
    texture_layout: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--texture-layout", help="Layout of textures without a JSON note: ffbench-makehuman or flame."),
    ] = None,
    backgrounds: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--backgrounds", help="Folder of photographs to cut backgrounds from; default: painted."),
    ] = None,
) -> None:
    """Make a facial-flow dataset of synthetic heads: images, facial and head flow, masks, regions, occlusion.

    One sequence of 5, 10, 15 or 20 frames an identity, in the layout of FacialFlowNet, with manifest.json.
    """
    if out is None and preview is None:
        raise UsageError("generate needs --out DIR for a dataset, or --preview FILE.png for a contact sheet")
    if preview is not None and preview.suffix.lower() != ".png":
        raise UsageError(f"{preview}: the contact sheet is a PNG; name it .png")
    if out is not None and identities is None and codes is None:
        raise UsageError("generate --out needs --identities N: how many people")
    if head is HeadName.flame and flame is None:
        raise UsageError("--head flame needs --flame FOLDER with your FLAME model (generic_model.pkl)")
    if head is not HeadName.flame and (flame is not None or codes is not None):
        raise UsageError(f"{'--flame' if flame is not None else '--codes'} needs --head flame")
    if renderer is not RendererName.blender and (blender_python is not None or samples is not None):
        raise UsageError(f"{'--samples' if samples is not None else '--blender-python'} needs --renderer blender")
    if texture_layout is not None and textures is None:
        raise UsageError("--texture-layout needs --textures FOLDER")
    if address is not None and engine is not EngineChoice.ray:
        raise UsageError("--address is of --engine ray")
    from ffbench.synth.motion.codes import read_codes
    from ffbench.synth.pairs.recipe import DatasetRecipe
    from ffbench.synth.scenes.image_folder import list_backgrounds, list_textures

    recipe = DatasetRecipe(
        seed=seed,
        size=size,
        split=None if split is None else split.value,
        codes=() if codes is None else tuple(read_codes(codes)),
        backgrounds=None if backgrounds is None else list_backgrounds(backgrounds),
        jaw=jaw.value,
    )
    count = len(recipe.codes) if identities is None else identities
    if recipe.codes and count > len(recipe.codes):
        raise UsageError(f"{codes}: codes of {len(recipe.codes)} images, fewer than --identities {count}")
    model = _load_head(flame)
    if textures is not None:
        recipe = dataclasses.replace(recipe, textures=list_textures(textures, model, texture_layout))
    with contextlib.ExitStack() as stack:
        drawn_by = _renderer(renderer, blender_python, samples, stack)
        if preview is not None:
            from ffbench.synth.pairs.preview import contact_sheet
            from ffbench.visual.picture import write_picture

            shown = min(count, PREVIEW_IDENTITIES) if out is not None or not identities else identities
            sheet = contact_sheet(recipe, model, shown or PREVIEW_IDENTITIES, renderer=drawn_by)
            write_picture(preview, sheet)
            say(preview)
        if out is not None:
            _write(out, model, recipe, count, drawn_by, _engine(engine, workers, address))


def _renderer(name: RendererName, python: Path | None, samples: int | None, stack: contextlib.ExitStack) -> Renderer:
    """Return a renderer that is there until `stack` is left."""
    if name is RendererName.blender:
        from ffbench.synth.blender.renderer import SAMPLES, Blender

        return stack.enter_context(Blender(python, samples or SAMPLES))
    from ffbench.synth.scenes.scene import RASTER

    return RASTER


def _engine(choice: EngineChoice, workers: int | None, address: str | None) -> Engine:
    """Return what makes the sequences.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    from ffbench.engines import engine
    from ffbench.synth.pairs.writer import ALONE

    if choice is EngineChoice.ray:
        return engine("ray", workers, address=address)
    return ALONE if workers in (None, 1) else engine("processes", workers)


def _load_head(flame: Path | None) -> HeadModel:
    if flame is not None:
        from ffbench.synth.heads.flame import load_flame

        return load_flame(flame)
    from ffbench.synth.heads.makehuman import load_makehuman

    return load_makehuman()


def _write(
    out: Path, head: HeadModel, recipe: DatasetRecipe, identities: int, renderer: Renderer, engine: Engine
) -> None:
    from ffbench.cli.shared.console import progress_bar, stderr
    from ffbench.synth.pairs.writer import write_dataset

    again = "what is complete is kept: the same command goes on from there"
    try:
        with progress_bar(f"generating {out}", "sequences") as move:
            manifest = write_dataset(out, head, recipe, identities, move, renderer, engine)
    except KeyboardInterrupt:
        stderr().print(f"interrupted: {again}")
        raise typer.Exit(INTERRUPTED) from None
    except (DataError, MethodError) as error:
        raise error.plus(f"; {again}") from error
    pairs = sum(record.frames - 1 for record in manifest.sequences)
    splits = ", ".join(f"{len(numbers)} {name}" for name, numbers in manifest.splits.items() if numbers)
    size = sum(record.bytes for record in manifest.sequences)
    say(f"{out}: {pairs} pairs of {identities} identities ({splits}), {size / 2**30:.2f} GiB, synthetic")
