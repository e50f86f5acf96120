"""What a head looks like: skin, brows, lips, hair, beard, cloth and eyes, drawn into textures from a few numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.synth.bake import FloatImage, landmark_uv, region_maps, smooth_field
from ffbench.synth.head import FloatArray, HeadModel, Region
from ffbench.synth.shading import Texture, vertex_normals

Colour = tuple[float, float, float]

# sRGB from the lightest to the darkest skin.
SKIN_TONES = np.array(
    [
        [0.93, 0.76, 0.68], [0.90, 0.71, 0.60], [0.82, 0.61, 0.48],
        [0.69, 0.48, 0.36], [0.51, 0.34, 0.25], [0.36, 0.24, 0.18],
    ]
)  # fmt: skip
HAIR_COLOURS = np.array(
    [
        [0.05, 0.04, 0.04], [0.12, 0.08, 0.06], [0.24, 0.15, 0.10], [0.38, 0.25, 0.15],
        [0.66, 0.52, 0.33], [0.45, 0.22, 0.12], [0.55, 0.54, 0.52],
    ]
)  # fmt: skip
IRIS_COLOURS = np.array(
    [
        [0.20, 0.11, 0.06], [0.30, 0.18, 0.09], [0.38, 0.32, 0.16],
        [0.34, 0.42, 0.30], [0.36, 0.48, 0.58], [0.44, 0.50, 0.55],
    ]
)  # fmt: skip
DETAIL_SIZE = 512


@dataclass(frozen=True)
class Look:
    """The numbers behind an appearance; colours are sRGB in [0, 1], amounts in [0, 1] unless said otherwise."""

    seed: int
    skin: Colour
    redness: float
    mottling: float
    freckles: float
    moles: int
    pores: float
    gloss: float
    lips: Colour
    eye_shadow: float
    brow_density: float
    brow_width: float
    hair: Colour
    hair_volume: float
    """Thickness of the hair in dm; 0 with `bald`."""
    hairline: float
    bald: bool
    beard: float
    stubble: float
    cloth: Colour
    cloth_pattern: float
    collar: float
    iris: Colour
    pupil: float
    sclera: float


def sample_look(rng: np.random.Generator) -> Look:
    """Draw an appearance over wide ranges."""
    tone = rng.uniform(0, len(SKIN_TONES) - 1)
    low = int(min(tone, len(SKIN_TONES) - 2))
    skin = SKIN_TONES[low] + (tone - low) * (SKIN_TONES[low + 1] - SKIN_TONES[low])
    skin = np.clip(skin * rng.uniform(0.94, 1.06) * (1 + rng.normal(0, 0.025, 3)), 0.08, 0.97)
    # Dark skin seldom comes with fair hair and light eyes.
    darkness = tone / (len(SKIN_TONES) - 1)
    shades = len(HAIR_COLOURS) if darkness < 0.5 else 3
    hair = HAIR_COLOURS[rng.integers(shades)] if rng.random() > 0.1 else HAIR_COLOURS[-1]
    iris = IRIS_COLOURS[rng.integers(len(IRIS_COLOURS) if darkness < 0.4 else 2)]
    lips = skin * np.array([0.86, 0.64, 0.66]) + np.array([0.03, 0.0, 0.01])
    if rng.random() < 0.2:
        lips = 0.5 * lips + 0.5 * np.array([0.62, rng.uniform(0.08, 0.25), rng.uniform(0.12, 0.3)])
    male = rng.random() < 0.5
    bald = bool(male and rng.random() < 0.12)

    def colour(base: FloatArray, spread: float) -> Colour:
        r, g, b = np.clip(base * np.exp(rng.normal(0, spread, 3)) * np.exp(rng.normal(0, spread)), 0.02, 0.97)
        return float(r), float(g), float(b)

    return Look(
        seed=int(rng.integers(2**31)),
        skin=colour(skin, 0.01),
        redness=float(rng.uniform(0.2, 1.0) * (1 - 0.6 * darkness)),
        mottling=float(rng.uniform(0.3, 1.0)),
        freckles=float(rng.beta(0.6, 3) * (1 - darkness)),
        moles=int(rng.poisson(5)),
        pores=float(rng.uniform(0.3, 1.0)),
        gloss=float(rng.uniform(0.08, 0.4)),
        lips=colour(lips, 0.04),
        eye_shadow=float(rng.uniform(0.1, 0.8)),
        brow_density=float(rng.uniform(0.45, 1.0)),
        brow_width=float(rng.uniform(0.7, 1.4)),
        hair=colour(hair, 0.12),
        hair_volume=0.0 if bald else float(rng.uniform(0.03, 0.28)),
        hairline=float(rng.uniform(0.0, 1.0)),
        bald=bald,
        beard=float(rng.uniform(0.5, 1.0)) if male and rng.random() < 0.35 else 0.0,
        stubble=float(rng.uniform(0.0, 0.8)) if male else 0.0,
        cloth=colour(np.full(3, rng.uniform(0.05, 0.75)), 0.22),
        cloth_pattern=float(rng.uniform(0.0, 1.0)),
        collar=float(rng.uniform(0.0, 1.0)),
        iris=colour(iris, 0.12),
        pupil=float(rng.uniform(0.32, 0.55)),
        sclera=float(rng.uniform(0.78, 0.95)),
    )


def hair_shape(head: HeadModel, look: Look, shape: FloatArray) -> FloatArray:
    """Give hair and cloth their thickness: `shape` with its scalp and torso moved outwards, same layout."""
    if look.hair_volume == 0 and look.collar == 0:
        return shape
    count = len(head.template)
    region = head.topology.region
    field = np.stack([region == Region.SCALP, region == Region.TORSO], axis=1).astype(np.float64)
    field = np.clip(smooth_field(head.topology, field, 3) * 1.4 - 0.4, 0, 1)
    rng = np.random.default_rng([look.seed, 1])
    # Unevenness of a few centimetres in size, from waves in random directions.
    waves = np.zeros(count)
    for _ in range(6):
        waves += np.sin(head.template @ rng.normal(0, 4.5, 3) + rng.uniform(0, 2 * np.pi)) / 6
    upper = np.clip((head.template[:, 1] - 7.0) / 1.4, 0, 1)
    thickness = look.hair_volume * field[:, 0] * (0.55 + 0.45 * upper + 0.35 * waves)
    thickness += 0.03 * field[:, 1] * (1 + 0.5 * waves)
    moved = shape.copy()
    moved[:count] += vertex_normals(shape[:count], head.topology.triangles) * np.clip(thickness, 0, None)[:, None]
    return moved


def to_texture(colour: FloatImage, gloss: FloatImage) -> Texture:
    """Pack an sRGB image (H, W, 3) in [0, 1] and gloss (H, W) into (H, W, 4) uint8 as the shader wants it."""
    # The shader squares what it reads to get linear light: sRGB ** 1.1 squared is sRGB ** 2.2.
    packed = np.empty((*gloss.shape, 4), np.uint8)
    packed[..., :3] = np.rint(np.clip(colour, 0, 1) ** 1.1 * 255)
    packed[..., 3] = np.rint(np.clip(gloss, 0, 1) * 255)
    return packed


def _noise(rng: np.random.Generator, size: int, across: int, down: int) -> FloatImage:
    """Smooth noise (size, size) of unit variance at its nodes, `across` by `down` of them."""
    import cv2

    nodes = rng.standard_normal((max(down, 2), max(across, 2)), dtype=np.float32)
    return np.asarray(cv2.resize(nodes, (size, size), interpolation=cv2.INTER_CUBIC))


def _blob(grid: tuple[FloatImage, FloatImage], centre: FloatArray, radius: tuple[float, float]) -> FloatImage:
    u, v = grid
    return np.exp(-(((u - centre[0]) / radius[0]) ** 2) - ((v - centre[1]) / radius[1]) ** 2)


def _mix(base: FloatImage, colour: npt.ArrayLike, share: FloatImage) -> FloatImage:
    return np.asarray(base + share[..., None] * (np.asarray(colour, np.float32) - base))


def paint_skin(head: HeadModel, look: Look, size: int = 1024) -> Texture:
    """Draw the skin texture (size, size, 4) of a look."""
    import cv2

    rng = np.random.default_rng([look.seed, 2])
    maps = region_maps(head, size)
    points = landmark_uv(head, range(68))
    ramp = (np.arange(size, dtype=np.float32) + 0.5) / size
    grid = np.meshgrid(ramp, ramp)
    u, v = grid
    # The unit of length on the face: from the eyes' height down to the chin.
    eyes_v, chin_v = float(points[36:48, 1].mean()), float(points[8, 1])
    unit = chin_v - eyes_v
    fine = size / 1024

    # Skin: large patches of colour, red where blood is near, then pores.
    patches = _noise(rng, size, 14, 14) + 0.6 * _noise(rng, size, 40, 40) + 0.4 * _noise(rng, size, 110, 110)
    tint = _noise(rng, size, 22, 22) + 0.5 * _noise(rng, size, 70, 70)
    colour = np.ones((size, size, 3), np.float32) * np.array(look.skin, np.float32)
    colour *= (1 + 0.02 * look.mottling * patches)[..., None]
    colour *= 1 + 0.015 * look.mottling * tint[..., None] * np.array([0.2, 1.0, 0.8], np.float32)
    red = 0.5 * maps[Region.NOSE] + 0.6 * maps[Region.EARS] + 0.2 * maps[Region.CHIN]
    for cheek in (points[1] * 0.45 + points[31] * 0.55, points[15] * 0.45 + points[35] * 0.55):
        red += 0.8 * _blob(grid, cheek, (0.4 * unit, 0.3 * unit)).astype(np.float32)
    red = np.clip(red * (0.8 + 0.3 * tint), 0, 1) * look.redness
    colour *= 1 + red[..., None] * np.array([0.02, -0.16, -0.14], np.float32)
    for eye in (points[36:42].mean(axis=0), points[42:48].mean(axis=0)):
        shadow = _blob(grid, eye + [0, 0.1 * unit], (0.30 * unit, 0.2 * unit)).astype(np.float32)
        colour *= 1 - look.eye_shadow * shadow[..., None] * np.array([0.16, 0.22, 0.16], np.float32)
    pores = rng.standard_normal((size, size), dtype=np.float32)
    pores = cv2.GaussianBlur(pores, (0, 0), 0.9 * fine) - cv2.GaussianBlur(pores, (0, 0), 2.2 * fine)
    colour *= (1 + 0.16 * look.pores * pores)[..., None]
    gloss = look.gloss * (0.35 + 0.9 * maps[Region.NOSE] + 0.12 * patches)
    gloss += 0.4 * look.gloss * _blob(grid, points[27] - [0, 0.5 * unit], (0.5 * unit, 0.3 * unit))
    gloss = np.asarray(np.clip(gloss * (1 + 0.8 * pores), 0.03, 1), np.float32)
    colour = _spots(rng, look, colour, points, unit, size)

    # Lips, with fine upright lines.
    lip_lines = _noise(rng, size, 420, 60) + 0.6 * _noise(rng, size, 200, 120)
    lip = np.clip(maps[Region.LIPS] * 2.2 - 0.55, 0, 1)
    lip_colour = np.array(look.lips, np.float32) * (1 + 0.05 * lip_lines[..., None])
    colour = np.asarray(colour + (0.9 * lip)[..., None] * (lip_colour - colour))
    gloss = gloss + lip * (0.25 + 0.5 * look.gloss) * (0.8 + 0.3 * lip_lines)
    inner = np.clip(maps[Region.MOUTH] * 1.5 - 0.3, 0, 1) * (1 - lip)
    colour = _mix(colour, [0.35, 0.12, 0.11], inner)

    colour = _beard(rng, look, colour, maps, points, unit, size, lip)
    colour = _brows(rng, look, colour, points, unit, size)
    colour, gloss = _hair(rng, look, colour, gloss, maps, points, unit, size, u)
    colour, gloss = _cloth(rng, look, colour, gloss, maps, u, v, size)
    return to_texture(colour, gloss)


def _spots(
    rng: np.random.Generator, look: Look, colour: FloatImage, points: FloatArray, unit: float, size: int
) -> FloatImage:
    import cv2

    middle = points[27:36].mean(axis=0)
    spots = np.zeros((size, size), np.uint8)
    for _ in range(int(900 * look.freckles)):
        x, y = (middle + rng.normal(0, [0.55 * unit, 0.35 * unit])) * size * 16
        cv2.circle(spots, (int(x), int(y)), int(rng.uniform(6, 22) * size / 1024), int(rng.uniform(40, 160)), -1,
                   cv2.LINE_AA, 4)  # fmt: skip
    for _ in range(look.moles):
        x, y = (middle + rng.normal(0, [0.9 * unit, 0.8 * unit])) * size * 16
        cv2.circle(spots, (int(x), int(y)), int(rng.uniform(16, 50) * size / 1024), int(rng.uniform(90, 220)), -1,
                   cv2.LINE_AA, 4)  # fmt: skip
    share = cv2.GaussianBlur(spots, (0, 0), 0.8).astype(np.float32) / 255
    return _mix(colour, np.array(look.skin) * [0.5, 0.38, 0.32], 0.8 * share)


def _beard(
    rng: np.random.Generator,
    look: Look,
    colour: FloatImage,
    maps: dict[Region, FloatImage],
    points: FloatArray,
    unit: float,
    size: int,
    lip: FloatImage,
) -> FloatImage:
    if look.stubble == 0 and look.beard == 0:
        return colour
    ramp = (np.arange(size, dtype=np.float32) + 0.5) / size
    u, v = np.meshgrid(ramp, ramp)
    centre, mouth = points[33, 0], points[51, 1]
    # The border of the beard falls from the ears to the mouth's corners, and rises again to the nose.
    side = np.abs(u - centre) / unit
    border = mouth + unit * (0.17 - 0.75 * np.clip(side - 0.32, 0, None) + 0.55 * np.clip(side - 0.75, 0, None))
    border = np.where(side < 0.3, points[33, 1] + 0.03 * unit, border) + 0.02 * unit * _noise(rng, size, 40, 40)
    area = np.clip((v - border) / (0.1 * unit), 0, 1) * np.clip((points[8, 1] + 0.25 * unit - v) / (0.2 * unit), 0, 1)
    area = np.asarray(area * (1 - lip) * np.clip((1.35 - side) * 6, 0, 1), np.float32)
    grain = rng.standard_normal((size, size), dtype=np.float32)
    strands = 0.6 * grain + 0.8 * _noise(rng, size, 700 * size // 1024, 160 * size // 1024)
    dark = np.array(look.hair, np.float32) * 0.8 + 0.02
    cover = np.clip(0.3 * look.stubble + 0.25 * look.stubble * strands, 0, 1)
    if look.beard > 0:
        cover = np.maximum(cover, np.clip(look.beard * (0.75 + 0.35 * strands), 0, 1))
    return _mix(colour, dark, area * cover)


def _brows(
    rng: np.random.Generator, look: Look, colour: FloatImage, points: FloatArray, unit: float, size: int
) -> FloatImage:
    import cv2

    hairs = np.zeros((size, size), np.uint8)
    for chain in (points[[21, 20, 19, 18, 17]], points[[22, 23, 24, 25, 26]]):
        outwards = np.sign(chain[-1, 0] - chain[0, 0])
        for _ in range(int(520 * look.brow_density)):
            along = float(rng.beta(1.0, 1.15)) * 4
            k = min(int(along), 3)
            spine = chain[k] + (along - k) * (chain[k + 1] - chain[k])
            half = 0.062 * unit * look.brow_width * (1 - 0.62 * (along / 4) ** 1.5) * (0.75 + 0.25 * min(along, 1))
            across = rng.uniform(-1, 1)
            start = spine + [0, across * half]
            # Hairs stand upright by the nose and lie down towards the temple; lower ones reach up, upper ones down.
            lie = np.clip(along / 2.2, 0, 1)
            turn = np.array([outwards * (0.35 + 0.65 * lie), -(1 - lie) * 0.9 + 0.4 * lie * -across])
            tip = start + turn * unit * rng.uniform(0.05, 0.095)
            a, b = ((p * size - 0.5) * 16 for p in (start, tip))
            cv2.line(hairs, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), int(rng.uniform(90, 255)),
                     1 if size < 1500 else 2, cv2.LINE_AA, 4)  # fmt: skip
    soft = cv2.GaussianBlur(hairs, (0, 0), 5 * size / 1024).astype(np.float32) / 255
    share = np.clip(0.85 * hairs.astype(np.float32) / 255 + 0.35 * soft, 0, 1) * (0.55 + 0.45 * look.brow_density)
    return _mix(colour, np.array(look.hair) * 0.75, share)


def _hair(
    rng: np.random.Generator,
    look: Look,
    colour: FloatImage,
    gloss: FloatImage,
    maps: dict[Region, FloatImage],
    points: FloatArray,
    unit: float,
    size: int,
    u: FloatImage,
) -> tuple[FloatImage, FloatImage]:
    # Strands fall: fine across, long down; broader locks over them.
    strands = 0.5 * _noise(rng, size, size // 2, size // 24) + 0.5 * _noise(rng, size, size // 5, size // 40)
    locks = _noise(rng, size, size // 20, size // 90)
    ragged = 0.10 * strands + 0.06 * _noise(rng, size, 60, 12)
    cover = np.clip((maps[Region.SCALP] - 0.38 - 0.18 * look.hairline + ragged) * 5, 0, 1)
    if look.bald:
        cover *= 0.25 * np.clip((np.abs(u - 0.5) - 0.2) * 8, 0, 1)
    shine = np.exp(strands * 0.30 + locks * 0.22)
    tone = np.array(look.hair, np.float32) * shine[..., None] + 0.015
    colour = np.asarray(colour + cover[..., None] * (tone - colour))
    return colour, gloss * (1 - cover) + cover * 0.12 * shine


def _cloth(
    rng: np.random.Generator,
    look: Look,
    colour: FloatImage,
    gloss: FloatImage,
    maps: dict[Region, FloatImage],
    u: FloatImage,
    v: FloatImage,
    size: int,
) -> tuple[FloatImage, FloatImage]:
    field = maps[Region.TORSO] + (0.6 * look.collar) * maps[Region.NECK] * np.clip((v - 0.55) * 8, 0, 1)
    cover = np.clip((field - 0.35) * 12, 0, 1)
    weave = 0.03 * rng.standard_normal((size, size), dtype=np.float32) + 0.05 * _noise(rng, size, 30, 30)
    cloth = np.array(look.cloth, np.float32) * (1 + weave)[..., None]
    if look.cloth_pattern > 0.6:
        other = np.clip(np.array(look.cloth) * rng.uniform(0.3, 1.7, 3), 0.02, 0.95).astype(np.float32)
        angle, pitch = rng.uniform(0, np.pi), rng.uniform(60, 240)
        stripes = np.sin((u * np.cos(angle) + v * np.sin(angle)) * pitch) > rng.uniform(-0.5, 0.7)
        cloth = np.where(stripes[..., None], other * (1 + weave)[..., None], cloth)
    # The collar's edge is thick and throws a little shade on the neck.
    shade = np.clip(1 - np.abs(field - 0.35) * 9, 0, 1) * 0.35
    colour = np.asarray(colour + cover[..., None] * (cloth - colour)) * (1 - shade)[..., None]
    return colour, gloss * (1 - cover)


def paint_detail(look: Look, size: int = DETAIL_SIZE) -> Texture:
    """Draw the texture (size, size, 4) of eyes, teeth, tongue and lashes, in the quarters that the mesh uses."""
    import cv2

    rng = np.random.default_rng([look.seed, 3])
    ramp = (np.arange(size, dtype=np.float32) + 0.5) / size
    u, v = np.meshgrid(ramp, ramp)
    radius, around = np.hypot(u - 0.25, v - 0.25) / 0.24, np.arctan2(v - 0.25, u - 0.25)

    # Eye: white with veins, iris with fibres and a dark rim, pupil.
    white = np.array([1.0, 0.965, 0.94], np.float32) * np.float32(look.sclera)
    colour = np.ones((size, size, 3), np.float32) * white
    veins = np.clip(_noise(rng, size, 60, 60) * _noise(rng, size, 25, 25) - 0.6, 0, 1)
    colour *= 1 - np.clip(radius - 0.3, 0, 1)[..., None] * (0.25 + 0.5 * veins[..., None]) * np.array(
        [0.25, 0.75, 0.75], np.float32
    )
    iris_radius = 0.29
    spokes = rng.standard_normal(360).astype(np.float32)
    spokes = spokes + np.roll(spokes, 1)
    angle = np.rint((around + np.pi) / (2 * np.pi) * 359).astype(int)
    fibre = spokes[angle] * 0.16 * np.clip(radius / iris_radius, 0, 1) + 0.12 * _noise(rng, size, 70, 70)
    ring = 1 + 0.5 * np.exp(-(((radius / iris_radius - look.pupil - 0.12) / 0.12) ** 2))
    iris = np.array(look.iris, np.float32) * ((1 + fibre) * ring)[..., None]
    iris *= (1 - 0.75 * np.clip((radius / iris_radius - 0.82) / 0.18, 0, 1))[..., None]
    colour = np.asarray(colour + np.clip((iris_radius - radius) * 30, 0, 1)[..., None] * (iris - colour))
    colour *= (1 - np.clip((look.pupil * iris_radius - radius) * 40, 0, 0.96))[..., None]
    gloss = np.full((size, size), 0.9, np.float32)

    # Teeth: twelve across, dark between, a little yellow towards the gums, gums above and below.
    right = (u >= 0.5) & (v < 0.5)
    tooth = np.abs(np.sin((u - 0.52) / 0.46 * np.pi * 12))
    height = np.where(v < 0.25, (v - 0.02) / 0.22, 1 - (v - 0.26) / 0.22)
    enamel = np.array([0.93, 0.89, 0.80], np.float32) * (0.55 + 0.45 * np.clip(tooth * 3, 0, 1))[..., None]
    gum = np.clip((0.3 - height) * 12, 0, 1)
    teeth = _mix(enamel, [0.62, 0.30, 0.29], gum.astype(np.float32))
    colour = np.where(right[..., None], teeth, colour)
    gloss = np.where(right, 0.35, gloss)

    tongue = (u < 0.5) & (v >= 0.5)
    flesh = np.array([0.62, 0.32, 0.31], np.float32) * (1 + 0.08 * _noise(rng, size, 160, 160))[..., None]
    colour = np.where(tongue[..., None], flesh, colour)
    gloss = np.where(tongue, 0.25, gloss)

    lashes = (u >= 0.5) & (v >= 0.5)
    dark = np.array(look.hair, np.float32) * 0.3 + 0.01
    colour = np.where(lashes[..., None], dark, colour)
    gloss = np.where(lashes, 0.0, gloss)
    return to_texture(np.asarray(cv2.GaussianBlur(colour, (0, 0), 0.7), np.float32), gloss.astype(np.float32))
