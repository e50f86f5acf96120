"""Model cards and evaluation results, as huggingface_hub reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ffbench.errors import UsageError
from ffbench.method import WeightsCard
from ffbench.results.record.run_record import write_record
from ffbench.results.report.model_card import eval_results, model_card
from tests.commands import run_command
from tests.results.records import make_record

hub = pytest.importorskip("huggingface_hub")
SCORES = {("epe", "all"): 0.25}


def front_of(card: str) -> dict[str, object]:
    content = yaml.safe_load(card.split("---\n")[1])
    assert isinstance(content, dict)
    return content


def test_the_hub_reads_the_values_of_the_records() -> None:
    records = [make_record("first", "mynet", SCORES), make_record("second", "mynet", {("f1", "all"): 71.5})]
    data = hub.ModelCard(model_card(records)).data
    assert data.model_name == "mynet"
    assert [(one.dataset_type, one.metric_type, one.metric_value) for one in data.eval_results] == [
        ("first", "epe", records[0].primary.value),
        ("second", "f1", records[1].primary.value),
    ]
    assert data.eval_results[0].dataset_revision == records[0].dataset.manifest_sha256
    assert data.library_name == "ffbench"


@pytest.mark.parametrize("origin", ["real", "synthetic"])
def test_synthetic_data_are_called_so_wherever_a_number_stands(origin: str) -> None:
    record = make_record("first", "mynet", SCORES, origin=origin)
    card = model_card([record])
    marked = origin == "synthetic"
    (result,) = hub.ModelCard(card).data.eval_results
    assert ("(synthetic)" in result.dataset_name) == marked
    assert ("(synthetic)" in card.split("---\n")[2]) == marked
    assert ("(synthetic)" in eval_results(record, "a/b")) == marked


def test_results_on_data_of_two_origins_share_no_table_and_readings_are_told_apart() -> None:
    records = [
        make_record("first", "mynet", SCORES, origin="synthetic", options={"flow": "facial"}),
        make_record("first", "mynet", SCORES, origin="synthetic", options={"flow": "expression"}),
        make_record("first", "mynet", SCORES),
    ]
    real, made = model_card(records).split("### Synthetic data\n")
    assert real.count("| first 1.0 (paper) |") == 1
    assert "### Real data\n" in real
    assert made.count("| first 1.0 (paper, flow facial) |") == made.count("| first 1.0 (paper, flow expression) |") == 1
    assert made.count("| first 1.0") == 2
    configs = [one.dataset_config for one in hub.ModelCard(model_card(records)).data.eval_results]
    assert configs == ["paper, flow facial", "paper, flow expression", "paper"]


def test_the_hub_reads_evaluation_results() -> None:
    record = make_record("first", "mynet", SCORES)
    (entry,) = hub.parse_eval_result_entries(yaml.safe_load(eval_results(record, "lab/faces", "https://example.org/r")))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("lab/faces", "first", record.primary.value)
    assert entry.source_url == "https://example.org/r"
    assert entry.date is not None
    assert entry.date.endswith("Z")


@pytest.mark.parametrize("title", ["a: b\n---\nlicense: mit", '"quoted" # no comment', "\x1b[2J é \u2028"])
def test_a_name_of_a_stranger_stays_in_its_place(title: str) -> None:
    record = make_record("first", "mynet", SCORES)
    record = record.model_copy(update={"dataset": record.dataset.model_copy(update={"name": title})})
    card = model_card([record])
    front = front_of(card)
    assert front["license"] == "unknown"
    assert set(front) == {"license", "library_name", "tags", "model-index"}
    assert "\x1b" not in card


def test_what_is_not_whole_or_not_one_model_is_refused() -> None:
    one = make_record("first", "mynet", SCORES)
    other = make_record("first", "mynet", SCORES, weights=WeightsCard(name="b", source="file", sha256="1" * 64))
    with pytest.raises(UsageError, match="not whole"):
        model_card([make_record("first", "mynet", SCORES, complete=False)])
    with pytest.raises(UsageError, match="of one model"):
        model_card([one, other])
    with pytest.raises(UsageError, match="no record"):
        model_card([])
    for wrong in ("faces", "a/b/c", "/b", "a/ b"):
        with pytest.raises(UsageError, match="owner/name"):
            eval_results(one, wrong)


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "record.json", tmp_path / "model"
    write_record(path, make_record("first", "mynet", SCORES))
    assert run_command(monkeypatch, "card", path, "--out", out, "--dataset", "lab/faces") == 0
    (entry,) = (out / ".eval_results").glob("*.yaml")
    assert hub.parse_eval_result_entries(yaml.safe_load(entry.read_text()))[0].task_id == "first"
    assert run_command(monkeypatch, "card", path, "--out", out) == 2
    assert "--force" in capsys.readouterr().err
    assert run_command(monkeypatch, "card", path, "--out", out, "--force") == 0
    assert hub.ModelCard.load(out / "README.md").data.model_name == "mynet"
