"""The pages served as `ffbench app` serves them, and a browser to look at them with."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from ffbench.method import MethodCard
from tests.leaderboard import uploads
from tests.leaderboard.pages import EVIL
from tests.results.made_runs import make_run

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
HACKED = f"<img src=x onerror='window.hacked=1'><script>window.hacked=1</script> {EVIL}"
"""A method's name that would leave a mark if any page took it for more than text."""
PORT = "{port}"
DESKTOP, PHONE = (1280, 900), (390, 844)
_PATIENCE = 600
"""Seconds; the first page of `streamlit run` takes 80 on a machine with eight times as much to do as it can."""
_LIST_STAYS = 20
"""Seconds until a list of options that has not come is taken for closed."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser and a server take more than a few seconds."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve four made records, two of them with names of a stranger's, and a small dataset to submit to."""
    folder = tmp_path_factory.mktemp("pages")
    hard = np.random.default_rng(0).gamma(1.0, 2.0, 30)
    for number, (name, title) in enumerate(
        [("zeta", "Zeta"), ("alpha", "Alpha"), ("evil", HACKED), ("huge", "x" * 5000)]
    ):
        values = list(hard + number + np.random.default_rng(number).normal(0, 0.1, len(hard)))
        make_run(folder / "runs", name, values, method=MethodCard(id=title, title=title))
    start = "from ffbench.cli import main; main()"
    command = [sys.executable, "-c", start, "app", "--no-browser", "--port", PORT, str(folder / "runs")]
    data = str(uploads.make_dataset(folder / "data"))
    with serve(command, folder, FFBENCH_DATA=data) as server:
        yield server.address


@dataclass
class Server:
    """A process that serves the pages."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def serve(command: Sequence[str], folder: Path, cwd: Path | None = None, **environment: str) -> Iterator[Server]:
    """Run what serves the pages, with `PORT` of the command replaced by a free one, until they are no longer needed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [part.replace(PORT, port) for part in command],
            env={**os.environ, "FFBENCH_CACHE": str(folder / "cache"), **environment},
            cwd=cwd or folder,
            stdout=file,
            stderr=file,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, log)
        yield Server(f"http://127.0.0.1:{port}", process, log)
    except BaseException:
        print(log.read_text(errors="replace")[-4000:])  # why a page was not there in time stands here, if anywhere
        raise
    finally:
        # On a busy machine a server that has loaded PyTorch takes half a minute to end.
        process.terminate()
        try:
            process.wait(_PATIENCE)
        finally:
            process.kill()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the pages are not served: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def proxy() -> Iterator[Proxy]:
    """Stand between the browser and all hosts but this machine."""
    with Proxy() as started:
        yield started


@pytest.fixture(scope="session")
def browser(proxy: Proxy) -> Iterator[Any]:
    """Start a browser of this machine, with no network and one cache for all tests; skip where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: the extra `dev`")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser is installed, looked for {', '.join(BROWSERS)} in PATH")
    with api.sync_playwright() as playwright:
        flags = [*FLAGS, f"--proxy-server=http://127.0.0.1:{proxy.port}"]
        started = playwright.chromium.launch(executable_path=found, args=flags)
        context = started.new_context(reduced_motion="reduce")
        context.set_default_timeout(1000 * _PATIENCE)
        yield context
        started.close()


class Proxy:
    """A proxy that lets nothing through and notes what was wanted: what a browser sees of the world without a network.

    The browser asks it for all hosts but this machine, also for what pages do not know of, such as their icons.
    """

    def __init__(self) -> None:
        self.wanted: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._refuse, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def _refuse(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed
                return
            with connection:
                connection.settimeout(10)
                with contextlib.suppress(OSError):
                    self.wanted.append(connection.recv(4096).decode(errors="replace").partition("\r\n")[0])
                    connection.sendall(b"HTTP/1.1 403 no network\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@dataclass
class Tab:
    """A tab of the browser that shows one page of the leaderboard."""

    page: Any
    address: str
    dialogs: list[str] = field(default_factory=list)

    def open(self, path: str = "", *, title: str) -> None:
        """Go to a page and wait until it stands there."""
        self.page.goto(f"{self.address}/{path}")
        self.page.get_by_role("heading", name=title, exact=True).wait_for()
        self.settle()

    def follow(self, name: str, title: str | None) -> None:
        """Go to a page by its name in the menu and wait until it stands there; None: whatever its heading says."""
        self.page.get_by_role("link", name=name, exact=True).first.click()
        if title is None:
            self.page.wait_for_url(f"**/{name.lower()}*")
            self.settle()
        else:
            self.page.get_by_role("heading", name=title, exact=True).wait_for()

    def size(self, pixels: tuple[int, int]) -> None:
        """Make the page as wide and as high."""
        self.page.set_viewport_size({"width": pixels[0], "height": pixels[1]})

    def settle(self) -> None:
        """Wait until the script of the page has run to its end and nothing of the run before is left."""
        self.page.wait_for_function(
            "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
            " && !document.querySelector('[data-stale=true]')"
        )

    def choose(self, label: str, option: str) -> None:
        """Choose an option of a select box."""
        deadline = time.monotonic() + _PATIENCE
        # A run of the script that ends late builds the box again and closes its list: open it until the list stays.
        while not self._chosen(label, option):
            assert time.monotonic() < deadline, f"the box {label!r} never showed {option!r}"
            self.page.keyboard.press("Escape")
            self.settle()
        self.settle()

    def _chosen(self, label: str, option: str) -> bool:
        from playwright.sync_api import TimeoutError as Late

        self.page.get_by_role("combobox", name=label).click()
        try:
            self.page.get_by_role("option", name=option, exact=True).click(timeout=1000 * _LIST_STAYS)
        except Late:
            return False
        return True

    def shows(self, name: str, wanted: list[str]) -> None:
        """Wait until a column of the first table begins with some cells."""
        deadline = time.monotonic() + _PATIENCE
        while (found := self._column(name))[: len(wanted)] != wanted:
            assert time.monotonic() < deadline, f"{name} is {found}, expected {wanted}"
            time.sleep(0.2)

    def _column(self, name: str) -> list[str]:
        """Read the text of a table, which stands beside the drawing of it for those who cannot see that."""
        read = """name => {
            const table = document.querySelector('[data-testid=stDataFrame] table');
            const heads = [...(table?.querySelectorAll('th') ?? [])].map(cell => cell.textContent.trim());
            const cells = table?.querySelectorAll(`td[aria-colindex='${heads.indexOf(name) + 1}']`) ?? [];
            return [...cells].map(cell => cell.textContent.trim());
        }"""
        cells: list[str] = self.page.evaluate(read, name)
        # Of a link the text is its address, which names the method.
        return [parse_qs(urlsplit(cell).query)["method"][0] if "?method=" in cell else cell for cell in cells]

    def hacked(self) -> bool:
        """Whether anything of a stranger's has run."""
        return bool(self.dialogs) or bool(self.page.evaluate("() => 'hacked' in window"))


@pytest.fixture
def tab(browser: Any, address: str) -> Iterator[Tab]:
    """Open a tab."""
    made = Tab(browser.new_page(), address)
    made.size(DESKTOP)

    def dismiss(dialog: Any) -> None:
        made.dialogs.append(dialog.message)
        dialog.dismiss()

    made.page.on("dialog", dismiss)
    yield made
    made.page.close()
