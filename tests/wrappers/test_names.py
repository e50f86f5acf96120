"""Names of wrapped methods."""

from __future__ import annotations

import pytest

from ffbench import load_method
from ffbench.errors import UsageError
from ffbench.wrappers.names import split_name, wrapped_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("dis", ("dis", [])),
        ("dis+variational", ("dis", ["variational"])),
        ("ptlflow/raft:things+face512+variational", ("ptlflow/raft:things", ["face512", "variational"])),
        ("dis+variational+face64", ("dis", ["variational", "face64"])),
        # A plus that is no wrapper's belongs to the name.
        ("mmflow/a+b", ("mmflow/a+b", [])),
        ("ms+face+variational", ("ms+face", ["variational"])),
        ("dis+face512x", ("dis+face512x", [])),
    ],
)
def test_parts_of_a_name(name: str, parts: tuple[str, list[str]]) -> None:
    assert split_name(name) == parts


def test_options_become_parts_of_the_name_in_the_order_of_their_work() -> None:
    assert wrapped_name("dis") == "dis"
    assert wrapped_name("dis", "variational", 512) == "dis+face512+variational"
    method = load_method("dis", refine="variational", face_size=384)
    assert method.card.id == "dis+face384+variational"
    assert load_method(method.card.id).card == method.card
    assert method.card.title == "DIS (MEDIUM), face at 384 px, refined"
    assert method.card.options["preset"] == "MEDIUM"
    assert method.card.options["face_size"] == 384
    assert method.card.options["refine"] == "variational"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("dis", {"refine": "spline"}, "refinement 'spline': expected variational"),
        ("dis", {"face_size": 63}, "63 px: expected 64 to 4096"),
        ("dis", {"face_size": 5000}, "5000 px: expected 64 to 4096"),
        ("dis+face5000", {}, "5000 px: expected 64 to 4096"),
        ("dis+variational", {"refine": "variational"}, "'dis\\+variational\\+variational': .* twice"),
        ("dis+face512", {"face_size": 256}, "twice"),
        ("diss+variational", {}, "unknown method 'diss' - did you mean 'dis'"),
        ("dis+variatonal", {}, "unknown method 'dis\\+variatonal'"),
    ],
)
def test_what_cannot_be_is_refused(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_method(name, **options)  # type: ignore[arg-type]
