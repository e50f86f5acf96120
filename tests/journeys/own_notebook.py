"""What somebody types into a notebook: what is there, a number, its table, its pairs, and a comparison."""

from __future__ import annotations

import os
from pathlib import Path

import ffbench

PAIRS = int(os.environ.get("PAIRS", "2"))

print(len(ffbench.list_methods()), "methods,", len(ffbench.list_protocols()), "protocols")

Path("still.py").write_text(
    """
import torch
from ffbench import Flows, Method, MethodCard


class Still(Method):
    card = MethodCard(id="still", title="Still")

    def forward(self, image1, image2):
        return Flows(facial=torch.zeros(len(image1), 2, *image1.shape[2:]))
"""
)
protocol = ffbench.load_protocol("ck_landmarks")
record = ffbench.evaluate(ffbench.load_method("still.py:Still"), protocol, limit=PAIRS)
print(record.primary.metric, record.primary.value, record.primary.unit, record.dataset.origin)
print("<table>" in record._repr_html_())
print(ffbench.read_record(str(record.path)) == record)
print(ffbench.read_pairs(record)[["key", "epe"]])
print(record.to_dataframe().head())

zero = ffbench.evaluate(ffbench.load_method("zero"), protocol, limit=PAIRS)
comparison = ffbench.compare(record, zero)
print(comparison.verdict)
print(comparison.to_dataframe()[["group", "difference"]].head())
