"""Which shipped records are missing or stale: each thing that a number depends on, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ffbench.errors import MethodError
from ffbench.evaluation import evaluate, run_folder
from ffbench.evaluation.shipping import rerun as shipping
from ffbench.evaluation.shipping import staleness
from ffbench.evaluation.shipping.rows import PlannedRow, Reading
from ffbench.evaluation.shipping.staleness import RowState, Shipped, changes, row_states, shipped_records, without_row
from ffbench.evaluation.source import MethodSource
from ffbench.method import Method, MethodCard, WeightsCard
from ffbench.results.record.run_record import read_record, write_record
from ffbench.results.store.records import add_record
from ffbench.threads import limited
from tests.toys import BrightnessFlow, Stripes

ROWS = [PlannedRow(name, Reading(protocol="stripes")) for name in ("network", "classical")]


class Toy(BrightnessFlow):
    def __init__(self, name: str, sha256: str | None = None, **card: Any) -> None:
        super().__init__()
        weights = None if sha256 is None else WeightsCard(name="w", source="ours", sha256=sha256)
        self.card = MethodCard(id=name, title=name.title(), weights=weights, **card)


@pytest.fixture
def methods() -> dict[str, Method]:
    return {"network": Toy("network", "a" * 64), "classical": Toy("classical")}


@pytest.fixture(autouse=True)
def _registry(methods: dict[str, Method], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staleness, "load_method", lambda name, **_: methods[name])
    monkeypatch.setattr(staleness, "load_protocol", lambda name, **_: Stripes(6))


def published(tmp_path: Path, method: Method) -> Path:
    with limited(1):
        record = evaluate(MethodSource(method, clock="cpu"), Stripes(6), out=tmp_path / "runs")
    place = run_folder(tmp_path / "runs", "stripes", record.method.id, record.fingerprint, record.method.weights)
    return add_record(tmp_path / "store", place / "record.json", "verified")


def states(tmp_path: Path) -> dict[str, RowState]:
    return {state.row.method: state for state in row_states(ROWS, shipped_records(tmp_path / "store"))}


def test_an_empty_store_lacks_every_row(tmp_path: Path) -> None:
    assert {name: state.reasons for name, state in states(tmp_path).items()} == {
        "network": ("missing",), "classical": ("missing",),
    }  # fmt: skip


def test_other_weights_make_exactly_the_rows_of_their_method_stale(tmp_path: Path, methods: dict[str, Method]) -> None:
    for method in methods.values():
        published(tmp_path, method)
    assert all(state.current for state in states(tmp_path).values())
    methods["network"] = Toy("network", "b" * 64)
    found = states(tmp_path)
    assert found["classical"].current
    (reason,) = found["network"].reasons
    assert reason.startswith("method: weights ")
    assert "aaaa" in reason
    assert "bbbb" in reason


def test_what_cannot_be_loaded_is_neither_current_nor_missing(
    tmp_path: Path, methods: dict[str, Method], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str, **_: object) -> Method:
        raise MethodError(f"{name}: no weights here")

    monkeypatch.setattr(staleness, "load_method", fail)
    state = states(tmp_path)["network"]
    assert (state.current, state.unusable, state.reasons) == (False, "network: no weights here", ())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m, p, d: (m.model_copy(update={"options": {"opencv": "5"}}), p, d), "method: options"),
        (lambda m, p, d: (m.model_copy(update={"title": "New"}), p, d), "method: title Classical, now New"),
        (lambda m, p, d: (m, p.model_copy(update={"version": "1.1"}), d), "protocol: version 1.0, now 1.1"),
        (lambda m, p, d: (m, p.model_copy(update={"variant": "official"}), d), "protocol: variant"),
        (lambda m, p, d: (m, p.model_copy(update={"group_by": ("scale",)}), d), "protocol: group_by"),
        (lambda m, p, d: (m, p, d.model_copy(update={"manifest_sha256": "1" * 64})), "dataset: manifest_sha256"),
        (lambda m, p, d: (m, p, d.model_copy(update={"reference": "pseudo"})), "dataset: reference"),
    ],
)
def test_each_thing_that_a_number_depends_on_is_named(
    tmp_path: Path, methods: dict[str, Method], change: Callable[..., Any], said: str
) -> None:
    path = published(tmp_path, methods["classical"])
    one = Shipped(path, read_record(path), 5)
    cards = one.record.method, one.record.protocol, one.record.dataset
    assert changes(one, *cards) == []
    (reason,) = changes(one, *change(*cards))
    assert reason.startswith(said)


def test_what_differs_from_machine_to_machine_is_no_change(tmp_path: Path, methods: dict[str, Method]) -> None:
    path = published(tmp_path, methods["classical"])
    record = read_record(path)
    dataset = record.dataset.model_copy(update={"facts": {"jitter_px": 0.1}, "left_out": ("a.mp4: short",)})
    assert changes(Shipped(path, record, 5), record.method, record.protocol, dataset) == []


def test_an_older_schema_and_a_speed_of_several_threads_are_named(tmp_path: Path, methods: dict[str, Method]) -> None:
    path = published(tmp_path, methods["classical"])
    record = read_record(path)
    cards = record.method, record.protocol, record.dataset
    assert changes(Shipped(path, record, 4), *cards) == ["schema 4, now 5"]
    threads = record.model_copy(update={"environment": record.environment.model_copy(update={"threads": 2})})
    elapsed = record.model_copy(update={"cost": record.cost.model_copy(update={"clock": "elapsed"})})
    for slow in (threads, elapsed):
        assert changes(Shipped(path, slow, 5), *cards) == ["its speed is not of one thread"]


def test_a_record_takes_the_place_of_the_older_one(tmp_path: Path, methods: dict[str, Method]) -> None:
    others = published(tmp_path, methods["classical"])
    old = published(tmp_path, methods["network"])
    methods["network"] = Toy("network", "b" * 64)
    stale = states(tmp_path)["network"]
    with limited(1):
        new = evaluate(MethodSource(methods["network"], clock="cpu"), Stripes(6), out=tmp_path / "new")
    place = run_folder(tmp_path / "new", "stripes", "network", new.fingerprint, new.method.weights)
    target = shipping.ship(place / "record.json", tmp_path / "store", stale.shipped)
    kept = {path for path in (tmp_path / "store").rglob("*") if path.is_file()}
    assert kept == {path.with_suffix(ending) for path in (others, target) for ending in (".json", ".parquet")}
    assert old not in kept
    assert states(tmp_path)["network"].current
    # The same once more is the same file, and stays.
    assert shipping.ship(place / "record.json", tmp_path / "store", states(tmp_path)["network"].shipped) == target
    assert target.exists()


def test_records_of_others_are_left_alone(tmp_path: Path, methods: dict[str, Method]) -> None:
    with limited(1):
        record = evaluate(MethodSource(methods["classical"], clock="cpu"), Stripes(6), out=tmp_path / "runs")
    place = run_folder(tmp_path / "runs", "stripes", "classical", record.fingerprint) / "record.json"
    other = {"name": "theirs", "version": "1"}
    write_record(place, type(record).model_validate({**record.model_dump(), "distribution": other}))
    add_record(tmp_path / "store", place, "verified")
    assert shipped_records(tmp_path / "store") == []
    assert states(tmp_path)["classical"].reasons == ("missing",)


def test_a_record_of_no_row_is_found(tmp_path: Path, methods: dict[str, Method]) -> None:
    published(tmp_path, methods["classical"])
    gone = published(tmp_path, Toy("gone"))
    shipped = shipped_records(tmp_path / "store")
    assert without_row(row_states(ROWS, shipped), shipped) == [gone]


def test_processor_time_is_of_the_method_and_not_of_waiting(tmp_path: Path) -> None:
    slow = BrightnessFlow(seconds=0.05)
    with limited(1):
        cpu = evaluate(MethodSource(slow, clock="cpu"), Stripes(6), out=tmp_path / "cpu").cost
        elapsed = evaluate(MethodSource(slow), Stripes(6), out=tmp_path / "elapsed").cost
    assert (cpu.clock, elapsed.clock) == ("cpu", "elapsed")
    # A method that sleeps takes no processor: what a busy machine does to it must not count either.
    assert elapsed.method_seconds > 6 * 0.05
    assert cpu.method_seconds < 6 * 0.05
