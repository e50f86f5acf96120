"""Whether a method found anything to go by in a pair is kept on the way from `predict` to a record."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffbench.errors import MethodError
from ffbench.evaluation import evaluate
from ffbench.method import Method
from ffbench.results.record.pair_table import read_pair_table
from ffbench.submissions.export.predict import predict
from ffbench.submissions.manifest import NOT_FOUND
from ffbench.submissions.submit import Submitter, submit
from tests.evaluation.test_not_found import DarkIsNothing, dark_pairs
from tests.submissions.toys import check, make_submission, packer
from tests.toys import Stripes


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("container", ["folder", "zip", "tar"])
def test_a_record_of_predictions_counts_as_one_of_the_method(tmp_path: Path, container: str, backward: bool) -> None:
    protocol = Stripes(12, backward=backward)
    dark = dark_pairs(protocol, backward=backward)
    not_found: list[str] = []
    predict(DarkIsNothing(), protocol, tmp_path / "flows", batch_size=5, not_found=not_found)
    assert (tmp_path / "flows" / NOT_FOUND).read_text() == "".join(f"{key}\n" for key in not_found)
    assert set(not_found) == dark
    record = submit(packer(container)(tmp_path / "flows"), protocol, Submitter("Net"), out=tmp_path / "runs")
    assert record.not_found == evaluate(DarkIsNothing(), protocol, out=tmp_path / "runs").not_found == len(dark)
    (table,) = tmp_path.glob("runs/stripes/net/*/pairs.parquet")
    assert {score.key for score in read_pair_table(table) if score.labels.get("found") == "no"} == dark


@pytest.mark.parametrize("torn", [b"", b"00", b"\xc3"])
def test_an_interrupted_run_keeps_what_was_noted(tmp_path: Path, torn: bytes) -> None:
    folder, protocol = tmp_path / "flows", Stripes(12)
    with pytest.raises(MethodError):
        predict(DarkIsNothing(fail_at=8), protocol, folder)
    first = (folder / NOT_FOUND).read_bytes()
    assert first
    (folder / NOT_FOUND).write_bytes(first + torn)
    not_found: list[str] = []
    predict(DarkIsNothing(), protocol, folder, not_found=not_found)
    assert set(not_found) == dark_pairs(protocol)
    assert (folder / NOT_FOUND).read_text().splitlines() == not_found
    assert check(folder, protocol).not_found == dark_pairs(protocol)


def test_a_method_that_finds_everything_writes_no_such_file(tmp_path: Path) -> None:
    folder = make_submission(tmp_path / "a")
    assert not (folder / NOT_FOUND).exists()
    plain = check(folder)
    (folder / NOT_FOUND).write_text("")
    assert check(folder).sha256 == plain.sha256
    (folder / NOT_FOUND).write_text("001\n")
    assert check(folder).sound
    assert check(folder).sha256 != plain.sha256


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"999\n", "names '999', which is no pair of stripes"),
        (b"001\n\n", "names '', which"),
        (b"\xff\n", "cannot be read as text in UTF-8"),
        (b"001\n" * 100, "400 bytes, expected at most"),
    ],
)
def test_what_names_no_pairs_is_a_fault(tmp_path: Path, content: bytes, said: str) -> None:
    folder = make_submission(tmp_path / "a")
    (folder / NOT_FOUND).write_bytes(content)
    report = check(folder)
    assert said in report.problems["damaged"].first[0]
    assert not report.sound


def test_toys_find_nothing_in_the_dark() -> None:
    method: Method = DarkIsNothing()
    pairs = list(map(Stripes(12).load, Stripes(12).keys()))
    found = [bool(method.estimate(pair.image1, pair.image2).found) for pair in pairs]
    assert {pair.key for pair, one in zip(pairs, found, strict=True) if not one} == dark_pairs(Stripes(12))
