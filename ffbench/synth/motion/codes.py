"""EMOCA's codes: FLAME parameters estimated from photographs, as targets of sequences (paper, section 3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ffbench.errors import DataError
from ffbench.formats.flame_files import EXPRESSIONS, SHAPES
from ffbench.formats.flame_pickle import one_line
from ffbench.formats.npy import read_npy
from ffbench.synth.heads.flame import FlameHead
from ffbench.synth.heads.head import FloatArray, Pose
from ffbench.synth.motion.expressions import Frame

SIZES = {"shape": 100, "exp": 50, "pose": 6, "globalpose": 3, "jawpose": 3}
LARGEST_FILE = 65_536
"""Bytes; a hundred numbers take under a thousand."""
MOST_NAMED = 20
"""Problems that an error spells out."""


@dataclass(frozen=True)
class Code:
    """The FLAME parameters of one image.

    Attributes:
        name: of the image: the folder of its files, seen from the folder that was read.
        shape: (100,) beta.
        expression: (50,) psi.
        pose: (6,) theta: the rotation vectors of the whole head and of the jaw, in radians.
    """

    name: str
    shape: FloatArray
    expression: FloatArray
    pose: FloatArray

    def identity(self) -> FloatArray:
        """Return beta as the identity (300,) of `FlameHead`; what EMOCA does not estimate is 0."""
        return np.pad(self.shape, (0, SHAPES - len(self.shape)))

    def target(self, head: FlameHead) -> Frame:
        """Return (theta, psi) as the last frame of a sequence; that of EMOCA's neck and eyes is 0.

        `sequence(code.target(head), numpy.linspace(0, 1, n))` with `code.identity()` are Eqs. 2 and 3. The jaw is
        among the units of the expression; whether it stays with them in the head partner (Eq. 4) says `Recipe.jaw`.
        """
        expression = np.zeros(len(head.expression_names))
        expression[: len(self.expression)] = self.expression
        expression[EXPRESSIONS : EXPRESSIONS + 3] = self.pose[3:]
        return Frame(expression, Pose(rotation=self.pose[:3].copy()))


def read_codes(folder: Path) -> list[Code]:
    """Read the codes that EMOCA's demos save: a folder an image, at any depth, with one .npy file a parameter.

    Read are `shape.npy` (100 numbers), `exp.npy` (50) and `pose.npy` (6: head, jaw), or in place of the last
    `globalpose.npy` (3) and `jawpose.npy` (3), as newer versions save them. A leading axis of one is taken
    too; `tex.npy` (50), `detail.npy` and other files are not looked at.

    Returns:
        The codes in the order of their names.

    Raises:
        DataError: no codes, or files that are missing, of the wrong length, not finite or not plain numbers;
            all of them in one message.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: not found; expected a folder of EMOCA's codes")
    samples = sorted({path.parent for name in SIZES for path in folder.rglob(f"{name}.npy")})
    if not samples:
        raise DataError(f"{folder}: expected folders with shape.npy, exp.npy and pose.npy, found none")
    codes, problems = [], []
    for sample in samples:
        whole = (sample / "pose.npy").exists() or not (sample / "globalpose.npy").exists()
        found = {}
        for name in ("shape", "exp", "pose") if whole else ("shape", "exp", "globalpose", "jawpose"):
            try:
                found[name] = _read(sample / f"{name}.npy", SIZES[name])
            except (OSError, ValueError) as error:
                reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
                problems.append(f"{(sample / name).relative_to(folder).as_posix()}.npy: {reason}")
        if len(found) == (3 if whole else 4):
            pose = found["pose"] if whole else np.concatenate([found["globalpose"], found["jawpose"]])
            codes.append(Code(sample.relative_to(folder).as_posix(), found["shape"], found["exp"], pose))
    if problems:
        raise DataError(f"{folder}: {listed(problems)}; mend or remove these")
    return codes


def _read(path: Path, size: int) -> FloatArray:
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"expected {size} numbers, found {path.stat().st_size:,} bytes")
    try:
        values = read_npy(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"expected {size} plain numbers saved by numpy ({one_line(error)})") from error
    if values.shape not in ((size,), (1, size)):
        raise ValueError(f"expected {size} numbers, found {values.shape}")
    numbers = values.astype(np.float64).reshape(size)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(numbers))} of {size} numbers are not finite")
    return numbers


def listed(problems: Iterable[str]) -> str:
    """Join problems for one message; of more than `MOST_NAMED` the rest is counted."""
    problems = list(problems)
    named = "; ".join(problems[:MOST_NAMED])
    rest = len(problems) - MOST_NAMED
    return named if rest <= 0 else f"{named}; and {rest} more"
