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
from ffbench.synth.flame_pickle import Node, read_tree, single_object, to_array
from tests.synth.flame_folder import Ch, dump, flame_dict

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


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_python_2(protocol: int) -> None:
    model = flame_dict()
    content = dump({"a": Ch(model["shapedirs"]), "b": model["J_regressor"], "c": "lbs"}, protocol, python2=True)
    assert b"numpy.core.multiarray" in content
    assert b"chumpy.ch\nCh" in content
    tree = read_tree(content, PATH)
    np.testing.assert_array_equal(to_array(tree["a"]), model["shapedirs"])
    np.testing.assert_array_equal(to_array(tree["b"]), model["J_regressor"].toarray())
    assert tree["c"] == "lbs"


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


def test_every_prefix_is_refused_in_one_line() -> None:
    content = dump({"a": Ch(np.arange(3.0)), "b": csc_matrix(np.eye(2))}, python2=True)
    for length in range(len(content)):
        with pytest.raises(DataError) as caught:
            read_tree(content[:length], PATH)
        assert "\n" not in str(caught.value)


def _node(name: str, *args: Any, state: Any = None) -> Node:
    node = type("Node", (Node,), {"name": name})(*args)
    node.__setstate__(state)
    assert isinstance(node, Node)
    return node


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
    ],
)
def test_arrays_that_contradict_themselves(state: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        to_array(_node("numpy.core.multiarray._reconstruct", state=state))


def test_things_that_are_no_arrays() -> None:
    for thing, said in ((5, "int"), ([1.0], "list"), (_node("builtins.set"), "builtins.set"), (Node(), "found")):
        with pytest.raises(ValueError, match=said):
            to_array(thing)
    loop = _node("chumpy.ch.Ch")
    loop.__setstate__({"x": loop})
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
