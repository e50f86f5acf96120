"""The sheet of eyes, teeth, tongue and lashes."""

from __future__ import annotations

import numpy as np

from ffbench.synth.appearance.look import Appearance
from ffbench.synth.appearance.paint_sheet import pack, patterns
from ffbench.synth.render.shading import Texture

DETAIL_SIZE = 384


def paint_detail(look: Appearance, size: int = DETAIL_SIZE) -> Texture:
    """Draw the sheet (size, size, 4) of eyes, teeth, tongue and lashes, in the quarters that the mesh uses."""
    import cv2

    rng = np.random.default_rng([look.seed, 3])
    ramp = (np.arange(size // 2, dtype=np.float32) + np.float32(0.5)) / size
    u, v = np.meshgrid(ramp, ramp)
    noise = patterns(768)
    down, right = (int(value) for value in rng.integers(768 - size // 2, size=2))
    cut = (slice(down, down + size // 2), slice(right, right + size // 2))

    # Eye: white with veins, iris with fibres and a dark rim, pupil.
    radius, around = np.hypot(u - 0.25, v - 0.25) / np.float32(0.24), np.arctan2(v - 0.25, u - 0.25)
    eye = np.ones((*u.shape, 3), np.float32) * np.array([1.0, 0.97, 0.95], np.float32) * np.float32(look.sclera)
    veins = np.clip(0.35 - np.abs(noise["tint"][cut]), 0, 1)
    red = np.clip(radius - 0.3, 0, 1) * (0.2 + 0.8 * veins)
    eye *= 1 - red[..., None] * np.array([0.2, 0.6, 0.6], np.float32)
    iris_radius = 0.285
    spokes = np.convolve(np.tile(rng.standard_normal(360), 3), [0.25, 0.5, 0.25], mode="same")[360:720]
    fibre = 0.25 * spokes[((around + np.pi) / (2 * np.pi) * 359).astype(int)] + 0.1 * noise["tint"][cut]
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
    flesh = 1 + 0.06 * noise["pores"][cut] + 0.06 * noise["tint"][cut]
    sheet[half:, :half] = np.array([0.60, 0.33, 0.32], np.float32) * flesh[..., None]
    sheet[half:, half:] = np.array(look.hair, np.float32) * 0.35 + 0.02
    sheet[:half, :half] = eye
    gloss = np.zeros((size, size), np.float32)
    gloss[:half, :half], gloss[:half, half:], gloss[half:, :half] = 0.8, 0.2, 0.12
    return pack(np.asarray(cv2.GaussianBlur(sheet, (0, 0), 0.6), np.float32), gloss)
