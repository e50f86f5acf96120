from __future__ import annotations

from pathlib import Path

import pytest

from ffbench.datasets.mark import SYNTHETIC_MARK, jaw_reading


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"synthetic": true, "jaw": "pose"}', "pose"),
        (b'{"synthetic": true, "jaw": "expression"}', "expression"),
        (b'{"synthetic": true}', "expression"),
        (b"{}", "expression"),
        (b"[]", "expression"),
        (b"not JSON", "expression"),
        (b"[" * 50_000, "expression"),
        (b"\xff\xfe", "expression"),
        (b'{"jaw": "pose"' + b" " * 100_000 + b"}", "expression"),
    ],
)
def test_how_a_mark_says_to_read_the_jaw(tmp_path: Path, content: bytes, expected: str) -> None:
    mark = tmp_path / SYNTHETIC_MARK
    mark.write_bytes(content)
    assert jaw_reading(mark) == expected
    mark.unlink()
    assert jaw_reading(mark) == "expression"
