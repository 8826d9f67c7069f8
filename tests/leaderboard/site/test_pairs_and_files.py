"""Pages of two submissions, and the files beside each page: what they say and cannot do."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from synthbench.leaderboard.site import build_site
from synthbench.leaderboard.site.lesson import lesson
from synthbench.leaderboard.site.pair_view import PAIRED, pair_links, paired_entries
from synthbench.leaderboard.site.svg import Picture, make_frame
from synthbench.leaderboard.site.svg_file import svg_file
from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.pair_words import detectable_text
from synthbench.leaderboard.standings.pairing import Pairs
from synthbench.metrics.formatting import format_p_value, format_ratio
from tests.leaderboard.site.boards import (
    ATTACKS,
    SUITE,
    TITLE,
    honest_board,
    hostile_board,
    large_board,
)
from tests.leaderboard.site.pages import Page

BOARD = "ladder/index.html"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return honest_board(tmp_path_factory.mktemp("boards"))


@pytest.fixture(scope="module")
def site(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("honest") / "site"
    build_site([board], out)
    return out


@pytest.fixture(scope="module")
def hostile(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hostile") / "site"
    build_site([hostile_board(board)], out)
    return out


def test_every_two_have_a_page_that_says_what_the_comparison_says(board: Board, site: Path) -> None:
    pairs = Pairs(board)
    for first, second in combinations(board.entries, 2):
        one, two = first.submission, second.submission
        page = Page(site / "ladder" / f"{one.name}--{two.name}" / "index.html")
        pair = pairs.pair(first, second)
        rows = page.table(f"Above: {one.title}. Below: {two.title}.")
        for row, cell in zip(rows, pair.cells, strict=True):
            name, solved, medians, ratio, p_value, detectable, _ = row
            assert name.startswith(f"{cell.first.number} sparse-parity")
            counts = [f"{c.summary.solved}/12" for c in (cell.first, cell.second)]
            assert solved == "".join(counts) and medians.count("k") >= 2
            assert ratio == " ".join(format_ratio(cell.comparison.ratio_of_medians)).strip()
            assert p_value == format_p_value(cell.p_value)
            assert detectable == detectable_text(cell.detectable)
        (command,) = (e.text for e in page.root.find("code") if "show ladder" in e.text)
        assert command == f"synthbench leaderboard show ladder {one.name} {two.name}"


def test_the_board_and_the_submissions_lead_to_pairs_without_scripts(
    board: Board, site: Path
) -> None:
    page = Page(site / BOARD)
    rows = page.table("Samples of the row over those of the column")
    names = [entry.submission.name for entry in board.entries]
    folders = {f"{a}--{b}/index.html" for a, b in combinations(names, 2)}
    assert folders <= set(page.links())
    pairs = Pairs(board)
    for i, one in enumerate(board.entries):
        assert rows[i][0] == f"{i + 1} {one.submission.title}" and rows[i][i + 1] == ""
        for j, two in enumerate(board.entries):
            if i == j:
                continue
            pair = pairs.pair(one, two)
            value = float(re.search(r"[\d.]+$", rows[i][j + 1])[0])
            assert value == pytest.approx(pair.samples.value, rel=0.06)
            assert rows[i][j + 1].startswith(pair.bound)
    own = Page(site / "ladder" / names[1] / "index.html")
    assert {
        f"../{names[0]}--{names[1]}/index.html",
        f"../{names[1]}--{names[2]}/index.html",
    } <= set(own.links())


def test_of_a_large_board_the_best_and_the_reference_have_pairs(board: Board) -> None:
    large = large_board(board, 60)
    chosen = paired_entries(large)
    assert chosen[:PAIRED] == large.entries[:PAIRED]
    assert [entry.is_reference for entry in chosen[PAIRED:]] == [True]
    assert len(pair_links(large, large.entries[0])) == PAIRED
    assert pair_links(large, large.entries[PAIRED + 1]) == ()


def test_every_chart_offers_itself_and_its_data(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = Page(path)
        charts = [e for e in page.root.find("svg") if "chart" in e.attributes.get("class", "")]
        files = [link for link in page.links() if link.endswith((".svg", ".csv"))]
        assert len(files) == 2 * len(charts) == len(set(files)), path
        for link in files:
            assert (path.parent / link).is_file()
    listed = {p.name for p in site.rglob("charts/*")}
    assert {Path(name).suffix for name in listed} == {".svg", ".csv"}


def test_the_data_are_those_of_the_board(board: Board, site: Path) -> None:
    best = board.entries[0]
    name, cell = best.submission.name, best.cells[0]

    def read(path: str) -> list[dict[str, str]]:
        text = (site / "ladder" / path).read_text()
        return [row for row in csv.DictReader(io.StringIO(text)) if row["submission"] == name]

    rows = read("charts/cell-1-learning.csv")
    assert [float(r["samples"]) for r in rows] == pytest.approx(cell.curve.samples.tolist())
    for column, values in (("median", cell.curve.median), ("low_10", cell.curve.low)):
        assert [float(r[column]) for r in rows] == pytest.approx(values.tolist(), rel=1e-7)
    rows = read(f"{name}/charts/cell-1-unsolved.csv")
    assert (float(rows[0]["samples"]), float(rows[0]["unsolved"])) == (0, 1)
    times = [float(r["samples"]) for r in rows[1:]]
    assert times[: len(cell.survival.times)] == pytest.approx(cell.survival.times.tolist())
    assert times[-1] == cell.times.budget
    (mean,) = read("charts/samples-flops.csv")
    assert float(mean["samples"]) == pytest.approx(best.samples.value, rel=1e-7)
    assert (mean["bound"], mean["track"]) == (best.bound, "fixed-recipe")
    ratios = [row["times_best"] for row in read("charts/profile.csv")]
    assert [float(text) for text in ratios] == pytest.approx(best.profile, rel=1e-7)


def test_files_hold_nothing_that_runs_or_leads_away(site: Path, hostile: Path) -> None:
    allowed = {"svg", "title", "style", "rect", "path", "text", "circle"}
    for path in [*site.rglob("*.svg"), *hostile.rglob("*.svg")]:
        root = ElementTree.parse(path).getroot()
        tags = {element.tag for element in root.iter()}
        assert tags <= {f"{SVG}{name}" for name in allowed}, path
        (style,) = root.iter(f"{SVG}style")
        assert "url(" not in style.text and "@import" not in style.text
        for element in root.iter():
            assert not {key for key in element.attrib if key.startswith("on") or "href" in key}
    for path in [*site.rglob("*.csv"), *hostile.rglob("*.csv")]:
        for row in csv.reader(io.StringIO(path.read_text())):
            # A spreadsheet computes what begins so.
            assert not [word for word in row if word[:1] in {"=", "+", "@", "\t"}]
            assert not [word for word in row if any(attack in word for attack in ATTACKS)]


def test_hostile_titles_are_text_on_the_pages_and_in_the_files_of_pairs(
    board: Board, hostile: Path
) -> None:
    name, first = board.entries[1].submission.name, board.entries[0].submission.name
    folder = hostile / "ladder" / f"{first}--{name}"
    page = Page(folder / "index.html")
    assert page.root.find("h1")[0].text.endswith(f"against {TITLE}")
    assert not [e for e in page.elements if e.tag in {"iframe", "img", "object"}]
    texts = [
        element.text
        for element in ElementTree.parse(folder / "charts" / "cell-1-unsolved.svg").iter()
    ]
    assert TITLE in texts


def test_a_chart_in_a_file_has_its_own_colours_and_a_legend() -> None:
    frame = make_frame((1.0, 10.0), (0.0, 1.0), ("x", "y"), (str, str), (True, False))
    picture = Picture(frame, "bad \x00 \ufffe & <b>", ('<path class="line c0 d1" d="M1 1"/>',))
    root = ElementTree.fromstring(svg_file(picture, [("c0 d1", "one"), ("beside", "<two>")]))
    (style,) = root.iter(f"{SVG}style")
    assert "var(" not in style.text and ".line.c0{stroke:#0072b2}" in style.text
    assert root.find(f"{SVG}title").text == "bad \ufffd \ufffd & <b>"
    assert [e.text for e in root.iter(f"{SVG}text")][-2:] == ["one", "<two>"]
    height = float(root.attrib["viewBox"].split()[3])
    below = [float(e.attrib["y"]) for e in root.iter(f"{SVG}text") if "y" in e.attrib][-2:]
    assert 300 < min(below) and max(below) < height


def test_what_a_build_cannot_compute_is_marked(board: Board, site: Path) -> None:
    page = Page(site / BOARD)
    heads = {
        " ".join(e.text.split()).rstrip("†")
        for e in page.root.find("th")
        if e.attributes.get("scope") == "col" and "†" in e.text
    }
    assert heads == {"FLOPs", "lead", "parameters", "state size", "FLOPs per sample"}
    own = Page(site / "ladder" / board.entries[0].submission.name / "index.html")
    captions = [e.text for e in own.root.find("caption")]
    for claimed in ("Compute", "Software and machine", "Plugins that took part"):
        assert any(text.startswith(f"{claimed}, as submitted") for text in captions)
    assert [e.text for e in own.root.find("dt") if "date" in e.text] == ["date, as submitted"]
    assert "checked" in page.ids()


def test_a_board_says_in_two_sentences_what_is_learnt_from_it(board: Board, site: Path) -> None:
    words = lesson(board)
    best = board.entries[0]
    assert words.startswith(f"{best.submission.title} needs the fewest samples, ")
    assert words.count(". ") == 1 and words.endswith(".")
    # One of the four never learns: on the first cell, as hard as the other, three solve it.
    assert f"{board.tasks[0]}, which 3 of 4 solve" in words or "which 2 of 4" in words
    assert words in Page(site / BOARD).root.text
    own = SUITE.model_copy(update={"lesson": "One. Two."})
    assert own.hash() == SUITE.hash()
    assert lesson(replace(board, suite=own)) == "One. Two."
    assert lesson(replace(board, entries=board.entries[:1])) == ""


def test_where_all_solve_all_the_widest_cell_is_named(board: Board) -> None:
    solving = [e for e in board.entries if e.solved_cells == len(e.cells)]
    words = lesson(replace(board, entries=tuple(solving)))
    ratios = [
        np.ptp(np.log([e.cells[i].summary.samples_to_target.value for e in solving]))
        for i in range(2)
    ]
    assert f"they differ most on {board.tasks[int(np.argmax(ratios))]}, from" in words
