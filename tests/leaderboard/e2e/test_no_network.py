"""The pages need nothing but their server: no host is asked for fonts, icons or scripts, whatever the records say."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.leaderboard import uploads
from tests.leaderboard.e2e.conftest import DESKTOP, PORT, Proxy, Server, Tab, serve
from tests.leaderboard.e2e.test_browser import OVERVIEW, TITLES
from tests.leaderboard.hostile import RENDERED, hostile_runs

ROOT = Path(__file__).parents[3]
AUDIT = """
import sys

def note(event, values):
    if event == "socket.getaddrinfo":
        name = values[0]
    elif event == "socket.connect" and values[0].type == 1 and isinstance(values[1], tuple):  # TCP
        name = values[1][0]
    else:
        return
    name = name.decode() if isinstance(name, bytes) else name
    if name not in (None, "", "localhost", "::1") and not name.startswith("127."):
        with open({file!r}, "a") as file:
            print(name, file=file)

sys.addaudithook(note)
"""
"""Notes which hosts a process of Python and those it starts look up or connect to."""
BROWSERS_OWN = (
    "accounts.google.com:443",
    "clients2.google.com:443",
    "content-autofill.googleapis.com:443",
    "optimizationguide-pa.googleapis.com:443",
    "update.googleapis.com",
)
"""What Chromium asks for whatever it shows; a page that asked these would still be seen by its requests."""
LINKED = """() => [...document.querySelectorAll('[src], [srcset], link[href], object[data], [style*="url("]')]
    .map(part => part.src || part.srcset || part.href || part.data || part.getAttribute('style'))
    .filter(address => /^[a-z]*:?\\/\\//.test(address) || /url\\(.?[a-z]*:?\\/\\//.test(address))"""
"""Addresses that a page loads by itself, also those that a browser without a window does not ask for (icons)."""


class Requests:
    """Every request of a browser that is for another host, seen from the pages and from the outside."""

    def __init__(self, browser: Any, proxy: Proxy) -> None:
        self._proxy, self._before = proxy, len(proxy.wanted)
        self.seen: list[str] = []
        browser.on("request", lambda request: self.seen.append(request.url))

    def note_links(self, page: Any) -> None:
        """Note what the page has linked."""
        self.seen += page.evaluate(LINKED)

    def elsewhere(self) -> list[str]:
        """Return those that are not for this machine."""
        away = [url for url in self.seen if urlsplit(url).hostname not in ("127.0.0.1", None)]
        outside = [
            line for line in self._proxy.wanted[self._before :] if not any(host in line for host in BROWSERS_OWN)
        ]
        return away + outside


@contextmanager
def audited(folder: Path) -> Iterator[tuple[dict[str, str], Path]]:
    """Return the environment of a server whose connections are noted, and the file in which they are."""
    file = folder / "connections"
    file.touch()
    (folder / "sitecustomize.py").write_text(AUDIT.format(file=str(file)))
    data = str(uploads.make_dataset(folder / "data"))
    yield {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]), "FFBENCH_DATA": data}, file


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    """Serve as `ffbench app` does."""
    with audited(folder) as (environment, _):
        start = "from ffbench.cli import main; main()"
        command = [sys.executable, "-c", start, "app", "--no-browser", "--port", PORT, str(folder / "runs")]
        with serve(command, folder, **environment) as server:
            yield server


@contextmanager
def streamlits(folder: Path) -> Iterator[Server]:
    """Serve by Streamlit's own command from the top of the repository, where the user's own settings say otherwise."""
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "config.toml").write_text(
        "[browser]\ngatherUsageStats = true\n[server]\naddress = '0.0.0.0'\n[logger]\nhideWelcomeMessage = false\n"
    )
    with audited(folder) as (environment, _):
        command = [sys.executable, "-m", "streamlit", "run", "leaderboard/app.py", "--server.headless=true",
                   f"--server.port={PORT}", "--", str(folder / "runs")]  # fmt: skip
        with serve(command, folder, cwd=ROOT, HOME=str(folder), **environment) as server:
            yield server


@pytest.mark.parametrize("start", [ours, streamlits])
def test_no_page_asks_another_host_and_no_name_is_more_than_text(
    start: Any, tmp_path: Path, browser: Any, proxy: Proxy
) -> None:
    hostile_runs(tmp_path / "runs")
    with start(tmp_path) as server:
        requests, tab = Requests(browser, proxy), Tab(browser.new_page(), server.address)
        tab.size(DESKTOP)
        tab.open(title=OVERVIEW)
        for name, title in TITLES.items():
            tab.follow(name, title)
            tab.settle()
            requests.note_links(tab.page)
            assert not marks(tab), name
        tab.page.close()
        foreign_origin(server)
    assert any("/static/" in url for url in requests.seen)  # it has noted something
    assert set(requests.elsewhere()) == set()
    assert not (tmp_path / "connections").read_text()
    assert not (tmp_path / "hacked").exists()


def marks(tab: Tab) -> list[str]:
    """Return what a page shows of strangers' names that is more than text."""
    text = tab.page.evaluate("() => document.body.textContent")
    found = re.findall(RENDERED, text)
    odd = tab.page.evaluate("() => [...document.querySelectorAll('.katex, [href^=javascript]')].map(p => p.outerHTML)")
    return [*found, *odd, *(["a script has run"] if tab.hacked() else [])]


def foreign_origin(server: Server) -> None:
    """Ask for the pages' stream as a page of another site would."""
    host = urlsplit(server.address)
    with socket.create_connection((str(host.hostname), int(host.port or 0)), timeout=30) as connection:
        connection.sendall(
            b"GET /_stcore/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Origin: https://other.example\r\n\r\n"
        )
        assert b" 403 " in connection.recv(4096)


BAD_PAGE = b"""<!doctype html><title>x</title>
<link rel="icon" href="https://icons.example/icon.svg">
<style>@import url("https://fonts.example/font.css");</style>
<p>MARK<b>TAG</b>MARK</p><p class="katex">x</p><p style="background: url(https://styles.example/x.png)">x</p>
<img src="https://images.example/a.png"><a href="javascript:void(0)">x</a>
<script>
  window.hacked = 1; navigator.sendBeacon("https://beacons.example/x"); new Image().src = "//scripts.example";
</script>
"""


def test_a_page_that_asks_other_hosts_is_caught(browser: Any, proxy: Proxy) -> None:
    """The control."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(BAD_PAGE)

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        requests, tab = Requests(browser, proxy), Tab(browser.new_page(), f"http://127.0.0.1:{server.server_port}")
        tab.page.goto(tab.address)
        tab.page.wait_for_timeout(1000)
        requests.note_links(tab.page)
        found = "\n".join(requests.elsewhere())
        for host in ("icons", "fonts", "images", "scripts", "styles"):
            assert f"{host}.example" in found
        for host in ("fonts", "images", "scripts", "beacons"):
            assert any(f"{host}.example" in line for line in proxy.wanted), host
        assert len(marks(tab)) == 4
        tab.page.close()
        server.shutdown()


def test_connections_of_a_server_are_noted(tmp_path: Path) -> None:
    """The control of the other half."""
    with audited(tmp_path) as (environment, file):
        code = "import socket\ntry: socket.create_connection(('other.invalid', 80), 5)\nexcept OSError: pass"
        subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, check=True)
        assert file.read_text().split() == ["other.invalid"]
