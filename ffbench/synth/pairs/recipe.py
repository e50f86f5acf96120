"""FacialFlowNet's recipe: which sequences a dataset has, and the frames and labels of each (paper, section 3).

Everything follows from `DatasetRecipe` and the number of the identity: a sequence can be made alone, in any order.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ffbench.datasets.mark import JawReading
from ffbench.synth.appearance.look import sample_appearance
from ffbench.synth.heads.flame import FlameHead
from ffbench.synth.heads.head import HeadModel
from ffbench.synth.motion.codes import Code
from ffbench.synth.motion.expressions import CATEGORIES, Frame, sample_style, sequence
from ffbench.synth.render.labels import Labels
from ffbench.synth.scenes.image_folder import ImageFolder
from ffbench.synth.scenes.scene import (
    RASTER,
    Renderer,
    Scene,
    make_person,
    render_frame,
    sample_frame,
    sample_person,
    sample_pose,
    sample_scene,
)
from ffbench.typing import Image

VERSION = "2"
"""Of the recipe; with another one the same seed gives another dataset."""
ORIGIN = f"ffbench.synth.ffn {VERSION}"
"""What manifests call it; as in those that were written before this module had a package."""
LENGTHS = (5, 10, 15, 20)
# Of twenty identities in a row seventeen train, two test and one validates: the counts of section 5.2, 85:10:5.
SPLITS = ("train",) * 17 + ("test",) * 2 + ("val",)
MOST_IDENTITIES = 99_999
MINI_IDENTITIES, MINI_SIZE = 12, 256


@dataclass(frozen=True)
class DatasetRecipe:
    """What a dataset is made of, but for its head model and how many identities it has.

    Attributes:
        seed: another seed, other people.
        size: height and width of the images in pixels.
        split: the split that all identities go to; None deals them 17:2:1 to train, test and val.
        codes: EMOCA's codes, for a FLAME head: identity i has the shape and the target of `codes[i]`. Empty:
            shapes, expressions and poses are drawn.
        textures: skins in the layout of the head (`list_textures`); None: they are painted.
        backgrounds: photographs to cut backgrounds from (`list_backgrounds`); None: they are painted.
        jaw: how head flow and head partners read Eq. 4: whether the jaw stays with the expression, or goes with the
            pose as in FFN.
    """

    seed: int = 0
    size: int = 512
    split: str | None = None
    codes: tuple[Code, ...] = ()
    textures: ImageFolder | None = None
    backgrounds: ImageFolder | None = None
    jaw: JawReading = "expression"


@dataclass(frozen=True)
class Plan:
    """What one sequence is; identity and sequence are one thing here, as in FFN."""

    identity: int
    split: str
    emotion: str
    frames: int
    seed: int

    @property
    def folder(self) -> str:
        """Such as `test/happy/00012`."""
        return f"{self.split}/{self.emotion}/{self.identity:05d}"


@dataclass(frozen=True)
class SequenceFrame:
    """Frame t of a sequence.

    Attributes:
        image: I^f_t, (size, size, 3) uint8 RGB.
        head_image: I^h_t, with the pose of frame t and the expression of frame t - 1 (Eq. 4, read as `Recipe.jaw`
            says); the first frame, which has none before it, stands for its own.
        labels: of the pair (t, t + 1): facial flow to I^f_{t+1}, head flow to I^h_{t+1}. None for the last frame.
    """

    image: Image
    head_image: Image
    labels: Labels | None


def mini_recipe(seed: int = 0) -> DatasetRecipe:
    """Return the recipe of the mini dataset: one small test split."""
    return DatasetRecipe(seed=seed, size=MINI_SIZE, split="test")


def plan_sequence(recipe: DatasetRecipe, head: HeadModel, identity: int) -> Plan:
    """Say what the sequence of an identity is. Lengths and emotions take turns, splits are dealt by chance."""
    if recipe.codes:
        first = recipe.codes[identity].name.split("/")[0].lower()
        emotion = first if first in CATEGORIES else "none"
    else:
        # FLAME's components have no names; what comes out shows no one emotion.
        emotion = "none" if isinstance(head, FlameHead) else CATEGORIES[identity % len(CATEGORIES)]
    block, place = divmod(identity, len(SPLITS))
    dealt = np.random.default_rng([recipe.seed, 300, block]).permutation(len(SPLITS))
    return Plan(
        identity=identity,
        split=recipe.split or SPLITS[dealt[place]],
        emotion=emotion,
        frames=LENGTHS[identity % len(LENGTHS)],
        seed=int(np.random.default_rng([recipe.seed, 301, identity]).integers(2**31)),
    )


def stage(recipe: DatasetRecipe, head: HeadModel, plan: Plan) -> tuple[Scene, list[Frame]]:
    """Make the scene of a sequence and what the head does in its frames (Eqs. 2 and 3)."""
    rng = np.random.default_rng([plan.seed, 3])
    if recipe.codes and isinstance(head, FlameHead):
        code = recipe.codes[plan.identity]
        look, style = sample_appearance(rng, None, None), sample_style(rng)
        person = make_person(head, code.identity(), look, style, textures=recipe.textures)
        target = code.target(head)
    else:
        person = sample_person(head, plan.seed, textures=recipe.textures)
        drawn = isinstance(head, FlameHead)
        target = flame_target(rng, head) if drawn else sample_frame(rng, person, plan.emotion)
    scene = sample_scene(person, plan.seed, recipe.size, recipe.size, recipe.backgrounds)
    return scene, sequence(target, np.linspace(0, 1, plan.frames))


def flame_target(rng: np.random.Generator, head: HeadModel, pose: float = 1.0) -> Frame:
    """Draw the end of a sequence for a FLAME head: the components that EMOCA estimates, a jaw, a look aside, a pose."""
    expression = np.zeros(len(head.expression_names))
    index = {name: i for i, name in enumerate(head.expression_names)}
    expression[:50] = np.clip(rng.standard_normal(50), -2.5, 2.5) * rng.uniform(0.3, 1.0)
    expression[index["jaw_x"]] = abs(rng.normal(0, 0.12))
    up, aside = rng.normal(0, 0.08), rng.normal(0, 0.12)
    for side in "lr":
        expression[index[f"eye_{side}_x"]], expression[index[f"eye_{side}_y"]] = up, aside
    return Frame(expression, sample_pose(rng, pose))


def render_sequence(
    recipe: DatasetRecipe, head: HeadModel, plan: Plan, renderer: Renderer = RASTER
) -> Iterator[SequenceFrame]:
    """Render the frames of a sequence in their order; every frame is drawn once, and its head partner once."""
    scene, frames = stage(recipe, head, plan)
    units_of_pose = head.units_of_pose(recipe.jaw)
    current = render_frame(scene, frames[0], 0, renderer)
    head_image = current.image
    for number, (frame, following) in enumerate(itertools.pairwise(frames), start=1):
        after = render_frame(scene, following, number, renderer)
        partner = render_frame(scene, following.partner(frame, units_of_pose), number, renderer)
        labels = renderer.label(scene, current, after, partner.projected)
        yield SequenceFrame(current.image, head_image, labels)
        current, head_image = after, partner.image
    yield SequenceFrame(current.image, head_image, None)
