"""Records of earlier schema versions, brought to the present one when they are read; files stay as they are."""

from __future__ import annotations

from typing import Any


def migrate(content: Any) -> Any:
    """Return the content of a record file in the present schema; what is no older record is unchanged."""
    if isinstance(content, dict) and content.get("schema_version") == 1:
        # Version 1 knew no submissions.
        content = {**content, "schema_version": 2, "kind": "evaluated"}
    if isinstance(content, dict) and content.get("schema_version") == 2:
        # Version 2 knew no confusion matrices.
        content = {**content, "schema_version": 3}
    if isinstance(content, dict) and content.get("schema_version") == 3:
        # Version 3 knew no bundles.
        content = {**content, "schema_version": 4}
    if isinstance(content, dict) and content.get("schema_version") == 4:
        # Version 4 knew one kind of interval, of two units and more.
        interval = content.get("interval")
        if isinstance(interval, dict):
            content = {**content, "interval": {"method": "percentile bootstrap", "min_units": 2, **interval}}
        content = {**content, "schema_version": 5}
    return content
