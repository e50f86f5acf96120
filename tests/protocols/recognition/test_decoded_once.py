"""What is read and computed once, however many folds and seeds learn from it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import ffbench
from ffbench.datasets.images import read_image
from ffbench.io.archives.member_path import DatasetPath
from ffbench.microexpressions import registration
from ffbench.protocols.recognition.recognisers.roi import RegionHistograms
from ffbench.recogniser import Features, RegisteredFace
from ffbench.typing import Image
from tests.protocols.recognition.test_recognition import REGULAR, Planted, plant

CLIPS = len(REGULAR)


def test_each_image_is_decoded_once_and_each_clip_described_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, described = Counter[str](), 0
    features = RegionHistograms.features

    def counted_read(path: DatasetPath | Path) -> Image:
        read[str(path)] += 1
        return read_image(path)

    def counted_features(self: RegionHistograms, face: RegisteredFace) -> Features:
        nonlocal described
        described += 1
        return features(self, face)

    monkeypatch.setattr(registration, "read_image", counted_read)
    monkeypatch.setattr(RegionHistograms, "features", counted_features)
    plant(tmp_path / "CASME2", REGULAR)

    def run(**options: str) -> None:
        protocol = ffbench.load_protocol("casme2_5", data=tmp_path / "CASME2", options={"epochs": "2", **options})
        ffbench.evaluate(Planted(), protocol, out=tmp_path / "runs")

    run(seeds="3")  # three subjects: nine folds
    assert len(read) == 3 * CLIPS  # onset, apex and the crop of the onset
    assert set(read.values()) == {1}
    assert described == CLIPS
    # The control: another flow is described anew, and still nothing is decoded again.
    run(seeds="1", flow="expression", derive_head="rigid")
    assert set(read.values()) == {1}
    assert described == 2 * CLIPS
