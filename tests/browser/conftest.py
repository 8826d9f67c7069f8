"""Chromium, and sites for it to show; everything here runs with `pytest -m browser`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synthbench.leaderboard.site import build_site
from synthbench.leaderboard.standings.board import Board
from tests.leaderboard.site.boards import honest_board, hostile_board, large_board, with_tuned

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SWITCHES = ["--headless=new", "--no-sandbox", "--disable-gpu"]


@dataclass
class Visit:
    """A page, and everything it did that no page of ours may do."""

    page: Page
    noise: list[str] = field(default_factory=list)

    def open(self, path: Path) -> Page:
        """Go to a file and wait until it is loaded."""
        self.page.goto(path.as_uri())
        return self.page


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    on_path = next(filter(None, map(shutil.which, names)), None)
    found = os.environ.get("SYNTHBENCH_CHROMIUM") or on_path
    if found is None:
        pytest.fail("no Chromium on the PATH; set SYNTHBENCH_CHROMIUM to its executable")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """A new window on a desk, watched; it must have been quiet to the end."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    watched = Visit(context.new_page())
    noise, page = watched.noise, watched.page
    page.on("console", lambda message: noise.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: noise.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (noise.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on(
        "request",
        lambda request: (
            request.url.startswith(("file:", "data:")) or noise.append(f"request: {request.url}")
        ),
    )
    yield watched
    context.close()
    assert noise == []


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return honest_board(tmp_path_factory.mktemp("boards"))


@pytest.fixture(scope="session")
def site(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four submissions, one of them tuned."""
    out = tmp_path_factory.mktemp("honest") / "site"
    build_site([with_tuned(board)], out)
    return out


@pytest.fixture(scope="session")
def hostile_site(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hostile") / "site"
    build_site([hostile_board(board)], out)
    return out


@pytest.fixture(scope="session")
def large_site(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board of a thousand."""
    out = tmp_path_factory.mktemp("large") / "site"
    build_site([large_board(board, 1000)], out)
    return out
