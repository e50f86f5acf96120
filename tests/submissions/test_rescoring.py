"""Claims that are scored again: confirmed, refuted, or said why neither can be."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from ffbench.errors import DataError, MethodError
from ffbench.method import MethodCard, WeightsCard
from ffbench.protocol import ProtocolCard, Score
from ffbench.results.record.run_record import Primary, read_record, write_record
from ffbench.results.store.records import add_record
from ffbench.submissions import rescoring
from ffbench.submissions.rescoring import Rescorer

Command = Callable[..., int]
Captured = pytest.CaptureFixture[str]
Scaled = TypeVar("Scaled", Primary, Score)
STORE = Path("submissions")


def claim(ffbench: Command, capsys: Captured, *command: str) -> Path:
    """Make a record by a command and publish it as claimed; gives its path in the store."""
    assert ffbench(*command, "-p", "stripes", "--out", "theirs") == 0
    (run,) = Path("theirs").rglob("record.json")
    path = add_record(STORE, run, "claimed")
    shutil.rmtree("theirs")
    capsys.readouterr()
    return path


def _scaled(number: Scaled, factor: float) -> Scaled:
    ends = {name: getattr(number, name) for name in ("value", "ci_low", "ci_high")}
    return number.model_copy(update={name: end and end * factor for name, end in ends.items()})


def forge(path: Path, factor: float, **changes: object) -> None:
    """Replace a stored claim by one whose scores and pairs are all `factor` times what they were."""
    import pyarrow.parquet as pq

    from ffbench.io.hashing import file_sha256

    record = read_record(path)
    table = pq.read_table(path.with_suffix(".parquet"))
    for column in [name for name in table.column_names if name.endswith("sum")]:
        values = [value.as_py() * factor for value in table[column]]
        table = table.set_column(table.column_names.index(column), column, [values])
    folder = Path("forged")
    folder.mkdir()
    pq.write_table(table, folder / record.pair_table.file)
    scores = tuple(_scaled(score, factor) for score in record.scores)
    primary = _scaled(record.primary, factor)
    table_card = record.pair_table.model_copy(update={"sha256": file_sha256(folder / record.pair_table.file)})
    update = {"scores": scores, "primary": primary, "pair_table": table_card, **changes}
    write_record(folder / "record.json", record.model_copy(update=update))
    shutil.rmtree(STORE)
    add_record(STORE, folder / "record.json", "claimed")


def test_claims_by_method_and_by_predictions_are_confirmed(ffbench: Command, capsys: Captured) -> None:
    claim(ffbench, capsys, "eval", "-m", "speckle")
    assert ffbench("predict", "-m", "speckle", "-p", "stripes", "--out", "flows") == 0
    claim(ffbench, capsys, "submit", "flows", "--name", "Net", "--contact", "someone")
    assert ffbench("verify", "--predictions", "flows", "--out", "ours") == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in out[:2]] == ["confirmed", "confirmed"]
    assert all(line.endswith("scores alike)") for line in out[:2])
    assert out[2] == "2 records, 2 confirmed, 0 faults, 0 remarks"
    # What was scored again can be published; then the verified records are what is scored again.
    runs = sorted(Path("ours").rglob("record.json"))
    assert [ffbench("publish", str(run), "--verified") for run in runs] == [0, 0]
    capsys.readouterr()
    assert ffbench("verify", "--predictions", "flows", "--out", "again") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "4 records, 2 confirmed, 0 faults, 0 remarks"
    assert ffbench("verify", "--predictions", "flows", "--out", "again", "--sample", "1") == 0
    said = capsys.readouterr().out
    assert "1 of 2 records were not drawn to be scored again" in said
    assert said.splitlines()[-1] == "4 records, 1 confirmed, 0 faults, 1 remarks"


def test_a_claim_of_a_wrapped_method_is_scored_again_with_its_wrappers(ffbench: Command, capsys: Captured) -> None:
    path = claim(ffbench, capsys, "eval", "-m", "speckle", "--refine", "variational")
    assert read_record(path).method.id == "speckle+variational"
    assert ffbench("verify") == 0
    assert capsys.readouterr().out.endswith("1 records, 1 confirmed, 0 faults, 0 remarks\n")


def test_a_claim_that_does_not_hold_is_a_fault(ffbench: Command, capsys: Captured) -> None:
    path = claim(ffbench, capsys, "eval", "-m", "speckle")
    value = read_record(path).primary.value
    forge(path, 0.5)
    assert ffbench("verify", "--no-rescore") == 0
    assert "claimed, not yet scored here" in capsys.readouterr().out
    assert ffbench("verify") == 3
    assert f"claimed {value / 2:g}, scored again here {value:g} (runs/stripes/speckle/" in capsys.readouterr().out


def test_small_differences_and_other_versions_are_remarks(ffbench: Command, capsys: Captured) -> None:
    path = claim(ffbench, capsys, "eval", "-m", "speckle")
    method = read_record(path).method.model_copy(update={"options": {"library": "1.0"}})
    forge(path, 1.001, method=method)
    assert ffbench("verify") == 0
    out = capsys.readouterr().out
    assert "library 1.0 then, unset now; 4 of 4 scores differ, most " in out
    assert "1 records, 0 confirmed, 0 faults, 1 remarks" in out


def test_what_is_not_at_hand_is_said(ffbench: Command, capsys: Captured) -> None:
    assert ffbench("predict", "-m", "speckle", "-p", "stripes", "--out", "flows") == 0
    path = claim(ffbench, capsys, "submit", "flows", "--name", "Net")
    assert ffbench("verify") == 0
    assert "cannot be scored again here: its predictions are not given" in capsys.readouterr().out
    shutil.copytree("flows", "torn")
    Path("torn/facial/002.flo").unlink()
    Path("other.zip").write_bytes(b"no archive")
    assert ffbench("verify", "--predictions", "torn", "--predictions", "other.zip") == 0
    out = capsys.readouterr().out
    assert f"has its hash {read_record(path).submission.sha256} (torn: not valid for its protocol; " in out  # type: ignore[union-attr]
    assert "other.zip: refused" in out
    assert ffbench("verify", "--no-rescore", "--predictions", "flows") == 2
    assert ffbench("verify", "--predictions", "nowhere") == 2


@pytest.fixture
def record(ffbench: Command, capsys: Captured):  # type: ignore[no-untyped-def]
    return read_record(claim(ffbench, capsys, "eval", "-m", "speckle"))


def test_other_dataset_protocol_or_method_is_not_scored(record, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    rescorer = Rescorer(out=tmp_path / "ours")

    def changed(**parts: dict[str, object]) -> object:
        return record.model_copy(
            update={name: getattr(record, name).model_copy(update=part) for name, part in parts.items()}
        )

    cases = [
        ({"dataset": {"manifest_sha256": "1" * 64}}, "its dataset stripes .* is not here"),
        ({"protocol": {"version": "0.9"}}, "stripes 0.9 with its options is not the protocol"),
        ({"method": {"id": "speckel"}}, "did you mean 'speckle'"),
        ({"method": {"parameters": 7}}, "is another one here: parameters None, then 7"),
        ({"method": {"weights": WeightsCard(name="a.pt", source="file", sha256="2" * 64)}}, "a.pt are not among"),
    ]
    for parts, message in cases:
        with pytest.raises(Exception, match=message):
            rescorer.rescore(changed(**parts))  # type: ignore[arg-type]
    assert not (tmp_path / "ours").exists()
    assert rescorer.rescore(record)[0].scores == record.scores


def test_weights_are_found_by_their_hash(record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    from ffbench.io.hashing import file_sha256
    from tests.submissions.toys import Speckle

    files = [tmp_path / "other.pt", tmp_path / "net.pt"]
    for file in files:
        file.write_text(file.name)
    weights = WeightsCard(name="renamed.pt", source="file", sha256=file_sha256(files[1]))
    card = MethodCard(id="speckle", title="Speckle", weights=weights, iterations=4)
    asked: list[tuple[Path | None, int | None]] = []

    def load(name: str, *, weights: Path | None, iterations: int | None, **_: object) -> Speckle:
        asked.append((weights, iterations))
        method = Speckle()
        method.card = card.model_copy(update={"iterations": iterations or 12})
        return method

    monkeypatch.setattr("ffbench.registry.load_method", load)
    claimed = record.model_copy(update={"method": card})
    scored, _ = Rescorer(weights=files, out=tmp_path / "ours").rescore(claimed)
    assert asked == [(files[1], None), (files[1], 4)]
    assert scored.method == card
    with pytest.raises(MethodError, match="are not among"):
        Rescorer(weights=files[:1], out=tmp_path / "ours").rescore(claimed)


def test_predictions_of_another_hash_are_not_taken(ffbench: Command, capsys: Captured, tmp_path: Path) -> None:
    assert ffbench("predict", "-m", "speckle", "-p", "stripes", "--out", "flows") == 0
    path = claim(ffbench, capsys, "submit", "flows", "--name", "Net")
    record = read_record(path)
    assert record.submission is not None
    other = record.model_copy(update={"submission": record.submission.model_copy(update={"sha256": "0" * 64})})
    with pytest.raises(DataError, match="none of the predictions given has its hash 000"):
        Rescorer([Path("flows")], out=tmp_path / "ours").rescore(other)


def test_a_record_of_an_earlier_version_is_scored_by_that_version(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, str]] = []

    def load(name: str, *, variant: str, options: dict[str, str] | None = None) -> Any:
        asked.append(options or {})
        return SimpleNamespace(card=card.model_copy(update={"version": (options or {}).get("version", "1.1")}))

    card = ProtocolCard(id="clip_landmarks", version="1.0", title="", variant="standard", primary="epe", metrics={})
    monkeypatch.setattr(rescoring, "load_protocol", load)
    assert rescoring.Rescorer()._load_protocol(card).card.version == "1.0"
    assert asked == [{}, {"version": "1.0"}]
    asked.clear()
    unknown = card.model_copy(update={"version": "0.9"})
    assert rescoring.Rescorer()._load_protocol(unknown).card.version == "1.1"  # which is then refused as another
    assert asked == [{}]
