"""Packages that take the name of a method or protocol that another package has."""

from __future__ import annotations

from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

from ffbench import registry
from ffbench.errors import MethodError, UsageError
from ffbench.evaluation import evaluate
from ffbench.packages.distribution import Distribution as Stated
from ffbench.results.record.run_record import read_record
from ffbench.results.report.leaderboard import leaderboard
from ffbench.results.store.records import read_rows
from ffbench.submissions.rescoring import Rescorer
from tests.attacks.forging import STORE, forge, honest, publish, verify
from tests.submissions.toys import PAIRS
from tests.toys import Stripes


class Package(Distribution):
    """An installed package, as `importlib.metadata` shows it."""

    def __init__(self, name: str, version: str = "1.0") -> None:
        self._text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:  # type: ignore[override]
        return Path(str(path))

    def point(self, name: str, value: str, group: str) -> EntryPoint:
        point = EntryPoint(name, value, group)
        vars(point).update(dist=self)
        return point


SPECKLE = "tests.submissions.toys:speckle"


def install(monkeypatch: pytest.MonkeyPatch, **methods: tuple[str, str]) -> None:
    """Install packages, each with one method of a name, at a value."""
    points = [Package(p).point(name, value, registry.METHOD_GROUP) for p, (name, value) in methods.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.METHOD_GROUP else [])


def test_a_name_in_two_packages_is_an_error_that_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was found last used to be run, without a word."""
    install(monkeypatch, ours=("speckle", SPECKLE), theirs=("speckle", "tests.toys:brightness"))
    with pytest.raises(UsageError, match=r"ours \(tests.*\) and theirs \(tests\.toys:brightness\): a name has one"):
        registry.load_method("speckle")
    install(monkeypatch, ours=("speckle", SPECKLE), theirs=("other", "tests.toys:brightness"))
    assert registry.load_method("speckle").card.id == "speckle"  # control


def test_one_package_found_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [Package("ours").point("speckle", SPECKLE, registry.METHOD_GROUP) for _ in range(2)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert registry.load_method("speckle").card.id == "speckle"


def test_a_record_says_which_package_its_method_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """`speckle` of another package is another method: no board and no verification takes one for the other."""
    publish(honest(), "verified")
    install(monkeypatch, theirs=("speckle", SPECKLE))
    record = evaluate(registry.load_method("speckle"), Stripes(PAIRS), out="theirs")
    assert record.distribution == Stated(name="theirs", version="1.0")
    (path,) = Path("theirs").rglob("record.json")
    publish(forge(path, "speckle", fingerprint="f", distribution=record.distribution), "verified")
    assert len(leaderboard(read_rows([STORE]))[0].lines) == 2
    assert any("a name has one owner" in fault for fault in verify().faults)
    install(monkeypatch, ours=("speckle", SPECKLE))
    with pytest.raises(MethodError, match="from the package ours, then theirs"):
        Rescorer()._method(record)
    same = forge(path, "speckle", fingerprint="g", distribution=None)  # control: who does not say is not told apart
    assert Rescorer()._method(read_record(same)).card.id == "speckle"
