from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_matrix

from ffbench.errors import DataError
from ffbench.formats import flame_files
from ffbench.formats.flame_files import read_flame, read_landmarks, read_masks, read_texture_uv
from ffbench.formats.npy import read_npy
from tests.formats import python2_pickle
from tests.formats.python2_pickle import Ch
from tests.synth.flame_folder import (
    VERTICES,
    dump,
    flame_dict,
    landmarks_dict,
    masks_dict,
    texture_arrays,
    write_flame,
)

FACES = len(flame_dict()["f"])


class Attack:
    def __reduce__(self) -> Any:
        return os.system, ("touch attacked",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_flame(tmp_path / "flame", texture=True)


def one_line(path: Path, said: str, read: Any, *args: Any) -> None:
    with pytest.raises(DataError) as caught:
        read(path, *args)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert said in message
    assert "\n" not in message


def test_model(folder: Path) -> None:
    arrays = read_flame(folder / "generic_model.pkl")
    model = flame_dict()
    np.testing.assert_array_equal(arrays.template, model["v_template"])
    np.testing.assert_array_equal(arrays.shape_directions, model["shapedirs"])
    np.testing.assert_array_equal(arrays.pose_directions, model["posedirs"])
    np.testing.assert_array_equal(arrays.joint_regressor, model["J_regressor"].toarray())
    np.testing.assert_array_equal(arrays.weights, model["weights"])
    np.testing.assert_array_equal(arrays.triangles, model["f"])
    assert arrays.triangles.dtype == np.int32


@pytest.mark.parametrize("protocol", range(6))
def test_model_of_python_3_with_plain_arrays(tmp_path: Path, protocol: int) -> None:
    model = flame_dict() | {"weights": Ch(flame_dict()["weights"])}
    model["J_regressor"] = model["J_regressor"].toarray()
    (tmp_path / "flame2023.pkl").write_bytes(dump(model, protocol))
    np.testing.assert_array_equal(read_flame(tmp_path / "flame2023.pkl").joint_regressor, model["J_regressor"])


def nan_at(array: Any) -> Any:
    array = np.array(array, float)
    array.flat[5] = np.nan
    return array


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("weights", np.full((VERTICES, 24), 1 / 24), f"expected weights ({VERTICES}, 5), found ({VERTICES}, 24)"),
        ("weights", np.zeros((VERTICES, 5)), "sum to 1"),
        ("shapedirs", np.zeros((VERTICES, 3, 10)), f"expected shapedirs ({VERTICES}, 3, 400)"),
        ("shapedirs", Ch(nan_at(flame_dict()["shapedirs"])), "shapedirs has values that are not finite"),
        ("posedirs", np.zeros((VERTICES, 3, 207)), f"expected posedirs ({VERTICES}, 3, 36)"),
        ("J_regressor", csc_matrix(np.zeros((24, VERTICES))), f"expected J_regressor (5, {VERTICES})"),
        ("J_regressor", "text", "J_regressor is not what FLAME has there (expected an array, found str)"),
        ("v_template", np.zeros((VERTICES, 2)), f"expected v_template ({VERTICES}, 3)"),
        ("v_template", np.zeros((50, 3)), "expected shapedirs (50, 3, 400)"),
        ("f", np.array([[0, 1, VERTICES]]), "reaches from 0 to 92, but the model has 0 to 91"),
        ("f", np.array([[0, 1, -1]]), "reaches from -1 to 1"),
        ("f", np.array([[0, 1, 2, 3]]), "expected f (F, 3), found (1, 4)"),
        ("f", np.array([[0.0, 1, 2]]), "expected whole numbers in f"),
        ("kintree_table", np.array([[-1, 0, 0, 1, 1], [0, 1, 2, 3, 4]]), "found (0, 0, 1, 1)"),
        ("kintree_table", np.zeros((2, 24)), "expected kintree_table (2, 5)"),
    ],
)
def test_other_models_are_refused(tmp_path: Path, part: str, value: Any, said: str) -> None:
    write_flame(tmp_path, **{part: value})
    one_line(tmp_path / "generic_model.pkl", said, read_flame)


def test_missing_parts_and_other_content(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    model = flame_dict()
    del model["posedirs"]
    path.write_bytes(dump(model))
    one_line(path, "expected posedirs, found only J, J_regressor", read_flame)
    path.write_bytes(pickle.dumps([1, 2]))
    one_line(path, "expected a dict of arrays, found list", read_flame)
    path.write_bytes(b"no pickle")
    one_line(path, "damaged", read_flame)
    one_line(tmp_path / "none.pkl", "not found; expected FLAME's model, e.g. generic_model.pkl", read_flame)
    one_line(tmp_path, "not found", read_flame)


def test_too_large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flame_files, "LARGEST_FILE", 1000)
    one_line(folder / "generic_model.pkl", "bytes, more than 1,000", read_flame)
    monkeypatch.setattr(flame_files, "LARGEST_MEMBER", 1000)
    one_line(folder / "FLAME_texture.npz", "vt or ft is larger than 1,000 bytes", read_texture_uv, FACES)


def test_attacks_in_each_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "file"
    path.write_bytes(pickle.dumps(flame_dict() | {"bs_style": Attack()}))
    one_line(path, f"{os.name}.system", read_flame)
    path.write_bytes(pickle.dumps(masks_dict() | {"boundary": Attack()}))
    one_line(path, f"{os.name}.system", read_masks, VERTICES)
    with path.open("wb") as file:
        np.save(file, np.array(landmarks_dict() | {"other": Attack()}, object), allow_pickle=True)
    one_line(path, f"{os.name}.system", read_landmarks, FACES)
    with path.open("wb") as file:
        np.savez(file, vt=np.array([Attack()], object), ft=np.zeros((2, 3), int), allow_pickle=True)
    one_line(path, "pickled objects", read_texture_uv, FACES)
    assert not (tmp_path / "attacked").exists()


def test_masks(folder: Path) -> None:
    masks = read_masks(folder / "FLAME_masks.pkl", VERTICES)
    assert list(masks) == list(flame_files.MASKS)
    for name, vertices in masks.items():
        np.testing.assert_array_equal(vertices, masks_dict()[name])
    one_line(folder / "FLAME_masks.pkl", "it belongs to another model", read_masks, VERTICES - 1)
    one_line(folder / "no.pkl", "expected FLAME's vertex masks, FLAME_masks.pkl", read_masks, VERTICES)


def test_masks_that_lack_one(tmp_path: Path) -> None:
    masks: dict[str, Any] = dict(masks_dict())
    del masks["lips"]
    (tmp_path / "masks.pkl").write_bytes(pickle.dumps(masks))
    one_line(tmp_path / "masks.pkl", "expected lips, found only boundary", read_masks, VERTICES)
    (tmp_path / "masks.pkl").write_bytes(pickle.dumps(masks | {"lips": np.zeros(0, int)}))
    one_line(tmp_path / "masks.pkl", "expected whole numbers in lips, found int64 (0,)", read_masks, VERTICES)


def test_landmarks_in_both_formats(folder: Path) -> None:
    expected = landmarks_dict()
    np.savez(folder / "landmarks.npz", **expected)
    for name in ("landmark_embedding.npy", "landmarks.npz"):
        triangles, weights = read_landmarks(folder / name, FACES)
        np.testing.assert_array_equal(triangles, expected["full_lmk_faces_idx"][0])
        np.testing.assert_allclose(weights, expected["full_lmk_bary_coords"][0], atol=1e-7)
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-15)


def test_landmarks_beside_torch_tensors(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "landmark_embedding.npy"
    tensors = {"dynamic_lmk_faces_idx": torch.zeros(79, 17, dtype=torch.long)}
    np.save(path, np.array(landmarks_dict() | tensors, object), allow_pickle=True)
    triangles, _ = read_landmarks(path, FACES)
    np.testing.assert_array_equal(triangles, landmarks_dict()["full_lmk_faces_idx"][0])


def test_other_landmarks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "landmarks.npy"

    def write(**changed: Any) -> None:
        np.save(path, np.array(landmarks_dict() | changed, object), allow_pickle=True)

    one_line(path, "not found; expected the 68 landmarks of FLAME, landmark_embedding.npy", read_landmarks, FACES)
    write(full_lmk_faces_idx=np.arange(51), full_lmk_bary_coords=np.full((51, 3), 1 / 3))
    one_line(path, "found 51 and 51; the embedding of 51 does not do", read_landmarks, FACES)
    write(full_lmk_bary_coords=np.ones((68, 3)))
    one_line(path, "sum to 1", read_landmarks, FACES)
    write(full_lmk_bary_coords=np.full((68, 3), np.nan))
    one_line(path, "not finite", read_landmarks, FACES)
    write()
    one_line(path, "it belongs to another model", read_landmarks, 10)
    np.save(path, np.arange(5))
    one_line(path, "found plain numbers", read_landmarks, FACES)
    np.save(path, np.array([1, 2], object), allow_pickle=True)
    one_line(path, "one object", read_landmarks, FACES)
    path.write_bytes(b"\x93NUMPY\x01\x00\xff\xff{")
    one_line(path, "expected a dict saved by numpy", read_landmarks, FACES)


def test_texture_layout(folder: Path) -> None:
    points, corners = texture_arrays()
    uv = read_texture_uv(folder / "FLAME_texture.npz", FACES)
    assert uv.dtype == np.float32
    np.testing.assert_allclose(uv[7, 2], [points[corners[7, 2], 0], 1 - points[corners[7, 2], 1]], atol=1e-7)


def test_other_textures_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "texture.npz"
    points, corners = texture_arrays()
    one_line(path, "not found; expected FLAME's texture space", read_texture_uv, FACES)
    np.savez(path, vt=points, ft=corners)
    one_line(path, f"expected ft (9976, 3) as the model has triangles, found ({FACES}, 3)", read_texture_uv, 9976)
    np.savez(path, vt=points, ft=corners + 60)
    one_line(path, "ft reaches from 60 to", read_texture_uv, FACES)
    np.savez(path, vt=points * 512, ft=corners)
    one_line(path, "expected vt (N, 2) from 0 to 1", read_texture_uv, FACES)
    np.savez(path, vt=points)
    one_line(path, "expected vt, ft, found no ft", read_texture_uv, FACES)
    path.write_bytes(b"no archive")
    one_line(path, "expected an .npz archive", read_texture_uv, FACES)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vt.npy", b"no numpy")
        archive.writestr("ft.npy", b"no numpy")
    one_line(path, "expected an .npz archive", read_texture_uv, FACES)


def test_damaged_archive(folder: Path) -> None:
    path = folder / "FLAME_texture.npz"
    np.savez_compressed(path, vt=texture_arrays()[0], ft=texture_arrays()[1])
    content = bytearray(path.read_bytes())
    content[200:400] = bytes(200)
    path.write_bytes(content)
    one_line(path, "expected an .npz archive", read_texture_uv, FACES)


def test_a_header_reserves_nothing() -> None:
    def header(shape: str, kind: str = "<f8") -> bytes:
        text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
        return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text

    np.testing.assert_array_equal(read_npy(header("(2,)") + np.array([1.0, 2.0]).tobytes()), [1, 2])
    for content in (header("(100000000000000,)") + bytes(8), header("(2,)") + bytes(8), header("(2,)") + bytes(24)):
        with pytest.raises(ValueError, match="bytes"):
            read_npy(content)
    with pytest.raises(ValueError, match="pickled objects"):
        read_npy(header("(1,)", "|O") + b"cos\nsystem\n.")
    with pytest.raises(ValueError, match="found"):
        read_npy(header("(1,)", "<c16") + bytes(16))


def changed_bytes(content: bytes) -> st.SearchStrategy[bytes]:
    def change(edits: list[tuple[int, int]]) -> bytes:
        copy = bytearray(content)
        for place, value in edits:
            copy[place] = value
        return bytes(copy)

    edit = st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255))
    return st.lists(edit, min_size=1, max_size=4).map(change)


MASKS_FILES = [
    python2_pickle.dumps({name: mask[:3] for name, mask in masks_dict().items()}, protocol) for protocol in (0, 2)
]


@settings(max_examples=300, deadline=None)
@given(content=st.sampled_from(MASKS_FILES).flatmap(changed_bytes))
def test_damage_is_never_more_than_a_data_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.pkl"
    path.write_bytes(content)
    try:
        masks = read_masks(path, VERTICES)
        message = ""
    except DataError as error:
        masks, message = {}, str(error)
    assert "\n" not in message
    assert all(0 <= mask.min() <= mask.max() < VERTICES for mask in masks.values())
