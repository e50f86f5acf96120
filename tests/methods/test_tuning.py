"""The tables behind tuned parameters: what is chosen was tried, and errors are what they say."""

from __future__ import annotations

import inspect
from dataclasses import asdict

import cv2
import numpy as np
import pytest
from skimage.registration import optical_flow_ilk, optical_flow_tvl1

from ffbench.methods.classical import DIS_FINE, DIS_MEDIUM, dis_estimator
from ffbench.methods.scikit_image import ILK, ILK_DEFAULTS, TVL1, TVL1_DEFAULTS
from ffbench.methods.tuning import CANDIDATES, SCALES, TuningPair, estimator, mean_errors, tuning_pairs
from tests.methods.test_classical import shifted_pair

GREY = np.zeros((8, 8), np.uint8)


def _pair(scale: str, length: float) -> TuningPair:
    flow = np.zeros((8, 8, 2), np.float32)
    flow[:4] = (0.6 * length, 0.8 * length)
    flow[4:] = 1000
    return TuningPair(scale, GREY, GREY, flow, np.arange(8)[:, None].repeat(8, 1) < 4)


def test_errors_are_means_over_the_mask_and_their_geometric_mean() -> None:
    pairs = [_pair("full", 10), _pair("full", 30), _pair("1/5", 4), _pair("1/20", 0.1)]
    errors = mean_errors(lambda first, second: np.zeros((8, 8, 2), np.float32), pairs)
    assert errors == pytest.approx({"full": 20, "1/5": 4, "1/20": 0.1, "mean": 2}, rel=1e-6)


def test_what_was_chosen_was_tried() -> None:
    assert DIS_FINE in [type(DIS_FINE)(**{**asdict(DIS_MEDIUM), **tried}) for tried in CANDIDATES["dis_fine"]]
    assert TVL1 in [{**TVL1_DEFAULTS, **tried} for tried in CANDIDATES["tvl1"]]
    assert ILK in [{**ILK_DEFAULTS, **tried} for tried in CANDIDATES["ilk"]]


def test_the_defaults_are_those_of_scikit_image() -> None:
    for function, defaults in ((optical_flow_tvl1, TVL1_DEFAULTS), (optical_flow_ilk, ILK_DEFAULTS)):
        parameters = inspect.signature(function).parameters
        assert {name: parameters[name].default for name in defaults} == defaults


@pytest.mark.parametrize("method", sorted(CANDIDATES))
def test_candidates_differ_and_can_be_built(method: str) -> None:
    tried = CANDIDATES[method]
    assert len({tuple(sorted(parameters.items())) for parameters in tried}) == len(tried)
    for parameters in tried:
        estimator(method, parameters)


def test_the_first_row_is_the_preset() -> None:
    first, second = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in shifted_pair(96, 128, 2, 1))
    preset = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    np.testing.assert_array_equal(dis_estimator(DIS_MEDIUM)(first, second), preset.calc(first, second, None))


@pytest.mark.assets
def test_pairs_are_of_all_scales_and_differ_in_motion() -> None:
    pairs = list(tuning_pairs({96: 2}))
    assert [pair.scale for pair in pairs] == [scale for scale in SCALES for _ in range(2)]
    motion = {scale: [np.abs(p.flow[p.mask]).mean() for p in pairs if p.scale == scale] for scale in SCALES}
    assert np.mean(motion["full"]) > 3 * np.mean(motion["1/20"]) > 0
    assert all(pair.first.shape == (96, 96) for pair in pairs)
