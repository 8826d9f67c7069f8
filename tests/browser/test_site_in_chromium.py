"""The site as a reader meets it: opened from disk in Chromium."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from synthbench.leaderboard.site import build_site
from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.placing import read_board
from tests.browser.conftest import Visit
from tests.leaderboard.site.boards import SUITE, TITLE

pytestmark = pytest.mark.browser

BOARD = "ladder/index.html"
PHONE = {"width": 375, "height": 720}
TITLES = "[...document.querySelectorAll('#board tbody tr')].filter(r => !r.hidden).map(r => r.cells[1].querySelector('a').textContent)"  # noqa: E501
SORT_MILLISECONDS = """
(column) => {
  const heading = document.querySelectorAll('#board thead th')[column];
  const start = performance.now();
  heading.querySelector('button').click();
  document.getElementById('board').getBoundingClientRect();
  return performance.now() - start;
}
"""


def column(page, number: int) -> list[str]:
    rows = page.locator("#board tbody tr:visible")
    return [row.locator("td, th").nth(number).get_attribute("data-k") for row in rows.all()]


def test_headings_sort_by_click_and_by_keyboard(site: Path, visit: Visit) -> None:
    page = visit.open(site / BOARD)
    heading = page.locator("#board thead th").nth(3)
    ranking = page.evaluate(TITLES)
    assert page.locator("#board thead th").first.get_attribute("aria-sort") == "ascending"
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert page.locator("#board th[aria-sort]").count() == 1
    flops = [float(key) for key in column(page, 3)]
    assert flops == sorted(flops)
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert [float(key) for key in column(page, 3)] == sorted(flops, reverse=True)
    name = page.locator("#board thead th").nth(1).get_by_role("button")
    name.focus()
    page.keyboard.press("Space")
    assert page.evaluate(TITLES) == sorted(ranking, key=str.lower)
    page.locator("#board thead th").first.get_by_role("button").click()
    assert page.evaluate(TITLES) == ranking


def test_the_first_click_shows_the_most_where_more_is_better(site: Path, visit: Visit) -> None:
    page = visit.open(site / BOARD)
    page.locator("#board thead th").nth(4).get_by_role("button").click()
    solved = [int(key) for key in column(page, 4)]
    assert solved == sorted(solved, reverse=True)
    assert len(set(solved)) > 1


def test_filters_by_text_and_by_track(site: Path, visit: Visit) -> None:
    page = visit.open(site / BOARD)
    assert page.locator("#found").inner_text() == "4 of 4"
    page.get_by_label("Find").fill("emmy SLOW")
    assert page.evaluate(TITLES) == ["The slow one"]
    assert page.locator("#found").inner_text() == "1 of 4"
    page.get_by_label("Find").fill("width=4")
    assert page.evaluate(TITLES) == ["The stuck one"]
    page.get_by_label("Find").fill("no such thing")
    assert page.get_by_text("Nothing on this board matches.").is_visible()
    page.get_by_label("Find").fill("")
    page.get_by_label("Track").select_option("tuned")
    assert len(page.evaluate(TITLES)) == 1
    page.get_by_label("Track").select_option("")
    assert len(page.evaluate(TITLES)) == 4


def test_the_columns_of_cells_show_another_metric(site: Path, visit: Visit) -> None:
    page = visit.open(site / BOARD)
    ratios = column(page, 6)
    page.get_by_label("For each cell").select_option("width")
    widths = page.locator("[data-cell-table='0'] tbody tr td:nth-child(6)")
    assert column(page, 6) == [w.get_attribute("data-k") for w in widths.all()] != ratios
    page.locator("#board thead th").nth(6).get_by_role("button").click()
    known = [float(key) for key in column(page, 6) if key]
    assert known == sorted(known) and column(page, 6)[-1] == ""
    page.get_by_label("For each cell").select_option("ratio")
    assert sorted(column(page, 6)) == sorted(ratios)


def test_a_submission_opens_and_back_returns_to_what_was_filtered(site: Path, visit: Visit) -> None:
    page = visit.open(site / "index.html")
    page.get_by_role("link", name="A ladder of parities").click()
    page.get_by_label("Find").fill("slow")
    page.locator("#board").get_by_role("link", name="The slow one").click()
    assert page.get_by_role("heading", level=1).inner_text() == "The slow one"
    assert (
        "synthbench eval ladder --model 'mlp width=8'"
        in page.locator("#rerun ~ pre").first.inner_text()
    )
    page.go_back()
    assert page.evaluate(TITLES) == ["The slow one"]
    page.goto((site / "ladder/slow/index.html").as_uri())
    page.get_by_role("link", name="ladder", exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == "A ladder of parities"


def test_a_mark_of_the_pareto_plot_leads_to_its_submission(site: Path, visit: Visit) -> None:
    page = visit.open(site / BOARD)
    page.locator("figure a[href='slow/index.html']").click()
    assert page.get_by_role("heading", level=1).inner_text() == "The slow one"


def test_dark_and_light_by_the_system_and_by_choice(site: Path, visit: Visit) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    page = visit.open(site / BOARD)
    light = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(paper)
    assert light != dark
    page.get_by_role("button", name="Light").click()
    assert page.evaluate(paper) == light
    page.reload()
    assert page.evaluate(paper) == light
    page.get_by_role("button", name="Dark").click()
    page.emulate_media(color_scheme="light")
    assert page.evaluate(paper) == dark


def test_no_page_is_wider_than_a_phone(site: Path, hostile_site: Path, visit: Visit) -> None:
    visit.page.set_viewport_size(PHONE)
    for folder in (site, hostile_site):
        for path in folder.rglob("*.html"):
            page = visit.open(path)
            widths = "[document.documentElement.scrollWidth, document.body.scrollWidth]"
            assert max(page.evaluate(widths)) <= PHONE["width"], path


@pytest.mark.parametrize("size", [{"width": 390, "height": 844}, {"width": 1280, "height": 900}])
def test_the_ranking_is_what_one_sees_first(size: dict, site: Path, visit: Visit) -> None:
    visit.page.set_viewport_size(size)
    page = visit.open(site / BOARD)
    # On a phone what filters it is folded, on a desk it is not.
    assert page.get_by_label("Find").is_visible() == (size["width"] > 1000)
    for row in page.locator("#board tbody tr").all():
        box = row.bounding_box()
        assert box is not None and box["y"] + box["height"] <= size["height"]
    heads = page.locator("#board th[data-cell]")
    assert [text.split()[0] for text in heads.all_inner_texts()] == ["1", "2"]
    assert max(head.bounding_box()["width"] for head in heads.all()) < 150


def test_what_lies_beyond_the_edge_is_seen(site: Path, visit: Visit) -> None:
    visit.page.set_viewport_size(PHONE)
    page = visit.open(site / BOARD)
    region = page.get_by_role("region", name="Table of the ranking")
    pixel = """async (data) => {
      const image = new Image(); image.src = data; await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext("2d"); context.drawImage(image, 0, 0);
      const [red] = context.getImageData(image.width - 2, image.height - 4, 1, 1).data;
      return red; }"""

    def edge() -> int:
        shot = b64encode(region.screenshot()).decode()
        return int(page.evaluate(pixel, f"data:image/png;base64,{shot}"))

    begun = edge()
    region.evaluate("region => region.scrollTo(region.scrollWidth, 0)")
    assert edge() > begun + 10


def test_the_table_of_pairs_leads_to_two_side_by_side(site: Path, visit: Visit) -> None:
    page = visit.open(site / BOARD)
    page.locator(".pairs tbody tr").first.get_by_role("link").last.click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("The fast one against ")
    assert page.locator("svg.chart").count() == 2
    page.locator("figure a[href$='.svg']").first.evaluate(
        "link => link.removeAttribute('download')"
    )
    page.locator("figure a[href$='.svg']").first.click()
    assert page.evaluate("document.documentElement.tagName") == "svg"
    stroke = "getComputedStyle(document.querySelector('.line.c0')).stroke"
    assert page.evaluate(stroke) == "rgb(0, 114, 178)"


def test_the_names_stay_while_the_ranking_scrolls_on_a_phone(site: Path, visit: Visit) -> None:
    visit.page.set_viewport_size(PHONE)
    page = visit.open(site / BOARD)
    region = page.get_by_role("region", name="Table of the ranking")
    region.evaluate("region => region.scrollTo(400, 0)")
    cell = page.locator("#board tbody th").first.bounding_box()
    box = region.bounding_box()
    assert cell is not None and box is not None
    assert cell["x"] == pytest.approx(box["x"], abs=1)


def test_hostile_texts_are_inert_and_shown_as_they_are(hostile_site: Path, visit: Visit) -> None:
    for path in sorted(hostile_site.rglob("*.html")):
        page = visit.open(path)
        assert page.locator("script").count() <= 2
        assert page.locator("iframe, img, [onload], [onerror], [onfocus]").count() == 0
    page = visit.open(hostile_site / BOARD)
    attacked = page.locator("#board tbody tr").nth(1)
    assert attacked.get_by_role("link").inner_text() == TITLE
    attacked.get_by_role("link").click()
    assert page.get_by_role("heading", level=1).inner_text() == TITLE
    assert page.title().startswith(TITLE)


def test_the_keyboard_reaches_the_content_first(site: Path, visit: Visit) -> None:
    page = visit.open(site / BOARD)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    assert skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_boards_of_none_and_of_one(board: Board, tmp_path: Path, visit: Visit) -> None:
    build_site([read_board(SUITE, tmp_path)], tmp_path / "empty")
    page = visit.open(tmp_path / "empty" / BOARD)
    assert page.get_by_text("There are no submissions yet").is_visible()
    assert page.locator("#board").count() == 0
    build_site([replace(board, entries=board.entries[:1])], tmp_path / "one")
    page = visit.open(tmp_path / "one" / BOARD)
    assert page.locator("#board tbody tr").count() == 1
    assert page.locator("svg.chart").count() == 6


def test_a_thousand_rows_sort_at_once(large_site: Path, visit: Visit) -> None:
    page = visit.open(large_site / BOARD)
    taken = [page.evaluate(SORT_MILLISECONDS, index) for index in (2, 3, 1, 6)]
    page.evaluate("document.getElementById('find').value = '77 copy'")
    typed = page.evaluate(
        "() => { const start = performance.now();"
        " document.getElementById('find').dispatchEvent(new Event('input'));"
        " document.getElementById('board').getBoundingClientRect();"
        " return performance.now() - start; }"
    )
    print("\nsorting 1,000 rows, layout included:", [f"{t:.0f} ms" for t in taken])
    print(f"filtering them: {typed:.0f} ms")
    assert len(page.evaluate(TITLES)) == 19
    assert max(taken) < 2000
