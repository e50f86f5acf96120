"""Names of the user's own code: what is one, and what id its method has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.errors import UsageError
from ffbench.own.names import OwnCode, own_code, own_id, require_place


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("net.py:MyNet", OwnCode("net.py", "MyNet", True)),
        ("../a folder/net.py:MyNet", OwnCode("../a folder/net.py", "MyNet", True)),
        ("nets.raft:entry", OwnCode("nets.raft", "entry", False)),
        ("raft:things", OwnCode("raft", "things", False)),
        ("dis", None),
        ("ptlflow/raft:things", None),
        ("decflow-c", None),
        ("net.py:", None),
        ("net.py:My-Net", None),
        ("nets/raft", None),
    ],
)
def test_what_names_code(name: str, code: OwnCode | None) -> None:
    assert own_code(name) == code


def test_a_file_without_a_class_is_told_which_it_has(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("class Block: ...\nclass Net(ffbench.Method): ...\n")
    with pytest.raises(UsageError, match=r"name the class too: .*net\.py:Net$"):
        own_code(str(file))
    with pytest.raises(UsageError, match=r"name the class too: none\.py:CLASS$"):
        own_code("none.py")


def test_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    for name, said in (
        ("none.py:Net", "no such file"), (f"{tmp_path}/folder.py:Net", "is a folder"), ("no.such:Net", "no module"),
    ):  # fmt: skip
        code = own_code(name)
        assert code is not None
        with pytest.raises(UsageError, match=said):
            require_place(code)


@given(st.text(min_size=1))
def test_ids_are_safe_in_folders_and_marked_once(text: str) -> None:
    made = own_id(text)
    assert re.fullmatch(r"own/[A-Za-z0-9._-]*", made)
    assert own_id(made) == made


def test_the_id_does_not_depend_on_the_folder() -> None:
    assert OwnCode("/a/net.py", "Net", True).id == OwnCode("b/net.py", "Net", True).id == "own/net.Net"
    assert OwnCode("nets.net", "Net", False).id == "own/nets.net.Net"
