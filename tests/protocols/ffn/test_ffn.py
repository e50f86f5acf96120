"""Protocols on FacialFlowNet: both readings of Table 2, head and expression, on folders made here."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from ffbench.datasets.ffn.files import FFNArrays
from ffbench.datasets.mark import SYNTHETIC_MARK
from ffbench.errors import DataError, UsageError
from ffbench.evaluation import evaluate
from ffbench.flow.formats.flo import write_flo
from ffbench.flow.warp import forward_backward_error
from ffbench.method import Flows, Method, MethodCard
from ffbench.metrics.dense.buckets import BUCKETS
from ffbench.metrics.dense.errors import DENSE_METRICS
from ffbench.protocol import Pair, ProtocolRequest, Score, Term
from ffbench.protocols.ffn import protocol as ffn
from ffbench.protocols.ffn.metrics import official_terms
from ffbench.protocols.ffn.protocol import FFNFlow
from ffbench.synth.heads.head import Region
from tests.datasets.ffn_folder import SIZE, add_sequence, facial_flow, head_flow, make_ffn, mask
from tests.reference import buckets, sparsification
from tests.reference import dense as reference

ENTRIES = {"facial": ffn.ffn_motion_scale, "head": ffn.ffn_head, "expression": ffn.ffn_expression}
# Sum. of Table 2 for each row's 1/20, 1/15, 1/10 and 1/5.
TABLE_2 = {
    "RAFT": (0.275, 0.316, 0.433, 0.695, 0.354),
    "GMA": (0.267, 0.306, 0.422, 0.664, 0.343),
    "SKFlow": (0.242, 0.276, 0.388, 0.635, 0.314),
    "FlowFormer": (0.294, 0.334, 0.455, 0.721, 0.374),
    "RAFT+FFN": (0.111, 0.130, 0.182, 0.316, 0.148),
    "GMA+FFN": (0.108, 0.125, 0.172, 0.296, 0.142),
    "SKFlow+FFN": (0.112, 0.133, 0.189, 0.331, 0.152),
    "FlowFormer+FFN": (0.126, 0.146, 0.200, 0.336, 0.165),
    "DecFlow": (0.098, 0.116, 0.162, 0.284, 0.132),
}


class Shifted(Method):
    """A method that returns the true flows with errors of (3, 4) px in the facial and (1, 0) px in the head flow.

    It counts pairs, so that they must come in order, one sequence of five frames after another.
    """

    def __init__(self, decomposes: bool) -> None:
        self.card = MethodCard(id="shifted", title="Shifted", decomposes=decomposes)
        self.calls = 0

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        number = self.calls % 4 + 1
        self.calls += 1
        facial = torch.from_numpy(facial_flow(number) + np.float32([3, 4])).permute(2, 0, 1)[None]
        head = torch.from_numpy(head_flow(number) + np.float32([1, 0])).permute(2, 0, 1)[None]
        return Flows(facial, head if self.card.decomposes else None)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FFBENCH_DATA", raising=False)


def load(data: Path | None, target: str = "facial", variant: str | None = None, **options: str) -> FFNFlow:
    entry = ENTRIES[target]
    return entry.load(ProtocolRequest(f"ffn_{target}", data, variant, options))  # type: ignore[return-value]


def random_flow(seed: int = 0) -> npt.NDArray[np.float32]:
    return facial_flow(1) + np.random.default_rng(seed).standard_t(2, (*SIZE, 2)).astype(np.float32)


def one_pair(folder: Path, **labels: Any) -> Path:
    add_sequence(folder, "happy/1", 5, **labels)
    return folder


def find(scores: list[Score], metric: str, group: str = "all") -> Score:
    return next(score for score in scores if (score.metric, score.group) == (metric, group))


def test_pairs_have_labels_for_groups_and_intervals(tmp_path: Path) -> None:
    protocol = load(make_ffn(tmp_path))
    assert (protocol.card.id, protocol.card.variant, protocol.card.options) == (
        "ffn_motion_scale",
        "paper",
        {"split": "test"},
    )
    pair = protocol.load("happy/0010/0002")
    assert pair.labels == {"scale": "1/10", "emotion": "happy", "subject": "0010", "sequence": "happy/0010"}
    # Of who the people are only the manifest of a rendered dataset says something.
    assert {*protocol.card.group_by, protocol.card.resample_by} - set(pair.labels) == {"skin_tone", "age"}
    assert len(protocol.keys()) == 17


@pytest.mark.parametrize("target", ["facial", "official", "head", "expression"])
def test_what_is_not_known_is_not_scored(tmp_path: Path, target: str) -> None:
    """With NaN in the labels a pair scores as if those pixels were outside of the mask, whatever is predicted there."""
    variant, kind = ("official", "facial") if target == "official" else (None, target)
    add_sequence(tmp_path, "happy/1", 5, labels=True)
    holes = np.zeros(SIZE, bool)
    holes[9:12, 10:17] = True
    assert (mask(1) & holes).any()
    assert (mask(1) & ~holes).any()
    prediction = Flows(random_flow(1), random_flow(2))
    whole = load(tmp_path, kind, variant)
    pair = whole.load("happy/1/0001")
    assert pair.reference.mask.sum() == mask(1).sum()
    outside = replace(pair, reference=replace(pair.reference, mask=mask(1) & ~holes))
    expected = whole.score(outside, prediction, None).terms
    marked = facial_flow(1)
    marked[holes] = np.nan
    write_flo(tmp_path / "flow/facial/test/happy/1/0001.flo", marked)
    found = load(tmp_path, kind, variant).load("happy/1/0001")
    if variant == "official":  # sums over all pixels: also those outside of the mask
        error = np.linalg.norm(prediction.facial.astype(np.float64) - facial_flow(1), axis=2)[~holes]
        count = (mask(1) & ~holes).sum()
        expected["epe"] = Term(error.sum() / count, 1.0)
        expected |= {f"below_{px}px": Term(100.0 * (error < px).sum() / count, 1.0) for px in (1, 3, 5)}
    before = whole.score(pair, prediction, None).terms
    terms = load(tmp_path, kind, variant).score(found, prediction, None).terms
    assert set(terms) <= set(before)
    for name, term in terms.items():
        assert (term.sum, term.count) == pytest.approx((expected[name].sum, expected[name].count), rel=1e-12), name
    assert terms["epe"].sum != pytest.approx(before["epe"].sum)  # control: the holes mattered
    if variant is None:
        bad = np.where(holes[..., None], prediction.facial, np.float32(np.nan))
        with pytest.raises(DataError, match="not finite"):
            whole.score(outside, Flows(bad, bad), None)


def test_what_can_be_drawn_of_a_pair(tmp_path: Path) -> None:
    protocol = load(make_ffn(tmp_path), "head")
    drawn = protocol.annotation(protocol.load("happy/0010/0002"))
    np.testing.assert_array_equal(drawn.facial, facial_flow(2))
    np.testing.assert_array_equal(drawn.head, head_flow(2))
    np.testing.assert_array_equal(drawn.mask, mask(2))
    assert drawn.region_names[int(Region.NOSE)] == "nose"
    assert drawn.first is drawn.second is None


def test_the_paper_variant_is_the_mean_inside_the_mask(tmp_path: Path) -> None:
    protocol = load(one_pair(tmp_path, labels=True))
    pair = protocol.load("happy/1/0001")
    prediction = random_flow()
    rows = np.mgrid[: SIZE[0], : SIZE[1]][0]
    names = {int(region): region.name.lower() for region in Region if region}
    expected = reference.dense_terms(
        prediction, facial_flow(1), mask(1), (rows // 3).astype(np.uint8), names, rows < 11
    )
    terms = protocol.score(pair, Flows(prediction), None).terms
    assert set(expected) == {name for name in terms if name.partition("/")[0] in DENSE_METRICS}
    cells = buckets.cells(prediction, facial_flow(1), mask(1), rows // 3, names)
    expected |= {
        f"bucket_epe/{key[0]} {BUCKETS[key[1]]}": (100 * error, motion)
        for key, (error, motion) in cells.items()
        if key != "static"
    }
    expected["static_epe"] = cells.get("static", (0.0, 0.0))
    skin = mask(1) & np.isin(rows // 3, [Region.FOREHEAD, Region.CHEEKS, Region.CHIN])
    expected["gradient_noise"] = buckets.gradient_noise(prediction, facial_flow(1), skin)
    assert set(terms) == set(expected)
    for name, (total, count) in expected.items():
        wanted = (total / count, 1) if name in DENSE_METRICS else (total, count)
        assert (terms[name].sum, terms[name].count) == pytest.approx(wanted, rel=1e-9), name
    assert {"epe/eyes", "epe/lips", "epe/visible", "epe/occluded"} < set(terms)


def test_the_official_variant_sums_the_whole_image(tmp_path: Path) -> None:
    protocol = load(one_pair(tmp_path), variant="official")
    prediction = random_flow()
    terms = protocol.score(protocol.load("happy/1/0001"), Flows(prediction), None).terms
    # As the released code has it: float32 tensors, sums over all pixels, divided by the mask's pixels.
    epe = torch.sum((torch.from_numpy(prediction) - torch.from_numpy(facial_flow(1))) ** 2, dim=2).sqrt().numpy()
    pixels = np.sum(mask(1).astype(np.uint8))
    assert terms["epe"].sum == pytest.approx(np.sum(epe) / pixels, rel=1e-5)
    for threshold in (1, 3, 5):
        assert terms[f"below_{threshold}px"].sum == pytest.approx(100 * np.sum(epe < threshold) / pixels)
    assert terms["below_5px"].sum > 100  # the background counts above, and not below, the fraction's bar
    assert {term.count for term in terms.values()} == {1.0}
    assert set(terms) == set(protocol.card.metrics)


def test_an_error_of_exactly_a_pixel_is_not_below_a_pixel() -> None:
    truth = np.zeros((1, 2, 2), np.float32)
    prediction = np.float32([[[1, 0], [0, 0]]])
    terms = official_terms(prediction, truth, np.array([[True, False]]))
    assert terms == {"epe": Term(1, 1), "below_1px": Term(100, 1), "below_3px": Term(200, 1), "below_5px": Term(200, 1)}


def test_sum_is_the_mean_over_pairs_and_scales_are_groups(tmp_path: Path) -> None:
    for frames in (5, 10, 15, 20):
        for mood in ("happy", "sad"):
            add_sequence(tmp_path, f"{mood}/{frames}", frames)
    protocol = load(tmp_path)
    scores = []
    for key in protocol.keys():  # noqa: SIM118
        pair = protocol.load(key)
        error = np.float32(40 / int(pair.labels["scale"][2:]))
        scores.append(protocol.score(pair, Flows(pair.reference.facial + np.float32([error, 0])), None))
    summary = protocol.summarize(scores)
    values = {f"1/{n}": find(summary, "epe", f"scale=1/{n}").value for n in (5, 10, 15, 20)}
    assert values == pytest.approx({"1/5": 8, "1/10": 4, "1/15": 40 / 15, "1/20": 2}, rel=1e-6)
    weighted = sum(weight * values[f"1/{weight + 1}"] for weight in (4, 9, 14, 19)) / 46
    assert find(summary, "epe").value == pytest.approx(weighted, rel=1e-12)
    # Eight sequences, not 92 pairs, are the units: the interval must span the scales.
    overall = find(summary, "epe")
    assert (overall.pairs, overall.units) == (92, 8)
    assert find(summary, "epe", "scale=1/5").no_interval == "2 sequences, an interval takes 5"
    assert overall.ci_low is not None
    assert overall.ci_high is not None
    assert overall.ci_low < 2.5 < 4.5 < overall.ci_high


@pytest.mark.parametrize("row", TABLE_2)
def test_table_2_adds_up_with_these_weights(row: str) -> None:
    *scales, total = TABLE_2[row]
    weighted = np.dot(scales, (19, 14, 9, 4)) / 46
    # Rounding to three digits explains 0.001; the rest is that 10,395 pairs are no whole number of 46.
    assert weighted == pytest.approx(total, abs=0.0012)


def test_head_and_expression_of_a_method_that_decomposes(tmp_path: Path) -> None:
    data = one_pair(tmp_path)
    shift = np.float32([1, 2])
    for target, wanted in (("head", np.hypot(1, 2)), ("expression", np.hypot(2, -2))):
        protocol = load(data, target)
        pair = protocol.load("happy/1/0002")
        flows = Flows(facial_flow(2) + np.float32([3, 0]), head_flow(2) + shift)
        terms = protocol.score(pair, flows, None).terms
        assert terms["epe"].sum == pytest.approx(wanted, rel=1e-6)
        assert terms["own_head"] == Term(100, 1)
        # Without a region map nothing says where there is skin.
        assert {name.partition("/")[0] for name in terms} == set(protocol.card.metrics) - {"gradient_noise"}


def test_one_flow_is_scored_with_a_head_of_zero_and_marked(tmp_path: Path) -> None:
    data = one_pair(tmp_path)
    truth = facial_flow(2) - head_flow(2)
    for target, predicted, true_flow in (
        ("expression", facial_flow(2), truth),
        ("head", np.zeros_like(truth), head_flow(2)),
    ):
        protocol = load(data, target, derive_head="none")
        terms = protocol.score(protocol.load("happy/1/0002"), Flows(facial_flow(2)), None).terms
        error = np.linalg.norm((predicted - true_flow)[mask(2)], axis=1).mean()
        assert terms["epe"].sum == pytest.approx(error, rel=1e-6)
        assert terms["own_head"] == Term(0, 1)
        assert protocol.card.options["derive_head"] == "none"
    leak = terms["expression_in_head"]
    assert leak.sum == 0 < leak.count
    expression = load(data, "expression", derive_head="none")
    leak = expression.score(expression.load("happy/1/0002"), Flows(facial_flow(2)), None).terms["head_in_expression"]
    assert leak.sum / leak.count == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("model", ["rigid", "homography"])
def test_a_derived_head_flow_is_the_rigid_part(tmp_path: Path, model: str) -> None:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    rigid = np.stack([0.02 * (columns - 15) + 2, 0.02 * (rows - 12) - 1], axis=2).astype(np.float32)
    mouth = np.zeros_like(rigid)
    mouth[14:17, 12:18, 1] = 3
    pair = _pair_of(rigid + mouth, rigid)
    head, expression = (load(one_pair(tmp_path), target, derive_head=model) for target in ("head", "expression"))
    for protocol in (head, expression):
        terms = protocol.score(pair, Flows(rigid + mouth), None).terms
        assert terms["epe"].sum < 0.01
        assert terms["own_head"] == Term(0, 1)
    undone = load(tmp_path, "expression", derive_head="none").score(pair, Flows(rigid + mouth), None).terms
    assert undone["epe"].sum > 2
    # A method that has a head flow keeps its own.
    own = head.score(pair, Flows(rigid + mouth, rigid + np.float32(1)), None).terms
    assert own["epe"].sum == pytest.approx(np.sqrt(2), rel=1e-6)


@pytest.mark.parametrize("target", ["head", "expression"])
def test_a_method_with_one_flow_has_a_rigid_head_fitted_unless_it_is_asked_not_to(tmp_path: Path, target: str) -> None:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    rigid = np.stack([0.02 * (columns - 15) + 2, 0.02 * (rows - 12) - 1], axis=2).astype(np.float32)
    pair = _pair_of(rigid, rigid)
    data = one_pair(tmp_path)
    default, asked, undone = (load(data, target, **options) for options in ({}, {"derive_head": "rigid"},
                                                                            {"derive_head": "none"}))  # fmt: skip
    assert default.card == asked.card
    assert default.card.options["derive_head"] == "rigid"
    assert default.score(pair, Flows(rigid), None).terms["epe"].sum < 0.01
    assert default.score(pair, Flows(rigid), None).terms["own_head"] == Term(0, 1)
    # The control: without a head all of its motion is an error.
    assert undone.score(pair, Flows(rigid), None).terms["epe"].sum > 1


def test_a_derived_head_flow_uses_stable_regions_where_they_are_known(tmp_path: Path) -> None:
    forehead = np.zeros(SIZE, np.uint8)
    forehead[:7] = Region.FOREHEAD
    everything = np.ones(SIZE, bool)
    head = np.full((*SIZE, 2), 2, np.float32)
    facial = head + np.where(forehead[..., None] == Region.FOREHEAD, 0, 5).astype(np.float32)
    protocol = load(one_pair(tmp_path), "head", derive_head="rigid")
    for region, error in ((forehead, 0), (None, np.hypot(5, 5))):  # most of the head is no forehead, and wins
        pair = _pair_of(facial, head, everything, region)
        assert protocol.score(pair, Flows(facial), None).terms["epe"].sum == pytest.approx(error, abs=0.01)


def test_a_derived_head_flow_is_the_facial_flow_where_there_is_no_expression(tmp_path: Path) -> None:
    region = np.full(SIZE, Region.CHEEKS, np.uint8)
    region[:8], region[20:] = Region.FOREHEAD, Region.TORSO
    head = np.full((*SIZE, 2), 2, np.float32)
    head[20:] = -7  # a torso that goes elsewhere
    facial = head.copy()
    facial[12:16, 10:20] += 3
    protocol = load(one_pair(tmp_path), "head", derive_head="rigid")
    pair = _pair_of(facial, head, np.ones(SIZE, bool), region)
    assert protocol.score(pair, Flows(facial), None).terms["epe"].sum < 0.01


def _pair_of(
    facial: npt.NDArray[np.float32],
    head: npt.NDArray[np.float32],
    inside: npt.NDArray[np.bool_] | None = None,
    region: npt.NDArray[np.uint8] | None = None,
) -> Pair[FFNArrays]:
    image = np.zeros((*SIZE, 3), np.uint8)
    inside = mask(1) if inside is None else inside
    return Pair("happy/1/0001", image, image, FFNArrays(image, image, facial, head, inside, region, None))


@pytest.mark.parametrize(("target", "epe"), [("facial", 5.0), ("head", 1.0), ("expression", np.hypot(2, 4))])
def test_a_whole_run(tmp_path: Path, target: str, epe: float) -> None:
    for index in range(3):
        add_sequence(tmp_path / "FFN", f"happy/{index}", 5)
    record = evaluate(Shifted(decomposes=True), load(tmp_path / "FFN", target), out=tmp_path / "runs")
    assert (record.pairs, record.complete, record.interval.unit) == (12, True, "sequence")
    assert record.primary.value == pytest.approx(epe, rel=1e-6)
    assert record.score("epe", "scale=1/5").value == record.score("epe", "emotion=happy").value == record.primary.value
    assert record.score("outliers_3px").value == (0 if target == "head" else 100)
    if target != "facial":
        assert record.score("own_head").value == 100
    assert (record.dataset.name, record.dataset.origin) == ("FFN", "real")


def test_a_pair_at_fault_is_named_and_the_rest_is_scored(tmp_path: Path) -> None:
    data = make_ffn(tmp_path / "FFN")
    (data / "flow/facial/test/happy/0010/0004.flo").unlink()
    np.save(data / "mask/test/sad/0001/0002.npy", np.zeros(SIZE, bool))
    record = evaluate(Shifted(decomposes=False), load(data), out=tmp_path / "runs")
    assert (record.pairs, record.complete) == (7, False)
    assert ["0004.flo" in record.dataset.problems[0], "0002.npy" in record.dataset.problems[1]] == [True, True]


def test_a_folder_made_by_ffbench_is_called_synthetic(tmp_path: Path) -> None:
    data = make_ffn(tmp_path / "outer" / "inner")
    assert load(data).dataset.origin == "real"
    assert load(data).dataset.facts == {
        "pairs": 17,
        "sequences": 3,
        "sequences_1/5": 2,
        "sequences_1/10": 1,
        "official_pairs": 10_395,
    }
    assert "jaw=pose: opening the mouth is head flow (by the letter of Eq. 4)" in load(data).dataset.reference_note
    (data.parent / SYNTHETIC_MARK).write_text('{"jaw": "pose"}')
    assert load(data).dataset.reference_note.endswith("jaw=pose: opening the mouth is head flow")
    (data.parent / SYNTHETIC_MARK).write_text("{}")
    assert load(data).dataset.reference_note.endswith("jaw=expression: opening the mouth is expression flow")
    assert load(data).dataset.origin == "synthetic"
    (data.parent / SYNTHETIC_MARK).rename(data / SYNTHETIC_MARK)
    assert load(data.parent).dataset.origin == "synthetic"
    card = load(data).dataset
    assert (card.name, card.origin) == ("FFN mini", "synthetic")


@pytest.mark.parametrize("name", ["FFN", "FacialFlowNet"])
def test_the_data_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    make_ffn(tmp_path / name)
    monkeypatch.setenv("FFBENCH_DATA", str(tmp_path))
    assert len(load(None).keys()) == 17


def test_another_split_can_be_named(tmp_path: Path) -> None:
    data = make_ffn(tmp_path)
    add_sequence(data, "fear/1", 20, split="val")
    protocol = load(data, split="val")
    assert (len(protocol.keys()), protocol.card.options) == (19, {"split": "val"})


@pytest.mark.parametrize(
    ("target", "variant", "options", "message"),
    [
        ("facial", "clean", {}, "variant is 'clean', expected paper or official"),
        ("head", "official", {}, "variant is 'official', expected paper"),
        ("facial", None, {"split": "dev"}, "option 'split' is 'dev', expected test or val or train"),
        ("facial", None, {"derive_head": "rigid"}, "has no option 'derive_head'"),
        (
            "head",
            None,
            {"derive_head": "affine"},
            "'derive_head' is 'affine', expected none or rigid or homography",
        ),
        ("head", None, {"derive-head": "rigid"}, "no option 'derive-head'; it has split, derive_head"),
    ],
)
def test_wrong_options_are_named(
    tmp_path: Path, target: str, variant: str | None, options: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        load(make_ffn(tmp_path), target, variant, **options)


def test_head_protocols_want_head_flows(tmp_path: Path) -> None:
    data = make_ffn(tmp_path)
    shutil.rmtree(data / "flow" / "head")
    load(data)
    with pytest.raises(DataError, match="head flows"):
        load(data, "expression")


def test_ause_is_of_the_confidence_that_the_options_name(tmp_path: Path) -> None:
    data = one_pair(tmp_path)
    own, consistency = load(data), load(data, confidence="forward_backward")
    assert (own.needs_backward, consistency.needs_backward) == (False, True)
    assert "confidence" not in own.card.options
    assert consistency.card.options["confidence"] == "forward_backward"
    pair = own.load("happy/1/0002")
    forward, backward = random_flow(1), -random_flow(2)
    error = np.hypot(*np.moveaxis(forward.astype(np.float64) - facial_flow(2), 2, 0))
    confidence = np.random.default_rng(0).random(SIZE).astype(np.float32)
    inside = mask(2)
    loop, valid = forward_backward_error(forward, backward)
    wanted = {
        own: sparsification.ause(error[inside].tolist(), confidence[inside].tolist()),
        consistency: sparsification.ause(error[inside].tolist(), np.where(valid, 1 / (1 + loop), 0)[inside].tolist()),
    }
    for protocol, value in wanted.items():
        back = Flows(backward) if protocol.needs_backward else None
        terms = protocol.score(pair, Flows(forward, confidence=confidence), back).terms
        assert terms["ause"] == Term(pytest.approx(value, rel=1e-6), 1)
        assert terms["ause_relative"].count == pytest.approx(terms["epe"].sum, rel=1e-9)
        assert protocol.impossible(protocol.score(pair, Flows(forward, confidence=confidence), back)) is None
    assert wanted[own] != pytest.approx(wanted[consistency])
    assert "ause" not in own.score(pair, Flows(forward), None).terms
    # It is confidence in the facial flow, and says nothing of the parts.
    parts = load(data, "expression")
    assert "ause" not in parts.score(parts.load("happy/1/0002"), Flows(forward, confidence=confidence), None).terms


def test_confidence_is_an_option_of_the_papers_reading_of_facial_flow(tmp_path: Path) -> None:
    data = one_pair(tmp_path)
    with pytest.raises(UsageError, match="the variant 'official' measures no confidence"):
        load(data, variant="official", confidence="forward_backward")
    with pytest.raises(UsageError, match="has no option 'confidence'"):
        load(data, "head", confidence="native")
    with pytest.raises(UsageError, match="option 'confidence' is 'own', expected native or forward_backward"):
        load(data, confidence="own")
    assert load(data, confidence="native").card == load(data).card


def test_the_summary_has_bucket_errors_by_class_speed_and_scale(tmp_path: Path) -> None:
    for number in range(6):
        add_sequence(tmp_path, f"happy/{number}", 5, labels=True)
    protocol = load(tmp_path)
    scores = []
    for key in protocol.keys():  # noqa: SIM118
        pair = protocol.load(key)
        scores.append(protocol.score(pair, Flows(np.float32(0.75) * pair.reference.facial), None))
    summary = protocol.summarize(scores)
    groups = {score.group: score.value for score in summary if score.metric == "bucket_epe"}
    assert groups == pytest.approx(dict.fromkeys(groups, 25.0), rel=1e-5)
    assert {"all", "eyes", "2-5 px", "scale=1/5", "emotion=happy"} <= set(groups)
    assert find(summary, "bucket_epe").units == 6
    stated = ENTRIES["facial"].scoring(protocol.card)  # type: ignore[misc]
    assert stated.summarize(scores) == summary
    # Tables of earlier records have none of it, and give the numbers that they gave.
    earlier = [
        replace(score, terms={k: t for k, t in score.terms.items() if k.partition("/")[0] in DENSE_METRICS})
        for score in scores
    ]
    assert stated.summarize(earlier) == [score for score in summary if score.metric in DENSE_METRICS]
