"""Protocol clip_landmarks: pairs, blocks and numbers with a made-up face; bad clips; the real ones with the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffbench import assets
from ffbench.datasets.clips import open_clip
from ffbench.errors import DataError, UsageError
from ffbench.facemesh import tracker
from ffbench.facemesh.groups import GROUPS
from ffbench.facemesh.tracker import FaceTrack
from ffbench.method import Flows
from ffbench.protocol import Pair, ProtocolRequest, Term
from ffbench.protocols.landmarks import clip_tracks
from ffbench.protocols.landmarks import clips as clip_landmarks
from ffbench.protocols.landmarks.clips import ClipLandmarks, FacePoints
from tests.reference import landmarks as reference

SIZE = (60, 44)
FACE = np.random.default_rng(1).uniform((14, 8), (44, 36), (468, 2))


def motion(frame: int) -> np.ndarray:
    """Where the made-up face has gone by a frame: right by 0.3 px each, growing, and the lips down."""
    points = (FACE - 30) * (1 + 0.004 * frame) + 30 + (0.3 * frame, 0)
    points[list(GROUPS["lips"])] += (0, 0.1 * frame)
    return points


def add_clip(folder: Path, frames: int = 60) -> Path:
    """A folder of frames; the red of the first pixel tells the frame's number."""
    folder.mkdir(parents=True)
    for number in range(frames):
        image = np.random.default_rng(7).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
        image[0, 0, 0] = number
        Image.fromarray(image).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """Replace the network: a face that moves by `motion`, none where the second pixel's red is 0."""
    frames: list[int] = []

    def track(images: Iterable[np.ndarray]) -> Iterator[FaceTrack]:
        for image in images:
            frames.append(int(image[0, 0, 0]))
            lost = image[0, 1, 0] == 0
            yield FaceTrack(None, 0.1) if lost else FaceTrack(motion(frames[-1]), 0.9)

    monkeypatch.setattr(tracker, "track", track)
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    return frames


def hide_face(folder: Path, frames: Iterable[int]) -> None:
    for number in frames:
        image = np.array(Image.open(folder / f"{number}.png"))
        image[0, 1, 0] = 0
        Image.fromarray(image).save(folder / f"{number}.png")


def load(data: Path | None, **options: str) -> ClipLandmarks:
    """Load version 1.0; what 1.1 does otherwise is in test_clip_parts.py."""
    loaded = clip_landmarks.entry.load(ProtocolRequest("clip_landmarks", data, options={"version": "1.0", **options}))
    assert isinstance(loaded, ClipLandmarks)
    return loaded


def random_flow(seed: int, size: float = 2) -> Flows[np.ndarray]:
    return Flows(np.random.default_rng(seed).normal(0, size, (SIZE[1], SIZE[0], 2)).astype(np.float32))


def test_pairs_of_all_gaps_in_order_of_time(tmp_path: Path, calls: list[int]) -> None:
    protocol = load(add_clip(tmp_path / "talk"), gaps="7,1", stride="25")
    assert protocol.keys() == [
        "talk/00000-00001",
        "talk/00000-00007",
        "talk/00025-00026",
        "talk/00025-00032",
        "talk/00050-00051",
        "talk/00050-00057",
    ]
    pair = protocol.load("talk/00025-00032")
    assert (pair.image1[0, 0, 0], pair.image2[0, 0, 0]) == (25, 32)
    assert np.array_equal(pair.reference.first, motion(25))
    assert protocol.annotation(pair).first is pair.reference.first
    assert np.array_equal(pair.reference.second, motion(32))
    assert protocol.card.options == {"gaps": "1,7", "stride": 25}


def test_default_gaps_and_blocks_as_long_as_the_longest_gap(tmp_path: Path, calls: list[int]) -> None:
    protocol = load(add_clip(tmp_path / "talk"))
    starts = {gap: len(range(0, 60 - gap, 5)) for gap in (1, 5, 10, 20)}
    assert len(protocol.keys()) == sum(starts.values())
    pairs = [protocol.load(key) for key in protocol.keys()]  # noqa: SIM118
    assert {pair.labels["gap"] for pair in pairs} == {"01", "05", "10", "20"}
    frames: dict[str, set[int]] = {}
    for pair in pairs:
        first, last = map(int, pair.key.split("/")[1].split("-"))
        frames.setdefault(pair.labels["block"], set()).update(range(first, last + 1))
    assert sorted(frames) == ["talk/00000", "talk/00001", "talk/00002"]
    assert not frames["talk/00000"] & frames["talk/00002"]  # only neighbouring blocks share frames


def test_score_against_loops(tmp_path: Path, calls: list[int]) -> None:
    protocol = load(add_clip(tmp_path / "talk"))
    pair = protocol.load("talk/00005-00025")
    forward, backward = random_flow(1), random_flow(2)
    terms = protocol.score(pair, forward, backward).terms
    first, moved = pair.reference.first, pair.reference.second - pair.reference.first
    sampled = np.array([reference.bilinear(forward.facial, x, y) for x, y in first])
    errors = np.array(reference.epe(sampled, moved))
    residual = np.array(reference.epe(*(reference.similarity_residual(first, d) for d in (sampled, moved))))
    lips = list(GROUPS["lips"])
    length = np.hypot(*moved.T)
    middle = (length >= 5) & (length < 15)
    assert 0 < middle.sum() < 468
    for name, values in (("epe", errors), ("epe_nonrigid", residual)):
        assert terms[name].sum == pytest.approx(values.sum(), rel=1e-9)
        assert terms[f"{name}/lips"].sum == pytest.approx(values[lips].sum(), rel=1e-9)
        assert terms[f"{name}/motion_5-15px"].sum == pytest.approx(values[middle].sum(), rel=1e-9)
        assert terms[f"{name}/motion_5-15px"].count == middle.sum()
        bins = [term.count for key, term in terms.items() if key.startswith(f"{name}/motion")]
        parts = [term.count for key, term in terms.items() if key.startswith(f"{name}/") and "motion" not in key]
        assert sum(bins) == sum(parts) == terms[name].count == 468
    face = np.array([[reference.in_hull(first, x, y) for x in range(SIZE[0])] for y in range(SIZE[1])])
    total, count = reference.photometric(pair.image1, pair.image2, forward.facial, face)
    assert terms["photometric"].sum == pytest.approx(total, rel=1e-5)
    assert terms["photometric"].count == count
    assert terms["consistency"].sum == pytest.approx(
        reference.consistency(forward.facial, backward.facial, face)[0], rel=1e-5
    )
    assert terms["landmarks_inside"] == Term(46800.0, 468.0)
    assert terms["matches_inside"] == Term(100.0 * count, float(face.sum()))
    assert set(protocol.card.metrics) == {name.partition("/")[0] for name in terms}


def test_a_flow_wrong_by_a_similarity_motion_errs_only_rigidly(tmp_path: Path, calls: list[int]) -> None:
    protocol = load(add_clip(tmp_path / "talk"))
    pair = protocol.load("talk/00000-00020")
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    grown = np.stack([0.08 * (x - 30) + 6, 0.08 * (y - 30)], axis=-1)  # the motion of all but the lips
    wrong = grown + np.stack([0.1 * x - 0.2 * y + 3, 0.2 * x + 0.1 * y], axis=-1)
    right, off = (protocol.score(pair, Flows(flow.astype(np.float32)), None).terms for flow in (grown, wrong))
    assert right["epe/nose"].sum / right["epe/nose"].count < 1e-5
    assert right["epe/lips"].sum / right["epe/lips"].count == pytest.approx(2, abs=1e-4)
    assert off["epe"].sum > right["epe"].sum + 468
    assert off["epe_nonrigid"].sum == pytest.approx(right["epe_nonrigid"].sum, rel=1e-5)


def test_submissions_without_backward_flow_are_scored_all_the_same(tmp_path: Path, calls: list[int]) -> None:
    protocol = load(add_clip(tmp_path / "talk"))
    pair = protocol.load("talk/00000-00005")
    both = protocol.score(pair, random_flow(1), random_flow(2)).terms
    one = protocol.score(pair, random_flow(1), None).terms
    assert protocol.needs_backward
    assert {**one, "consistency": both["consistency"]} == both


def test_points_outside_of_either_frame_are_counted_out(tmp_path: Path, calls: list[int]) -> None:
    protocol = load(add_clip(tmp_path / "talk"))
    pair = protocol.load("talk/00000-00005")
    first, second = pair.reference.first.copy(), pair.reference.second.copy()
    first[:3] = (-1, 20)
    second[2:10] = (20, SIZE[1])
    moved = Pair(pair.key, pair.image1, pair.image2, FacePoints(first, second), pair.labels)
    terms = protocol.score(moved, random_flow(1), None).terms
    assert terms["epe"].count == terms["epe_nonrigid"].count == 458
    assert terms["landmarks_inside"] == Term(45800.0, 468.0)


def test_matches_outside_of_the_second_frame_are_told(tmp_path: Path, calls: list[int]) -> None:
    protocol = load(add_clip(tmp_path / "talk"))
    pair = protocol.load("talk/00000-00005")
    away = Flows(np.full((SIZE[1], SIZE[0], 2), 1000, np.float32))
    terms = protocol.score(pair, away, away).terms
    assert terms["photometric"] == terms["consistency"] == Term(0.0, 0.0)
    assert terms["matches_inside"].sum == 0
    assert terms["matches_inside"].count > 300


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e10])
def test_flows_with_holes_in_the_face_are_refused(tmp_path: Path, calls: list[int], value: float) -> None:
    protocol = load(add_clip(tmp_path / "talk"))
    pair = protocol.load("talk/00000-00005")
    holed, whole = random_flow(1), random_flow(1)
    holed.facial[20, 28] = value
    with pytest.raises(DataError, match="00000-00005: the forward flow is unknown in the face"):
        protocol.score(pair, holed, whole)
    still = Flows(np.zeros_like(whole.facial))
    with pytest.raises(DataError, match="00000-00005: the backward flow is unknown in the face"):
        protocol.score(pair, still, holed)
    holed.facial[20, 28] = 0
    holed.facial[0, 0] = value  # what lies beside the face is nobody's affair
    protocol.score(pair, holed, whole)


def test_lost_faces_are_named_by_frames_and_their_pairs_left_out(tmp_path: Path, calls: list[int]) -> None:
    folder = add_clip(tmp_path / "talk")
    hide_face(folder, [0, 30, 31, 32, 59])
    protocol = load(folder, gaps="1,10", stride="5")
    assert protocol.dataset.problems == ()
    (problem,) = protocol.dataset.left_out
    assert f"{folder}: no face in frames 0, 30-32, 59 (5 of 60)" in problem
    # Of 12 + 10 pairs: 0 with 1 and 10, 30 with 31 and 40, and 20 with 30.
    assert "5 of 22 pairs are left out" in problem
    assert len(protocol.keys()) == 17
    assert not any(key.endswith("-00030") or "/00030" in key for key in protocol.keys())  # noqa: SIM118


def test_no_pair_with_a_face_in_both_frames(tmp_path: Path, calls: list[int]) -> None:
    folder = add_clip(tmp_path / "talk", 30)
    hide_face(folder, range(10, 30))
    with pytest.raises(DataError, match=r"talk: no pair of frames has a face in both; .*no face in frames 10-29"):
        load(folder, gaps="20")


def test_a_clip_without_a_face(tmp_path: Path, calls: list[int]) -> None:
    folder = add_clip(tmp_path / "talk", 30)
    hide_face(folder, range(30))
    with pytest.raises(DataError, match="talk: no face was found in any of the 30 frames"):
        load(folder)


def test_a_clip_that_is_too_short(tmp_path: Path, calls: list[int]) -> None:
    folder = add_clip(tmp_path / "talk", 20)
    with pytest.raises(DataError, match="talk: 20 frames, too short for pairs 20 frames apart; choose smaller gaps"):
        load(folder)
    assert calls == []  # said before the work is done
    assert load(folder, gaps="19").keys() == ["talk/00000-00019"]


def test_a_folder_of_clips_names_those_that_cannot_be_used(tmp_path: Path, calls: list[int]) -> None:
    add_clip(tmp_path / "clips" / "b", 30)
    add_clip(tmp_path / "clips" / "a", 25)
    add_clip(tmp_path / "clips" / "short", 5)
    (tmp_path / "clips" / "broken.mp4").write_bytes(b"broken")
    protocol = load(tmp_path / "clips")
    assert protocol.dataset.name == "clips"
    assert {key.split("/")[0] for key in protocol.keys()} == {"a", "b"}  # noqa: SIM118
    assert [problem.split(":")[0].rsplit("/", 1)[1] for problem in protocol.dataset.problems] == ["broken.mp4", "short"]
    assert all(problem.endswith("the clip is left out") for problem in protocol.dataset.problems)


@pytest.mark.parametrize("name", ["gone", "empty", "broken.mp4"])
def test_unreadable_clips(tmp_path: Path, calls: list[int], name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.mp4").write_bytes(b"broken")
    with pytest.raises(DataError, match=name):
        load(tmp_path / name)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"gap": "1"}, "has no option .gap.; it has version, gaps, stride"),
        ({"gaps": ""}, "whole numbers from 1 to 999999 such as 1,5,10"),
        ({"gaps": "1,"}, "option .gaps. is .1,., expected whole numbers"),
        ({"gaps": "0,1"}, "expected whole numbers"),
        ({"gaps": "-1"}, "expected whole numbers"),
        ({"gaps": "1.5"}, "is '1.5'"),
        ({"gaps": "9" * 5000}, "expected whole numbers"),
        ({"stride": "0"}, "option 'stride'"),
        ({"stride": "٣"}, "option .stride. is .٣., expected a whole number"),
        ({"stride": "1,2"}, "is .1,2., expected a whole number from 1"),
    ],
)
def test_wrong_options(tmp_path: Path, options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(tmp_path, **options)


def test_other_variants_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="variant is 'official', expected standard or temporal"):
        clip_landmarks.load(ProtocolRequest("clip_landmarks", tmp_path, variant="official"))


def test_card_says_pseudo_and_how_much_the_reference_trembles(
    tmp_path: Path, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    smooth = load(add_clip(tmp_path / "smooth")).dataset
    assert (smooth.origin, smooth.reference, smooth.problems) == ("real", "pseudo", ())
    assert smooth.facts["frames/smooth"] == 60
    assert smooth.facts["jitter_px/smooth"] == pytest.approx(0, abs=1e-9)
    rng = np.random.default_rng(0)
    monkeypatch.setattr(
        tracker, "track", lambda images: (FaceTrack(FACE + rng.normal(0, 0.2, (468, 2)), 1.0) for _ in images)
    )
    noisy = load(add_clip(tmp_path / "noisy", 61)).dataset
    assert noisy.facts["jitter_px/noisy"] == pytest.approx(0.2, rel=0.05)
    assert noisy.facts["epe_floor_px/noisy"] == pytest.approx(0.2 * np.pi**0.5, rel=0.05)
    assert "face mesh network" in noisy.reference_note
    assert noisy.reference_networks == (assets.find("face_mesh").sha256,)
    assert "0.35 px in noisy" in noisy.reference_note or "0.36 px in noisy" in noisy.reference_note


def test_one_clip_of_a_made_dataset_is_enough_to_be_synthetic(tmp_path: Path, calls: list[int]) -> None:
    add_clip(tmp_path / "clips" / "real", 30)
    made = add_clip(tmp_path / "mini" / "frames" / "made", 30)
    assert load(made, gaps="1").dataset.origin == "real"
    (tmp_path / "mini" / "ffbench-mini.json").write_text("{}")
    card = load(made, gaps="1").dataset
    assert (card.origin, card.reference) == ("synthetic", "pseudo")
    assert load(tmp_path / "clips", gaps="1").dataset.origin == "real"
    (tmp_path / "clips" / "made").symlink_to(made)
    assert load(tmp_path / "clips", gaps="1").dataset.origin == "synthetic"


def test_manifest_follows_the_clip_and_not_its_place(tmp_path: Path, calls: list[int]) -> None:
    first = load(add_clip(tmp_path / "talk")).dataset.manifest_sha256
    assert load(add_clip(tmp_path / "elsewhere" / "talk")).dataset.manifest_sha256 == first
    hide_face(tmp_path / "talk", [59])
    assert load(tmp_path / "talk").dataset.manifest_sha256 != first


def cached(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").rglob("*.npy"))


def test_landmarks_are_found_once_and_then_read_from_the_cache(tmp_path: Path, calls: list[int]) -> None:
    folder = add_clip(tmp_path / "talk", 30)
    hide_face(folder, [7])
    first, second = load(folder), load(folder, gaps="3")
    assert len(calls) == 30
    assert len(cached(tmp_path)) == 1
    assert second.load("talk/00000-00003").reference.second == pytest.approx(motion(3), abs=0)
    assert second.dataset.left_out[0].split(";")[0] == first.dataset.left_out[0].split(";")[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:500]),
        lambda path: path.write_bytes(b""),
        lambda path: np.save(path, np.zeros((29, 468, 2))),
        lambda path: np.save(path, np.zeros((30, 468, 2), np.float32)),
        lambda path: np.save(path, np.array([{"code": 1}], object), allow_pickle=True),
    ],
)
def test_a_damaged_cache_is_made_again(tmp_path: Path, calls: list[int], damage: Callable[[Path], object]) -> None:
    folder = add_clip(tmp_path / "talk", 30)
    load(folder)
    damage(cached(tmp_path)[0])
    pair = load(folder).load("talk/00000-00005")
    assert np.array_equal(pair.reference.second, motion(5))
    assert len(calls) == 60


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "file"))
    assert len(load(add_clip(tmp_path / "talk", 30)).keys()) > 0


def test_the_key_of_the_cache_changes_with_the_network(
    tmp_path: Path, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = open_clip(add_clip(tmp_path / "talk", 3))
    before = clip_tracks._track_key(clip)
    monkeypatch.setattr(clip_tracks, "network_sha256", lambda: "0" * 64)
    assert clip_tracks._track_key(clip) != before


@pytest.mark.assets
@pytest.mark.slow
def test_the_two_real_clips_have_a_face_throughout_and_large_and_small_motion() -> None:
    protocol = load(None)
    assert protocol.dataset.problems == ()
    assert len(protocol.keys()) == 142
    assert protocol.dataset.facts["jitter_px/single_face.mp4"] == pytest.approx(0.042, abs=0.003)
    assert protocol.dataset.facts["jitter_px/carphone_pristine.mp4"] == pytest.approx(0.043, abs=0.003)
    counts = dict.fromkeys(["motion_0-1px", "motion_1-2px", "motion_2-5px", "motion_5-15px", "motion_15px+"], 0.0)
    for key in protocol.keys():  # noqa: SIM118
        pair = protocol.load(key)
        still = Flows(np.zeros((*pair.image1.shape[:2], 2), np.float32))
        terms = protocol.score(pair, still, still).terms
        for name in counts:
            counts[name] += terms[f"epe/{name}"].count if f"epe/{name}" in terms else 0
        assert terms["landmarks_inside"].sum / terms["landmarks_inside"].count > 95
    assert min(counts.values()) > 500
