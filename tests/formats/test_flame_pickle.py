from __future__ import annotations

import builtins
import io
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csc_matrix

from ffbench.errors import DataError
from ffbench.formats.flame_pickle import read_tree, single_object, to_array
from ffbench.formats.pickle_machine import Name, Node
from tests.datasets.flame_masks_file import flame_masks
from tests.formats import python2_pickle
from tests.formats.python2_pickle import Ch
from tests.synth.flame_folder import dump, flame_dict

PATH = Path("model.pkl")


class Call:
    """A pickle of this calls `function`."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("dtype", ["<f8", ">f4", "u4", "i2", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_every_protocol(protocol: int, dtype: str, order: Any) -> None:
    array = np.asarray((np.arange(24).reshape(2, 3, 4) * 5 % 11).astype(dtype), order=order)
    read = to_array(read_tree(pickle.dumps(array, protocol), PATH))
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("protocol", range(6))
def test_chumpy_and_sparse_of_every_protocol(protocol: int) -> None:
    model = flame_dict()
    tree = read_tree(dump({"a": Ch(model["shapedirs"]), "b": model["J_regressor"]}, protocol), PATH)
    np.testing.assert_array_equal(to_array(tree["a"]), model["shapedirs"])
    np.testing.assert_array_equal(to_array(tree["b"]), model["J_regressor"].toarray())


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("names", [b"numpy.core.", b"numpy._core."])
def test_names_of_numpy_1_and_2(protocol: int, names: bytes) -> None:
    array = np.arange(6.0).reshape(2, 3)
    content = pickle.dumps({"a": array}, protocol)
    for written in (b"numpy.core.", b"numpy._core."):
        # In protocols 4 and 5 a count before the text says how long it is.
        for rest in (b"multiarray", b"numeric"):
            old, new = written + rest, names + rest
            content = content.replace(bytes([len(old)]) + old, bytes([len(new)]) + new).replace(b"c" + old, b"c" + new)
    if protocol >= 4:  # the frame is as long as it was, or by one byte longer or shorter
        content = content[:3] + (len(content) - 11).to_bytes(8, "little") + content[11:]
    assert names in content
    np.testing.assert_array_equal(to_array(read_tree(content, PATH)["a"]), array)


@pytest.mark.parametrize("options", [{}, {"escape": False}, {"long_sizes": True}])
@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_python_2(protocol: int, options: dict[str, bool]) -> None:
    model = flame_dict()
    parts = {
        "shapedirs": Ch(model["shapedirs"]),
        "posedirs": np.asfortranarray(model["posedirs"]),
        "J_regressor": model["J_regressor"],
        "f": model["f"],
        "kintree_table": model["kintree_table"],
        "mask": np.array([True, False]),
        "bs_style": "lbs",
        "bs_type": python2_pickle.Unicode("lrotmin"),
    }
    content = python2_pickle.dumps(parts, protocol, **options)
    assert (max(content) > 127) == (protocol > 0 or "escape" in options)
    tree = read_tree(content, PATH)
    assert list(tree) == list(parts)
    for name in ("posedirs", "f", "kintree_table"):
        read = to_array(tree[name])
        assert read.dtype == model[name].dtype
        np.testing.assert_array_equal(read, model[name])
    np.testing.assert_array_equal(to_array(tree["shapedirs"]), model["shapedirs"])
    np.testing.assert_array_equal(to_array(tree["J_regressor"]), model["J_regressor"].toarray())
    np.testing.assert_array_equal(to_array(tree["mask"]), [True, False])
    assert (tree["bs_style"], tree["bs_type"]) == ("lbs", "lrotmin")


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_files_that_windows_wrote_in_text_mode(protocol: int) -> None:
    masks = flame_masks()
    content = python2_pickle.dumps(masks, protocol)
    tree = read_tree(content.replace(b"\n", b"\r\n"), PATH)
    for name, members in masks.items():
        np.testing.assert_array_equal(to_array(tree[name]), members)
    # Half of it cannot be undone: which of its line breaks were there before?
    middle = len(content) // 2
    mixed = content[:middle].replace(b"\n", b"\r\n") + content[middle:]
    with pytest.raises(DataError, match=r"some of its line breaks were changed to CR LF, .*; download it again$"):
        read_tree(mixed, PATH)


@pytest.mark.parametrize(
    ("attack", "named"),
    [
        (Call(os.system, "touch {}"), f"{os.name}.system"),
        (Call(eval, "__import__('os').mknod({!r})"), "builtins.eval"),
        (Call(exec, "open({!r}, 'w')"), "builtins.exec"),
        (Call(getattr, os, "name"), "builtins.getattr"),
        (Call(builtins.open, "{}", "w"), "io.open"),
        (Call(np.fromfile, "{}"), "numpy.fromfile"),
        (Call(pickle.loads, b"N."), "pickle.loads"),
    ],
)
@pytest.mark.parametrize("protocol", range(6))
def test_nothing_runs(tmp_path: Path, attack: Call, named: str, protocol: int) -> None:
    canary = tmp_path / "canary"
    function, args = attack.call
    aimed = Call(function, *(a.format(str(canary)) if isinstance(a, str) else a for a in args))
    if function is getattr:
        aimed = Call(getattr, [], "append")
    content = pickle.dumps({"v_template": [1, {"deep": aimed}]}, protocol)
    with pytest.raises(DataError, match=r"^model\.pkl: names ") as caught:
        read_tree(content, PATH)
    assert f"{named}, which" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not canary.exists()


def test_names_that_are_allowed_are_not_called_either() -> None:
    class Buffer:
        def __reduce__(self) -> Any:
            return bytearray, (10**15,)

    tree = read_tree(pickle.dumps([Buffer(), Buffer()]), PATH)
    assert all(isinstance(node, Node) and node.args == (10**15,) for node in tree)
    # Setting a state on a class, or a list's items on an object, has no meaning here.
    with pytest.raises(DataError, match="damaged"):
        read_tree(b"\x80\x02cnumpy\nndarray\n}U\x04nameU\x01xsb.", PATH)
    assert read_tree(pickle.dumps(np.zeros(2)), PATH).kind.endswith(("_reconstruct", "_frombuffer"))


def test_a_small_file_does_not_take_much_memory() -> None:
    start = time.perf_counter()
    for bomb in (
        b"\x80\x02Nr\xff\xff\xff\x7f.",  # a memo of 2^31 places
        b"p4000000000\n.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",  # that many bytes follow
        b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x0f.",
    ):
        with pytest.raises(DataError, match="damaged"):
            read_tree(bomb, PATH)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("content", [b"", b"\x80", b"hello", b"\x80\x02]", b"\x80\x02K\x01", b"\x80\x09N."])
def test_damaged(content: bytes) -> None:
    with pytest.raises(DataError, match=r"^model\.pkl: expected a pickle, found a damaged one \(.+\); download") as e:
        read_tree(content, PATH)
    assert "\n" not in str(e.value)


def test_names_with_line_breaks_and_no_end() -> None:
    name = b"a\nb" + b"c" * 5000
    content = b"\x80\x04\x8c\x02os\x8d" + len(name).to_bytes(8, "little") + name + b"\x93."
    with pytest.raises(DataError, match=r"names os\.a bc+\.\.\., which") as caught:
        read_tree(content, PATH)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_every_prefix_is_refused_in_one_line(protocol: int) -> None:
    content = python2_pickle.dumps({"a": Ch(np.arange(3.0)), "b": csc_matrix(np.eye(2))}, protocol)
    for length in range(len(content)):
        with pytest.raises(DataError) as caught:
            read_tree(content[:length], PATH)
        assert "\n" not in str(caught.value)


def _node(name: str, *args: Any, state: Any = None) -> Node:
    return Node(name, args, state)


def _doubled() -> Any:
    leaves: Any = 1
    for _ in range(100):
        leaves = (leaves, leaves)
    return leaves


DOUBLED = _doubled()
"""2^100 leaves, of which no text can be made."""
F8 = _node("numpy.dtype", "f8", 0, 1, state=(3, "<", None, None, None, -1, -1, 0))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ((1, (10**12,), F8, False, b"12345678"), "8 bytes"),
        ((1, (-1,), F8, False, b""), "without a shape"),
        ((1, [1], F8, False, b"12345678"), "without a shape"),
        ((1, (1,), F8, False, 5), "without content"),
        ((1, (1,), "f8", False, b"12345678"), "type None"),
        ((1, (1,), _node("numpy.dtype", "O8", 0, 1), False, [1]), "type O8"),
        ((1, (1,), _node("numpy.dtype", "V8", 0, 1), False, b"12345678"), "type V8"),
        ((1, (1,), _node("numpy.dtype", "f3", 0, 1), False, b"123"), "type f3"),
        ((1, (1,), _node("numpy.dtype", "f1", 0, 1), False, b"1"), "type f1"),
        ((1, (1,), _node("numpy.dtype", "b8", 0, 1), False, b"12345678"), "type b8"),
        ((1, (1,), _node("numpy.dtype", "x" * 10**6), False, b"1"), r"type x{120}\.\.\.$"),
        ((1, (1,), _node("numpy.dtype", DOUBLED), False, b"1"), "type tuple"),
        ((1, (1,) * 9, F8, False, b"12345678"), "without a shape"),
        ((1, (10**5000,), F8, False, b"12345678"), "without a shape"),
        ((1, (1,), F8, False, "\u20ac"), "latin-1"),
    ],
)
def test_arrays_that_contradict_themselves(state: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        to_array(_node("numpy.core.multiarray._reconstruct", state=state))


def test_things_that_are_no_arrays() -> None:
    for thing, said in (
        (5, "int"),
        ([1.0], "list"),
        (_node("builtins.set"), "builtins.set"),
        (Node(), "found"),
        (Name("numpy.ndarray"), "Name"),
    ):
        with pytest.raises(ValueError, match=said):
            to_array(thing)
    loop = _node("chumpy.ch.Ch")
    loop.state = {"x": loop}
    with pytest.raises(ValueError, match=r"chumpy\.ch\.Ch"):
        to_array(loop)


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("_shape", (10**9, 10**9), "sparse matrix of"),
        ("_shape", (2, 0), "without a shape"),
        ("_shape", "ab", "without a shape"),
        ("indices", np.array([0, 7]), "outside"),
        ("indices", np.array([-1, 1]), "outside"),
        ("indices", np.array([0]), "outside"),
        ("indptr", np.array([0, 2]), "add up"),
        ("indptr", np.array([0, 3, 2]), "add up"),
        ("indptr", np.array([1, 1, 2]), "add up"),
        ("data", None, "expected an array"),
        ("indices", np.array([0.0, 1.0]), "no whole numbers"),
        ("indptr", np.array([0.0, 1.0, 2.0]), "no whole numbers"),
        ("indptr", np.array([0, 2**64 - 1, 2], np.uint64), "add up"),
        ("indptr", np.array([0, -(2**63), 2]), "add up"),
        ("_shape", (2, 10**5000), "without a shape"),
    ],
)
def test_sparse_matrices_that_contradict_themselves(part: str, value: Any, said: str) -> None:
    matrix = csc_matrix(np.eye(2))
    node = read_tree(pickle.dumps(matrix), PATH)
    changed = read_tree(pickle.dumps(value), PATH) if isinstance(value, np.ndarray) else value
    node.state[part] = changed
    with pytest.raises(ValueError, match=said):
        to_array(node)


def test_an_object_saved_by_numpy() -> None:
    stream = io.BytesIO()
    np.save(stream, np.array({"a": np.arange(3)}, object), allow_pickle=True)
    content = stream.getvalue()
    found = single_object(read_tree(content[content.index(b"\n") + 1 :], PATH))
    np.testing.assert_array_equal(to_array(found["a"]), [0, 1, 2])
    with pytest.raises(ValueError, match="one object"):
        single_object({"a": 1})
