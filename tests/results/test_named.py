"""Two methods compared by name, record or run, in Python and by the command."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import ffbench
from ffbench import cli, registry
from ffbench.cards import MethodCard
from ffbench.errors import DataError, UsageError
from ffbench.evaluation import evaluate
from ffbench.results import named
from ffbench.results.record.run_record import RunRecord
from ffbench.results.report.compare_text import comparison_lines
from ffbench.results.store.records import add_record
from tests.toys import BrightnessFlow, Stripes


class Toy(BrightnessFlow):
    def __init__(self, name: str, option: int = 0) -> None:
        super().__init__()
        self.card = MethodCard(id=name, title=name.title(), options={"option": option})


class Backward(Stripes):
    """The same pairs in another variant, which has options of its own."""

    def __init__(self, pairs: int = 6) -> None:
        super().__init__(pairs)
        self.dataset = self.dataset.model_copy(update={"manifest_sha256": str(pairs) * 64})
        self.card = self.card.model_copy(update={"variant": "official", "version": "1.1", "options": {"x": 1}})


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Records of `mine` and `other` in `runs`, of `dis` among those that ship; the current folder is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    point = EntryPoint("stripes", "tests.toys:stripes", registry.PROTOCOL_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    monkeypatch.setattr(named, "shipped_store", lambda: tmp_path / "shipped")
    for name in ("own/mine", "other"):
        evaluate(Toy(name), Stripes(6))
    shipped = evaluate(Toy("dis"), Stripes(6), out="elsewhere")
    add_record("shipped", str(shipped.path), "verified")
    return tmp_path


@pytest.mark.usefixtures("shop")
def test_names_are_found_in_runs_and_among_what_ships() -> None:
    found = ffbench.compare("own/mine", "dis", protocol="stripes")
    assert (found.a.method, found.b.method) == ("own/mine", "dis")
    assert found.a.record.startswith("runs/stripes/own-mine/")
    assert "/shipped/verified/stripes/dis-" in found.b.record
    assert ffbench.compare("mine", "dis") == found
    assert ffbench.compare("dis", "other", places=["shipped", "runs"]).pairs == 6


@pytest.mark.usefixtures("shop")
def test_records_folders_and_files_are_taken_as_text_and_as_paths() -> None:
    by_name = ffbench.compare("mine", "other")
    one, two = (Path(side.record) for side in (by_name.a, by_name.b))
    for a, b in ((one, two), (str(one), str(two.parent)), (ffbench.read_record(one), "other")):
        assert ffbench.compare(a, b).groups == by_name.groups


@pytest.mark.usefixtures("shop")
def test_the_latest_whole_run_counts() -> None:
    evaluate(Toy("mine2", 1), Stripes(6), limit=2)
    assert ffbench.compare("mine2", "mine2").pairs == 2
    whole = evaluate(Toy("mine2"), Stripes(6))
    evaluate(Toy("mine2", 3), Stripes(6), limit=2)
    assert ffbench.compare("mine2", "dis").a.record == str(whole.path)


@pytest.mark.usefixtures("shop")
def test_variants_of_one_method_are_compared() -> None:
    evaluate(Toy("mine2"), Stripes(6))
    evaluate(Toy("mine2"), Backward())
    found = ffbench.compare("mine2", "mine2", variant=("paper", "official"))
    assert found.a.title == "Mine2, variant=paper, version=1.0"
    assert found.b.title == "Mine2, x=1, variant=official, version=1.1"
    assert {group.difference for group in found.groups} == {0.0}
    assert (found.only_a, found.only_b, found.left_out) == (0, 0, [])
    assert found.board.startswith("stripes 1.0 / 1.1 (paper / official) on stripes")
    with pytest.raises(UsageError, match=r"both are on 2 boards: stripes 1\.0 .*; stripes 1\.1 .*name one by"):
        ffbench.compare("mine2", "mine2")
    assert ffbench.compare("mine2", "mine2", variant="official").a.title == "Mine2"
    with pytest.raises(UsageError, match="of another board"):
        ffbench.compare(found.a.record, found.b.record)


@pytest.mark.usefixtures("shop")
def test_pairs_that_one_variant_leaves_out_do_not_count_and_are_said() -> None:
    evaluate(Toy("mine2"), Stripes(6))
    evaluate(Toy("mine2"), Backward(8))
    found = ffbench.compare("mine2", "mine2", variant=("paper", "official"))
    assert (found.pairs, found.only_a, found.only_b) == (6, 0, 2)
    assert found.left_out == ["on the pairs that both have; left out: 2 only B has"]
    assert found.left_out[0] in comparison_lines(found)
    assert found.left_out[0] in found._repr_html_()
    short = evaluate(Toy("short"), Stripes(6), limit=3)
    with pytest.raises(DataError, match="3 pairs are in only one of the two records"):
        ffbench.compare(short, "mine2", variant="paper")


@pytest.mark.usefixtures("shop")
def test_what_cannot_be_found_is_said() -> None:
    for names, said in (
        (("othr", "dis"), "no record of a method 'othr' in runs, .*shipped - did you mean 'other'"),
        (("dis", "runs/none"), "no record of a method 'runs/none'"),
    ):
        with pytest.raises(UsageError, match=said):
            ffbench.compare(*names)
    with pytest.raises(UsageError, match=r"no record of .dis. on stripes official; it is on stripes 1\.0 "):
        ffbench.compare("dis", "other", protocol="stripes", variant="official")
    evaluate(Toy("away"), Backward())
    with pytest.raises(UsageError, match=r"no board holds both: away is on stripes 1\.1 .*; dis is on stripes 1\.0"):
        ffbench.compare("away", "dis")
    for place in (Path("none"), "none.json", "runs"):
        with pytest.raises(DataError, match="no such record; name a record"):
            ffbench.compare(place, "dis")
    loose = RunRecord.model_validate_json(Path(ffbench.compare("mine", "dis").a.record).read_text())
    with pytest.raises(UsageError, match="is in no file: read it with read_record"):
        ffbench.compare(loose, "dis")
    with pytest.raises(UsageError, match="is in no file"):
        ffbench.read_pairs(loose)


@pytest.mark.usefixtures("shop")
def test_the_command_says_which_records_it_took(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["ffbench", "compare", *arguments])
        try:
            cli.main()
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    assert run("mine", "dis", "-p", "stripes") == 0
    streams = capsys.readouterr()
    assert "A: Own/Mine (own/mine)" in streams.out
    assert "A: runs/stripes/own-mine/" in streams.err
    assert run("mine", "dis", "--runs", "runs") == 2
    assert "no record of a method 'dis' in runs" in capsys.readouterr().err
    assert run("mine", "dis", *(word for name in "abc" for word in ("--variant", name))) == 2
