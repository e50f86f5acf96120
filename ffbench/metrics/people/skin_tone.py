"""Skin tone by the individual typology angle (ITA): how light skin is, against how yellow.

ITA = arctan((L* - 50) / b*) in degrees, with L* and b* of CIELAB (D65): 90 is the lightest, -90 the darkest (Chardin,
Cros and Sebaddi, 1991). The six classes and their bounds are the usual ones (Del Bino and Bernerd, 2013).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

CLASSES: tuple[tuple[str, float], ...] = (
    ("1 very light", 55.0),
    ("2 light", 41.0),
    ("3 intermediate", 28.0),
    ("4 tan", 10.0),
    ("5 brown", -30.0),
    ("6 dark", -math.inf),
)
"""Name and lower bound of each class in degrees; an angle on a bound is of the darker class."""


def typology_angle(colors: npt.ArrayLike) -> float:
    """Return the ITA of skin in degrees: that of its median L* and b*.

    Args:
        colors: (3,) or (N, 3) sRGB in [0, 1], N >= 1.

    Raises:
        ValueError: another shape, or no colors.

    >>> round(typology_angle([0.92, 0.78, 0.71])), round(typology_angle([0.35, 0.25, 0.19]))
    (67, -56)
    """
    import cv2

    rgb = np.atleast_2d(np.asarray(colors, np.float32))
    if rgb.ndim != 2 or rgb.shape[1] != 3 or not len(rgb):
        raise ValueError(f"expected (N, 3) colors, N >= 1, got {rgb.shape}")
    lab = cv2.cvtColor(np.ascontiguousarray(rgb[None]), cv2.COLOR_RGB2LAB)[0].astype(np.float64)
    lightness, _, yellow = np.median(lab, axis=0).tolist()
    # Skin is yellower than grey; bluish light can turn that, and the angle stays between -90 and 90.
    return math.degrees(math.atan2(lightness - 50, max(yellow, 1e-6)))


def tone_class(angle: float) -> str:
    """Return the name of the class of an ITA in degrees.

    >>> tone_class(60), tone_class(55), tone_class(-30)
    ('1 very light', '2 light', '6 dark')
    """
    return next(name for name, bound in CLASSES if angle > bound)
