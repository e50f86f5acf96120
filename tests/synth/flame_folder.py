"""A head of 92 vertices in the format of FLAME's files, written as Python 2 and chumpy would write them."""

from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_matrix

from tests.formats import python2_pickle
from tests.formats.python2_pickle import Ch

ROWS, COLUMNS = 8, 9
SKIN = ROWS * COLUMNS
EYE = 10
VERTICES = SKIN + 2 * EYE


def _ball(rows: int, columns: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint32]]:
    down, around = np.meshgrid(np.linspace(0.1, np.pi - 0.1, rows), np.arange(columns) * 2 * np.pi / columns)
    down, around = down.T.ravel(), around.T.ravel()
    points = np.stack([np.sin(down) * np.sin(around), np.cos(down), np.sin(down) * np.cos(around)], axis=1)
    faces = []
    for r in range(rows - 1):
        for c in range(columns):
            n = (c + 1) % columns
            a, b, d, e = r * columns + c, (r + 1) * columns + c, (r + 1) * columns + n, r * columns + n
            faces += [[a, b, d], [a, d, e]]
    return points, np.array(faces, np.uint32)


def flame_dict(seed: int = 0) -> dict[str, Any]:
    """The content of a model file as plain arrays; metres, a head 0.2 m high at FLAME's place."""
    rng = np.random.default_rng(seed)
    skin, skin_faces = _ball(ROWS, COLUMNS)
    eye, eye_faces = _ball(2, EYE // 2)
    left, right = np.array([0.032, 0.03, 0.07]), np.array([-0.032, 0.03, 0.07])
    template = np.concatenate([skin * [0.075, 0.12, 0.09], eye * 0.012 + left, eye * 0.012 + right])
    faces = np.concatenate([skin_faces, eye_faces + SKIN, eye_faces + SKIN + EYE]).astype(np.uint32)
    low = np.clip((-0.02 - template[:, 1]) / 0.1, 0, 1) * (template[:, 2] > 0)
    root = np.clip((-0.06 - template[:, 1]) / 0.1, 0, 1) * (template[:, 2] <= 0)
    weights = np.stack([root, 1 - root - low, low, 0 * low, 0 * low], axis=1)
    weights[SKIN : SKIN + EYE] = [0, 0, 0, 1, 0]
    weights[SKIN + EYE :] = [0, 0, 0, 0, 1]
    regressor = np.zeros((5, VERTICES))
    for j, rows in enumerate((np.arange(60, 72), np.arange(40, 60), [30, 31, 32, 39, 40, 41])):
        regressor[j, rows] = rng.dirichlet(np.ones(len(rows)))
    regressor[3, SKIN : SKIN + EYE] = regressor[4, SKIN + EYE :] = 1 / EYE
    return {
        "f": faces,
        "v_template": template,
        "shapedirs": rng.normal(0, 0.0005, (VERTICES, 3, 400)),
        "posedirs": rng.normal(0, 0.001, (VERTICES, 3, 36)),
        "J_regressor": csc_matrix(regressor),
        "weights": weights,
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.int64),
        "J": regressor @ template,
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


def masks_dict() -> dict[str, npt.NDArray[np.int64]]:
    x, y, z = flame_dict()["v_template"].T
    skin = np.arange(VERTICES) < SKIN
    chosen = {
        "face": skin & (z > 0.01),
        "scalp": skin & (y > 0.06),
        "neck": skin & (y < -0.08) & (z < 0),
        "forehead": skin & (y > 0.05) & (y < 0.1) & (z > 0.03),
        "eye_region": skin & (y > 0.02) & (y < 0.06) & (z > 0.03),
        "nose": skin & (np.abs(x) < 0.01) & (y > -0.03) & (y < 0.06) & (z > 0.03),
        "lips": skin & (np.abs(x) < 0.06) & (y > -0.08) & (y < -0.03) & (z > 0.01),
        "left_ear": skin & (x > 0.07) & (np.abs(z) < 0.05),
        "right_ear": skin & (x < -0.07) & (np.abs(z) < 0.05),
        "left_eyeball": ~skin & (x > 0),
        "right_eyeball": ~skin & (x < 0),
        "boundary": y < -0.11,
    }
    return {name: np.flatnonzero(mask) for name, mask in chosen.items()}


def landmarks_dict() -> dict[str, npt.NDArray[Any]]:
    rng = np.random.default_rng(1)
    return {
        "static_lmk_faces_idx": np.arange(51),
        "full_lmk_faces_idx": rng.integers(0, 2 * (ROWS - 1) * COLUMNS, (1, 68)),
        "full_lmk_bary_coords": rng.dirichlet(np.ones(3), (1, 68)).astype(np.float32),
    }


def dump(content: Any, protocol: int = 2) -> bytes:
    """Pickle `content` as Python 3 does; what is of class `Ch` names chumpy."""
    module = types.ModuleType("chumpy.ch")
    saved = {name: sys.modules.get(name) for name in ("chumpy", "chumpy.ch")}
    sys.modules["chumpy"], sys.modules["chumpy.ch"] = types.ModuleType("chumpy"), module
    module.Ch = Ch  # type: ignore[attr-defined]
    home = Ch.__module__
    Ch.__module__ = "chumpy.ch"
    try:
        return pickle.dumps(content, protocol)
    finally:
        Ch.__module__ = home
        for name, old in saved.items():
            if old is None:
                del sys.modules[name]
            else:
                sys.modules[name] = old


def write_flame(folder: Path, texture: bool = False, **changed: Any) -> Path:
    """Write all files of a head into `folder`; `changed` replaces parts of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    model = flame_dict()
    model["shapedirs"] = Ch(model["shapedirs"])
    model.update(changed)
    (folder / "generic_model.pkl").write_bytes(python2_pickle.dumps(model, 2))
    (folder / "FLAME_masks.pkl").write_bytes(python2_pickle.dumps(masks_dict(), 0))
    np.save(folder / "landmark_embedding.npy", np.array(landmarks_dict(), object), allow_pickle=True)
    if texture:
        points, corners = texture_arrays()
        np.savez(folder / "FLAME_texture.npz", vt=points, ft=corners, mean=np.zeros((4, 4, 3)))
    return folder


def texture_arrays() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    rng = np.random.default_rng(2)
    return rng.uniform(0, 1, (110, 2)), rng.integers(0, 110, (len(flame_dict()["f"]), 3))
