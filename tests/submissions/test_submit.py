"""Predictions through the door of submissions score as the method itself does, digit by digit."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import fsspec
import numpy as np
import pytest

from ffbench.errors import DataError, MethodError, UsageError
from ffbench.evaluation import evaluate, run_folder
from ffbench.flow.files import read_flow, write_flow
from ffbench.results.record.run_record import RunRecord, read_record
from ffbench.submissions.export.predict import predict
from ffbench.submissions.manifest import build_manifest, file_stem
from ffbench.submissions.submit import InvalidSubmission, Submitter, submit
from tests.submissions.toys import PAIRS, Layers, Speckle, check, make_submission, pack, packer
from tests.toys import BrightnessFlow, Stripes

CONTAINERS = ["folder", "zip", "tar", "gztar"]


def table(out: Path, record: RunRecord) -> bytes:
    return (run_folder(out, record.protocol.id, record.method.id, record.fingerprint) / "pairs.parquet").read_bytes()


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("decomposes", [False, True])
def test_same_digits_as_eval(tmp_path: Path, container: str, decomposes: bool) -> None:
    protocol = Layers(PAIRS, wide_from=4, backward=True)
    evaluated = evaluate(Speckle(decomposes), protocol, out=tmp_path / "eval", batch_size=2)
    folder = tmp_path / "predictions"
    assert predict(Speckle(decomposes), protocol, folder, batch_size=2) == []
    submitted = submit(packer(container)(folder), protocol, Submitter("Speckle, net"), out=tmp_path / "submit")
    assert submitted.scores == evaluated.scores
    assert submitted.primary == evaluated.primary
    assert table(tmp_path / "submit", submitted) == table(tmp_path / "eval", evaluated)
    assert submitted.complete
    assert submitted.method.decomposes is decomposes
    assert submitted.submission is not None
    assert submitted.submission.files == PAIRS * (3 if decomposes else 2)


def test_other_formats_score_the_same_or_nearly_so(tmp_path: Path) -> None:
    protocol = Stripes(PAIRS)
    evaluated = evaluate(Speckle(), protocol, out=tmp_path)
    predict(Speckle(), protocol, tmp_path / "flo5", file_format="flo5")
    exact = submit(tmp_path / "flo5", protocol, Submitter("flo5"), out=tmp_path)
    assert exact.scores == evaluated.scores
    make_submission(tmp_path / "flo")
    for path in list((tmp_path / "flo").rglob("*.flo")):
        write_flow(path.with_suffix(".png"), read_flow(path))
        path.unlink()
    rounded = submit(tmp_path / "flo", protocol, Submitter("kitti"), out=tmp_path)
    assert math.isclose(rounded.primary.value, evaluated.primary.value, abs_tol=1 / 64)
    assert rounded.primary.value != evaluated.primary.value


def test_hash_is_of_the_values_not_of_the_container(tmp_path: Path) -> None:
    folder = make_submission(tmp_path / "a")
    records = [
        submit(path, Stripes(PAIRS), Submitter("a"), out=tmp_path / str(number))
        for number, path in enumerate([folder, pack("zip", folder, "top"), pack("gztar", folder)])
    ]
    assert len({record.submission.sha256 for record in records if record.submission}) == 1
    assert len({record.fingerprint for record in records}) == 1
    file = folder / "facial" / "003.flo"
    flow = read_flow(file)
    flow[0, 0, 0] = np.nextafter(flow[0, 0, 0], np.float32(np.inf))
    write_flow(file, flow)
    other = submit(folder, Stripes(PAIRS), Submitter("a"), out=tmp_path / "other")
    assert other.fingerprint != records[0].fingerprint


def test_record_says_who_submitted_what(tmp_path: Path) -> None:
    submitter = Submitter("My Net", "A paper, 2026", "https://example.org/code", "me@example.org", 1.25)
    record = submit(make_submission(tmp_path / "a"), Stripes(PAIRS), submitter, out=tmp_path / "runs")
    path = run_folder(tmp_path / "runs", "stripes", "my-net", record.fingerprint) / "record.json"
    written = read_record(path)
    assert written == record
    assert (written.kind, written.method.id, written.method.title) == ("submitted", "my-net", "My Net")
    assert written.submission is not None
    assert written.submission.claimed == 1.25
    assert written.submission.contact == "me@example.org"


def test_backward_flows_are_optional(tmp_path: Path) -> None:
    class Lenient(Layers):
        def score(self, pair, forward, backward):  # type: ignore[no-untyped-def]
            back = forward if backward is None else backward
            score = super().score(pair, forward, back)
            return type(score)(score.key, {k: v for k, v in score.terms.items() if backward or k != "back"})

    protocol = Lenient(PAIRS, backward=True)
    folder = make_submission(tmp_path / "a", protocol)
    assert {path.name for path in folder.glob("[!.]*")} == {"facial", "backward"}
    whole = submit(folder, protocol, Submitter("a"), out=tmp_path)
    for path in (folder / "backward").iterdir():
        path.unlink()
    forward_only = submit(folder, protocol, Submitter("a"), out=tmp_path)
    assert forward_only.score("epe") == whole.score("epe")
    assert {score.metric for score in whole.scores} - {score.metric for score in forward_only.scores} == {"back"}


def test_invalid_submission_is_not_scored(tmp_path: Path) -> None:
    folder = make_submission(tmp_path / "a")
    (folder / "facial" / "002.flo").unlink()
    with pytest.raises(InvalidSubmission, match=r"1 missing; nothing was scored") as error:
        submit(folder, Stripes(PAIRS), Submitter("a"), out=tmp_path / "runs")
    assert error.value.report.problems["missing"].first == ["facial/002.flo"]
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("submitter", "option"),
    [(Submitter(""), "name"), (Submitter("a", contact="x" * 500), "contact"), (Submitter("a", claimed=math.nan), "cl")],
)
def test_bad_words_of_the_submitter_are_named(tmp_path: Path, submitter: Submitter, option: str) -> None:
    with pytest.raises(UsageError, match=f"^--{option}"):
        submit(make_submission(tmp_path / "a"), Stripes(PAIRS), submitter, out=tmp_path)


def test_predict_refuses_a_used_folder_and_lossy_formats(tmp_path: Path) -> None:
    folder = make_submission(tmp_path / "a")
    with pytest.raises(DataError, match="holds flows of another method"):
        predict(Speckle(decomposes=True), Stripes(PAIRS), folder)
    (folder / ".ffbench-predict").unlink()
    with pytest.raises(DataError, match="not an empty folder"):
        predict(Speckle(), Stripes(PAIRS), folder)
    with pytest.raises(UsageError, match="flo or flo5"):
        predict(Speckle(), Stripes(PAIRS), tmp_path / "b", file_format="png")


def test_predict_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="out of light"):
        predict(BrightnessFlow(fail_after=4), Stripes(PAIRS), tmp_path / "a")
    method, moved = BrightnessFlow(), []
    predict(method, Stripes(PAIRS), tmp_path / "a", progress=lambda done, total: moved.append((done, total)))
    assert len(method.batches) == 2
    assert moved == [(4, 6), (5, 6), (6, 6)]
    predict(BrightnessFlow(), Stripes(PAIRS), tmp_path / "whole")
    assert check(tmp_path / "a").sound
    assert check(tmp_path / "a").sha256 == check(tmp_path / "whole").sha256


def test_unreadable_pairs_want_no_files_and_the_record_is_not_complete(tmp_path: Path) -> None:
    protocol = Stripes(PAIRS, unreadable=[2])
    assert predict(Speckle(), protocol, tmp_path / "a") == ["stripes/002.png: cannot be read"]
    manifest = build_manifest(protocol)
    assert "002" not in manifest.sizes
    assert manifest.unreadable == ("stripes/002.png: cannot be read",)
    record = submit(tmp_path / "a", protocol, Submitter("a"), out=tmp_path)
    assert record.not_rankable == ["not all pairs were scored"]


def test_manifest_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_manifest(Stripes(PAIRS, wide_from=3))
    assert first.sizes == {f"{n:03d}": (12, 24 if n >= 3 else 16) for n in range(PAIRS)}
    with monkeypatch.context() as patch:
        patch.setattr(Stripes, "load", None)
        assert build_manifest(Stripes(PAIRS, wide_from=3)) == first
    (cache,) = (tmp_path / "cache" / "submissions").iterdir()
    cache.write_text("[[1")
    assert build_manifest(Stripes(PAIRS, wide_from=3)) == first


@pytest.mark.parametrize("key", ["../a", "a//b", "/a", "a\\b", "a\n", ".", ""])
def test_keys_that_are_no_file_names_are_refused(key: str) -> None:
    with pytest.raises(DataError, match="cannot be the name of a file"):
        file_stem("facial", key)


def test_files_are_mapped_not_read(tmp_path: Path) -> None:
    """A protocol that uses few pixels reads only those: the flow that it is given is a view of the file."""
    flows = []

    class Peek(Stripes):
        def score(self, pair, forward, backward):  # type: ignore[no-untyped-def]
            flows.append(forward.facial)
            return super().score(pair, forward, backward)

    submit(make_submission(tmp_path / "a"), Peek(PAIRS), Submitter("a"), out=tmp_path)
    assert all(not flow.flags.owndata and not flow.flags.writeable for flow in flows)


def test_an_archive_by_url_scores_as_the_file_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = fsspec.filesystem("memory")
    archive = pack("zip", make_submission(tmp_path / "flows"))
    files.pipe_file("/lab/flows.zip", archive.read_bytes())
    here, there = (
        submit(place, Stripes(PAIRS), Submitter("Net"), out=tmp_path / "runs")
        for place in (archive, "memory://lab/flows.zip")
    )
    assert (there.scores, there.submission, there.fingerprint) == (here.scores, here.submission, here.fingerprint)
    files.pipe_file("/lab/flows.zip", archive.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"^memory://lab/flows\.zip: "):
        submit("memory://lab/flows.zip", Stripes(PAIRS), Submitter("Net"), out=tmp_path / "runs")
    with pytest.raises(DataError, match=r"memory://lab/other\.zip: there is no such object"):
        submit("memory://lab/other.zip", Stripes(PAIRS), Submitter("Net"), out=tmp_path / "runs")
    files.pipe_file("/lab/flows.zip", b"0" * 10_000_000)
    before = set(Path(tempfile.gettempdir()).glob("ffbench-*"))
    with pytest.raises(DataError, match=r"memory://lab/flows.zip: has more than the \d+ bytes that are read of it"):
        submit("memory://lab/flows.zip", Stripes(PAIRS), Submitter("Net"), out=tmp_path / "runs")
    assert set(Path(tempfile.gettempdir()).glob("ffbench-*")) <= before
    files.rm_file("/lab/flows.zip")
