"""A scene and its frames: one person before one still background, seen by one camera."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from ffbench.datasets.mark import JawReading
from ffbench.synth.appearance.chart import chart
from ffbench.synth.appearance.hair import dress
from ffbench.synth.appearance.look import Appearance, sample_appearance
from ffbench.synth.appearance.paint_detail import paint_detail
from ffbench.synth.appearance.painting import paint_skin, pyramid
from ffbench.synth.appearance.photo import cut_background, skin_color
from ffbench.synth.heads.head import FloatArray, HeadModel, Pose
from ffbench.synth.heads.normals import vertex_normals
from ffbench.synth.motion.expressions import CATEGORIES, Frame, Style, gaze, sample_style, sample_target
from ffbench.synth.render.bake import openness
from ffbench.synth.render.camera import Camera, Projected
from ffbench.synth.render.labels import Labels, label_pair
from ffbench.synth.render.raster import ZBuffer, rasterize_supersampled
from ffbench.synth.render.sensor import Sensor, sample_sensor
from ffbench.synth.render.shading import Light, Texture, light_vertices, shade
from ffbench.synth.scenes.background import FloatImage, sample_background
from ffbench.synth.scenes.image_folder import ImageFolder
from ffbench.typing import Image


@dataclass(frozen=True)
class Person:
    """Someone who can be filmed: a shape, an appearance drawn into textures, and a way to show expressions.

    `skin` holds the same texture at full size, at half of it, and so on.
    """

    head: HeadModel
    shape: FloatArray
    skin: tuple[Texture, ...]
    detail: Texture
    style: Style


@dataclass(frozen=True)
class Scene:
    """A person, the light, the camera and a background (H, W, 3) in linear RGB that stands still."""

    person: Person
    light: Light
    camera: Camera
    background: FloatImage
    sensor: Sensor
    seed: int


@dataclass(frozen=True)
class PosedMesh:
    """The mesh of a frame: its vertices (V, 3) in the head's axes, in the image, and where it is seen."""

    vertices: FloatArray
    projected: Projected
    seen: ZBuffer


@dataclass(frozen=True)
class RenderedFrame:
    """An image (H, W, 3) uint8 RGB, the 68 landmarks (68, 2) in it, and the mesh that it shows."""

    image: Image
    landmarks: FloatArray
    projected: Projected
    seen: ZBuffer


@dataclass(frozen=True)
class RenderedPair:
    """Two frames, the head partner of the second when it was asked for, and the ground truth."""

    frame1: RenderedFrame
    frame2: RenderedFrame
    partner: RenderedFrame | None
    labels: Labels


def sample_person(head: HeadModel, seed: int, texture_size: int = 768, textures: ImageFolder | None = None) -> Person:
    """Draw a person; the same seed gives the same one everywhere.

    Args:
        head: the head model.
        seed: of shape, appearance and style.
        texture_size: height and width of the skin's texture.
        textures: skins to draw from (`list_textures`); None paints one.
    """
    rng = np.random.default_rng([seed, 0])
    identity = head.sample_identity(rng)
    look = sample_appearance(rng, *head.traits(identity))
    style = sample_style(rng)
    return make_person(head, identity, look, style, texture_size, textures)


def make_person(
    head: HeadModel,
    identity: FloatArray,
    look: Appearance,
    style: Style,
    texture_size: int = 768,
    textures: ImageFolder | None = None,
) -> Person:
    """Make a person of known numbers; which of `textures` is the skin follows from the seed of the look."""
    photo = None
    if textures is not None:
        name = textures.pick(np.random.default_rng([look.seed, 4]))
        photo = skin_color(textures.read(name), texture_size)
    return Person(
        head=head,
        shape=dress(head, look, head.shape(identity)),
        skin=pyramid(paint_skin(head, look, texture_size, photo)),
        detail=paint_detail(look),
        style=style,
    )


def sample_light(rng: np.random.Generator) -> Light:
    """Draw the light of a room: a lamp or window, something opposite, and light from all around."""

    def tint(spread: float) -> FloatArray:
        warmth = rng.normal(0, spread)
        return np.array([1 + warmth, 1.0, 1 - warmth])

    key = np.array([rng.normal(0, 0.6), rng.uniform(-0.1, 0.9), rng.uniform(0.35, 1.0)])
    fill = np.array([-np.sign(key[0]) * rng.uniform(0.3, 1.2), rng.uniform(-0.3, 0.6), rng.uniform(0.0, 1.0)])
    directions = np.stack([key, fill])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    ambient, strength = rng.uniform(0.12, 0.5), rng.uniform(0.35, 1.0)
    slope = ambient * np.stack([rng.normal([0, 0.25, 0.15], 0.15) for _ in range(3)])
    return Light(
        ambient=ambient * tint(0.06),
        slope=slope,
        directions=directions,
        colors=np.stack([strength * tint(0.1), rng.uniform(0, 0.45) * tint(0.12)]),
        shadows=bool(rng.random() < 0.7),
    )


def sample_camera(rng: np.random.Generator, head: HeadModel, height: int, width: int) -> Camera:
    """Draw a portrait camera: from brow to chin the face takes 32 to 62 per cent of the image's shorter side."""
    distance = float(rng.uniform(6, 16))
    points = head.landmarks(head.template)
    middle = points[27:36].mean(axis=0)
    share = rng.uniform(0.32, 0.62)
    focal = share * min(height, width) / (points[19, 1] - points[8, 1]) * distance
    shift = np.clip(rng.normal(0, [0.16, 0.12]), -0.4, 0.4) / share * 0.45
    target = (float(middle[0] + shift[0]), float(middle[1] + shift[1]), float(middle[2] - 0.6))
    tilt = (float(rng.normal(0, 0.06)), float(rng.normal(0, 0.1)), float(rng.normal(0, 0.02)))
    return Camera(height, width, focal, distance, target, tilt)


def sample_pose(rng: np.random.Generator, amount: float = 1.0) -> Pose:
    """Draw a pose: `amount` 1 gives turns of about ten degrees."""
    neck = rng.normal(0, [0.11, 0.19, 0.08]) * amount
    return Pose(
        neck=np.clip(neck, -0.6, 0.6),
        rotation=rng.normal(0, [0.02, 0.04, 0.02]) * amount,
        translation=rng.normal(0, [0.08, 0.05, 0.08]) * amount,
    )


def metered(person: Person, light: Light) -> float:
    """Factor of the exposure that a light meter gives a face; it makes up for half of the stops that are missing."""
    texture = person.skin[-1]
    size = len(texture)
    left, top = (chart(person.head).points[31] * size).astype(int)
    right, bottom = (chart(person.head).points[45] * size).astype(int)
    face = texture[min(top, bottom) : max(top, bottom) + 1, min(left, right) : max(left, right) + 1, :3] / 255.0
    level = float((face**2).mean() * (light.ambient.mean() + 0.6 * light.colors.sum(axis=0).mean()))
    return float((0.3 / max(level, 0.01)) ** 0.5)


def sample_frame(rng: np.random.Generator, person: Person, category: str | None = None, pose: float = 1.0) -> Frame:
    """Draw what a person does at the end of a sequence: an expression, a look aside, a pose."""
    names = person.head.expression_names
    chosen = category if category is not None else str(rng.choice(CATEGORIES))
    expression = sample_target(rng, names, chosen, person.style, float(rng.uniform(0.5, 1.15)))
    if rng.random() < 0.4:
        expression = np.clip(expression + gaze(names, *np.clip(rng.normal(0, 0.4, 2), -0.9, 0.9)), 0, 1)
    return Frame(expression, sample_pose(rng, pose))


def sample_scene(
    person: Person, seed: int, height: int = 512, width: int = 512, backgrounds: ImageFolder | None = None
) -> Scene:
    """Draw a scene around a person; the same seed gives the same one everywhere.

    Args:
        person: from `sample_person`.
        seed: of light, camera, background and sensor.
        height, width: of the images.
        backgrounds: photographs to cut the background from (`list_backgrounds`); None paints one.
    """
    rng = np.random.default_rng([seed, 1])
    light, sensor = sample_light(rng), sample_sensor(rng)
    return Scene(
        person=person,
        light=light,
        camera=sample_camera(rng, person.head, height, width),
        background=sample_backdrop(rng, height, width, backgrounds),
        sensor=replace(sensor, exposure=sensor.exposure * metered(person, light)),
        seed=seed,
    )


def sample_backdrop(rng: np.random.Generator, height: int, width: int, backgrounds: ImageFolder | None) -> FloatImage:
    """Draw a background (H, W, 3) in linear RGB: part of a photograph, or painted where there are none."""
    if backgrounds is None:
        return sample_background(rng, height, width)
    return cut_background(rng, backgrounds.read(backgrounds.pick(rng)), height, width)


class Renderer(ABC):
    """What draws the light of a frame. Pose, camera, sensor and labels are the engine's, whoever draws.

    Attributes:
        name: for manifests; of the same name, the same scene and frame give the same image.
    """

    name: str

    @abstractmethod
    def draw(self, scene: Scene, posed: PosedMesh, number: int) -> FloatImage:
        """Draw what reaches the sensor, (H, W, 3) linear RGB; `number`, of the frame, seeds what is drawn by chance."""

    def label(self, scene: Scene, first: RenderedFrame, second: RenderedFrame, partner: Projected) -> Labels:
        """Make the labels of two frames; `partner` is the head partner of the second."""
        topology, camera = scene.person.head.topology, scene.camera
        return label_pair(topology, camera, first.projected, second.projected, partner, first.seen, second.seen)


class Raster(Renderer):
    """The engine's own rasteriser."""

    name = "raster"

    def draw(self, scene: Scene, posed: PosedMesh, number: int) -> FloatImage:
        """Draw a frame."""
        person, camera = scene.person, scene.camera
        head, topology = person.head, person.head.topology
        normals = vertex_normals(posed.vertices, topology.triangles)
        diffuse, share = light_vertices(posed.vertices, normals, topology, openness(head), scene.light)
        # About one texel a pixel: more would flicker as it moves, fewer blur.
        texels = chart(head).high * len(person.skin[0]) / (camera.focal / camera.distance)
        level = min(max(round(np.log2(texels)), 0), len(person.skin) - 1)
        return shade(
            topology,
            posed.projected,
            posed.seen,
            diffuse,
            share,
            normals,
            scene.light,
            person.skin[level],
            person.detail,
            scene.background,
        )


RASTER = Raster()


def render_frame(scene: Scene, frame: Frame, number: int = 0, renderer: Renderer = RASTER) -> RenderedFrame:
    """Render one frame; `number` seeds its noise, so that every frame of a scene has its own."""
    person, camera, topology = scene.person, scene.camera, scene.person.head.topology
    vertices = person.head.pose(person.shape, frame.expression, frame.pose)
    projected = camera.project(vertices)
    seen = rasterize_supersampled(
        projected.xy, projected.depth, topology.triangles, camera.height, camera.width, topology.two_sided
    )
    light = renderer.draw(scene, PosedMesh(vertices, projected, seen), number)
    image = scene.sensor.record(light, np.random.default_rng([scene.seed, 2, number]))
    return RenderedFrame(image, person.head.landmarks(projected.xy), projected, seen)


def render_pair(
    scene: Scene,
    frame1: Frame,
    frame2: Frame,
    number: int = 0,
    with_partner: bool = False,
    renderer: Renderer = RASTER,
    jaw: JawReading = "expression",
) -> RenderedPair:
    """Render two frames and make their ground truth (paper, section 3).

    Args:
        scene: who, where and how.
        frame1, frame2: what the head does in them.
        number: of the first frame, for the noise.
        with_partner: whether the image of the head partner (Eq. 4) is wanted too.
        renderer: what draws the images.
        jaw: how the head flow reads Eq. 4: whether the jaw stays with the expression or goes with the pose.
    """
    first = render_frame(scene, frame1, number, renderer)
    second = render_frame(scene, frame2, number + 1, renderer)
    partner = frame2.partner(frame1, scene.person.head.units_of_pose(jaw))
    image = render_frame(scene, partner, number + 1, renderer) if with_partner else None
    person = scene.person
    projected = (
        image.projected
        if image is not None
        else scene.camera.project(person.head.pose(person.shape, partner.expression, partner.pose))
    )
    return RenderedPair(first, second, image, renderer.label(scene, first, second, projected))
