"""The numbers behind an appearance: skin, lips, brows, hair, beard, cloth and eyes, drawn over wide ranges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ffbench.synth.heads.head import FloatArray

Color = tuple[float, float, float]

# sRGB of skin, from the lightest to the darkest.
SKIN_TONES = np.array(
    [
        [0.92, 0.78, 0.71], [0.89, 0.73, 0.63], [0.81, 0.62, 0.50],
        [0.68, 0.49, 0.37], [0.50, 0.35, 0.26], [0.35, 0.25, 0.19],
    ]
)  # fmt: skip
HAIR_COLORS = np.array(
    [
        [0.06, 0.05, 0.05], [0.13, 0.09, 0.07], [0.24, 0.16, 0.11],
        [0.38, 0.27, 0.18], [0.62, 0.50, 0.34], [0.42, 0.23, 0.14], [0.52, 0.51, 0.50],
    ]
)  # fmt: skip
IRIS_COLORS = np.array(
    [
        [0.22, 0.13, 0.08], [0.31, 0.20, 0.11], [0.38, 0.33, 0.19],
        [0.36, 0.42, 0.32], [0.36, 0.46, 0.55], [0.44, 0.49, 0.53],
    ]
)  # fmt: skip
HAIR_STYLES = ("bald", "buzz", "short", "full", "long")


@dataclass(frozen=True)
class Appearance:
    """An appearance; colors are sRGB in [0, 1], lengths dm, and other amounts in [0, 1].

    Attributes:
        seed: of everything that has no number of its own: where spots, hairs and folds lie.
        skin, redness, mottling, freckles, moles, pores, gloss: the skin; `moles` is their number.
        lips, eye_shadow: color of the lips, darkness around the eyes.
        brow_density, brow_width: the brows; a width of 1 is 0.1 dm at its widest.
        hair, hair_style, hair_volume, hairline, temples: color, one of `HAIR_STYLES`, thickness in dm, height
            of the forehead in dm above the brows, and how far the hair recedes beside it.
        beard, stubble: how dense they are.
        cloth, pattern, collar: color, 0 plain to 1 strong pattern, how far up the neck it goes.
        iris, pupil, sclera: the eyes; `pupil` is its share of the iris, `sclera` how white the white is.
    """

    seed: int
    skin: Color
    redness: float
    mottling: float
    freckles: float
    moles: int
    pores: float
    gloss: float
    lips: Color
    eye_shadow: float
    brow_density: float
    brow_width: float
    hair: Color
    hair_style: str
    hair_volume: float
    hairline: float
    temples: float
    beard: float
    stubble: float
    cloth: Color
    pattern: float
    collar: float
    iris: Color
    pupil: float
    sclera: float


def sample_appearance(rng: np.random.Generator, male: float | None = None, age: float | None = None) -> Appearance:
    """Draw an appearance.

    Args:
        rng: source of chance.
        male: 0 to 1, how male the shape is, or None when it is not known; decides on beards.
        age: 0 young to 1 old; decides on grey hair.
    """
    male = float(rng.random()) if male is None else male
    age = float(rng.random() ** 2) if age is None else age
    tone = rng.uniform(0, len(SKIN_TONES) - 1)
    low = int(min(tone, len(SKIN_TONES) - 2))
    skin = SKIN_TONES[low] + (tone - low) * (SKIN_TONES[low + 1] - SKIN_TONES[low])
    skin = np.clip(skin * rng.uniform(0.94, 1.05), 0.08, 0.96)
    darkness = tone / (len(SKIN_TONES) - 1)
    # Dark skin seldom comes with fair hair and light eyes.
    hair = HAIR_COLORS[rng.integers(6 if darkness < 0.45 else 2)]
    if rng.random() < 0.05 + 0.7 * age**2:
        hair = HAIR_COLORS[-1] * rng.uniform(0.7, 1.4)
    iris = IRIS_COLORS[rng.integers(len(IRIS_COLORS) if darkness < 0.4 else 2)]
    lips = skin * [0.88, 0.68, 0.70] + [0.02, 0.0, 0.01]
    if male < 0.5 and rng.random() < 0.4:
        lips = 0.5 * lips + 0.5 * np.array([0.58, rng.uniform(0.10, 0.28), rng.uniform(0.14, 0.32)])
    weights = np.array([0.1, 0.22, 0.4, 0.23, 0.05] if male > 0.5 else [0.01, 0.06, 0.28, 0.3, 0.35])
    style = str(rng.choice(HAIR_STYLES, p=weights))
    thinnest, thickest = {
        "bald": (0.0, 0.0), "buzz": (0.01, 0.04), "short": (0.06, 0.16), "full": (0.15, 0.36), "long": (0.1, 0.26)
    }[style]  # fmt: skip
    return Appearance(
        seed=int(rng.integers(2**31)),
        skin=_vary(rng, skin, 0.015),
        redness=float(rng.uniform(0.1, 0.9) * (1 - 0.6 * darkness)),
        mottling=float(rng.uniform(0.3, 1.0)),
        freckles=float(rng.beta(0.5, 3) * (1 - darkness)),
        moles=int(rng.poisson(2.5)),
        pores=float(rng.uniform(0.3, 1.0)),
        gloss=float(rng.beta(1.6, 3)),
        lips=_vary(rng, lips, 0.04),
        eye_shadow=float(rng.uniform(0.1, 0.7)),
        brow_density=float(rng.uniform(0.25, 1.0)),
        brow_width=float(rng.uniform(0.6, 1.15) * (0.75 + 0.35 * male)),
        hair=_vary(rng, hair, 0.06),
        hair_style=style,
        hair_volume=float(rng.uniform(thinnest, thickest)),
        hairline=float(rng.uniform(0.36, 0.62)),
        temples=float(rng.beta(1.2, 3) * (0.3 + 0.7 * male)),
        beard=float(rng.uniform(0.4, 1.0)) if male > 0.6 and rng.random() < 0.35 else 0.0,
        stubble=float(rng.uniform(0.0, 0.7)) if male > 0.6 else 0.0,
        cloth=_vary(rng, np.full(3, rng.uniform(0.06, 0.8)), 0.2),
        pattern=float(rng.uniform(0.0, 1.0)),
        collar=float(rng.uniform(0.0, 1.0)),
        iris=_vary(rng, iris, 0.1),
        pupil=float(rng.uniform(0.3, 0.55)),
        sclera=float(rng.uniform(0.74, 0.92)),
    )


def _vary(rng: np.random.Generator, base: FloatArray, spread: float) -> Color:
    """A color near `base`: a little lighter or darker, and each channel a little for itself."""
    factor = np.exp(rng.normal(0, spread, 3) + rng.normal(0, spread))
    red, green, blue = np.clip(base * factor, 0.02, 0.97).tolist()
    return red, green, blue
