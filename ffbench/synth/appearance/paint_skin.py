"""Bare skin on the sheet: its tone and gloss, freckles and moles, lips."""

from __future__ import annotations

import numba
import numpy as np

from ffbench.synth.appearance.paint_sheet import Sheet
from ffbench.synth.heads.head import Region


@numba.njit(cache=True, fastmath=True)
def _tone(color, patches, tint, red, pores, mottling, coarseness):  # type: ignore[no-untyped-def]
    """Color of bare skin out of its patterns, in place."""
    for y in range(color.shape[0]):
        for x in range(color.shape[1]):
            value = (np.float32(1) + np.float32(0.022) * mottling * patches[y, x]) * (
                np.float32(1) + np.float32(0.02) * coarseness * pores[y, x]
            )
            warm = np.float32(0.014) * mottling * tint[y, x]
            blood = red[y, x]
            color[y, x, 0] *= value * (1 + np.float32(0.2) * warm) * (1 + np.float32(0.02) * blood)
            color[y, x, 1] *= value * (1 + warm) * (1 - np.float32(0.13) * blood)
            color[y, x, 2] *= value * (1 + np.float32(0.8) * warm) * (1 - np.float32(0.11) * blood)


def paint_skin_tone(sheet: Sheet) -> None:
    """Return the skin its tone and gloss: mottled, with pores, redder where blood is near, darker under the eyes."""
    look, points = sheet.look, sheet.chart.points
    tint, pores = sheet.noise("tint"), sheet.noise("pores")
    # Blood shows where it is near: cheeks, nose, ears, chin.
    everything = (slice(None), slice(None))
    red = 0.45 * sheet.maps[Region.NOSE] + 0.5 * sheet.maps[Region.EARS] + 0.2 * sheet.maps[Region.CHIN]
    for cheek in (points[1] * 0.4 + points[31] * 0.6, points[15] * 0.4 + points[35] * 0.6):
        red += np.float32(0.7) * sheet.blob(cheek, 0.3, 0.28, everything)
    red = np.clip(red * (np.float32(0.8) + np.float32(0.3) * tint), 0, 1) * np.float32(look.redness)
    mottling, coarseness = np.float32(look.mottling), np.float32(look.pores)
    _tone(sheet.color, sheet.noise("patches"), tint, red, pores, mottling, coarseness)
    for eye in (points[36:42].mean(axis=0), points[42:48].mean(axis=0)):
        part = sheet.window(eye - np.array([0.08, 0.12]), eye + np.array([0.08, 0.12]))
        shadow = np.float32(look.eye_shadow) * sheet.blob(
            eye + np.array([0, 0.07 * sheet.chart.high]), 0.26, 0.15, part
        )
        sheet.color[part] *= 1 - shadow[..., None] * np.array([0.17, 0.23, 0.19], np.float32)
    forehead = points[27] - [0, 0.45 * sheet.chart.high]
    gloss = 0.3 + 0.8 * sheet.maps[Region.NOSE] + 0.5 * sheet.blob(forehead, 0.5, 0.25, everything)
    sheet.gloss += np.float32(0.5 * look.gloss) * gloss * (1 + np.float32(0.35) * pores + np.float32(0.25) * tint)
    np.clip(sheet.gloss, 0.015, 1, out=sheet.gloss)


def paint_spots(sheet: Sheet) -> None:
    """Draw freckles and moles."""
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


def paint_lips(sheet: Sheet) -> None:
    """Draw lips, and the inside of the mouth between them."""
    look, points = sheet.look, sheet.chart.points[48:60]
    part = sheet.window(points.min(axis=0) - 0.03, points.max(axis=0) + 0.03)
    lines = sheet.noise("lines")[part]
    lips = np.clip(sheet.maps[Region.LIPS][part] * 1.9 - np.float32(0.45), 0, 1)
    inside = np.clip(sheet.maps[Region.MOUTH][part] * 1.5 - np.float32(0.3), 0, 1) * (1 - lips)
    sheet.mix([0.36, 0.14, 0.13], inside, part)
    color = np.array(look.lips, np.float32) * (1 + np.float32(0.05) * lines[..., None])
    sheet.mix(color, np.float32(0.88) * lips, part)
    sheet.gloss[part] += lips * np.float32(0.06 + 0.3 * look.gloss) * (1 + np.float32(0.4) * lines)
