"""The static site in a browser, opened from the disk: nothing is missing, nothing is asked of other hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ffbench.leaderboard.site.pages import Site
from ffbench.leaderboard.site.writing import write
from ffbench.paths import shipped_store
from ffbench.results.store.records import read_rows
from tests.leaderboard.e2e.conftest import DESKTOP, PHONE


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = shipped_store()
    assert store is not None
    folder = tmp_path_factory.mktemp("site") / "made"
    write(Site(read_rows([store])).files(), folder)
    return folder


def test_pages_load_whole_fit_a_phone_and_lead_to_each_other(browser: Any, site: Path) -> None:
    page = browser.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: faults.append(request.url))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto((site / "index.html").as_uri())
    for width, height in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    name = page.locator("tbody th a").first.inner_text()
    page.locator("tbody th a").first.click()
    page.get_by_role("heading", name=name, exact=True).wait_for()
    page.locator("tbody th a").first.click()
    page.locator("svg.chart").wait_for()
    # The style sheet of the page has come, also from a folder below.
    assert page.evaluate("getComputedStyle(document.querySelector('.badge')).borderRadius") == "99px"
    page.get_by_role("link", name="The paper's tables").click()
    page.get_by_role("heading", name="The paper's tables").wait_for()
    page.close()
    assert not faults
    assert all(url.startswith("file://") for url in asked)
