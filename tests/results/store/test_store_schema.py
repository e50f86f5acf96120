"""The published schema of the run record is the schema of the run record."""

from __future__ import annotations

import json
from pathlib import Path

from ffbench.results.record.run_record import SCHEMA_VERSION, RunRecord

PUBLISHED = Path(__file__).parents[3] / "docs" / "record.schema.json"


def test_published_schema_is_up_to_date() -> None:
    schema = json.loads(PUBLISHED.read_text())
    # To renew it: json.dumps(RunRecord.model_json_schema(mode="serialization"), indent=1)
    assert schema == RunRecord.model_json_schema(mode="serialization")
    assert schema["properties"]["schema_version"]["const"] == SCHEMA_VERSION
