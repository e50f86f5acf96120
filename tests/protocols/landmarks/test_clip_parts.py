"""clip_landmarks 1.1: parts that show a face, recordings that are in several clips, points that count, versions."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ffbench.datasets.clips import open_clip
from ffbench.errors import UsageError
from ffbench.facemesh import tracker
from ffbench.facemesh.groups import GROUPS, OVAL
from ffbench.facemesh.tracker import FaceTrack
from ffbench.method import Flows
from ffbench.protocol import ProtocolRequest
from ffbench.protocols.landmarks import clip_parts
from ffbench.protocols.landmarks import clips as clip_landmarks
from ffbench.protocols.landmarks.clip_parts import EDGE, Recording, encoding_difference, face_parts, part_pairs
from ffbench.protocols.landmarks.clip_tracks import TrackedClip
from ffbench.protocols.landmarks.clips import ClipLandmarks
from ffbench.reanimation.portraits.mesh import EYE_LOOPS

SIZE = (60, 44)
FACE = np.random.default_rng(1).uniform((14, 8), (44, 36), (468, 2))
WIDTH = float(np.ptp(FACE[:, 0]))
LIDS = {*EYE_LOOPS[0], *EYE_LOOPS[1]}


def track_of(shown: Iterable[bool]) -> np.ndarray:
    return np.stack(
        [FACE + np.array([0.01 * number, 0]) if show else FACE * np.nan for number, show in enumerate(shown)]
    )


def slow_parts(shown: list[bool]) -> list[int]:
    """Frames of parts, by walking from each frame to both sides."""
    kept = []
    for frame, show in enumerate(shown):
        around = shown[max(frame - EDGE, 0) : frame + EDGE + 1]
        if show and all(around):
            kept.append(frame)
    return kept


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_frames_near_a_lost_face_are_in_no_part(shown: list[bool]) -> None:
    parts = face_parts(track_of(shown), SIZE)
    assert [frame for part in parts for frame in part] == slow_parts(shown)
    assert all(later.start - earlier.stop >= 2 * EDGE + 1 for earlier, later in itertools.pairwise(parts))


def test_a_cut_between_two_faces_ends_a_part() -> None:
    points = track_of([True] * 20)
    points[9:] += (0.3 * WIDTH, 0)
    assert face_parts(points, (200, 44)) == [range(0, 9 - EDGE), range(9 + EDGE, 20)]
    points[9:] -= (0.1 * WIDTH, 0)  # a quick motion is none
    assert face_parts(points, (200, 44)) == [range(20)]


def test_frames_in_which_the_face_leaves_are_out() -> None:
    points = track_of([True] * 20)
    for frame in range(12, 20):
        points[frame, : 23 + (frame >= 14), 0] = -1  # 23 of 468 are less than 5 %, 24 are more
    assert face_parts(points, SIZE) == [range(14 - EDGE)]


@pytest.fixture
def fake_tracker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A face that moves by 0.1 px a frame and by the clip's scale; none where the second pixel's red is 0."""

    def track(images: Iterable[np.ndarray]) -> Iterator[FaceTrack]:
        for image in images:
            scale = image.shape[1] / SIZE[0]
            number = int(image[0, 0, 0])
            found = FaceTrack(scale * (FACE + np.array([0.1 * number, 0])), 0.9)
            yield FaceTrack(None, 0.1) if image[0, 1, 0] == 0 else found

    monkeypatch.setattr(tracker, "track", track)
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))


def add_clip(folder: Path, moments: Iterable[int | None], scale: int = 1) -> Path:
    """Frames that show moments of one recording; None: no face."""
    folder.mkdir(parents=True)
    for number, moment in enumerate(moments):
        image = np.random.default_rng(7).integers(1, 256, (scale * SIZE[1], scale * SIZE[0], 3), np.uint8)
        image[0, 0, 0], image[0, 1, 0] = moment or 0, 0 if moment is None else 255
        Image.fromarray(image).save(folder / f"{number}.png")
    return folder


def load(data: Path, **options: str) -> ClipLandmarks:
    loaded = clip_landmarks.entry.load(ProtocolRequest("clip_landmarks", data, options=options))
    assert isinstance(loaded, ClipLandmarks)
    return loaded


@pytest.mark.usefixtures("fake_tracker")
def test_pairs_lie_in_one_part(tmp_path: Path) -> None:
    clip = add_clip(tmp_path / "talk", [*range(12), None, *range(13, 30)])
    new, old = load(clip, gaps="1,5"), load(clip, gaps="1,5", version="1.0")
    assert new.keys() == [
        *["talk/00000-00001", "talk/00000-00005", "talk/00005-00006"],
        *["talk/00015-00016", "talk/00015-00020", "talk/00020-00021", "talk/00020-00025", "talk/00025-00026"],
    ]
    assert "talk/00010-00015" in list(old.keys())  # over the frame without a face
    (line,) = new.dataset.left_out
    assert "frames 10-14 (5 of 30) are in no part" in line


@pytest.mark.usefixtures("fake_tracker")
def test_a_recording_weighs_as_much_in_one_clip_as_in_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = tmp_path / "clips"
    one = add_clip(clips / "one", range(40))
    two = add_clip(clips / "two", [None] * 8 + list(range(40)), scale=2)
    hashes = {open_clip(one).sha256(): Recording("one"), open_clip(two).sha256(): Recording("one", 8)}
    apart = load(clips, gaps="10")
    monkeypatch.setattr(clip_parts, "_recordings_by_hash", lambda: hashes)
    together = load(clips, gaps="10")
    assert together.keys() == apart.keys()
    assert together.dataset.facts["recordings"] == 1
    assert apart.dataset.facts["recordings"] == 2  # the control: nobody knows that they are one
    still = {
        key: Flows(np.zeros((*together.load(key).image1.shape[:2], 2), np.float32)) for key in list(together.keys())
    }
    for key, flow in still.items():
        pair, other = together.load(key), apart.load(key)
        terms, whole = together.score(pair, flow, flow).terms, apart.score(other, flow, flow).terms
        assert terms.keys() == whole.keys()
        for name, term in terms.items():
            assert (2 * term.sum, 2 * term.count) == pytest.approx((whole[name].sum, whole[name].count), rel=1e-12)
    blocks = {key: together.load(key).labels["block"] for key in list(together.keys())}
    assert set(blocks.values()) == {"one/00000", "one/00001", "one/00002"}
    assert blocks["two/00020-00030"] == blocks["one/00010-00020"] == "one/00001"
    assert {apart.load(key).labels["block"].split("/")[0] for key in list(apart.keys())} == {"one", "two"}


def test_difference_of_encodings_is_that_of_displacements_in_px_of_the_first(tmp_path: Path) -> None:
    clips = [open_clip(add_clip(tmp_path / name, range(30), scale)) for name, scale in (("a", 1), ("b", 2))]
    rng = np.random.default_rng(0)
    moved = FACE + 0.1 * np.arange(30)[:, None, None]
    noise = rng.normal(0, 0.2, (30, 468, 2))
    a, same = TrackedClip(clips[0], moved), TrackedClip(clips[1], 2 * moved + 5)
    assert encoding_difference(a, same, 5) == pytest.approx(0, abs=1e-12)
    noisy = TrackedClip(clips[1], 2 * (moved + noise))
    slow = [np.hypot(*(noise[t + 5, i] - noise[t, i])) for t in range(25) for i in range(468)]
    assert encoding_difference(a, noisy, 5) == pytest.approx(np.mean(slow), rel=1e-9)
    assert encoding_difference(a, noisy, 30) is None
    assert len(part_pairs(noisy, (5,), 5)[0]) == 5


@pytest.mark.usefixtures("fake_tracker")
def test_points_at_the_border_and_the_lids_count_in_their_parts_alone(tmp_path: Path) -> None:
    clip = add_clip(tmp_path / "talk", range(30))
    new, old = load(clip), load(clip, version="1.0")
    pair = new.load("talk/00000-00010")
    flow = Flows(np.full((SIZE[1], SIZE[0], 2), (1.0, 0.0), np.float32))
    pair.reference.second[list(OVAL)] += (0, 3)  # the border slides
    terms, before = new.score(pair, flow, flow).terms, old.score(pair, flow, flow).terms
    assert len({*OVAL} | LIDS) == 68
    assert (terms["epe"].count, before["epe"].count) == (400, 468)
    assert terms["epe"].sum == pytest.approx(0, abs=1e-4)
    assert before["epe"].sum == pytest.approx(36 * 3, abs=1e-3)
    for part, members in GROUPS.items():
        assert terms[f"epe/{part}"] == before[f"epe/{part}"]
        assert terms[f"epe/{part}"].count == len(members)
    assert "epe_nonrigid/oval" not in terms
    assert terms["landmarks_inside"].sum / terms["landmarks_inside"].count == 100
    bins = sum(term.count for name, term in terms.items() if name.startswith("epe/motion"))
    assert bins == 400


@pytest.mark.usefixtures("fake_tracker")
def test_versions_are_boards_of_their_own_and_the_option_is_not_stated(tmp_path: Path) -> None:
    clip = add_clip(tmp_path / "talk", range(30))
    new, old = load(clip, gaps="5"), load(clip, gaps="5", version="1.0")
    assert (new.card.version, old.card.version) == ("1.1", "1.0")
    assert new.card.options == old.card.options == {"gaps": "5", "stride": 5}
    assert clip_landmarks.entry.earlier_versions == ("1.0",)
    assert clip_landmarks.entry.scoring is not None
    for card in (new.card, old.card):
        assert clip_landmarks.entry.scoring(card).card == card
    future = new.card.model_copy(update={"version": "9.0"})
    assert clip_landmarks.entry.scoring(future).card.version == "1.1"
    with pytest.raises(UsageError, match=r"option 'version' is '0.9', expected 1.1 or 1.0"):
        load(clip, version="0.9")


@pytest.mark.assets
@pytest.mark.slow
def test_three_files_hold_one_recording() -> None:
    """Why they weigh as one: frame by frame the same pictures. The control: neighboring frames differ by as much."""
    from ffbench import assets

    def small(name: str) -> list[np.ndarray]:
        frames = open_clip(assets.asset_path(name)).frames()
        return [np.array(Image.fromarray(frame).resize((160, 90), Image.Resampling.BOX), float) for frame in frames]

    whole = small("clip_single_face")
    for name, first in (("clip_face_noface", 0), ("clip_noface_face", 96)):
        copy = small(name)[first : first + len(whole)]
        distance = np.array([[np.abs(a - b).mean() for b in whole] for a in copy])
        assert (distance.argmin(axis=1) == np.arange(len(whole))).mean() > 0.95
        assert np.diag(distance).max() < 1.5


@pytest.mark.assets
@pytest.mark.slow
def test_real_clips_of_version_1_1() -> None:
    loaded = clip_landmarks.entry.load(ProtocolRequest("clip_landmarks"))
    keys = loaded.keys()
    counts = {clip: sum(key.startswith(clip) for key in keys) for clip in {key.split("/")[0] for key in keys}}
    assert counts == {"carphone_pristine.mp4": 89, "single_face.mp4": 53, "face_noface.mov": 49, "noface_face.mov": 49}
    assert loaded.dataset.facts["recordings"] == 2
    differences = [value for name, value in loaded.dataset.facts.items() if name.startswith("encoding_px/")]
    assert len(differences) == 8
    assert 0.04 < min(differences) < max(differences) < 0.15


def measured_errors(look_aside: bool, people: int = 6) -> dict[str, float]:
    """The network's displacement against the exact flow on rendered training people, by part: px, the median person."""
    from ffbench.flow.sampling import sample_flow
    from ffbench.synth.heads.makehuman import load_makehuman
    from ffbench.synth.motion.expressions import Frame
    from ffbench.synth.scenes.scene import render_pair, sample_person, sample_pose, sample_scene

    head = load_makehuman()
    aside = {"eyeLookInLeft": 0.8, "eyeLookOutRight": 0.8} if look_aside else {}
    found = []
    for number in range(people):
        scene = sample_scene(sample_person(head, 9000 + number, 512), 9000 + number, 384, 384)
        pose = sample_pose(np.random.default_rng(number), 0.0)
        rest = Frame(np.zeros(len(head.expression_names)), pose)
        pair = render_pair(scene, rest, Frame(head.expression(aside), pose))
        first, second = (tracker.find_face_meshes(frame.image) for frame in (pair.frame1, pair.frame2))
        if len(first) == len(second) == 1:
            assert first[0].points is not None
            flow = sample_flow(np.ascontiguousarray(pair.labels.facial), first[0].points)[0]
            found.append(np.linalg.norm(second[0].points - first[0].points - flow, axis=1))
    errors = np.median(found, axis=0)  # in a picture or two the network takes something else for the face
    parts = {"lids": sorted(LIDS), "nose": GROUPS["nose"], "oval": OVAL}
    return {name: float(errors[list(members)].mean()) for name, members in parts.items()}


@pytest.mark.assets
@pytest.mark.slow
def test_why_lids_do_not_count() -> None:
    """Eyes that look aside leave the skin where it is; the network's points go along, those of the lids most."""
    aside, straight = measured_errors(look_aside=True), measured_errors(look_aside=False)
    assert aside["lids"] > 2 * aside["nose"]
    assert aside["nose"] > straight["nose"]
    assert straight["lids"] < 0.5 * aside["lids"]
