"""Names: found without importing, suggested when misspelt."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from ffbench import registry
from ffbench.errors import MethodError, UsageError
from ffbench.method import MethodRequest


def test_names_of_methods_and_protocols() -> None:
    assert {"zero", "dis", "dis_fast", "farneback", "raft", "gma", "skflow", "flowformer"} <= set(
        registry.method_names()
    )
    assert {"ck_landmarks", "clip_landmarks"} <= set(registry.protocol_names())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("farnebak", "did you mean 'farneback'"),
        ("rafft", "did you mean 'raft'"),
        ("qqqqqqqq", "methods list"),
        ("dis/medium", "no variants"),
        ("ptlflow", "methods show ptlflow"),
    ],
)
def test_unknown_method(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        registry.load_method(name)


def test_unknown_protocol() -> None:
    with pytest.raises(UsageError, match="did you mean 'ck_landmarks'"):
        registry.load_protocol("ck_landmark")


@pytest.mark.parametrize("device", ["cuda:77", "abacus", ""])
def test_unknown_device(device: str) -> None:
    with pytest.raises(UsageError, match=f"device '{device}'"):
        registry.load_method("zero", device=device)


def test_entry_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "no_such_package:entry", registry.METHOD_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [broken])
    with pytest.raises(MethodError, match=r"'broken'.*no_such_package"):
        registry.load_method("broken")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("dis", ("dis", None, None)),
        ("raft:things", ("raft", None, "things")),
        ("ptlflow/raft", ("ptlflow", "raft", None)),
        ("ptlflow/raft:sintel", ("ptlflow", "raft", "sintel")),
        ("mmflow/a/b.c:d:e", ("mmflow", "a/b.c", "d:e")),
    ],
)
def test_parts_of_a_name(name: str, parts: tuple[str, str | None, str | None]) -> None:
    request = MethodRequest(name)
    assert (request.family, request.variant, request.checkpoint) == parts
