"""Drawing a look into textures: the sheet of skin with hair and cloth, and the sheet of eyes, teeth and tongue."""

from __future__ import annotations

import functools

import numba
import numpy as np
import numpy.typing as npt

from ffbench.synth.appearance import Look
from ffbench.synth.bake import FloatImage, region_maps
from ffbench.synth.chart import Chart, chart
from ffbench.synth.head import FloatArray, HeadModel, Region
from ffbench.synth.shading import Texture

DETAIL_SIZE = 384


class _Sheet:
    """A square sheet under way: colour (N, N, 3) and gloss (N, N) in [0, 1], and what is needed to draw on it."""

    def __init__(self, head: HeadModel, look: Look, size: int) -> None:
        self.look, self.size = look, size
        self.chart: Chart = chart(head)
        self.maps = region_maps(head, size)
        self.rng = np.random.default_rng([look.seed, 2])
        ramp = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
        self.u, self.v = ramp[None, :], ramp[:, None]
        self.colour = np.empty((size, size, 3), np.float32)
        self.colour[:] = np.array(look.skin, np.float32)
        self.gloss = np.zeros((size, size), np.float32)

    def noise(self, kind: str) -> FloatImage:
        """One of the stored patterns, shifted at random."""
        pattern = _patterns(self.size)[kind]
        down, right = self.rng.integers(self.size, size=2)
        return np.roll(pattern, (int(down), int(right)), (0, 1))

    def window(self, low: FloatArray, high: FloatArray) -> tuple[slice, slice]:
        """The part of the sheet between two corners (u, v), in rows and columns."""
        (left, top), (right, bottom) = (np.clip(corner * self.size, 0, self.size).astype(int) for corner in (low, high))
        return slice(int(top), int(bottom)), slice(int(left), int(right))

    def blob(self, centre: FloatArray, width: float, height: float, part: tuple[slice, slice]) -> FloatImage:
        """A soft spot with radii in dm."""
        across = (self.u[:, part[1]] - np.float32(centre[0])) / np.float32(width * self.chart.wide)
        down = (self.v[part[0]] - np.float32(centre[1])) / np.float32(height * self.chart.high)
        return np.asarray(np.exp(-across * across) * np.exp(-down * down))

    def mix(self, colour: npt.ArrayLike, share: FloatImage, part: tuple[slice, slice] | None = None) -> None:
        """Cover a part of the sheet with a colour, or an image of colours, by a share (h, w)."""
        target = self.colour if part is None else self.colour[part]
        target += share[..., None] * (np.asarray(colour, np.float32) - target)


@functools.lru_cache(maxsize=4)
def _patterns(size: int) -> dict[str, FloatImage]:
    """Noise that tiles, of about unit variance, made once: by name, (size, size) each."""
    import cv2

    rng = np.random.default_rng(20240)

    def smooth(across: int, down: int) -> FloatImage:
        nodes = rng.standard_normal((max(down, 2), max(across, 2)), dtype=np.float32)
        tiled = np.tile(nodes, (2, 2))
        image = cv2.resize(tiled, (2 * size, 2 * size), interpolation=cv2.INTER_CUBIC)
        return np.asarray(image[size // 2 : size // 2 + size, size // 2 : size // 2 + size])

    grain = rng.standard_normal((size, size), dtype=np.float32)
    fine = size / 1024
    wrapped = np.pad(grain, 16, mode="wrap")
    band = cv2.GaussianBlur(wrapped, (0, 0), 0.9 * fine + 0.2) - cv2.GaussianBlur(wrapped, (0, 0), 2.4 * fine + 0.4)
    pores = band[16:-16, 16:-16]
    strands = 0.65 * smooth(size // 2, size // 24) + 0.75 * smooth(size // 5, size // 40)
    return {
        "grain": grain,
        "pores": np.asarray(pores / pores.std(), np.float32),
        "patches": 0.7 * smooth(14, 14) + 0.5 * smooth(40, 40) + 0.4 * smooth(110, 110),
        "tint": 0.85 * smooth(22, 22) + 0.5 * smooth(70, 70),
        "strands": strands,
        "locks": 0.8 * smooth(size // 18, size // 80) + 0.6 * smooth(size // 40, size // 120),
        "lines": 0.8 * smooth(size * 2 // 5, size // 16) + 0.5 * smooth(size // 5, size // 8),
        "ragged": 0.7 * smooth(60, 12) + 0.7 * smooth(150, 20),
        "folds": 0.8 * smooth(26, 9) + 0.6 * smooth(60, 18),
    }


def paint_skin(head: HeadModel, look: Look, size: int = 768, photo: FloatImage | None = None) -> Texture:
    """Draw the skin texture (size, size, 4) of a look.

    Args:
        head: whose skin it is.
        look: its numbers.
        size: height and width.
        photo: (size, size, 3), colour of the skin (`photo.skin_colour`). It brings its own spots, lips, beard and
            brows; gloss, hair and cloth are those of the look.
    """
    sheet = _Sheet(head, look, size)
    _paint_skin_tone(sheet)
    if photo is None:
        _paint_spots(sheet)
    _paint_lips(sheet)
    if photo is None:
        _paint_beard(sheet)
        _paint_brows(sheet)
    else:
        sheet.colour[:] = photo
    _paint_hair(sheet)
    _paint_cloth(sheet)
    return _pack(sheet.colour, sheet.gloss)


def pyramid(texture: Texture, levels: int = 4) -> tuple[Texture, ...]:
    """Give a texture at full size, at half of it, and so on."""
    import cv2

    result = [texture]
    while len(result) < levels and len(result[-1]) % 2 == 0 and len(result[-1]) >= 64:
        half = len(result[-1]) // 2
        result.append(np.asarray(cv2.resize(result[-1], (half, half), interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(result)


def _pack(colour: FloatImage, gloss: FloatImage) -> Texture:
    """Put colour (H, W, 3) and gloss (H, W) in [0, 1] into (H, W, 4) uint8.

    The shader squares the colour to get light, which takes sRGB for a gamma of 2: near enough for paint.
    """
    import cv2

    packed = np.empty((*gloss.shape, 4), np.uint8)
    # Rounds, and saturates at 255; what is a shade below zero becomes a shade above.
    packed[..., :3] = cv2.convertScaleAbs(colour, alpha=255)
    packed[..., 3] = cv2.convertScaleAbs(gloss, alpha=255)
    return packed


@numba.njit(cache=True, fastmath=True)
def _tone(colour, patches, tint, red, pores, mottling, coarseness):  # type: ignore[no-untyped-def]
    """Colour of bare skin out of its patterns, in place."""
    for y in range(colour.shape[0]):
        for x in range(colour.shape[1]):
            value = (np.float32(1) + np.float32(0.022) * mottling * patches[y, x]) * (
                np.float32(1) + np.float32(0.02) * coarseness * pores[y, x]
            )
            warm = np.float32(0.014) * mottling * tint[y, x]
            blood = red[y, x]
            colour[y, x, 0] *= value * (1 + np.float32(0.2) * warm) * (1 + np.float32(0.02) * blood)
            colour[y, x, 1] *= value * (1 + warm) * (1 - np.float32(0.13) * blood)
            colour[y, x, 2] *= value * (1 + np.float32(0.8) * warm) * (1 - np.float32(0.11) * blood)


def _paint_skin_tone(sheet: _Sheet) -> None:
    look, points = sheet.look, sheet.chart.points
    tint, pores = sheet.noise("tint"), sheet.noise("pores")
    # Blood shows where it is near: cheeks, nose, ears, chin.
    everything = (slice(None), slice(None))
    red = 0.45 * sheet.maps[Region.NOSE] + 0.5 * sheet.maps[Region.EARS] + 0.2 * sheet.maps[Region.CHIN]
    for cheek in (points[1] * 0.4 + points[31] * 0.6, points[15] * 0.4 + points[35] * 0.6):
        red += np.float32(0.7) * sheet.blob(cheek, 0.3, 0.28, everything)
    red = np.clip(red * (np.float32(0.8) + np.float32(0.3) * tint), 0, 1) * np.float32(look.redness)
    mottling, coarseness = np.float32(look.mottling), np.float32(look.pores)
    _tone(sheet.colour, sheet.noise("patches"), tint, red, pores, mottling, coarseness)
    for eye in (points[36:42].mean(axis=0), points[42:48].mean(axis=0)):
        part = sheet.window(eye - np.array([0.08, 0.12]), eye + np.array([0.08, 0.12]))
        shadow = np.float32(look.eye_shadow) * sheet.blob(
            eye + np.array([0, 0.07 * sheet.chart.high]), 0.26, 0.15, part
        )
        sheet.colour[part] *= 1 - shadow[..., None] * np.array([0.17, 0.23, 0.19], np.float32)
    forehead = points[27] - [0, 0.45 * sheet.chart.high]
    gloss = 0.3 + 0.8 * sheet.maps[Region.NOSE] + 0.5 * sheet.blob(forehead, 0.5, 0.25, everything)
    sheet.gloss += np.float32(0.5 * look.gloss) * gloss * (1 + np.float32(0.35) * pores + np.float32(0.25) * tint)
    np.clip(sheet.gloss, 0.015, 1, out=sheet.gloss)


def _paint_spots(sheet: _Sheet) -> None:
    import cv2

    look, rng, size = sheet.look, sheet.rng, sheet.size
    middle = sheet.chart.points[27:36].mean(axis=0)
    spots = np.zeros((size, size), np.uint8)

    def dot(spread: tuple[float, float], radius: float, strength: float) -> None:
        x, y = (middle + rng.normal(0, spread) * sheet.chart.scale) * size * 16
        cv2.circle(spots, (int(x), int(y)), int(radius * 16 * size * sheet.chart.high), strength, -1, cv2.LINE_AA, 4)

    for _ in range(int(700 * look.freckles)):
        dot((0.5, 0.32), rng.uniform(0.003, 0.011), rng.uniform(40, 150))
    for _ in range(look.moles):
        dot((0.8, 0.6), rng.uniform(0.006, 0.014), rng.uniform(70, 190))
    part = sheet.window(middle - 0.35, middle + 0.35)
    share = cv2.GaussianBlur(spots[part], (0, 0), 0.7).astype(np.float32) * np.float32(0.8 / 255)
    sheet.mix(np.array(look.skin) * [0.55, 0.42, 0.36], share, part)


def _paint_lips(sheet: _Sheet) -> None:
    look, points = sheet.look, sheet.chart.points[48:60]
    part = sheet.window(points.min(axis=0) - 0.03, points.max(axis=0) + 0.03)
    lines = sheet.noise("lines")[part]
    lips = np.clip(sheet.maps[Region.LIPS][part] * 1.9 - np.float32(0.45), 0, 1)
    inside = np.clip(sheet.maps[Region.MOUTH][part] * 1.5 - np.float32(0.3), 0, 1) * (1 - lips)
    sheet.mix([0.36, 0.14, 0.13], inside, part)
    colour = np.array(look.lips, np.float32) * (1 + np.float32(0.05) * lines[..., None])
    sheet.mix(colour, np.float32(0.88) * lips, part)
    sheet.gloss[part] += lips * np.float32(0.06 + 0.3 * look.gloss) * (1 + np.float32(0.4) * lines)


def _paint_beard(sheet: _Sheet) -> None:
    look, points, scale = sheet.look, sheet.chart.points, sheet.chart
    if look.stubble == 0 and look.beard == 0:
        return
    part = sheet.window(points[0:17].min(axis=0), points[0:17].max(axis=0) + np.array([0, 0.25 * scale.high]))
    side = np.abs(sheet.u[:, part[1]] - points[33, 0]) / scale.wide
    # The border falls from the sideburns to the cheeks and rises again over the upper lip.
    nose, mouth = points[33, 1], points[48, 1]
    ear = float(np.abs(points[0, 0] - points[33, 0])) / scale.wide
    corners = [0.0, 0.2, 0.33, 0.5, 0.7 * ear, 0.92 * ear, ear]
    rows = np.array([nose + 0.05, nose + 0.05, mouth - 0.06, mouth - 0.02, mouth - 0.1, mouth - 0.45, mouth - 0.6])
    rows = np.array([nose, nose, *[mouth] * 5]) + scale.high * (rows - [nose, nose, *[mouth] * 5])
    border = np.interp(side, corners, rows).astype(np.float32)
    rough = np.float32(0.02 * scale.high) * sheet.noise("ragged")[part]
    area = np.clip((sheet.v[part[0]] - border + rough) / np.float32(0.07 * scale.high), 0, 1)
    area *= np.clip(
        (np.float32(points[8, 1] + 0.12 * scale.high) - sheet.v[part[0]]) / np.float32(0.12 * scale.high), 0, 1
    )
    area *= 1 - np.clip(sheet.maps[Region.LIPS][part] * 1.9 - np.float32(0.45), 0, 1)
    hairs = np.float32(0.6) * sheet.noise("grain")[part] + np.float32(0.6) * sheet.noise("lines")[part]
    cover = np.clip(np.float32(look.stubble) * (np.float32(0.25) + np.float32(0.2) * hairs), 0, 1)
    if look.beard > 0:
        cover = np.maximum(cover, np.clip(np.float32(look.beard) * (np.float32(0.8) + np.float32(0.25) * hairs), 0, 1))
    sheet.mix(np.array(look.hair) * 0.8 + 0.02, area * cover, part)
    sheet.gloss[part] *= 1 - np.float32(0.8) * area * cover


def _paint_brows(sheet: _Sheet) -> None:
    import cv2

    look, rng, size, scale = sheet.look, sheet.rng, sheet.size, sheet.chart.scale
    points = sheet.chart.points
    hairs = np.zeros((size, size), np.uint8)
    count = int(90 + 330 * look.brow_density)
    for chain in (points[[21, 20, 19, 18, 17]], points[[22, 23, 24, 25, 26]]):
        outwards = np.sign(chain[-1, 0] - chain[0, 0])
        along = rng.beta(1.0, 1.1, count) * 4
        spine = np.stack([np.interp(along, np.arange(5), column) for column in chain.T], axis=1)
        half = 0.05 * look.brow_width * (1 - 0.65 * (along / 4) ** 1.6) * (0.7 + 0.3 * np.minimum(along, 1))
        across = np.clip(rng.normal(0, 0.5, count), -1, 1)
        start = spine + np.stack([np.zeros(count), across * half], axis=1) * scale
        # Hairs stand up by the nose and lie down towards the temple; lower ones rise, upper ones fall.
        lie = np.minimum(along / 2.0, 1.0)
        turn = np.stack([outwards * (0.4 + 0.6 * lie), -(1 - lie) * 0.8 - lie * 0.25 * across + lie * 0.1], axis=1)
        tip = start + turn * scale * rng.uniform(0.04, 0.085, (count, 1))
        lines = ((np.stack([start, tip], axis=1) * size - 0.5) * 16).astype(np.int32)
        for shade, group in zip((90, 130, 170, 220), np.array_split(lines, 4), strict=True):
            cv2.polylines(hairs, list(group), False, shade, 1, cv2.LINE_AA, 4)
    ten = points[17:27]
    part = sheet.window(ten.min(axis=0) - 0.04, ten.max(axis=0) + 0.04)
    soft = cv2.GaussianBlur(hairs[part], (0, 0), 6 * size / 1024).astype(np.float32)
    share = np.clip(np.float32(0.7 / 255) * hairs[part] + np.float32(0.4 / 255) * soft, 0, 1)
    share *= np.float32(0.5 + 0.45 * look.brow_density)
    sheet.mix(np.array(look.hair) * 0.8, share, part)
    sheet.gloss[part] *= 1 - share


def _paint_hair(sheet: _Sheet) -> None:
    look = sheet.look
    strands, locks = sheet.noise("strands"), sheet.noise("locks")
    columns = sheet.chart.hair(look, sheet.u, np.zeros(1)) * sheet.chart.high
    depth = (columns.astype(np.float32) - sheet.v) / np.float32(sheet.chart.high)
    ragged = {"bald": 0.05, "buzz": 0.02, "short": 0.05, "full": 0.08, "long": 0.05}[look.hair_style]
    depth += np.float32(ragged) * (np.float32(0.6) * strands + np.float32(0.7) * sheet.noise("ragged"))
    soft = {"bald": 0.5, "buzz": 0.16}.get(look.hair_style, 0.07)
    cover = np.clip(depth / np.float32(soft), 0, 1) * (1 - np.clip(sheet.maps[Region.EARS] * 2 - np.float32(0.5), 0, 1))
    if look.hair_style in ("bald", "buzz"):
        cover *= np.float32(0.35 if look.hair_style == "bald" else 0.75) + np.float32(0.15) * sheet.noise("grain")
        np.clip(cover, 0, 1, out=cover)
    # Long locks and short strands catch the light; the roots at the hair line are darker.
    shine = 1 + np.float32(0.26) * strands + np.float32(0.2) * locks - np.float32(0.3) * np.exp(-np.abs(depth) * 12)
    np.clip(shine, 0.25, 2, out=shine)
    sheet.mix(np.array(look.hair, np.float32) * shine[..., None] + np.float32(0.012), cover)
    sheet.gloss += cover * (np.float32(0.07) * shine - sheet.gloss)


def _paint_cloth(sheet: _Sheet) -> None:
    look, rng, points, scale = sheet.look, sheet.rng, sheet.chart.points, sheet.chart
    # The edge of the collar runs round the neck, lower in front for a V or a wide neck.
    side = np.abs(sheet.u - np.float32(0.5))
    height = points[8, 1] + (0.62 - 0.42 * look.collar) * scale.high
    drop = rng.choice([0.05, 0.16, 0.4], p=[0.4, 0.4, 0.2]) * (1 - 0.7 * look.collar)
    edge = height + scale.high * drop * np.exp(-((side / 0.09) ** 2)) - scale.high * 0.1 * np.clip(side * 4 - 0.6, 0, 1)
    depth = (sheet.v - edge.astype(np.float32)) / np.float32(scale.high)
    top = int(np.argmax(depth.max(axis=1) > -0.2))
    part = (slice(top, None), slice(None))
    depth = depth[part]
    cover = np.clip(depth / np.float32(0.012), 0, 1)
    folds, grain = sheet.noise("folds")[part], sheet.noise("grain")[part]
    weave = 1 + np.float32(0.1) * folds + np.float32(0.03) * grain
    cloth = np.array(look.cloth, np.float32) * weave[..., None]
    if look.pattern > 0.65:
        other = np.clip(np.array(look.cloth) * np.exp(rng.normal(0, 0.5)) + rng.normal(0, 0.08, 3), 0.03, 0.9)
        angle, pitch = rng.uniform(0, np.pi), rng.uniform(50, 220)
        wave = sheet.u * np.float32(pitch * np.cos(angle)) + sheet.v[part[0]] * np.float32(pitch * np.sin(angle))
        stripes = np.clip(3 * np.sin(wave) - np.float32(rng.uniform(-1, 2)), 0, 1)
        cloth += stripes[..., None] * (other.astype(np.float32) * weave[..., None] - cloth)
    # A seam along the edge, and the shade that it throws on the neck.
    seam = np.exp(-(((depth - np.float32(0.1)) / np.float32(0.012)) ** 2))
    # On the shoulders the sheet is squeezed together.
    seam *= np.clip((np.abs(side - np.float32(0.25)) - np.float32(0.06)) * 20, 0, 1)
    shade = np.exp(-np.clip(-depth, 0, None) / np.float32(0.05)) * (1 - cover) * np.float32(0.4)
    sheet.mix(cloth * (1 - np.float32(0.3) * seam)[..., None], cover, part)
    sheet.colour[part] *= (1 - shade)[..., None]
    sheet.gloss[part] *= 1 - cover


def paint_detail(look: Look, size: int = DETAIL_SIZE) -> Texture:
    """Draw the sheet (size, size, 4) of eyes, teeth, tongue and lashes, in the quarters that the mesh uses."""
    import cv2

    rng = np.random.default_rng([look.seed, 3])
    ramp = (np.arange(size // 2, dtype=np.float32) + np.float32(0.5)) / size
    u, v = np.meshgrid(ramp, ramp)
    patterns = _patterns(768)
    down, right = (int(value) for value in rng.integers(768 - size // 2, size=2))
    cut = (slice(down, down + size // 2), slice(right, right + size // 2))

    # Eye: white with veins, iris with fibres and a dark rim, pupil.
    radius, around = np.hypot(u - 0.25, v - 0.25) / np.float32(0.24), np.arctan2(v - 0.25, u - 0.25)
    eye = np.ones((*u.shape, 3), np.float32) * np.array([1.0, 0.97, 0.95], np.float32) * np.float32(look.sclera)
    veins = np.clip(0.35 - np.abs(patterns["tint"][cut]), 0, 1)
    red = np.clip(radius - 0.3, 0, 1) * (0.2 + 0.8 * veins)
    eye *= 1 - red[..., None] * np.array([0.2, 0.6, 0.6], np.float32)
    iris_radius = 0.285
    spokes = np.convolve(np.tile(rng.standard_normal(360), 3), [0.25, 0.5, 0.25], mode="same")[360:720]
    fibre = 0.25 * spokes[((around + np.pi) / (2 * np.pi) * 359).astype(int)] + 0.1 * patterns["tint"][cut]
    ring = 0.85 + 0.4 * np.exp(-(((radius / iris_radius - look.pupil - 0.12) / 0.14) ** 2))
    rim = 1 - 0.7 * np.clip((radius / iris_radius - 0.78) / 0.22, 0, 1)
    iris = np.array(look.iris, np.float32) * ((1 + fibre) * ring * rim).astype(np.float32)[..., None]
    eye += np.clip((iris_radius - radius) * 25, 0, 1)[..., None] * (iris - eye)
    eye *= (1 - np.clip((look.pupil * iris_radius - radius) * 40, 0, 0.96))[..., None]

    # Teeth: twelve across, dark between them, gums at the root.
    sheet = np.zeros((size, size, 3), np.float32)
    half = size // 2
    tooth = np.clip(np.abs(np.sin((u - 0.02) / 0.46 * np.pi * 12)) * 4, 0, 1)
    crown = np.where(v < 0.25, (v - 0.02) / 0.22, 1 - (v - 0.26) / 0.22)
    enamel = np.array([0.86, 0.83, 0.76], np.float32) * (0.6 + 0.4 * tooth)[..., None]
    gum = np.clip((0.3 - crown) * 12, 0, 1)[..., None]
    sheet[:half, half:] = enamel + gum * (np.array([0.58, 0.30, 0.29], np.float32) - enamel)
    flesh = 1 + 0.06 * patterns["pores"][cut] + 0.06 * patterns["tint"][cut]
    sheet[half:, :half] = np.array([0.60, 0.33, 0.32], np.float32) * flesh[..., None]
    sheet[half:, half:] = np.array(look.hair, np.float32) * 0.35 + 0.02
    sheet[:half, :half] = eye
    gloss = np.zeros((size, size), np.float32)
    gloss[:half, :half], gloss[:half, half:], gloss[half:, :half] = 0.8, 0.2, 0.12
    return _pack(np.asarray(cv2.GaussianBlur(sheet, (0, 0), 0.6), np.float32), gloss)
