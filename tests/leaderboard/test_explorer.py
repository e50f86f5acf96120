"""The explorer shows what a method makes of a pair, with the numbers of the protocol, and runs only what it may."""

from __future__ import annotations

import io
import re
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from ffbench import evaluate, load_method, load_protocol, registry
from ffbench.errors import DataError, UsageError
from ffbench.flow.files import read_flow
from ffbench.flow.formats.flo import write_flo
from ffbench.leaderboard import folders
from ffbench.leaderboard.explorer import offered
from ffbench.leaderboard.work import bounded, estimates
from ffbench.leaderboard.work.estimates import Estimate
from ffbench.method import Flows, Method, MethodEntry, MethodRequest
from ffbench.protocol import ProtocolRequest
from ffbench.protocols.ffn import protocol as ffn
from tests.datasets.ffn_folder import SIZE, facial_flow, head_flow, make_ffn
from tests.leaderboard.pages import EVIL, Html, faults, html_of, in_this_process, page, words
from tests.results.made_runs import make_run

PAIR = "happy/0010/0002"


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run methods here; test_estimates.py has the process of its own."""
    in_this_process(monkeypatch)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset that protocols find by themselves."""
    root = make_ffn(tmp_path / "data" / "FacialFlowNet")
    monkeypatch.setenv("FFBENCH_DATA", str(root.parent))
    monkeypatch.delenv(folders.VARIABLE, raising=False)
    return root


def explorer(monkeypatch: pytest.MonkeyPatch, **query: str) -> Any:
    made = page(monkeypatch, "explorer", protocol="ffn_head", **query)
    assert not faults(made)
    return made


def flows(made: Any) -> list[tuple[str, str]]:
    """The flows that are shown: whose, and which part."""
    pages = [frame.proto.srcdoc for frame in made.get("iframe")]
    labels = [value for page in pages for name, value in Html(page).attributes if name == "aria-label"]
    told = [label.partition(";")[0].partition(", ")[0].split(": ") for label in labels if "arrow keys" in label]
    return [(whose, part.removesuffix(" flow")) for whose, part in told]


def of(*names: str) -> list[tuple[str, str]]:
    return [(name, part) for name in names for part in ("facial", "head", "expression")]


def photo(seed: int, size: tuple[int, int] = (60, 40)) -> bytes:
    content = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(noise).save(content, format="PNG")
    return content.getvalue()


def test_scores_are_those_of_the_protocol(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = explorer(monkeypatch, pair=PAIR, method="zero")
    protocol = ffn.ffn_head.load(ProtocolRequest("ffn_head", data))
    still = np.zeros((*SIZE, 2), np.float32)
    score = protocol.score(protocol.load(PAIR), Flows(still, still), None)
    table = dict(zip(made.dataframe[0].value["metric"], made.dataframe[0].value["value"], strict=True))
    epe = score.terms["epe"]
    assert table["endpoint error [px]"] == epe.sum / epe.count
    assert flows(made) == of("True", "Zero flow")
    assert "emotion: happy" in words(made)


def test_the_reference_is_shown_without_a_score(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = explorer(monkeypatch, pair=PAIR, method="the reference itself")
    assert flows(made) == of("True")
    assert not made.dataframe


@pytest.mark.parametrize("layer", ["error", "arrows", "moving"])
def test_a_link_brings_back_pair_and_layer(layer: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = explorer(monkeypatch, pair=PAIR, method="zero", layer=layer, part="expression")
    assert made.selectbox(key="pair").value == PAIR
    assert made.segmented_control(key="layer").value == {"moving": "warp"}.get(layer, layer)
    shows = {
        "error": "Endpoint error of the expression flow, inside the mask",
        "arrows": "The expression flow every",
        "moving": "Image 1 moved by the expression flow",
    }
    assert shows[layer] in words(made)
    assert made.segmented_control(key="layer").options == ["error", "arrows", "moving"]  # no regions, no landmarks here


@pytest.mark.parametrize(
    ("protocol", "part"), [("ffn_motion_scale", "facial"), ("ffn_head", "head"), ("ffn_expression", "expression")]
)
def test_the_picture_is_of_the_part_that_is_scored_and_of_the_flow_that_is_scored(
    protocol: str, part: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = page(monkeypatch, "explorer", protocol=protocol, pair=PAIR, method="farneback")
    assert not faults(made)
    assert made.segmented_control(key="part").value == part
    assert f"Endpoint error of the {part} flow" in words(made)
    score = dict(zip(made.dataframe[0].value["metric"], made.dataframe[0].value["value"], strict=True))
    (mean,) = re.findall(r"mean ([0-9.e-]+) px", words(made))
    assert float(mean) == pytest.approx(score["endpoint error [px]"], rel=0.01)
    # The method gives one flow; the protocol fits a head flow to it, and that is what is shown.
    facial_alone = [("True", "facial"), ("Farneback", "facial")]
    assert flows(made) == (facial_alone if part == "facial" else of("True", "Farneback"))
    made.selectbox(key="protocol").set_value("ffn_expression").run()
    assert made.segmented_control(key="part").value == "expression"


def test_two_methods_stand_side_by_side(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = explorer(monkeypatch, pair=PAIR, method="zero", beside="farneback")
    assert flows(made) == of("True", "Zero flow", "Farneback")
    assert list(made.dataframe[0].value) == ["metric", "Zero flow", "Farneback"]
    assert words(made).count("Endpoint error of the head flow") == 2


def test_parts_have_a_scale_of_their_own_unless_one_is_asked_for(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rims(made: Any) -> list[str]:
        return re.findall(r"rim ([0-9.]+) px", "".join(frame.proto.srcdoc for frame in made.get("iframe")))

    made = explorer(monkeypatch, pair=PAIR, method="zero")
    own = rims(made)
    assert own[:3] == own[3:]
    assert len(set(own)) == 3
    made.toggle(key="one").set_value(True).run()
    assert len(set(rims(made))) == 1
    made.select_slider(key="range").set_value(0.5).run()
    assert not faults(made)


def test_flows_can_be_taken_away(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = explorer(monkeypatch, pair=PAIR, method="zero")
    labels = [button.label for button in made.get("download_button")]
    assert labels == [f"{part}.{kind}" for part in ("facial", "head", "expression") for kind in ("flo", "png")] * 2


def test_a_download_holds_the_flow_and_its_picture(data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken: dict[str, Any] = {}
    monkeypatch.setattr(st, "download_button", lambda _, content, *rest, key: taken.update({key: content}))
    explorer(monkeypatch, pair=PAIR, method="zero")
    fields = []
    for number in range(2):  # the true flow, and zero flow
        (tmp_path / "taken.flo").write_bytes(taken[f"flo-{number}-facial"]())
        fields.append(read_flow(tmp_path / "taken.flo"))
        picture = np.asarray(Image.open(io.BytesIO(taken[f"png-{number}-facial"]())))
        assert picture.shape == (*fields[-1].shape[:2], 3)
        assert (picture == 255).all() == (not fields[-1].any())  # no motion is white
    assert [field.any() for field in fields] == [True, False]


def test_only_what_can_run_here_is_offered_by_its_title(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offered.titles.clear()
    only(
        monkeypatch,
        zero="ffbench.methods.baselines:zero",
        lacking="tests.leaderboard.test_explorer:lacking",
        broken="no_such_package:entry",
    )
    made = explorer(monkeypatch, pair=PAIR, method="lacking")
    assert made.selectbox(key="method").options == ["The reference itself", "Zero flow"]
    assert "lacking, the method of the link, lacks weights" in words(made)


def test_a_link_to_what_is_not_here_says_so(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = explorer(monkeypatch, pair=EVIL, method="zero", dataset="ffn_head:0123")
    assert [warning.value for warning in made.warning] == [
        "The pair of the link is not in this dataset; another one is shown.",
        "The link is of another dataset than the one that is open here: its numbers will differ.",
    ]
    assert "alert(1)" in words(made)
    made.selectbox(key="pair").set_value(PAIR).run()
    assert len(made.warning) == 1
    sha256 = ffn.ffn_head.load(ProtocolRequest("ffn_head", data)).dataset.manifest_sha256
    made = explorer(monkeypatch, pair=PAIR, method="zero", dataset=f"ffn_head:{sha256[:12]}")
    assert not made.warning


def test_a_method_that_fails_is_an_error_in_words(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_long(*arguments: Any) -> None:
        raise DataError("it took longer than 180 s")

    monkeypatch.setattr(bounded, "run", too_long)
    made = explorer(monkeypatch, pair=PAIR, method="dis")
    assert "dis: it took longer than 180 s" in words(made)
    assert not flows(made)


def only(monkeypatch: pytest.MonkeyPatch, **methods: str) -> None:
    """Make these the methods that there are."""
    offered.titles.clear()
    ffn = {"ffn_head": "ffbench.protocols.ffn.protocol:ffn_head"}
    points = {registry.METHOD_GROUP: methods, registry.PROTOCOL_GROUP: ffn}
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint(*p, group) for p in points[group].items()])


def _no_member(request: MethodRequest) -> Method:
    raise UsageError(f"family has no member '{request.variant}'")


family = MethodEntry("a family without members", _no_member, lambda: [])
lacking = MethodEntry("a method without its weights", _no_member, title="Lacking", missing=lambda: "its weights")


def test_a_slow_method_waits_for_the_readers_word(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, decomposing="tests.flow.commands:decomposing")
    made = explorer(monkeypatch, pair=PAIR, method="decomposing")
    assert "decomposing takes some seconds" in words(made)
    assert not flows(made)
    made.button[0].click().run()
    assert flows(made) == of("True", "decomposing")
    assert "takes some seconds" not in words(made)
    # Kept: shown again without a question, and the next pair says what this one took.
    made.selectbox(key="pair").set_value("happy/0010/0003").run()
    assert "as the last time" in words(made)
    made.selectbox(key="pair").set_value(PAIR).run()
    assert flows(made) == of("True", "decomposing")


def test_what_is_done_around_a_method_is_chosen_or_comes_with_the_link(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def estimate(method: str, *_: Any) -> Estimate:
        ran.append(method)
        return Estimate(Flows(facial_flow(2)), seconds=0.1)

    monkeypatch.setattr(estimates, "estimate", estimate)
    made = explorer(monkeypatch, pair=PAIR, method="dis")
    made.selectbox(key="around").set_value("+variational").run()
    assert ran == ["dis", "dis+variational"]
    made = explorer(monkeypatch, pair=PAIR, method="dis", around="+face384")
    made.button[0].click().run()
    assert ran[2:] == ["dis+face384"]
    made = explorer(monkeypatch, pair=PAIR, method="dis", around="+nonsense")
    assert made.selectbox(key="around").value == "nothing"
    assert not faults(made)


def test_a_member_of_a_family_is_asked_for_and_a_wrong_one_is_an_error_in_words(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A package that cannot be imported does no harm until it is chosen.
    only(monkeypatch, broken="no_such_package:entry", family="tests.leaderboard.test_explorer:family")
    made = explorer(monkeypatch, method="family")
    assert not made.button
    made.text_input(key="member").set_value(EVIL).run()
    made.button[0].click().run()
    assert f"family has no member '{EVIL.partition('/')[0]}" in words(made)
    assert not flows(made)
    assert "broken" not in made.selectbox(key="method").options


def test_predictions_are_read_from_open_folders_alone(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "flows"
    for kind, flow in (("facial", facial_flow(2)), ("head", head_flow(2))):
        file = place / kind / f"{PAIR}.flo"
        file.parent.mkdir(parents=True)
        write_flo(file, flow)
    query = {"pair": PAIR, "method": "stored predictions", "predictions": str(place)}
    made = explorer(monkeypatch, **query)
    assert "Stored predictions" not in made.selectbox(key="method").options
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path))
    made = explorer(monkeypatch, **query)
    assert flows(made) == of("True", "stored predictions")
    assert made.dataframe[0].value["value"].tolist()[0] == 0.0
    made = explorer(monkeypatch, **{**query, "predictions": "/"})
    assert "'/' is no folder below those" in words(made)
    made = explorer(monkeypatch, **{**query, "pair": "happy/0010/0003"})
    assert "has no facial/happy/0010/0003.flo" in words(made)


def test_two_photos_get_a_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    made = page(monkeypatch, "explorer", source="Two photos", sample="Mine", method="farneback")
    assert "Choose both images" in words(made)
    made.file_uploader(key="photo1").upload("a.png", photo(1), "image/png")
    made.file_uploader(key="photo2").upload("b.png", photo(2), "image/png").run()
    assert not faults(made)
    assert "60 x 40 px" in words(made)
    assert flows(made) == [("Farneback", "facial")]
    assert "Farneback gives facial flow only" in words(made)
    assert "No true flow is known" in words(made)


@pytest.mark.parametrize("content", [b"MZ\x00", photo(1)[:100], photo(1, (61, 40))], ids=["none", "cut", "other size"])
def test_a_hostile_photo_is_named_as_text(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    made = page(monkeypatch, "explorer", source="Two photos", sample="Mine", method="zero")
    made.file_uploader(key="photo1").upload("a.png", photo(1), "image/png")
    made.file_uploader(key="photo2").upload(f"{EVIL}.png", content, "image/png").run()
    assert not faults(made)
    assert any("alert(1)" in text.value and ".png: " in text.value for text in made.text)
    for element in (*made.markdown, *made.caption, *made.info, *made.warning, *made.error, *made.html):
        assert "alert(" not in str(element.value)


def test_the_pairs_of_a_comparison_lead_here(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("zero", "farneback"):
        evaluate(load_method(name, device="cpu"), load_protocol("ffn_motion_scale", data=data), out=tmp_path / "runs")
    made = page(monkeypatch, "compare", tmp_path / "runs")
    tables = [table for table in made.dataframe if "pair" in table.value]
    assert tables
    for table in tables:
        link, a, b = table.value[["pair", "A", "B"]].iloc[-1]
        address = urlsplit(link)
        query = dict(parse_qsl(address.query, strict_parsing=True))
        assert link.endswith(f"&pair={query['pair']}")  # what the table shows of it
        shown = page(monkeypatch, address.path.rpartition("/")[2], **query)
        assert not faults(shown)
        assert not [warning for warning in shown.warning if "link" in warning.value]
        assert shown.selectbox(key="pair").value == query["pair"]
        assert shown.selectbox(key="method").value == query["method"]
        assert shown.selectbox(key="protocol").value == query["protocol"]
        is_a = f"({query['method']})" in made.selectbox(key="a").value
        assert shown.dataframe[0].value["value"][0] == pytest.approx(a if is_a else b)


def test_no_link_to_a_method_that_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(("alpha", "beta")):
        make_run(tmp_path / "runs", name, list(np.arange(20) + np.random.default_rng(number).random(20)))
    made = page(monkeypatch, "compare", tmp_path / "runs")
    pairs = next(table.value["pair"] for table in made.dataframe if "pair" in table.value)
    assert pairs.str.fullmatch("[0-9]{5}").all()
    assert "The Explorer cannot show them: A was not run here" in words(made)


def test_samples_need_no_upload(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = page(monkeypatch, "explorer", source="Two photos", method="farneback", beside="zero")
    assert not faults(made)
    assert made.segmented_control(key="sample").value == "A rendered face (synthetic)"
    assert flows(made) == [("Farneback", "facial"), *of("Zero flow")]


def test_a_clip_moves_as_the_flow_says(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = page(monkeypatch, "explorer", source="A short clip", method="zero", beside="farneback")
    assert not faults(made)
    moving = [value for body in html_of(made) for name, value in Html(body).attributes if name == "src"]
    assert sum(source.startswith("data:image/webp") for source in moving) == 5  # the clip, and two of each method
    assert words(made).count("The first frame moved by the facial flow alone") == 2
    made.segmented_control(key="part").set_value("head").run()
    assert not faults(made)
    assert "There is no head flow" in words(made)
    made.segmented_control(key="sample").set_value("Mine").run()
    assert "Choose a clip" in words(made)
    made.file_uploader(key="clip").upload("a.mp4", b"MZ", "video/mp4").run()
    assert "a.mp4: not a video" in words(made)
