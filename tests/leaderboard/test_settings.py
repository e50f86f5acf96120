"""The pages have their settings wherever they are started from, whatever the user's own settings for Streamlit say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = {
    "browser.gatherUsageStats": False,
    "server.address": "127.0.0.1",
    "logger.hideWelcomeMessage": True,
    "client.showErrorDetails": "none",
    "server.maxUploadSize": 500,
}
CONTRARY = """
[browser]
gatherUsageStats = true
[server]
address = "0.0.0.0"
maxUploadSize = 1
[logger]
hideWelcomeMessage = false
[client]
showErrorDetails = "full"
"""
READ = """
import json, sys
from streamlit import config
from streamlit.web import bootstrap, cli
def show(*arguments):
    print(json.dumps({name: config.get_option(name) for name in json.loads(sys.argv[1])}))
bootstrap.run = bootstrap.run_asgi_app = show
cli.main(["run", sys.argv[2]], standalone_mode=False)
"""


def settings(script: str, home: Path, folder: Path) -> dict[str, object]:
    """Read what `streamlit run SCRIPT` takes for settings in a folder."""
    command = [sys.executable, "-c", READ, json.dumps(list(NAMES)), script]
    environment = {**os.environ, "HOME": str(home)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_settings_hold_wherever_it_is_started(tmp_path: Path) -> None:
    pytest.importorskip("streamlit", reason="the extra `leaderboard` is not installed")
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(CONTRARY)
    assert settings("leaderboard/app.py", tmp_path, ROOT) == NAMES
    assert settings(str(ROOT / "leaderboard" / "app.py"), tmp_path, tmp_path) == NAMES
    # The control: another script gets what the user has set.
    (tmp_path / "other.py").touch()
    other = settings("other.py", tmp_path, tmp_path)
    assert all(other[name] != NAMES[name] for name in NAMES)
