"""The documentation's site: it builds without a warning and needs nothing from elsewhere.

`.ci/run` runs these after the default tests: `pytest -n 0 -m slow tests/docs/test_site.py`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import synthbench as sb
from tests.docs.pages import PAGES, ROOT

pytestmark = pytest.mark.slow
NO_NETWORK = re.compile(r"^(?:https?:)?//", re.IGNORECASE)


class Page(HTMLParser):
    """What a page loads, what it links to, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if "id" in named:
            self.anchors.add(named["id"])
        if tag in ("script", "img", "iframe", "source", "video") and "src" in named:
            self.loads.append(named["src"])
        if tag == "link" and named.get("rel") != "canonical":
            self.loads.append(named["href"])
        if tag == "a" and "href" in named:
            self.links.append(named["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    found = {path: Page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    # Served for any address, so its own are of the server's root.
    del found[site / "404.html"]
    return found


def test_every_page_of_the_repository_is_on_it(pages: dict[Path, Page], site: Path) -> None:
    elsewhere = {
        "README.md": "index",
        "CONTRIBUTING.md": "contributing",
        "CHANGELOG.md": "changelog",
        "leaderboards/README.md": "leaderboards",
        "leaderboards/RULES.md": "rules",
        "plugins/README.md": "bundled-plugins",
        "benchmarks/RESULTS.md": "measured",
    }
    for page in PAGES:
        place = page.relative_to(ROOT)
        own = str(place.with_suffix("")).removeprefix("docs/").replace("/README", "/index")
        name = elsewhere.get(str(place), own)
        assert site / f"{name}.html" in pages, page
    assert site / "notebook.html" in pages


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Page], site: Path) -> None:
    for path, page in pages.items():
        for address in page.loads:
            assert not NO_NETWORK.match(address), f"{path.name} loads {address}"
            if not address.startswith("data:"):
                assert (path.parent / unquote(urlsplit(address).path)).exists(), address
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert not re.findall(r"(?:url\(['\"]?|@import\s+['\"])(?:https?:)?//[^)'\"]+", styles)


def test_every_link_and_anchor_leads_somewhere(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("https", "mailto"):
                continue
            assert not parts.scheme and not parts.netloc, link
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            assert target.exists(), f"{path.name}: {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].anchors, f"{path.name}: {link}"


def test_the_reference_documents_every_public_name(pages: dict[Path, Page], site: Path) -> None:
    anchors = pages[site / "api.html"].anchors
    assert {f"synthbench.{name}" for name in sb.__all__} <= anchors


def test_it_is_searchable_without_a_server(site: Path) -> None:
    index = (site / "search" / "search_index.js").read_text()
    assert index.startswith("var __index") and "Kaplan-Meier" in index
    assert 'src="assets/iframe-worker.js"' in (site / "index.html").read_text()
