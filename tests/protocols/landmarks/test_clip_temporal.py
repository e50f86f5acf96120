"""Variant `temporal` of clip_landmarks: chains of flows over neighboring frames of a made-up face."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from ffbench.errors import DataError, UsageError
from ffbench.evaluation import evaluate
from ffbench.facemesh import tracker
from ffbench.facemesh.tracker import FaceTrack
from ffbench.method import Flows, Method, MethodCard
from ffbench.metrics.photometric import hull_mask
from ffbench.protocol import ProtocolRequest
from ffbench.protocols.landmarks import clips as clip_landmarks
from ffbench.protocols.landmarks.temporal import ClipTemporal
from tests.protocols.landmarks.test_clip_landmarks import SIZE, add_clip, hide_face, motion
from tests.reference import temporal as reference


class Trembling(Method):
    """Flow of noise, another for every pair, by the red of the first pixel."""

    def __init__(self, size: float) -> None:
        self.card = MethodCard(id="trembling", title="Trembling")
        self._size = size

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        return Flows(
            torch.from_numpy(flow_of(round(255 * float(image1[0, 0, 0, 0])), self._size)).permute(2, 0, 1)[None]
        )


def flow_of(frame: int, size: float) -> np.ndarray:
    return np.random.default_rng(frame).normal((0.3, 0.1), size, (SIZE[1], SIZE[0], 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def _face(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def track(images: Iterable[np.ndarray]) -> Iterator[FaceTrack]:
        for number, image in enumerate(images):
            yield FaceTrack(None, 0.1) if image[0, 1, 0] == 0 else FaceTrack(motion(number), 0.9)

    monkeypatch.setattr(tracker, "track", track)
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))


def load(data: Path, **options: str) -> ClipTemporal:
    loaded = clip_landmarks.entry.load(ProtocolRequest("clip_landmarks", data, "temporal", options))
    assert isinstance(loaded, ClipTemporal)
    return loaded


def test_terms_agree_with_the_reference(tmp_path: Path) -> None:
    protocol = load(add_clip(tmp_path / "talk", 8))
    keys = list(protocol.keys())
    assert keys == [f"talk/{t:05d}-{t + 1:05d}" for t in range(7)]
    flows = [flow_of(number, 0.5) for number in range(7)]
    kept = [protocol.score(protocol.load(key), Flows(flow), None) for key, flow in zip(keys, flows, strict=True)]
    scored = protocol.learn(kept, tmp_path)
    tracks = [reference.carried(x, y, flows[2:6]) for x, y in motion(2)]
    whole = [track for track in tracks if track is not None]
    total, count = reference.jitter(whole)
    terms = scored[2].terms
    assert (terms["flow_jitter"].sum, terms["flow_jitter"].count) == (pytest.approx(total, rel=1e-5), count)
    assert (terms["tracks_kept"].sum, terms["tracks_kept"].count) == (100 * len(whole), 468)
    # Colors along three frames, pixel by pixel.
    clean, last = protocol.load(keys[2]).image1.astype(float), protocol.load(keys[4]).image1.astype(float)
    expected, pixels = 0.0, 0
    for y, x in np.argwhere(hull_mask(motion(2), SIZE)):
        step = reference.chained(flows[2], flows[3], x, y)
        channels = [
            None if step is None else reference.bilinear(np.stack([last[..., c]] * 2, axis=2), x + step[0], y + step[1])
            for c in range(3)
        ]
        if None not in channels:
            expected += np.mean([abs(value[0] - clean[y, x, c]) for c, value in enumerate(channels)])  # type: ignore[index]
            pixels += 1
    assert (terms["warping_error"].sum, terms["warping_error"].count) == (pytest.approx(expected, rel=1e-4), pixels)
    # The last pairs begin no chain of five frames, then none of three.
    assert [len(score.terms) for score in scored] == [3, 3, 3, 3, 1, 1, 0]


def test_noise_of_the_flow_is_measured_and_smooth_flow_has_none(tmp_path: Path) -> None:
    protocol = load(add_clip(tmp_path / "talk", 110))
    jitter = {}
    for size in (0.0, 0.2, 0.4):
        record = evaluate(Trembling(size), protocol, out=tmp_path / f"runs{size}")
        scores = {score.metric: score for score in record.scores if score.group == "all"}
        jitter[size] = scores["flow_jitter"].value
        assert record.primary.metric == "warping_error"
        assert scores["flow_jitter"].units == 6
    assert jitter[0.0] == pytest.approx(0, abs=1e-6)
    # Bilinear means of four pixels are calmer than the pixels.
    assert 0.1 < jitter[0.2] < 0.2
    assert jitter[0.4] == pytest.approx(2 * jitter[0.2], rel=0.1)


def test_a_lost_face_breaks_the_chain(tmp_path: Path) -> None:
    clip = add_clip(tmp_path / "talk", 12)
    hide_face(clip, [5])
    protocol = load(clip)
    record = evaluate(Trembling(0.1), protocol, out=tmp_path / "runs")
    assert len(protocol.keys()) == 9
    assert "no face in frames 5 (1 of 12); 2 of 11 pairs are left out" in record.dataset.left_out[0]
    whole = {score.metric: score.pairs for score in record.scores if score.group == "all"}
    assert whole == {"warping_error": 7, "flow_jitter": 3, "tracks_kept": 3}


def test_short_clips_options_and_unknown_flow(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="short: 2 frames, expected at least 3: the colors of a point"):
        load(add_clip(tmp_path / "short", 2))
    clip = add_clip(tmp_path / "talk", 4)
    with pytest.raises(UsageError, match="has no option 'gaps'"):
        load(clip, gaps="1")
    protocol = load(clip)
    with pytest.raises(DataError, match="the forward flow is unknown around the face"):
        protocol.score(protocol.load(next(iter(protocol.keys()))), Flows(np.full((44, 60, 2), 1e10, np.float32)), None)
    stated = clip_landmarks.entry.scoring(protocol.card)  # type: ignore[misc]
    assert stated.card == protocol.card
    with pytest.raises(DataError, match="no three frames in a row"):
        evaluate(Trembling(0.1), protocol, out=tmp_path / "runs", limit=1)
