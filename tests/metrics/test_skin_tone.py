"""ITA against its formula in float64, its classes, and what is not a color."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.metrics.people.skin_tone import CLASSES, tone_class, typology_angle


def slow_angle(color: list[float]) -> float:
    """sRGB to XYZ to L* and b* by the definitions of IEC 61966-2-1 and CIE 1976, white D65."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    y = sum(w * c for w, c in zip((0.212671, 0.715160, 0.072169), linear, strict=True))
    z = sum(w * c for w, c in zip((0.019334, 0.119193, 0.950227), linear, strict=True)) / 1.088754

    def f(t: float) -> float:
        return t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116

    return math.degrees(math.atan2(116 * f(y) - 16 - 50, max(200 * (f(y) - f(z)), 1e-6)))


@given(st.floats(0.2, 0.95), st.floats(0.5, 0.9), st.floats(0.4, 0.8))
def test_against_the_formula(red: float, green: float, blue: float) -> None:
    color = [red, red * green, red * green * blue]
    assert typology_angle(color) == pytest.approx(slow_angle(color), abs=1.0)  # OpenCV interpolates the cube root


def test_the_median_does_not_see_a_few_moles() -> None:
    skin = np.tile([0.81, 0.62, 0.50], (100, 1))
    skin[:20] = 0.05
    assert typology_angle(skin) == pytest.approx(slow_angle([0.81, 0.62, 0.50]), abs=0.3)
    skin[:60] = 0.05  # the control: more than half of them
    assert typology_angle(skin) < -50


@given(st.floats(-90, 90), st.floats(-90, 90))
def test_lighter_skin_is_of_no_darker_class(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert tone_class(high) <= tone_class(low)
    assert {tone_class(low), tone_class(high)} <= {name for name, _ in CLASSES}


def test_bluish_skin_keeps_its_lightness() -> None:
    assert typology_angle([0.8, 0.8, 0.9]) == pytest.approx(90, abs=0.1)
    assert typology_angle([0.2, 0.2, 0.3]) == pytest.approx(-90, abs=0.1)


@pytest.mark.parametrize("colors", [np.zeros((0, 3)), np.zeros((4, 4)), 0.5, np.zeros((2, 2, 3))])
def test_what_is_no_list_of_colors(colors: object) -> None:
    with pytest.raises(ValueError, match="colors"):
        typology_angle(colors)  # type: ignore[arg-type]
