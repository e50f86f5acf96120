"""The page of all commands is what the commands say."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.ci_scripts import load_script


@pytest.fixture(scope="module")
def commands() -> ModuleType:
    return load_script("commands")


def test_the_page_is_what_the_commands_say(commands: ModuleType) -> None:
    assert commands.PAGE.read_text("utf-8") == commands.reference(), "run `make readme`"


def test_a_page_that_says_otherwise_is_named(
    commands: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "commands.md"
    page.write_text(commands.PAGE.read_text("utf-8").replace("--variant", "--varient"), "utf-8")
    monkeypatch.setattr(commands, "PAGE", page)
    assert commands.main(["--check"]) == 1
    assert "make readme" in capsys.readouterr().err
    assert commands.main([]) == 0
    assert commands.main(["--check"]) == 0
