"""Cloth on the sheet: what covers the shoulders."""

from __future__ import annotations

import numpy as np

from ffbench.synth.appearance.paint_sheet import Sheet, darken, tinted


def paint_cloth(sheet: Sheet) -> None:
    """Draw a garment with its collar, folds, pattern, seam and shade."""
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
    cloth = tinted(look.cloth, weave)
    if look.pattern > 0.65:
        other = np.clip(np.array(look.cloth) * np.exp(rng.normal(0, 0.5)) + rng.normal(0, 0.08, 3), 0.03, 0.9)
        angle, pitch = rng.uniform(0, np.pi), rng.uniform(50, 220)
        wave = sheet.u * np.float32(pitch * np.cos(angle)) + sheet.v[part[0]] * np.float32(pitch * np.sin(angle))
        stripes = np.clip(3 * np.sin(wave) - np.float32(rng.uniform(-1, 2)), 0, 1)
        cloth += stripes[..., None] * (tinted(other, weave) - cloth)
    # A seam along the edge, and the shade that it throws on the neck.
    seam = np.exp(-(((depth - np.float32(0.1)) / np.float32(0.012)) ** 2))
    # On the shoulders the sheet is squeezed together.
    seam *= np.clip((np.abs(side - np.float32(0.25)) - np.float32(0.06)) * 20, 0, 1)
    thrown = np.exp(-np.clip(-depth, 0, None) / np.float32(0.05)) * (1 - cover) * np.float32(0.4)
    darken(cloth, 1 - np.float32(0.3) * seam)
    sheet.mix(cloth, cover, part)
    darken(sheet.color[part], 1 - thrown)
    sheet.gloss[part] *= 1 - cover
