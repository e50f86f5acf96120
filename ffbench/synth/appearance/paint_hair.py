"""Hair on the sheet: beard, brows and the hair of the head."""

from __future__ import annotations

import numpy as np

from ffbench.synth.appearance.paint_sheet import Sheet, tinted
from ffbench.synth.heads.head import Region


def paint_beard(sheet: Sheet) -> None:
    """Draw stubble and beard."""
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


def paint_brows(sheet: Sheet) -> None:
    """Draw the brows, hair by hair."""
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


def paint_hair(sheet: Sheet) -> None:
    """Draw the hair of the head, or what a bald or shorn one shows of it."""
    look = sheet.look
    strands, locks = sheet.noise("strands"), sheet.noise("locks")
    columns = sheet.chart.hair(look, sheet.u, np.zeros(1)) * sheet.chart.high
    depth = (columns.astype(np.float32) - sheet.v) / np.float32(sheet.chart.high)
    ragged = {"bald": 0.05, "buzz": 0.02, "short": 0.05, "full": 0.08, "long": 0.05}[look.hair_style]
    depth += np.float32(ragged) * (np.float32(0.6) * strands + np.float32(0.7) * sheet.noise("ragged"))
    rows = np.flatnonzero(depth.max(axis=1) > 0)
    part = (slice(0, int(rows[-1]) + 1 if len(rows) else 0), slice(None))  # all of the hair lies in it
    depth, strands, locks = depth[part], strands[part], locks[part]
    soft = {"bald": 0.5, "buzz": 0.16}.get(look.hair_style, 0.07)
    ears = sheet.maps[Region.EARS][part]
    cover = np.clip(depth / np.float32(soft), 0, 1) * (1 - np.clip(ears * 2 - np.float32(0.5), 0, 1))
    if look.hair_style in ("bald", "buzz"):
        cover *= np.float32(0.35 if look.hair_style == "bald" else 0.75) + np.float32(0.15) * sheet.noise("grain")[part]
        np.clip(cover, 0, 1, out=cover)
    # Long locks and short strands catch the light; the roots at the hair line are darker.
    shine = 1 + np.float32(0.26) * strands + np.float32(0.2) * locks - np.float32(0.3) * np.exp(-np.abs(depth) * 12)
    np.clip(shine, 0.25, 2, out=shine)
    sheet.mix(tinted(look.hair, shine) + np.float32(0.012), cover, part)
    sheet.gloss[part] += cover * (np.float32(0.07) * shine - sheet.gloss[part])
