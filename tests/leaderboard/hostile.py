"""Text that would leave a mark if any page took it for more than text, and records that hold it wherever they can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ffbench.method import MethodCard, WeightsCard
from ffbench.protocol import MetricCard
from tests.results.made_runs import base_record, make_run

# What stands between two MARKs touches them once its markup is taken for markup: `RENDERED` finds that in any text.
TEXTS = {
    "html": "MARK<b>TAG</b>MARK<img src=https://images.example/html.png onerror='window.hacked=1'>",
    "script": "<script>window.hacked=1</script><style>body{display:none}</style>",
    "bold": "MARK**BOLD**MARK ![i](https://images.example/markdown.png)",
    "link": "MARK[LINK](javascript:window.hacked=1)MARK https://links.example",
    "directive": "MARK:red[RED]MARK MARK:small[SMALL]MARK",
    "icons": "MARK:material/face:MARK MARK:smile:MARK",
    "latex": "$MARK^2$ $$\\frac{1}{2}$$ \\input{/etc/passwd}",
    "code": "MARK`CODE`MARK\n# MARK\n- MARK\n\n| a |\n|---|",
    "ansi": "MARK\x1b[31mRED\x1b[0m\x1b]8;;https://links.example\x07MARK\x07\r\x08",
    "direction": "MARK\u202egnp.exe\u2066MARK\u200b",
    "formula": '=HYPERLINK("https://cells.example";"MARK")',
    "shell": "MARK; touch hacked $(touch hacked) `touch hacked`",
}
RENDERED = r"MARK(TAG|BOLD|LINK|RED|SMALL|CODE|face|\U0001F604)MARK"
NOT_PRINTED = "\x1b\x07\x08\u202e\u2066\u200b"
"""Characters that no page may pass on."""


def hostile_run(folder: Path, name: str, text: str, *, board: str | None = None) -> Path:
    """Write a run whose method, groups and machine are called `text`, and its protocol, metric and dataset `board`."""
    base = base_record()
    labels = [{text: text if number % 2 else "other"} for number in range(20)]
    values = list(np.random.default_rng(len(text)).gamma(2.0, 1.0, 20) + 1)
    method = MethodCard(
        id=text, title=text, paper=text, licence=text, weights=WeightsCard(name=text, source=text, sha256=text),
        options={text: text},
    )  # fmt: skip
    dataset: dict[str, Any] = {"reference_note": text, "left_out": (text,)}
    card: dict[str, Any] = {"options": {}}
    if board is not None:
        metrics = {"epe": MetricCard(title=board, unit=board)}
        names = dict.fromkeys(("id", "title", "version", "variant"), board)
        card = {**names, "options": {board: board}, "metrics": metrics}
        dataset |= {"name": board}
    environment = base.environment.model_copy(
        update={"device": text, "processor": text, "platform": text, "git_commit": text, "packages": {text: text}}
    )
    changes: dict[str, Any] = {}
    if board is not None:
        changes["primary"] = base.primary.model_copy(update={"unit": board, "value": float(np.mean(values))})
    return make_run(
        folder,
        name,
        values,
        method=method,
        dataset=dataset,
        card=card,
        labels=labels,
        environment=environment,
        **changes,
    )


def hostile_runs(folder: Path) -> Path:
    """Write a run of each text on one board, and two on a board each of its own."""
    for name, text in TEXTS.items():
        hostile_run(folder, name, text)
        for copy in ("a", "b"):
            hostile_run(folder, f"{name}-board-{copy}", f"{text}{copy}", board=text)
    return folder
