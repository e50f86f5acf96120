"""Running pages of the leaderboard without a browser, and reading what they show."""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from ffbench.errors import FfbenchError
from ffbench.leaderboard.work import bounded, worker

testing = pytest.importorskip("streamlit.testing.v1", reason="the extra `leaderboard` is not installed")
APP = str(Path(__file__).parents[2] / "leaderboard" / "app.py")
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> [x](javascript:alert(3)) **b** :red[c] $x^2$"


def app(monkeypatch: pytest.MonkeyPatch, *places: Path, **query: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["app.py", *map(str, places)])
    made = testing.AppTest.from_file(APP, default_timeout=120)
    for name, value in query.items():
        made.query_params[name] = value
    return made


def page(monkeypatch: pytest.MonkeyPatch, name: str, *places: Path, **query: str) -> Any:
    """Run one page alone, as the shell would."""
    monkeypatch.setattr(sys, "argv", ["app.py", *map(str, places)])
    script = (
        "import sys\nfrom pathlib import Path\nfrom ffbench.leaderboard import records, shell\n"
        "records.set_places([Path(place) for place in sys.argv[1:]])\n"
        f"shell._renderer(next(card for card in shell.PAGES if card.module == {name!r}))()\n"
    )
    made = testing.AppTest.from_string(script, default_timeout=120)
    for key, value in query.items():
        made.query_params[key] = value
    made.run()
    assert not made.exception
    return made


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do here what pages have done by a process of its own: faster, and with what a test has changed.

    The threads stay as many as they are: a task sets their number for the whole process, and so for later tests.
    """

    def run(folder: Path, task: str, request: Any, limits: Any, tell: Any, instead: str) -> dict[str, Any]:
        tell(None)
        tell(bounded.Progress("scoring", 1, 3))
        module = import_module(f"ffbench.leaderboard.work.{worker.TASKS[task]}")
        try:
            answer: dict[str, Any] = module.answer(
                folder, {**request, "limits": {**asdict(limits), "threads": torch.get_num_threads()}}
            )
        except FfbenchError as error:
            return {"error": str(error)}
        return answer

    monkeypatch.setattr(bounded, "run", run)


def words(made: Any) -> str:
    return "\n".join(
        str(element.value) for kind in (made.text, made.caption, made.info, made.warning) for element in kind
    )


def faults(made: Any) -> list[str]:
    return [text.value for text in made.text if "failed" in text.value]
