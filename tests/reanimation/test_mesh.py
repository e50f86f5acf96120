"""The mesh's triangles from the text of a package, the axes of a head, and what is cut out and filled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ffbench.errors import DataError
from ffbench.reanimation.portraits.matte import cut_out, fill_behind
from ffbench.reanimation.portraits.mesh import face_triangles, head_frame, read_triangles
from tests.reanimation.toy_face import toy_mesh, toy_photo


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n",
        "FACEMESH_TESSELATION = frozenset([(0, 1), (1, 2), (2, 0)])\n",
        "FACEMESH_TESSELATION = frozenset([" + "(0, 1), (1, 2), (2, 3), " * 852 + "])\n",
        "FACEMESH_TESSELATION = frozenset([" + "(0, 1), (1, 468), (468, 0), " * 852 + "])\n",
        "FACEMESH_TESSELATION = frozenset([(0, 1), __import__('os').abort()])\n",
        "FACEMESH_TESSELATION = frozenset([(0,\n",
        "\0",
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "edges.py"
    file.write_text(text)
    with pytest.raises(DataError, match=r"edges\.py: "):
        read_triangles(file)
    with pytest.raises(DataError, match="cannot be read"):
        read_triangles(tmp_path / "missing.py")


def test_a_list_of_edges_is_read(tmp_path: Path) -> None:
    file = tmp_path / "edges.py"
    file.write_text("FACEMESH_TESSELATION = frozenset([" + "(0, 1), (1, 2), (2, 0), " * 852 + "])\n")
    assert read_triangles(file).tolist() == [[0, 1, 2]] * 852


@pytest.mark.assets
def test_the_real_mesh_is_one_whole_sheet() -> None:
    triangles = face_triangles()
    assert triangles.shape == (898, 3)
    edges = [(int(t[k]), int(t[(k + 1) % 3])) for t in triangles for k in range(3)]
    assert len(set(edges)) == len(edges)  # no edge is passed twice in one direction: all face the same way
    undirected = {tuple(sorted(edge)) for edge in edges}
    assert 468 - len(undirected) + 898 == 1
    assert sum((b, a) not in set(edges) for a, b in edges) == 36


def test_axes_of_a_turned_head() -> None:
    points, depth = toy_mesh()
    mesh = np.column_stack([points, depth])
    straight = head_frame(mesh)
    assert abs(straight.yaw) < 1
    np.testing.assert_allclose(straight.axes @ straight.axes.T, np.eye(3), atol=1e-12)
    for degrees in (-25, 10, 40):
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
        turned = head_frame(mesh @ turn.T)
        assert turned.yaw - straight.yaw == pytest.approx(degrees, abs=1e-6)
        np.testing.assert_allclose(turned.coordinates(mesh @ turn.T), straight.coordinates(mesh), atol=1e-9)


def test_the_person_is_cut_out_and_what_is_behind_filled() -> None:
    image, points, _ = toy_photo()
    alpha = cut_out(image, points)
    np.testing.assert_array_equal(alpha, cut_out(image, points))
    x, y = points.mean(axis=0).astype(int)
    assert alpha[y, x] == 1
    assert alpha[5, 5] == 0
    plain = np.full((40, 50, 3), 7.0, np.float32)
    hidden = np.zeros((40, 50), bool)
    hidden[10:30, 10:45] = True
    plain[hidden] = 200
    filled = fill_behind(plain, hidden, 10)
    np.testing.assert_allclose(filled, 7, atol=1e-3)
    np.testing.assert_array_equal(fill_behind(plain, ~hidden | hidden, 10), plain)
