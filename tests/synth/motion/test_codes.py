from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffbench.errors import DataError
from ffbench.formats.flame_files import read_flame
from ffbench.synth.heads.flame import FlameHead, load_flame
from ffbench.synth.motion.codes import SIZES, Code, read_codes
from ffbench.synth.motion.expressions import sequence
from tests.reference.flame import flame_slowly
from tests.synth.flame_folder import write_flame


def values(name: str, seed: int = 0) -> Any:
    return np.random.default_rng([seed, *name.encode()]).normal(0, 1, SIZES[name]).astype(np.float32)


def write_code(folder: Path, seed: int = 0, **changed: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {name: values(name, seed) for name in ("shape", "exp", "pose")}
    content |= {"tex": np.full(50, np.nan), "detail": np.zeros(128)} | changed
    for name, array in content.items():
        if array is not None:
            np.save(folder / f"{name}.npy", array)


def problem(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_codes(folder)
    message = str(caught.value)
    assert message.startswith(f"{folder}: ")
    assert "\n" not in message
    return message


def test_codes_of_a_folder_of_images_and_of_a_video(tmp_path: Path) -> None:
    write_code(tmp_path / "b_000", 1)
    write_code(tmp_path / "a_000", 2)
    write_code(tmp_path / "clip" / "results" / "000001_000", 3, shape=values("shape", 3)[None])
    (tmp_path / "a_000" / "geometry.png").write_bytes(b"")
    codes = read_codes(tmp_path)
    assert [code.name for code in codes] == ["a_000", "b_000", "clip/results/000001_000"]
    for code, seed in zip(codes, (2, 1, 3), strict=True):
        np.testing.assert_array_equal(code.shape, values("shape", seed).astype(float))
        np.testing.assert_array_equal(code.expression, values("exp", seed).astype(float))
        np.testing.assert_array_equal(code.pose, values("pose", seed).astype(float))
        assert code.shape.dtype == np.float64


def test_a_sample_may_be_the_folder_itself(tmp_path: Path) -> None:
    write_code(tmp_path)
    assert [code.name for code in read_codes(tmp_path)] == ["."]


def test_pose_in_two_files(tmp_path: Path) -> None:
    parts = {name: values(name) for name in ("globalpose", "jawpose")}
    write_code(tmp_path / "a", pose=None, **parts)
    (code,) = read_codes(tmp_path)
    np.testing.assert_array_equal(code.pose, np.concatenate([parts["globalpose"], parts["jawpose"]]))
    (tmp_path / "a" / "jawpose.npy").unlink()
    assert "a/jawpose.npy: No such file" in problem(tmp_path)


def test_all_problems_in_one_line(tmp_path: Path) -> None:
    write_code(tmp_path / "good")
    nan = values("exp")
    nan[[3, 4]] = np.nan, np.inf
    write_code(tmp_path / "a", exp=nan)
    write_code(tmp_path / "b", exp=np.zeros(49), shape=np.zeros((2, 100)))
    write_code(tmp_path / "c", pose=np.array([{}] * 6, object))
    write_code(tmp_path / "d", shape=np.array(["x"] * 100))
    write_code(tmp_path / "e")
    (tmp_path / "e" / "shape.npy").write_bytes(b"\x93NUMPY")
    write_code(tmp_path / "f", pose=None)
    write_code(tmp_path / "g", exp=np.zeros(100_000))
    message = problem(tmp_path)
    for said in (
        "a/exp.npy: 2 of 50 numbers are not finite; ",
        "b/shape.npy: expected 100 numbers, found (2, 100); ",
        "b/exp.npy: expected 50 numbers, found (49,); ",
        "c/pose.npy: expected 6 plain numbers saved by numpy (found pickled objects); ",
        "d/shape.npy: expected 100 plain numbers saved by numpy (found <U1); ",
        "e/shape.npy: expected 100 plain numbers saved by numpy (",
        "f/pose.npy: No such file or directory; ",
        "g/exp.npy: expected 50 numbers, found 800,128 bytes; mend or remove these",
    ):
        assert said in message
    assert "good" not in message


def test_many_problems_are_counted(tmp_path: Path) -> None:
    for i in range(30):
        write_code(tmp_path / f"{i:02d}", exp=np.zeros(3))
    message = problem(tmp_path)
    assert message.count("expected 50 numbers") == 20
    assert "; and 10 more; mend" in message


def test_no_codes(tmp_path: Path) -> None:
    assert "expected folders with shape.npy, exp.npy and pose.npy, found none" in problem(tmp_path)
    assert "not found; expected a folder of EMOCA's codes" in problem(tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"")
    assert "not found" in problem(tmp_path / "file")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_flame(tmp_path_factory.mktemp("flame"))


@pytest.fixture(scope="module")
def flame_head(folder: Path) -> FlameHead:
    return load_flame(folder)


def test_target_is_flame_s_own_mesh(folder: Path, flame_head: FlameHead) -> None:
    """The last frame is M(beta, theta, psi), those before it have shares of theta and psi (Eqs. 1 to 3)."""
    code = Code("x", values("shape").astype(float), values("exp").astype(float), values("pose") * 0.2)
    frames = sequence(code.target(flame_head), np.linspace(0, 1, 5))
    flame = read_flame(folder / "generic_model.pkl")
    beta = np.concatenate([code.shape, np.zeros(200)])
    for t, frame in enumerate(frames):
        theta = np.zeros((5, 3))
        theta[0], theta[2] = code.pose[:3] * t / 4, code.pose[3:] * t / 4
        slow = flame_slowly(flame, beta, np.concatenate([code.expression, np.zeros(50)]) * t / 4, theta)
        found = flame_head.vertices(code.identity(), frame.expression, frame.pose)
        np.testing.assert_allclose(found, 10 * slow, rtol=0, atol=1e-6)


def test_the_head_partner_keeps_jaw_and_expression(flame_head: FlameHead) -> None:
    code = Code("x", np.zeros(100), np.ones(50), np.arange(1.0, 7.0))
    frames = sequence(code.target(flame_head), np.linspace(0, 1, 3))
    partner = frames[2].partner(frames[1])
    np.testing.assert_array_equal(partner.pose.rotation, [1, 2, 3])
    np.testing.assert_array_equal(partner.expression[100:103], [2, 2.5, 3])
    np.testing.assert_array_equal(partner.expression[:50], 0.5)
    assert not partner.expression[103:].any()


def test_a_target_does_not_share_the_code_s_numbers(flame_head: FlameHead, tmp_path: Path) -> None:
    write_code(tmp_path / "a")
    (code,) = read_codes(tmp_path)
    before = code.pose.copy()
    code.target(flame_head).pose.rotation[:] = 9
    np.testing.assert_array_equal(code.pose, before)
