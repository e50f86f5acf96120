"""A known texture is rendered, photographed, taken off the picture again and compared.

`python -m tests.texturing.round_trip PEOPLE [PICTURE.jpg]` prints the table of docs/texture.md and draws its picture.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ffbench.facemesh.tracker import find_faces
from ffbench.synth.appearance.photo import to_linear, to_srgb
from ffbench.synth.heads.head import Pose
from ffbench.synth.heads.makehuman import MakeHumanHead, load_makehuman
from ffbench.synth.motion.expressions import Frame, sample_target
from ffbench.synth.render.bake import bake
from ffbench.synth.scenes.image_folder import list_textures
from ffbench.synth.scenes.scene import RenderedFrame, render_frame, sample_frame, sample_person, sample_scene
from ffbench.texturing.extract import Extracted, extract
from ffbench.texturing.fit import fit_head

SIZE = 768
Linear = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Portrait:
    """A rendered portrait, and the texture (768, 768, 3) in linear RGB that the person wears."""

    frame: RenderedFrame
    texture: Linear


@dataclass(frozen=True)
class Likeness:
    """How near what was extracted comes to what was rendered, over the texels that are mostly the photograph's.

    Mean absolute differences in sRGB from 0 to 255, and peak signal-to-noise ratios in dB. A photograph does not show
    how bright its lamp was: all but `raw` are brought to the known texture by one factor a channel.

    Attributes:
        raw: as it is.
        even: of the texture.
        uneven: of the photograph in the texture, its light as it was.
        flat: of one color, the known texture's median; what any texture of the tone would reach.
        placed: px from where a texel is in the photograph to where the fit has it.
        width: of the face, px.
    """

    raw: tuple[float, float]
    even: tuple[float, float]
    uneven: tuple[float, float]
    flat: tuple[float, float]
    placed: float
    width: float


def portrait(head: MakeHumanHead, seed: int, size: int = 512) -> Portrait:
    """Photograph a person of a drawn look, half an expression and a turn of about seven degrees, in a drawn light."""
    rng = np.random.default_rng([seed, 99])
    person = sample_person(head, seed, SIZE)
    scene = sample_scene(person, seed, size, size)
    expression = sample_target(rng, head.expression_names, "none", person.style, 0.5)
    frame = render_frame(scene, Frame(expression, Pose(neck=rng.normal(0, [0.08, 0.12, 0.05]))))
    return Portrait(frame, (person.skin[0][..., :3] / 255.0) ** 2)


def compare(head: MakeHumanHead, known: Portrait, found: Extracted) -> Likeness:
    """Measure."""
    mine = found.weight > 0.5
    truth = known.texture[mine]
    texture, seen = to_linear(found.texture)[mine].astype(float), found.as_seen[mine].astype(float)
    image = known.frame.image
    fit = fit_head(head, find_faces(image)[0], *image.shape[:2])
    count = len(head.template)
    places = (bake(head, xy[:count], SIZE)[mine] for xy in (known.frame.projected.xy, fit.xy))
    return Likeness(
        raw=_difference(texture, truth),
        even=_difference(_gained(texture, truth), truth),
        uneven=_difference(_gained(seen, truth), truth),
        flat=_difference(np.broadcast_to(np.median(truth, axis=0), truth.shape), truth),
        placed=float(np.linalg.norm(np.subtract(*places), axis=1).mean()),
        width=found.face_width,
    )


def _gained(color: Linear, truth: Linear) -> Linear:
    return np.asarray(color * (color * truth).sum(axis=0) / (color * color).sum(axis=0))


def _difference(color: Linear, truth: Linear) -> tuple[float, float]:
    off = to_srgb(color).astype(float) - to_srgb(truth)
    return float(np.abs(off).mean()), float(20 * np.log10(255) - 10 * np.log10((off**2).mean()))


def picture(head: MakeHumanHead, seeds: Sequence[int], folder: Path) -> npt.NDArray[np.uint8]:
    """Show, a row a person: portrait, photograph in the texture, texture, the known one, and two others who wear it."""
    middle = (slice(SIZE // 8, SIZE * 3 // 4), slice(SIZE * 5 // 16, SIZE * 11 // 16))
    rows = []
    for seed in seeds:
        known = portrait(head, seed)
        found = extract(head, known.frame.image, SIZE)
        Image.fromarray(found.texture).save(folder / "skin.png")
        worn = list_textures(folder, head, head.uv_layout)
        others = []
        for other in (100 + seed, 200 + seed):
            person = sample_person(head, other, SIZE, worn)
            frame = sample_frame(np.random.default_rng(other), person)
            others.append(render_frame(sample_scene(person, other, 480, 480), frame).image)
        sheets = [sheet[middle] for sheet in (to_srgb(found.as_seen), found.texture, to_srgb(known.texture))]
        face = Image.fromarray(known.frame.image).resize((480, 480), Image.Resampling.BOX)
        rows.append(np.hstack([np.asarray(face), *sheets, *others]))
    return np.vstack(rows)


def main() -> None:
    """Print the means over people, and write the picture."""
    head = load_makehuman()
    if len(sys.argv) > 2:
        with tempfile.TemporaryDirectory() as folder:
            shown = Image.fromarray(picture(head, (4, 8, 1), Path(folder)))
        shown.resize((shown.width // 2, shown.height // 2), Image.Resampling.BOX).save(sys.argv[2], quality=92)
    rows = []
    for seed in range(int(sys.argv[1])):
        known = portrait(head, seed)
        rows.append(compare(head, known, extract(head, known.frame.image, SIZE)))
    for name in ("raw", "even", "uneven", "flat"):
        values = np.array([getattr(row, name) for row in rows])
        worst = values[values[:, 0].argmax()]
        print(f"{name}: {values[:, 0].mean():.1f} of 255, {values[:, 1].mean():.1f} dB; worst {worst.round(1)}")
    shares = np.array([row.placed / row.width for row in rows])
    print(f"placed: {np.mean([row.placed for row in rows]):.1f} px, {100 * shares.mean():.1f} % of the width of a face")


if __name__ == "__main__":
    main()
