"""The fused pass behind `ffbench.metrics.dense.errors`: every dense error measure in one walk over a pair of flows.

The image is walked in blocks of a row's pixels. A block is unpacked into buffers that stay in the processor's cache,
and short loops over these buffers, which the compiler turns into vector code, make the errors and add them up. All
additions are in float64 and in an order that is written down here: the digits do not depend on threads, and nothing
is reassociated or contracted for the processor at hand.
"""

from __future__ import annotations

import math

import numba
import numpy as np

BIN_EDGES = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Bounds of the magnitude of the true flow, in px: [0, 0.5), [0.5, 1), ..., [10, inf)."""
BINS = len(BIN_EDGES) + 1
WAUC_FULL = 100 * 101
"""What a pixel of no error adds to the WAUC sum: (101 - k) (102 - k) at k = 1."""
PIXELS, EPE, OVER_1, OVER_3, OVER_5, FL, ANGLE, WAUC, TOTALS = range(9)

_UNKNOWN = 1e9
_BLOCK = 512
_LANES = 4
_E0, _E1, _E2, _E3, _E4 = BIN_EDGES
_TAN_PI_8 = math.sqrt(2) - 1
# atan(r) / r as a polynomial in r^2 on [0, tan^2(pi/8)]: Chebyshev fit, error below 4e-17.
_A0, _A1, _A2, _A3 = 1.0, -0.3333333333332844, 0.1999999999885511, -0.14285714180976467
_A4, _A5, _A6, _A7 = 0.11111106180455946, -0.09090773074808414, 0.07689953496306857, -0.06640233930429408
_A8, _A9, _A10 = 0.056883492268090106, -0.04348052215716462, 0.021135373157693246


def _jit(function):  # type: ignore[no-untyped-def]
    # numpy's error model: dividing by zero gives inf instead of a branch that keeps the loop scalar.
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)


@_jit
def dense_pass(prediction, truth, mask, regions, occluded, totals, cells):  # type: ignore[no-untyped-def]
    """Add the errors of one pair to `totals` and `cells`.

    Args:
        prediction, truth: (H, W, 2) float32, C-contiguous.
        mask: (H, W) bool, which pixels count; where a component of the truth is 1e9 or more, none does.
        regions: (H, W) uint8, below the number of regions in `cells`.
        occluded: (H, W) bool.
        totals: (TOTALS,) float64, summed over the pixels: pixels, endpoint error, number of outliers above 1, 3 and
            5 px, of KITTI outliers, angle in radians, and the WAUC sum (`WAUC_FULL` a pixel at best).
        cells: (2, regions, BINS + 1, 2) float64: number of pixels and endpoint error by visible or occluded, region
            and magnitude; the last bin collects what does not count.
    """
    u1, v1, u2, v2 = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    error, angle, magnitude = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    valid, cell = np.empty(_BLOCK, np.bool_), np.empty(_BLOCK, np.int32)
    lanes = np.zeros((_LANES, cells.size // 2, 2))
    stride = cells.shape[1] * (BINS + 1)
    for y in range(mask.shape[0]):
        first, last = _span(mask[y])
        for start in range(first, last, _BLOCK):
            n = min(_BLOCK, last - start)
            here = slice(start, start + n)
            _validate(n, truth[y, here], mask[y, here], valid)
            _unpack(n, prediction[y, here], valid, u1, v1)
            _unpack(n, truth[y, here], valid, u2, v2)
            _endpoint_errors(n, u1, v1, u2, v2, error)
            _angles(n, u1, v1, u2, v2, angle)
            _magnitudes(n, u2, v2, magnitude)
            _cells(n, magnitude, valid, regions[y, here], occluded[y, here], stride, cell)
            known = _count(n, valid)
            over1, over3, over5 = _outliers(n, error)
            totals[PIXELS] += known
            totals[EPE] += _sum(n, error)
            totals[OVER_1] += over1
            totals[OVER_3] += over3
            totals[OVER_5] += over5
            totals[FL] += _kitti_outliers(n, error, magnitude)
            totals[ANGLE] += _sum(n, angle)
            # A pixel that does not count has been unpacked as one of no error.
            totals[WAUC] += _wauc(n, error) - (n - known) * WAUC_FULL
            _scatter(n, cell, error, lanes)
    table = cells.reshape(-1, 2)
    for lane in range(_LANES):
        for index in range(table.shape[0]):
            table[index, 0] += lanes[lane, index, 0]
            table[index, 1] += lanes[lane, index, 1]


@_jit
def _span(row):  # type: ignore[no-untyped-def]
    """Bounds of what the mask holds in a row; an empty row gives (0, 0)."""
    first, last = 0, row.shape[0]
    while last > 0 and not row[last - 1]:
        last -= 1
    while first < last and not row[first]:
        first += 1
    return first, last


@_jit
def _validate(n, truth, mask, valid):  # type: ignore[no-untyped-def]
    # Written so that a NaN in the truth counts: it then shows in the sums.
    for i in range(n):
        u, v = truth[i, 0], truth[i, 1]
        valid[i] = mask[i] & (not (abs(u) >= _UNKNOWN)) & (not (abs(v) >= _UNKNOWN))


@_jit
def _unpack(n, flow, valid, u_out, v_out):  # type: ignore[no-untyped-def]
    # Loads and conversions come first: behind the condition they would not be vectorised.
    for i in range(n):
        u, v, known = np.float64(flow[i, 0]), np.float64(flow[i, 1]), valid[i]
        u_out[i] = u if known else 0.0
        v_out[i] = v if known else 0.0


@_jit
def _endpoint_errors(n, u1, v1, u2, v2, error):  # type: ignore[no-untyped-def]
    for i in range(n):
        du, dv = u1[i] - u2[i], v1[i] - v2[i]
        error[i] = math.sqrt(du * du + dv * dv)


@_jit
def _magnitudes(n, u2, v2, magnitude):  # type: ignore[no-untyped-def]
    for i in range(n):
        magnitude[i] = math.sqrt(u2[i] * u2[i] + v2[i] * v2[i])


@_jit
def _angles(n, u1, v1, u2, v2, angle):  # type: ignore[no-untyped-def]
    """Angle between (u1, v1, 1) and (u2, v2, 1) as atan2(|cross product|, dot product).

    The arc cosine of the normalised dot product would lose half the digits at small angles, and give equal flows
    an error. atan2 is written out, without branches, because a call would keep the loop from being vectorised.
    """
    for i in range(n):
        du, dv = u1[i] - u2[i], v1[i] - v2[i]
        turn = u1[i] * v2[i] - v1[i] * u2[i]
        cross = math.sqrt(du * du + dv * dv + turn * turn)
        dot = 1.0 + u1[i] * u2[i] + v1[i] * v2[i]
        size = abs(dot)
        low, high = min(cross, size), max(cross, size)
        # atan(low / high) with the ratio brought below tan(pi/8) by atan(r) = pi/4 + atan((r - 1) / (r + 1)).
        reduced = low > _TAN_PI_8 * high
        r = ((low - high) if reduced else low) / ((low + high) if reduced else high)
        z = r * r
        p = _A7 + z * (_A8 + z * (_A9 + z * _A10))
        p = _A3 + z * (_A4 + z * (_A5 + z * (_A6 + z * p)))
        a = r * (_A0 + z * (_A1 + z * (_A2 + z * p)))
        a = a + math.pi / 4 if reduced else a
        a = math.pi / 2 - a if cross > size else a
        angle[i] = math.pi - a if dot < 0.0 else a


@_jit
def _cells(n, magnitude, valid, regions, occluded, stride, cell):  # type: ignore[no-untyped-def]
    for i in range(n):
        m = magnitude[i]
        over = np.int32(m >= _E0) + np.int32(m >= _E1) + np.int32(m >= _E2) + np.int32(m >= _E3) + np.int32(m >= _E4)
        cell[i] = over if valid[i] else BINS
    for i in range(n):
        cell[i] += np.int32(regions[i]) * np.int32(BINS + 1) + np.int32(occluded[i]) * np.int32(stride)


@_jit
def _count(n, valid):  # type: ignore[no-untyped-def]
    number = 0
    for i in range(n):
        number += valid[i]
    return number


@_jit
def _outliers(n, error):  # type: ignore[no-untyped-def]
    over1, over3, over5 = 0, 0, 0
    for i in range(n):
        over1 += error[i] > 1.0
        over3 += error[i] > 3.0
        over5 += error[i] > 5.0
    return over1, over3, over5


@_jit
def _kitti_outliers(n, error, magnitude):  # type: ignore[no-untyped-def]
    number = 0
    for i in range(n):
        number += (error[i] > 3.0) & (error[i] > 0.05 * magnitude[i])
    return number


@_jit
def _wauc(n, error):  # type: ignore[no-untyped-def]
    """Sum of (101 - k) (102 - k), where k is the first of the thresholds k / 20 px that the error does not exceed."""
    total = 0
    for i in range(n):
        k = max(np.int32(min(np.ceil(20.0 * error[i]), 101.0)), np.int32(1))
        total += (101 - k) * (102 - k)
    return total


@_jit
def _sum(n, values):  # type: ignore[no-untyped-def]
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    whole = n // 4 * 4
    for i in range(0, whole, 4):
        a += values[i]
        b += values[i + 1]
        c += values[i + 2]
        d += values[i + 3]
    for i in range(whole, n):
        a += values[i]
    return (a + b) + (c + d)


@_jit
def _scatter(n, cell, error, lanes):  # type: ignore[no-untyped-def]
    # Neighbours fall into one cell; taking turns between copies of the table, additions need not wait for each other.
    whole = n // _LANES * _LANES
    for i in range(0, whole, _LANES):
        for lane in range(_LANES):
            lanes[lane, cell[i + lane], 0] += 1.0
            lanes[lane, cell[i + lane], 1] += error[i + lane]
    for i in range(whole, n):
        lanes[0, cell[i], 0] += 1.0
        lanes[0, cell[i], 1] += error[i]
