"""What a reader does with the leaderboard, in a browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ffbench.leaderboard.look.theme import plain
from tests.leaderboard import uploads
from tests.leaderboard.e2e.conftest import DESKTOP, HACKED, PHONE, Tab

OVERVIEW = "How well do methods see a face move?"
TITLES = {
    "Accuracy against cost": "Accuracy against cost",
    "Method": None,
    "Compare": "Compare",
    "Explorer": "Explorer",
    "Submit": "Submit",
    "Paper": "The paper's tables",
    "Leaderboard": "Leaderboard",
    "Overview": OVERVIEW,
}
"""Headings of the pages by their names in the menu; a method's page is headed by its name."""
EMPTY = "Choose an archive"
NOTHING_HANGS_OVER = """() =>
    [document.documentElement, document.querySelector('[data-testid=stMain]')]
    .every(part => part.scrollWidth === part.clientWidth)"""
THIRD = plain(HACKED, 90)  # `<` comes before letters


def test_open_filter_sort(tab: Tab) -> None:
    tab.open("board", title="Leaderboard")
    tab.shows("method", ["Zeta", "Alpha"])
    tab.page.get_by_text("Search, filters, order, columns").click()
    tab.page.get_by_label("Search methods").fill("a")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**search=a*")
    tab.choose("Order", "Method")
    tab.shows("method", [THIRD, "Alpha", "Zeta"])
    tab.page.get_by_label("Search methods").fill("ta")
    tab.page.keyboard.press("Enter")
    tab.shows("method", ["Zeta"])


def test_a_link_brings_a_view_back_and_leads_to_a_comparison(tab: Tab) -> None:
    # The first page has the bare address, which was the leaderboard's, and its own name must lead to it too.
    tab.open("overview", title=OVERVIEW)
    tab.open("?search=a&order=Method", title="Leaderboard")
    assert tab.page.get_by_text("Page not found").count() == 0
    tab.shows("method", [THIRD, "Alpha", "Zeta"])
    tab.page.get_by_role("link", name="Compare two methods").click()
    tab.page.get_by_role("heading", name="Compare", exact=True).wait_for()
    tab.settle()
    tab.choose("B", "Alpha")
    tab.page.get_by_text("A is better", exact=False).first.wait_for()
    tab.page.locator(".js-plotly-plot").nth(1).wait_for()


def test_the_keyboard_leads_from_the_first_page_to_a_method(tab: Tab) -> None:
    tab.open(title=OVERVIEW)
    method = tab.page.locator(".ff-table tbody a").first
    name = method.inner_text()
    method.focus()
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/method?method=*")
    tab.page.get_by_role("heading", name=name, exact=True).wait_for()


def test_a_sound_archive_becomes_a_record_to_download(tab: Tab, tmp_path: Path) -> None:
    upload = uploads.good(tmp_path)
    tab.open(f"submit?protocol={uploads.PROTOCOL}", title="Submit")
    send(tab, upload, EMPTY)
    tab.page.get_by_text("all files are sound").wait_for()
    tab.page.get_by_label("Name of the method").fill("My Net")
    tab.page.get_by_role("button", name="Score", exact=False).last.click()
    button = tab.page.get_by_role("button", name="Record (JSON)")
    button.wait_for()
    with tab.page.expect_download() as started:
        button.click()
    record = json.loads(Path(started.value.path()).read_text())
    assert record["method"]["title"] == "My Net"
    assert record["primary"]["value"] == pytest.approx(3.0, abs=1e-6)


def test_bad_archives_are_refused_and_nothing_of_them_runs(tab: Tab, tmp_path: Path) -> None:
    tab.open(f"submit?protocol={uploads.PROTOCOL}", title="Submit")
    shown = EMPTY
    for kind in ("pickle", "incomplete", "not finite", "way out", "no archive", "link"):
        upload = uploads.BAD[kind](tmp_path)
        send(tab, upload, shown)
        shown = upload.said
        tab.page.get_by_text(shown).last.wait_for()
        assert tab.page.get_by_label("Name of the method").count() == 0
        assert not tab.hacked(), kind


def send(tab: Tab, upload: uploads.Upload, shown: str) -> None:
    """Upload an archive and have it checked; `shown` is what the page says until it has the file."""
    file = {"name": upload.name, "mimeType": "application/octet-stream", "buffer": upload.content}
    tab.page.locator("input[type=file]").set_input_files(file)
    tab.page.get_by_text(shown).last.wait_for(state="hidden")
    tab.page.get_by_role("button", name="Check the files").click()


def test_on_a_phone_no_page_scrolls_sideways_and_no_name_is_run(tab: Tab) -> None:
    tab.open(title=OVERVIEW)
    for name, title in TITLES.items():
        # By the menu, as wide screens have it: pages that are loaded anew take several times as long.
        tab.size(DESKTOP)
        tab.follow(name, title)
        tab.size(PHONE)
        tab.settle()
        # Charts and tables take the new width a moment after the window has it.
        tab.page.wait_for_function(NOTHING_HANGS_OVER, timeout=10_000)
        assert not tab.hacked(), name
