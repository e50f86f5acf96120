"""FacialFlowNet folders: what belongs together, by name, and what is said of what does not fit."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffbench.datasets.ffn.files import read_mask, read_pair, verify
from ffbench.datasets.ffn.scan import FFN, find_root, scan
from ffbench.errors import DataError
from ffbench.flow import UNKNOWN, write_flow
from ffbench.flow.formats.flo import write_flo
from tests.datasets.ffn_folder import SIZE, add_sequence, facial_flow, head_flow, make_ffn, mask


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    return make_ffn(tmp_path / "FFN")


def only_problem(found: FFN, *, left: int = 2) -> str:
    assert len(found.sequences()) == left
    assert len(found.problems) == 1
    return found.problems[0]


def test_pairs_are_consecutive_frames_with_the_labels_of_the_first(root: Path) -> None:
    found = scan(root, head=True)
    assert found.problems == ()
    assert found.sequences() == {"happy/0002": 5, "happy/0010": 10, "sad/0001": 5}
    assert [pair.key for pair in found.pairs][:5] == [
        *(f"happy/0002/000{number}" for number in range(1, 5)),
        "happy/0010/0001",
    ]
    assert len(found.pairs) == 17
    pair = found.pairs[6]
    assert (pair.key, pair.scale, pair.subject, pair.emotion) == ("happy/0010/0003", "1/10", "0010", "happy")
    assert (pair.image1.name, pair.image2.name) == ("0003.jpg", "0004.jpg")
    arrays = read_pair(pair)
    assert np.array_equal(arrays.facial, facial_flow(3))
    assert arrays.head is not None
    assert np.array_equal(arrays.head, head_flow(3))
    assert np.array_equal(arrays.mask, mask(3))
    assert (arrays.region, arrays.occlusion) == (None, None)
    assert np.array_equal(arrays.image2, np.asarray(Image.open(pair.image2)))


def test_splits_lie_side_by_side(root: Path) -> None:
    add_sequence(root, "fear/0007", 15, split="val")
    assert [pair.key for pair in scan(root, "val").pairs][-1] == "fear/0007/0014"
    assert len(scan(root).pairs) == 17


def test_head_flows_are_wanted_only_when_asked_for(root: Path) -> None:
    shutil.rmtree(root / "flow" / "head")
    assert scan(root).pairs[0].head is None
    with pytest.raises(DataError, match=r"no usable sequence.*head flows of the sequence"):
        scan(root, head=True)


def test_labels_of_regions_and_occlusion_are_read_where_they_are(tmp_path: Path) -> None:
    add_sequence(tmp_path, "happy/1", 5, labels=True)
    arrays = read_pair(scan(tmp_path).pairs[0])
    assert arrays.region is not None
    assert arrays.occlusion is not None
    assert arrays.region[::3, 0].tolist() == list(range(8))
    assert arrays.occlusion.sum() == 11 * SIZE[1]


@pytest.mark.parametrize("down", ["", "a", "a/b/c"])
def test_the_root_is_found_up_to_three_levels_down(tmp_path: Path, down: str) -> None:
    make_ffn(tmp_path / down)
    assert find_root(tmp_path) == tmp_path / down
    assert len(scan(tmp_path).pairs) == 17


@pytest.mark.parametrize(
    "names",
    [
        {"flow": "{:04d}", "first_flow": 2},  # by the second frame
        {"flow": "flow_{:03d}", "first_flow": 0},
        {"image": "frame{}", "flow": "{}"},
        {"image": "{}"},  # 2 comes before 10
        {"masks": 19},
        {"image": "frame{}", "masks": 19},
    ],
)
def test_other_ways_to_name_the_same_files(tmp_path: Path, names: dict[str, object]) -> None:
    add_sequence(tmp_path, "happy/1", 20, **names)  # type: ignore[arg-type]
    found = scan(tmp_path, head=True)
    assert (len(found.pairs), found.problems) == (19, ())
    for index, pair in enumerate(found.pairs, start=1):
        assert np.array_equal(read_pair(pair).facial, facial_flow(index))
        assert np.array_equal(read_pair(pair).mask, mask(index))


@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize(
    ("folder", "suffix", "kind"),
    [("flow/facial", "flo", "flows"), ("flow/head", "flo", "head flows"), ("mask", "npy", "masks")],
)
def test_a_missing_label_is_named_and_shifts_nothing(
    root: Path, folder: str, suffix: str, kind: str, number: int
) -> None:
    (root / folder / "test/happy/0002" / f"000{number}.{suffix}").unlink()
    found = scan(root, head=True)
    assert f"{kind} do not fit the 5 frames: missing 000{number}.{suffix}" in only_problem(found)
    arrays = read_pair(found.pairs[-1])
    assert found.pairs[-1].key == "sad/0001/0004"
    assert np.array_equal(arrays.facial, facial_flow(4))
    assert np.array_equal(arrays.mask, mask(4))


def test_an_extra_flow_is_named(root: Path) -> None:
    write_flow(root / "flow/facial/test/happy/0002/0005.flo", facial_flow(5))
    assert "left over 0005.flo" in only_problem(scan(root))


def test_a_flow_renamed_is_named_twice(root: Path) -> None:
    folder = root / "flow/facial/test/happy/0002"
    (folder / "0003.flo").rename(folder / "0007.flo")
    assert "missing 0003.flo; left over 0007.flo" in only_problem(scan(root))


def test_labels_of_other_names_with_a_gap_are_refused(tmp_path: Path) -> None:
    add_sequence(tmp_path, "happy/1", 5)
    add_sequence(tmp_path, "happy/2", 5, flow="flow{}", first_flow=41)
    (tmp_path / "flow/facial/test/happy/2/flow42.flo").unlink()
    problem = only_problem(scan(tmp_path), left=1)
    assert "3 flows (flow41.flo, flow43.flo, flow44.flo) for 5 frames" in problem
    assert "expected 4" in problem


@pytest.mark.parametrize("number", [2, 3])
def test_a_missing_image_in_the_middle_is_named(root: Path, number: int) -> None:
    (root / "image/facial/test/happy/0002" / f"000{number}.jpg").unlink()
    assert f"frames are numbered 1 to 5, but missing {number}" in only_problem(scan(root))


@pytest.mark.parametrize("number", [1, 5])
def test_a_missing_image_at_an_end_does_not_change_the_scale(root: Path, number: int) -> None:
    (root / "image/facial/test/happy/0002" / f"000{number}.jpg").unlink()
    assert "happy/0002: 4 frames, expected 5, 10, 15 or 20" in only_problem(scan(root))


def test_two_images_of_one_stem_are_named(root: Path) -> None:
    folder = root / "image/facial/test/happy/0002"
    shutil.copy(folder / "0002.jpg", folder / "0002.PNG")
    assert "images of the same stem: 0002.PNG, 0002.jpg" in only_problem(scan(root))


def test_a_sequence_with_one_frame_is_named(root: Path) -> None:
    for number in range(2, 6):
        (root / f"image/facial/test/happy/0002/000{number}.jpg").unlink()
    assert "0001.jpg: the only frame of its sequence" in only_problem(scan(root))


def test_labels_without_images_are_named(root: Path) -> None:
    shutil.rmtree(root / "image/facial/test/happy/0002")
    assert "happy/0002: no images, but flows or masks" in only_problem(scan(root))


@pytest.mark.parametrize("folder", ["flow/facial/test/happy/0002", "mask/test/happy"])
def test_a_missing_folder_is_named(root: Path, folder: str) -> None:
    shutil.rmtree(root / folder)
    found = scan(root)
    assert all(str(root / folder) in problem and "no such folder" in problem for problem in found.problems)
    assert "happy/0002" not in found.sequences()


def test_all_problems_are_listed_together(root: Path) -> None:
    (root / "flow/facial/test/happy/0010/0004.flo").unlink()
    (root / "mask/test/sad/0001/0001.npy").unlink()
    found = scan(root)
    assert list(found.sequences()) == ["happy/0002"]
    assert ["0004.flo" in found.problems[0], "0001.npy" in found.problems[1]] == [True, True]
    assert all("the sequence is left out" in problem and "\n" not in problem for problem in found.problems)


def test_what_is_not_a_dataset_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "ffn.zip").write_bytes(b"PK")
    for path, message in [
        (tmp_path / "nowhere", "no such folder"),
        (tmp_path / "ffn.zip", "cannot be read as a zip archive"),
        (tmp_path / "empty", "no folders image/facial and flow in it"),
    ]:
        with pytest.raises(DataError, match=message):
            scan(path)


def test_a_split_that_is_not_there_is_refused(root: Path) -> None:
    with pytest.raises(DataError, match="train: no such folder"):
        scan(root, "train")


def test_files_that_cannot_be_taken_for_others_do_not_matter(root: Path) -> None:
    (root / "image/facial/test/happy/0002/Thumbs.db").touch()
    (root / "flow/facial/test/happy/0002/.DS_Store").touch()
    (root / "image/facial/test/readme.txt").touch()
    assert scan(root).problems == ()


def test_the_manifest_follows_contents_and_names(root: Path, tmp_path: Path) -> None:
    first = scan(root).manifest_sha256()
    copy = shutil.copytree(root, tmp_path / "elsewhere" / "FFN")
    assert scan(copy).manifest_sha256() == scan(root).manifest_sha256() == first
    assert scan(root, head=True).manifest_sha256() != first
    flow = root / "flow/facial/test/happy/0002/0001.flo"
    content = bytearray(flow.read_bytes())
    content[20] ^= 1
    flow.write_bytes(content)
    os.utime(flow, ns=(1, 1))
    assert scan(root).manifest_sha256() != first


def test_a_damaged_cache_of_the_manifest_does_not_matter(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Hashes of files this young are not remembered: let the clock say that an hour has gone by.
    later = time.time_ns() + 3600 * 10**9
    monkeypatch.setattr("ffbench.datasets.manifest.time.time_ns", lambda: later)
    first = scan(root).manifest_sha256()
    (cache,) = (tmp_path / "cache" / "manifests").iterdir()
    for content in ("", "[]", '{"image/facial/test/happy/0002/0001.jpg": [1]}'):
        cache.write_text(content)
        assert scan(root).manifest_sha256() == first


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(SIZE, bool), "the mask is empty"),
        (np.ones(SIZE[::-1], bool), "bool of 24 x 32, expected a mask .* 32 x 24"),
        (np.ones((*SIZE, 3), np.uint8), "uint8 of 3 x 32 x 24"),
        (np.full(SIZE, 255, np.uint8), "values other than 0 and 1 .such as 255."),
        (np.full(SIZE, np.nan), "values other than 0 and 1 .such as nan."),
        (np.full(SIZE, "1"), "<U1 of 32 x 24"),
        (np.full(SIZE, None), "not a .npy file of numbers"),
    ],
)
def test_masks_that_are_none_are_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    path = tmp_path / "0001.npy"
    np.save(path, array, allow_pickle=True)
    with pytest.raises(DataError, match=message) as caught:
        read_mask(path, SIZE)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_masks_of_any_type_that_holds_0_and_1(tmp_path: Path, dtype: type) -> None:
    np.save(tmp_path / "0001.npy", np.asfortranarray(mask(1)).astype(dtype))
    assert np.array_equal(read_mask(tmp_path / "0001.npy", SIZE), mask(1))


def test_damaged_npy_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "0001.npy"
    np.save(path, mask(1))
    whole = path.read_bytes()
    huge = whole.replace(b"(24, 32)", b"(9**9,1)", 1)
    for content in (b"", whole[:50], whole[:-1], b"PK\x03\x04", huge, whole.replace(b"24, 32", b"99999", 1)):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"0001\.npy"):
            read_mask(path, SIZE)


def damage(root: Path) -> dict[str, str]:
    """Spoil five files of the sequence happy/0002 and say what each problem must mention."""
    first = root / "flow/facial/test/happy/0002/0001.flo"
    first.write_bytes(first.read_bytes()[:-8])
    write_flow(root / "flow/facial/test/happy/0002/0002.flo", facial_flow(2, (32, 24)))
    write_flow(root / "flow/head/test/happy/0002/0003.flo", np.full((*SIZE, 2), 1e10, np.float32))
    np.save(root / "mask/test/happy/0002/0003.npy", np.zeros(SIZE, bool))
    Image.new("RGB", (30, 24)).save(root / "image/facial/test/happy/0002/0005.jpg")
    return {
        "facial/test/happy/0002/0001.flo": "cut short",
        "facial/test/happy/0002/0002.flo": "expected 32 x 24",
        "head/test/happy/0002/0003.flo": "unknown at 768 pixels",
        "mask/test/happy/0002/0003.npy": "empty",
        "image/facial/test/happy/0002/0005.jpg": "30 x 24 pixels",
    }


def test_reading_names_the_file_at_fault(root: Path) -> None:
    expected = damage(root)
    seen = ""
    for pair in scan(root, head=True).pairs[:4]:
        with pytest.raises(DataError) as caught:
            read_pair(pair)
        seen += f"{caught.value}\n"
    # Of the two faults of the third pair the first is reported; `verify` reports both.
    for file, word in list(expected.items())[:3] + list(expected.items())[4:]:
        assert any(file in line and word in line for line in seen.splitlines()), file


def test_verify_lists_all_faults_and_counts_what_is_there(root: Path) -> None:
    expected = damage(root)
    (root / "mask/test/sad/0001/0001.npy").unlink()
    calls: list[tuple[int, int]] = []
    report = verify(root, "test", progress=lambda done, count: calls.append((done, count)))
    assert (report.pairs, report.expected_pairs, report.sequences) == (13, 10_395, {5: 1, 10: 1})
    assert calls[-1] == (13, 13)
    assert len(report.problems) == len(expected) + 1
    for file, word in [*expected.items(), ("mask/test/sad/0001", "missing 0001.npy")]:
        assert any(file in problem and word in problem for problem in report.problems), file


def test_flows_that_are_not_known_everywhere(root: Path) -> None:
    """NaN, infinity and 1e9 in a label mark a pixel whose flow is not known; it leaves the mask."""
    facial, head = facial_flow(1), head_flow(1)
    facial[10, 12, 1], facial[11, 15, 0], head[12, 16, 0], head[0, 0] = np.nan, 1e9, -np.inf, np.nan
    write_flo(root / "flow/facial/test/happy/0002/0001.flo", facial)
    write_flo(root / "flow/head/test/happy/0002/0001.flo", head)
    unknown = np.zeros(SIZE, bool)
    unknown[10, 12] = unknown[11, 15] = True
    assert mask(1)[unknown].all()
    alone = read_pair(scan(root).pairs[0])
    np.testing.assert_array_equal(alone.mask, mask(1) & ~unknown)
    assert (alone.facial[unknown] == UNKNOWN).all()
    np.testing.assert_array_equal(alone.facial[~unknown], facial_flow(1)[~unknown])
    unknown[12, 16] = unknown[0, 0] = True
    both = read_pair(scan(root, head=True).pairs[0])
    np.testing.assert_array_equal(both.mask, mask(1) & ~unknown)
    assert both.head is not None
    assert (both.head[0, 0] == UNKNOWN).all()
    report = verify(root, "test")
    assert report.problems == ()
    assert [line.split(": ", 1)[1] for line in report.left_out] == [
        "the flow is unknown at 2 pixels, which are not scored"
    ] * 2


def test_a_mask_where_nothing_is_known(root: Path) -> None:
    write_flo(root / "flow/facial/test/happy/0002/0001.flo", np.where(mask(1)[..., None], np.nan, facial_flow(1)))
    with pytest.raises(DataError, match=r"0001\.flo: its flow, .*, is known at no pixel of .*0001\.npy"):
        read_pair(scan(root).pairs[0])


def test_verify_finds_nothing_in_a_good_folder(root: Path) -> None:
    assert verify(root, "test").problems == ()
