"""Bundles: small, exact where they have pixels, near the whole predictions elsewhere, and refused when damaged."""

from __future__ import annotations

import csv
import hashlib
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.datasets.images import read_image
from ffbench.errors import DataError, UsageError
from ffbench.flow.files import SUFFIXES, read_flow, write_flow
from ffbench.submissions import sampling
from ffbench.submissions.bundle import BundleFiles
from ffbench.submissions.export.images import ProtocolImages, export_images
from ffbench.submissions.export.predict import predict
from ffbench.submissions.manifest import build_manifest
from ffbench.submissions.submit import InvalidSubmission, Submitter, bundle, submit, validate_submission
from tests.submissions.toys import PAIRS, Layers, Speckle, make_submission
from tests.toys import Stripes

sizes = st.tuples(st.integers(1, 20), st.integers(1, 20))
steps = st.integers(1, 9)


def make_bundle(folder: Path, step: int = 2, challenge: str = "") -> Path:
    path = folder / "flows.bundle"
    bundle(make_submission(folder / "flows"), Stripes(PAIRS), path, step=step, challenge=challenge)
    return path


@given(sizes, steps, st.text(max_size=5), st.integers(0, 2**32))
def test_samples_come_back_bit_by_bit(size: tuple[int, int], step: int, challenge: str, seed: int) -> None:
    flow = (np.random.default_rng(seed).normal(size=(*size, 2)) * 100).astype(np.float32)
    first = sampling.offset(challenge, "a", size, step)
    samples = sampling.take(flow, first, step)
    assert samples.shape[:2] == sampling.grid_shape(size, first, step)
    assert min(samples.shape) >= 1
    packed = sampling.pack(samples)
    assert len(packed) <= sampling.packed_bytes_allowed(size, step)
    assert sampling.unpack(packed, samples.shape[:2]).tobytes() == samples.tobytes()
    filled = sampling.fill(samples, size, first, step)
    exact = sampling.sampled_pixels(size, first, step)
    assert filled.shape == flow.shape
    assert (filled[exact] == flow[exact].astype(np.float16)).all()
    # Half precision keeps 11 bits.
    assert (np.abs(filled[exact] - flow[exact]) <= np.abs(flow[exact]) * 2.0**-11 + 2.0**-25).all()


@given(st.tuples(st.integers(9, 20), st.integers(9, 20)), st.integers(1, 4))
def test_a_flow_that_is_linear_is_filled_exactly(size: tuple[int, int], step: int) -> None:
    """Between samples bilinear interpolation is exact for a + bx + cy; in quarters half precision is, too."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    flow = np.stack([2 + x / 4 - y / 2, y / 4 - x], axis=2)
    first = sampling.offset("", "a", size, step)
    filled = sampling.fill(sampling.take(flow, first, step), size, first, step)
    rows, columns = sampling.grid_shape(size, first, step)
    inside = (
        slice(first[0], first[0] + (rows - 1) * step + 1),
        slice(first[1], first[1] + (columns - 1) * step + 1),
    )
    np.testing.assert_allclose(filled[inside], flow[inside], atol=1e-5)


def test_offsets_depend_on_pair_and_challenge_and_reach_every_pixel() -> None:
    found = {sampling.offset(challenge, key, (9, 9), 3) for challenge in "abcd" for key in map(str, range(40))}
    assert found == {(row, column) for row in range(3) for column in range(3)}


@pytest.mark.parametrize("step", [1, 3])
def test_scores_are_those_of_the_filled_flows(tmp_path: Path, step: int) -> None:
    """What `submit` makes of a bundle is what it makes of the flows that the bundle's reader gives, as files."""
    protocol = Layers(PAIRS, wide_from=4, backward=True)
    predict(Speckle(True), protocol, tmp_path / "flows")
    path = tmp_path / "f.bundle"
    header = bundle(tmp_path / "flows", protocol, path, step=step, challenge="salt")
    manifest = build_manifest(protocol)
    whole = validate_submission(tmp_path / "flows", protocol)
    assert header.kinds == ("facial", "head", "backward")
    assert header.predictions_sha256 == whole.sha256
    with BundleFiles(path, manifest) as files:
        for entry in files.entries:
            size = manifest.sizes[entry.stem.partition("/")[2]]
            write_flow(tmp_path / "filled" / entry.name, files.read(entry, size))
    record = submit(path, protocol, Submitter("a"), out=tmp_path / "runs", challenge="salt")
    filled = submit(tmp_path / "filled", protocol, Submitter("a"), out=tmp_path / "runs")
    assert record.scores == filled.scores
    assert record.submission is not None
    assert record.submission.sampling is not None
    assert (record.submission.sampling.step, record.submission.sampling.challenge) == (step, "salt")
    assert record.submission.sampling.predictions_sha256 == whole.sha256
    assert filled.submission is not None
    assert filled.submission.sampling is None


def test_protocols_are_told_which_pixels_are_exact(tmp_path: Path) -> None:
    seen = []

    class Peek(Stripes):
        def score(self, pair, forward, backward):  # type: ignore[no-untyped-def]
            seen.append((pair.key, forward.exact, forward.facial))
            return super().score(pair, forward, backward)

    submit(make_bundle(tmp_path, step=4), Peek(PAIRS), Submitter("a"), out=tmp_path)
    for key, exact, facial in seen:
        assert exact.sum() == 3 * 4
        whole = read_flow(tmp_path / "flows" / "facial" / f"{key}.flo")
        assert (facial[exact] == whole[exact].astype(np.float16)).all()


def test_labels_stay_with_the_scorer(tmp_path: Path) -> None:
    """Participant: images only. Scorer: the protocol. The digits are those of predictions made on the scorer's side."""
    protocol = Layers(PAIRS, backward=True)
    assert export_images(protocol, tmp_path / "public") == PAIRS
    public = ProtocolImages(tmp_path / "public")
    assert predict(Speckle(), public, tmp_path / "flows") == []
    assert predict(Speckle(), protocol, tmp_path / "same") == []
    for path in (tmp_path / "flows").rglob("*.flo"):
        assert path.read_bytes() == (tmp_path / "same" / path.relative_to(tmp_path / "flows")).read_bytes()
    bundle(tmp_path / "flows", public, tmp_path / "a.bundle", step=2)
    bundle(tmp_path / "same", protocol, tmp_path / "b.bundle", step=2)
    assert (tmp_path / "a.bundle").read_bytes() == (tmp_path / "b.bundle").read_bytes()
    assert submit(tmp_path / "a.bundle", protocol, Submitter("a"), out=tmp_path).complete
    with pytest.raises(UsageError, match="scored where the labels are"):
        submit(tmp_path / "a.bundle", public, Submitter("a"), out=tmp_path)


def test_export_holds_nothing_but_images(tmp_path: Path) -> None:
    export_images(Stripes(2), tmp_path / "public")
    names = sorted(str(path.relative_to(tmp_path / "public")) for path in (tmp_path / "public").rglob("*.*"))
    images = ["images/000_1.png", "images/000_2.png", "images/001_1.png", "images/001_2.png"]
    assert names == ["README.md", *images, "manifest.json", "pairs.csv"]
    with pytest.raises(DataError, match="not an empty folder"):
        export_images(Stripes(2), tmp_path / "public")
    with pytest.raises(DataError, match=r"1 pairs cannot be read.*001\.png"):
        export_images(Stripes(3, unreadable=[1]), tmp_path / "other")
    manifest = tmp_path / "public" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"001"', '"../001"'))
    with pytest.raises(DataError, match="cannot be the name of a file"):
        ProtocolImages(tmp_path / "public")
    manifest.write_text("{}")
    with pytest.raises(DataError, match="is not what `ffbench export` writes"):
        ProtocolImages(tmp_path / "public")


@pytest.mark.parametrize("backward", [False, True])
def test_an_export_says_where_each_flow_belongs_and_how_it_must_be_written(tmp_path: Path, backward: bool) -> None:
    protocol = Stripes(3, wide_from=2, backward=backward)
    export_images(protocol, tmp_path / "public")
    with (tmp_path / "public" / "pairs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["key"], row["width"], row["height"]) for row in rows] == [
        ("000", "16", "12"), ("001", "16", "12"), ("002", "24", "12")
    ]  # fmt: skip
    for row in rows:
        pair = protocol.load(row["key"])
        for name, image in (("image1", pair.image1), ("image2", pair.image2)):
            assert (read_image(tmp_path / "public" / row[name]) == image).all()
        for kind in ("facial", "backward") if backward else ("facial",):
            write_flow(tmp_path / "flows" / row[kind], np.zeros((int(row["height"]), int(row["width"]), 2)))
    assert validate_submission(tmp_path / "flows", ProtocolImages(tmp_path / "public")).sound
    page = (tmp_path / "public" / "README.md").read_text()
    for said in ("to the right", "y, down", "In **px**", "(height, width, 2)", "3 pairs of stripes", *SUFFIXES):
        assert said in page
    assert ("backward/KEY.flo" in page) == ("backward" in rows[0]) == backward


def resealed(content: bytes) -> bytes:
    """Return a body its checksum, as a forger would."""
    return content + hashlib.sha256(content).digest()


def with_header(content: bytes, **changes: object) -> bytes:
    length = struct.unpack_from("<I", content, 12)[0]
    header = json.dumps({**json.loads(content[16 : 16 + length]), **changes}).encode()
    return resealed(content[:12] + struct.pack("<I", len(header)) + header + content[16 + length : -32])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-1], "checksum"),
        (lambda content: content + b"\0", "checksum"),
        (lambda content: content[:-33] + bytes([content[-33] ^ 1]) + content[-32:], "checksum"),
        (lambda content: content[: len(content) // 2], "cut short"),
        (lambda content: b"PK" + content, "is not a bundle"),
        (lambda content: b"", "is not a bundle"),
        (lambda content: content[:8] + struct.pack("<I", 2) + content[12:], "version 2, this ffbench reads version 1"),
        (lambda content: content[:12] + struct.pack("<I", 2**31) + content[16:], "more than any bundle has"),
        (lambda content: with_header(content, step=0), "header is damaged: step"),
        (lambda content: with_header(content, step=1), "damaged"),
        (lambda content: with_header(content, kinds=["head"]), "expected facial"),
        (lambda content: with_header(content, kinds=["facial", "facial"]), "each once"),
        (lambda content: with_header(content, protocol="other"), "was made for other 1.0, not for stripes 1.0"),
        (lambda content: with_header(content, pairs_sha256="0" * 64), "other pairs or another version of the dataset"),
    ],
)
def test_damaged_bundles_are_refused_by_name(tmp_path: Path, damage, message: str) -> None:  # type: ignore[no-untyped-def]
    path = make_bundle(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=message) as error:
        submit(path, Stripes(PAIRS), Submitter("a"), out=tmp_path)
    assert "\n" not in str(error.value)


def test_a_forged_bomb_costs_no_memory_and_infinite_samples_are_a_fault(tmp_path: Path) -> None:
    path = make_bundle(tmp_path)
    content = path.read_bytes()
    start = 16 + struct.unpack_from("<I", content, 12)[0]
    length = struct.unpack_from("<I", content, start)[0]

    def forged(flow: bytes) -> bytes:
        rest = content[start + 4 + length : -32]
        return resealed(content[:start] + struct.pack("<I", len(flow)) + flow + rest)

    path.write_bytes(forged(zlib.compress(bytes(100_000), 9)))
    report = validate_submission(path, Stripes(PAIRS))
    assert {fault: found.count for fault, found in report.problems.items()} == {"damaged": 1}
    first = sampling.offset("", "000", (12, 16), 2)
    infinite = np.full((*sampling.grid_shape((12, 16), first, 2), 2), np.inf, np.float16)
    path.write_bytes(forged(sampling.pack(infinite)))
    assert list(validate_submission(path, Stripes(PAIRS)).problems) == ["not finite"]
    path.write_bytes(forged(bytes(10_000)))
    with pytest.raises(DataError, match=r"damaged at facial/000"):
        validate_submission(path, Stripes(PAIRS))


def test_what_cannot_be_bundled(tmp_path: Path) -> None:
    path = make_bundle(tmp_path)
    flows = tmp_path / "flows"
    with pytest.raises(UsageError, match="is a bundle already"):
        bundle(path, Stripes(PAIRS), tmp_path / "again.bundle")
    with pytest.raises(UsageError, match=r"must be named \.bundle"):
        bundle(flows, Stripes(PAIRS), tmp_path / "a.zip")
    with pytest.raises(UsageError, match="step of 1 to 32"):
        bundle(flows, Stripes(PAIRS), tmp_path / "a.bundle", step=33)
    with pytest.raises(UsageError, match="not 'other'"):
        submit(path, Stripes(PAIRS), Submitter("a"), out=tmp_path, challenge="other")
    with pytest.raises(UsageError, match="is no bundle"):
        submit(flows, Stripes(PAIRS), Submitter("a"), out=tmp_path, challenge="other")
    file = flows / "facial" / "003.flo"
    write_flow(file, np.full((12, 16, 2), 70_000, np.float32))
    with pytest.raises(DataError, match=r"facial/003: moves by more than 65504 px"):
        bundle(flows, Stripes(PAIRS), tmp_path / "a.bundle")
    assert not (tmp_path / "a.bundle").exists()
    file.unlink()
    with pytest.raises(InvalidSubmission, match="1 missing"):
        bundle(flows, Stripes(PAIRS), tmp_path / "a.bundle")
