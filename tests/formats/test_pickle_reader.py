"""The machine that reads pickles: against Python's own, against what Python 2 wrote, and against hostile files."""

from __future__ import annotations

import hashlib
import math
import pickle
import pickletools
import struct
import subprocess
import sys
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.formats.pickle_machine import MOST_STEPS, Name, Node, RefusedNameError
from ffbench.formats.pickle_reader import read_pickle
from tests.datasets.flame_masks_file import flame_masks
from tests.formats.python2_pickle import dumps, python2_repr
from tests.reference import unpickler as reference

ALLOWED = frozenset({"numpy.dtype", "builtins.set", "a.b"})

PLAIN = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8)
)  # fmt: skip
TREES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(tree=TREES, protocol=st.integers(0, 5), in_python=st.booleans())
def test_plain_trees_of_every_protocol(tree: Any, protocol: int, in_python: bool) -> None:
    content = (pickle._dumps if in_python else pickle.dumps)([tree, tree], protocol)  # type: ignore[attr-defined]
    found = read_pickle(content, frozenset())
    assert found == [tree, tree]
    assert repr(found) == repr([tree, tree])  # True is not 1, nor -0.0 0.0
    assert not isinstance(tree, list | dict) or found[0] is found[1]


@pytest.mark.parametrize("protocol", [4, 5])
def test_bytes_and_sets(protocol: int) -> None:
    long = bytes(range(256)) * 300
    tree = [b"short", long, {"a", "b"}, frozenset({b"c"}), {b"key": 1}, bytearray(long) if protocol == 5 else b""]
    found = read_pickle(pickle.dumps(tree, protocol), frozenset())
    assert found == tree
    assert [type(item) for item in found] == [type(item) for item in tree]


def test_what_holds_itself() -> None:
    for protocol in range(6):
        loop: list[Any] = ["a"]
        loop.append({"loop": loop, "tuple": (loop,)})
        found = read_pickle(pickle.dumps(loop, protocol), frozenset())
        assert found[1]["loop"] is found
        assert found[1]["tuple"][0] is found
    around: Any = ([],)
    around[0].append(around)
    for protocol in range(6):  # a tuple in itself is taken back from the stack
        found = read_pickle(pickle._dumps(around, protocol), frozenset())  # type: ignore[attr-defined]
        assert found[0][0] is found


@pytest.mark.parametrize(
    ("protocol", "sha256"),
    [
        (0, "a937853d76e48d86e7ef836d2e93fc35e34421a9666813db4cde12ec420d5150"),
        (1, "33341f8b4e6dcb3edeb11e5e1a7a80d11c9a2c7ae01e7acbe1da1a315754733c"),
        (2, "bcfe6c14ea6e9dc1a842daa3c59821f0d0eb87b450bfdc25780a3936e0357cce"),
    ],
)
def test_the_files_of_these_tests_are_those_of_python_2(protocol: int, sha256: str) -> None:
    """The hashes are of what `pickle.dumps` of Python 2.7.18 gave for these masks, with numpy 1.16.6."""
    content = dumps(flame_masks(), protocol)
    assert hashlib.sha256(content).hexdigest() == sha256
    if protocol == 0:
        assert content.startswith(b"(dp0\nS'eye_region'\np1\ncnumpy.core.multiarray\n_reconstruct\n")
        with pytest.raises(UnicodeDecodeError):  # why Python's own tools do not do
            list(pickletools.genops(content))


# What Python 2.7.18 wrote, by protocol.
PYTHON_2 = {
    0: b"(lp0\nS'a'\np1\naS\"it's\"\np2\naS'\"both\\' '\np3\naS'tab\\t\\\\ \\xff\\n'\np4\naV\xe4\\u005c\\u20ac\\u000a\n"
    b"p5\naI01\naI00\naNaI-3\naI300\naI1048576\naF1.5\na(ta(I1\ntp6\na(I1\nI2\nI3\nI4\ntp7\na.",
    1: b"]q\x00(U\x01aq\x01U\x04it'sq\x02U\x07\"both' q\x03U\x08tab\t\\ \xff\nq\x04X\x07\x00\x00\x00\xc3\xa4\\"
    b"\xe2\x82\xac\nq\x05I01\nI00\nNJ\xfd\xff\xff\xffM,\x01J\x00\x00\x10\x00G?\xf8\x00\x00\x00\x00\x00\x00)"
    b"(K\x01tq\x06(K\x01K\x02K\x03K\x04tq\x07e.",
    2: b"\x80\x02]q\x00(U\x01aq\x01U\x04it'sq\x02U\x07\"both' q\x03U\x08tab\t\\ \xff\nq\x04X\x07\x00\x00\x00"
    b"\xc3\xa4\\\xe2\x82\xac\nq\x05\x88\x89NJ\xfd\xff\xff\xffM,\x01J\x00\x00\x10\x00G?\xf8\x00\x00\x00\x00\x00\x00)"
    b"K\x01\x85q\x06(K\x01K\x02K\x03K\x04tq\x07e.",
}


@pytest.mark.parametrize("protocol", PYTHON_2)
def test_strings_and_numbers_of_python_2(protocol: int) -> None:
    expected = ["a", "it's", "\"both' ", "tab\t\\ \xff\n", "\u00e4\\\u20ac\n", True, False, None, -3, 300, 2**20, 1.5]
    assert read_pickle(PYTHON_2[protocol], frozenset()) == [*expected, (), (1,), (1, 2, 3, 4)]
    assert read_pickle(b"L-12L\n.", frozenset()) == -12
    assert read_pickle(b"L12\n.", frozenset()) == 12


@given(raw=st.binary(max_size=40), escape=st.booleans())
def test_every_string_of_python_2(raw: bytes, escape: bool) -> None:
    line = python2_repr(raw, escape=escape)
    assert read_pickle(b"S" + line + b"\n.", frozenset()) == raw.decode("latin1")
    if escape:
        assert line.isascii()
        assert line == (b"'" if b"'" not in raw or b'"' in raw else b'"') + line[1:-1] + line[:1]


# Programs of a few instructions, most of which fit none before them.
PARTS = [
    b"(", b"(", b"0", b"1", b"2", b"N", b"K\x05", b"I01\n", b"I7\n", b"L9L\n", b"J\xff\xff\xff\xff", b"\x8a\x01\x80",
    b"G?\xf0\x00\x00\x00\x00\x00\x00", b"F2.5\n", b"S'k\\x80'\n", b"U\x01u", b"T\x01\x00\x00\x00t", b"Vv\\u20ac\n",
    b"X\x01\x00\x00\x00x", b"\x8c\x01s", b"C\x02by", b"B\x01\x00\x00\x00b", b")", b"\x85", b"\x86", b"\x87", b"t", b"]",
    b"l", b"a", b"e", b"}", b"d", b"s", b"u", b"\x8f", b"\x90", b"\x91", b"p0\n", b"q\x01", b"r\x02\x00\x00\x00",
    b"\x94", b"g0\n", b"h\x01", b"j\x02\x00\x00\x00", b"ca\nb\n", b"\x8c\x01a\x8c\x01b\x93", b"R", b"b", b"o",
    b"ia\nb\n", b"\x81", b"\x92", b"\x80\x04",
    # Some that go together.
    b"(K\x01K\x02", b"\x8c\x03key", b"(U\x01kN", b"ca\nb\n(K\x01tR", b"ca\nb\n)\x81}b",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(parts=st.lists(st.sampled_from(PARTS), max_size=16))
def test_every_program_that_is_read_gives_what_python_makes_of_it(parts: list[bytes]) -> None:
    content = b"".join(parts) + b"."
    try:
        found = read_pickle(content, ALLOWED)
    except ValueError as error:
        assert str(error)  # noqa: PT017
        return
    assert same(found, reference.load(content))


@pytest.mark.parametrize(
    "content",
    [
        b"(ca\nb\nK\x01K\x02o.", b"(K\x01ia\nb\n.", b"ca\nb\n(K\x01t}\x92.", b"ca\nb\n)\x81}\x94(U\x01xNubh\x00\x86.",
        b"(lp0\nK\x01ag0\n\x86.", b"]q\x01(K\x01K\x02eh\x01\x86.", b"(K\x01K\x021N.", b"K\x01(0.", b"K\x01K\x020.",
        b"\x8f(\x8c\x01a\x8c\x01b\x90.", b"K\x012\x86.", b"\x8b\x02\x00\x00\x00\x00\x80.",
    ],
)  # fmt: skip
def test_programs_that_are_read(content: bytes) -> None:
    assert same(read_pickle(content, ALLOWED), reference.load(content))


def same(found: Any, expected: Any, within: frozenset[int] = frozenset()) -> bool:
    """Whether a tree is what Python's machine made, with inert classes for names; both may hold themselves."""
    if id(found) in within:
        return True
    within = within | {id(found)}
    if isinstance(found, Name):
        return isinstance(expected, type) and found.name == expected.name  # type: ignore[attr-defined]
    if isinstance(found, Node):
        noted = isinstance(expected, reference.Noted) and found.name == expected.name
        return noted and same(found.args, expected.args, within) and same(found.state, expected.state, within)
    if type(found) is not type(expected):
        return False
    if isinstance(found, dict):
        return list(found) == list(expected) and all(same(found[key], expected[key], within) for key in found)
    if isinstance(found, list | tuple):
        return len(found) == len(expected) and all(
            same(a, b, within) for a, b in zip(found, expected, strict=True)
        )  # fmt: skip
    return bool(found == expected) or (isinstance(found, float) and math.isnan(found) and math.isnan(expected))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cut short: 0 bytes"),
        (b"S'a", "no end of the line at byte 1"),
        (b"Sa\n.", "a string without quotes, at byte 0"),
        (b"S'a\"\n.", "without quotes"),
        (b"S'\n.", "without quotes"),
        (b"S'\\x4'\n.", "truncated"),
        (b"S'\\\\\\z'\n.", "escapes that are not Python 2's, at byte 0"),
        (b"NS'\\u20ac'\n.", "escapes that are not Python 2's, at byte 1"),
        (b"S'\\'\n.", "at end of string"),
        (b"I1.5\n.", "invalid literal"),
        (b"I" + b"1" * 5000 + b"\n.", "a number of 5000 characters"),
        (b"L" + b"1" * 5000 + b"L\n.", "a number of 5000 characters"),
        (b"F" + b"1" * 5000 + b"\n.", "a number of 5000 characters"),
        (b"\x8b\x00\x00\x00\x01" + bytes(2**24) + b".", "a number of 16777216 bytes"),
        (b"T\xff\xff\xff\xff.", "cut short: 6 bytes, expected 4294967300 at least"),
        (b"\x96" + b"\xff" * 8 + b".", "cut short"),
        (b"\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00N.", "cut short"),
        (b"\x80\x06N.", "protocol 6, expected 0 to 5"),
        (b"\xff.", r"no instruction b'\\xff', at byte 0"),
        (b"0.", "nothing to take"),
        (b"K\x01(a.", "nothing to take"),
        (b"N(.", "nothing to take"),
        (b"t.", "no mark"),
        (b"K\x01K\x02a.", "items for a int"),
        (b"ca\nb\n(K\x01e.", "items for a Name"),
        (b"]\x8c\x01kNs.", "2 keys and values for a list"),
        (b"}(K\x01u.", "1 keys and values for a dict"),
        (b"(]Nd.", "a key of type list"),
        (b"}}Ns.", "a key of type dict"),
        (b"}K\x01Ns.", "a key of type int"),
        (b"\x8f(]\x90.", "a key of type list"),
        (b"(]\x91.", "a key of type list"),
        (b"N(N\x90.", "members for a NoneType"),
        (b"g1\n.", "nothing at place 1 of the memo"),
        (b"Np-1\n.", "place -1 of the memo"),
        (b"Np50001\n.", "place 50001 of the memo, expected at most 50,000"),
        (b"K\x01)R.", "a call of int with tuple"),
        (b"ca\nb\n]R.", "a call of Name with list"),
        (b"(o.", "a call of NoneType"),
        (b"ca\nb\n)}\x8c\x01kNs\x92.", "a call with keywords"),
        (b"}}b.", "a state for a dict"),
        (b"ca\nb\n}b.", "a state for a Name"),
        (b"N\x8c\x01b\x93.", "a name that is no text"),
        (b"Pid\n.", "outside of the file, at byte 0"),
        (b"NQ.", "outside"),
        (b"\x82\x01.", "outside"),
        (b"\x97.", "outside"),
    ],
)
def test_what_is_no_pickle(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_pickle(content, ALLOWED)


@pytest.mark.parametrize("content", [b"cos\nsystem\n.", b"(ios\nsystem\n.", b"\x8c\x02os\x8c\x06system\x93."])
def test_other_names_are_refused(content: bytes) -> None:
    with pytest.raises(RefusedNameError, match=r"^os\.system$"):
        read_pickle(content, ALLOWED)
    found = read_pickle(content, frozenset({"os.system"}))
    assert isinstance(found, Name | Node)
    assert found.name == "os.system"


DOUBLED = b"K\x01p0\n0" + b"".join(b"(g%d\ng%d\ntp%d\n0" % (n, n, n + 1) for n in range(100))
"""A tuple that holds one twice that holds one twice ... a hundred times: 2^100 leaves in 2 kB, at 100 of the memo."""


def _equal_hashes(count: int) -> bytes:
    """Keys whose hash is 0: each is compared with all before it."""
    keys = (b"\x8a\x0c" + (n * (2**61 - 1)).to_bytes(12, "little") for n in range(count))
    return b"(" + b"".join(key + b"N" for key in keys) + b"d."


HOSTILE = {
    "doubled": DOUBLED + b"g100\n.",
    "doubled as a key": DOUBLED + b"}g100\nNs.",
    "in itself": b"(dp0\nS'face'\np1\ng0\ns.",
    "deep": b"N" + b"\x85" * 49_000 + b".",
    "deep lists": b"]" * 24_000 + b"a" * 23_999 + b".",
    "deep marks": b"(" * 24_000 + b"l" * 24_000 + b".",
    "deep calls": b"Np1\n" + b"0ca\nb\n(g1\ntRp1\n" * 7_000 + b"g1\n.",
    "deep states": b"Np1\n" + b"0ca\nb\n)Rg1\nbp1\n" * 7_000 + b"g1\n.",
    "many instructions": b"(" + b"]" * (MOST_STEPS + 10) + b"l.",
    "many names": b"(" + b"ca\nb\n" * 49_000 + b"l.",
    "many memos": b"".join(b"Np%d\n" % n for n in range(24_000)) + b".",
    "large memo": b"Nr\xff\xff\xff\x7f.",
    "long number": b"\x8b" + struct.pack("<i", 2**22) + b"\x7f" * 2**22 + b".",
    "long digits": b"I" + b"9" * 2**22 + b"\n.",
    "many bytes": b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.",
    "equal hashes": _equal_hashes(24_000),
}


def _read(content: bytes) -> None:
    """Read it, or see it refused in words."""
    try:
        read_pickle(content, ALLOWED)
    except ValueError as error:
        assert len(str(error)) < 200  # noqa: PT017


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_pickles_end_soon_and_small(case: str) -> None:
    start = time.process_time()
    _read(HOSTILE[case])
    assert time.process_time() - start < 2
    tracemalloc.start()
    _read(HOSTILE[case])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(HOSTILE[case]) + 20 * 2**20


@pytest.mark.parametrize("content", [HOSTILE["doubled as a key"], _equal_hashes(200_000)])
def test_pythons_own_machine_does_not_end(content: bytes) -> None:
    """Control: without the rule for keys, a few kB would run for ages, and a few MB for minutes."""
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(
            [sys.executable, "-c", "import pickle, sys; pickle.load(sys.stdin.buffer)"],
            input=content, timeout=3, check=False, capture_output=True,
        )  # fmt: skip
