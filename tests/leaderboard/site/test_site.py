"""The site says what the board says, leads nowhere else, and runs nothing but our own scripts."""

from __future__ import annotations

import base64
import hashlib
import shlex
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from synthbench.cli.leaderboard.build import build_command
from synthbench.errors import UnknownNameError
from synthbench.evaluation.planning import plan_suite
from synthbench.leaderboard.site import build_site
from synthbench.leaderboard.site.board_view import board_view
from synthbench.leaderboard.site.numbers import Shown, show_ratio
from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.placing import read_board
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import (
    format_count,
    format_estimate,
    format_ratio,
    format_time_to_target,
)
from synthbench.registry.registry import installed
from tests.leaderboard.site.boards import (
    ATTACKS,
    AUTHOR,
    MODEL,
    SUITE,
    TITLE,
    WORDS,
    honest_board,
    hostile_board,
    with_tuned,
)
from tests.leaderboard.site.pages import Element, Page, read_site
from tests.leaderboard.synthetic import make_submission

BOARD = "ladder/index.html"
NOTHING = Estimate(value=None, low=None, high=None)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return honest_board(tmp_path_factory.mktemp("boards"))


@pytest.fixture(scope="module")
def site(board: Board, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    out = tmp_path_factory.mktemp("honest") / "site"
    assert build_site([with_tuned(board)], out) == out / "index.html"
    return read_site(out)


@pytest.fixture(scope="module")
def hostile(board: Board, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    out = tmp_path_factory.mktemp("hostile") / "site"
    build_site([hostile_board(board)], out)
    return read_site(out)


def shown(estimate: Estimate) -> str:
    return " ".join(format_ratio(estimate)).strip()


@pytest.mark.parametrize(
    ("estimate", "text", "interval", "key"),
    [
        (Estimate(value=0.5, low=0.4, high=0.7), "0.50", "[0.40, 0.70]", "0.5"),
        (Estimate(value=None, low=8.14, high=None), "> 8.14", "", "8.14"),
        (Estimate(value=None, low=0.1, high=0.25), "< 0.250", "", "0.25"),
        (Estimate(value=2.0, low=None, high=None), "2.00", "", "2"),
        (NOTHING, "-", "", ""),
    ],
)
def test_a_ratio_is_sorted_by_what_is_known_of_it(
    estimate: Estimate, text: str, interval: str, key: str
) -> None:
    assert show_ratio(estimate) == Shown(text, interval, key)


def test_there_is_a_page_for_every_submission(board: Board, site: dict[str, Page]) -> None:
    names = {f"ladder/{entry.submission.name}/index.html" for entry in board.entries}
    pairs = combinations([entry.submission.name for entry in board.entries], 2)
    names |= {f"ladder/{one}--{two}/index.html" for one, two in pairs}
    assert set(site) == {"index.html", BOARD, *names}


def test_the_ranking_is_the_boards(board: Board, site: dict[str, Page]) -> None:
    rows = site[BOARD].table("board")
    assert len(rows) == len(board.entries) == 4
    for row, entry in zip(rows, board.entries, strict=True):
        rank, title, samples, flops, solved, front, *rest = row
        ratios, (track, model) = rest[:2], rest[2:]
        low, high = entry.rank.low, entry.rank.high
        assert rank == (f"{low}" if low == high else f"{low}-{high}")
        assert title.startswith(entry.submission.title)
        assert title.endswith(", ".join(entry.submission.authors))
        assert ("reference" in title) == entry.is_reference
        bounded = f"{entry.bound} " if entry.bound else ""
        assert (samples, flops) == (bounded + shown(entry.samples), bounded + shown(entry.flops))
        assert solved == f"{entry.solved_cells}/2"
        assert ("front" in front) == entry.on_front
        assert ratios == [shown(cell.ratio) for cell in entry.cells]
        assert track == ("tuned" if entry is board.entries[1] else "fixed-recipe")
        assert model.startswith("mlp")


def test_the_ranking_comes_before_everything_else_on_a_board(site: dict[str, Page]) -> None:
    (main,) = site[BOARD].root.find("main")
    heading, first, *rest = main.inside
    assert (heading.tag, first.find("table")[0].attributes["id"]) == ("h1", "board")
    before = [e.tag for e in first.inside[: first.inside.index(_holding(first, "table"))]]
    # Hidden where scripts do not run, folded on a phone.
    assert before == ["h2", "details"]
    assert SUITE.description not in first.text
    assert any(SUITE.description in section.text for section in rest)


def test_columns_of_cells_have_numbers_and_a_legend_says_which(
    board: Board, site: dict[str, Page]
) -> None:
    heads = [e for e in site[BOARD].root.find("th") if "data-cell" in e.attributes]
    visible = [[s.text for s in head.find("span") if not s.attributes] for head in heads]
    assert visible == [["1"], ["2"]]
    (legend,) = (e for e in site[BOARD].root.find("ol"))
    assert [" ".join(e.text.split()) for e in legend.find("li")] == [
        f"{number} {task}" for number, task in enumerate(board.tasks, start=1)
    ]
    assert [a.attributes["href"] for a in legend.find("a")] == ["#cell-1", "#cell-2"]


def _holding(element: Element, tag: str) -> Element:
    (found,) = (child for child in element.inside if child.find(tag))
    return found


def test_a_bound_is_marked_on_the_first_page(board: Board, tmp_path: Path) -> None:
    best = replace(board.entries[0], bound=">")
    build_site([replace(board, entries=(best, *board.entries[1:]))], tmp_path / "site")
    pages = read_site(tmp_path / "site")
    figures = [" ".join(e.text.split()) for e in pages["index.html"].root.find("dd")]
    assert any(text.startswith(f"> {shown(best.samples)} relative to") for text in figures)
    titles = [e.text for e in pages[BOARD].root.find("title")]
    assert any(text.startswith(f"{best.submission.title}: samples > ") for text in titles)


def test_scores_of_strategies_are_rounded(board: Board, tmp_path: Path) -> None:
    rows = tuple(
        replace(row, scores={"trivial": -4.29e-11, "optimal": 0.98765})
        for row in board.reference_rows
    )
    build_site([replace(board, reference_rows=rows)], tmp_path / "site")
    page = read_site(tmp_path / "site")[BOARD]
    tables = [t for t in page.root.find("table") if "Strategies" in t.text]
    scores = [e.text for e in tables[0].find("td")]
    assert scores == ["0", "0.988"]


def test_boards_with_submissions_come_first(board: Board, tmp_path: Path) -> None:
    other = SUITE.model_copy(update={"name": "empty"})
    build_site([read_board(other, tmp_path), board], tmp_path / "site")
    cards = read_site(tmp_path / "site")["index.html"].root.find("article")
    assert [card.find("a")[0].attributes["href"] for card in cards] == [
        "ladder/index.html",
        "empty/index.html",
    ]


def test_how_to_submit_names_a_model_that_can_take_the_suite(tmp_path: Path) -> None:
    for name in ("in-context-quick", "recall-quick", "grokking-quick"):
        suite = installed().suite(name)
        board = replace(read_board(SUITE, tmp_path), suite=suite)
        command = shlex.split(board_view(board, []).submit[0])
        assert command[:4] == ["synthbench", "eval", name, "--model"]
        cells = plan_suite(suite, command[4:])
        assert len(cells) == len(suite.cells)
        for cell in cells:
            cell.model.check_accepts(cell.task.interface)


def test_the_tables_of_cells_are_the_boards(board: Board, site: dict[str, Page]) -> None:
    for number, task in enumerate(board.tasks):
        for row, entry in zip(site[BOARD].table(task), board.entries, strict=True):
            cell = entry.cells[number]
            summary, shape = cell.summary, cell.transitions
            half = 2 * shape.completed >= cell.summary.replicas
            columns = [shape.plateau, shape.width, cell.stages, cell.lead]
            columns = [c if half or c is cell.stages else None for c in columns]
            median = " ".join(format_time_to_target(summary.samples_to_target, cell.times.budget))
            assert row == [
                entry.submission.title,
                f"{summary.solved}/12 {format_estimate(summary.success_rate)[1]}",
                median.strip(),
                shown(cell.ratio),
                *(" ".join(format_estimate(c)).strip() if c else "-" for c in columns),
                " ".join(format_estimate(summary.final_score)).strip(),
                format_count(cell.compute.parameters),
                "-",
                format_count(cell.times.flops_per_sample),
            ]


def test_a_submissions_page_has_all_of_it(board: Board, site: dict[str, Page]) -> None:
    entry = board.entries[0]
    page = site[f"ladder/{entry.submission.name}/index.html"]
    cell = entry.cells[0]
    fields = dict(row for row in page.table("Model, every field"))
    recipe = dict(row for row in page.table("Training recipe"))
    assert fields["width"] == str(cell.plan["model"]["width"])
    assert recipe["lr"] == str(cell.plan["model"]["recipe"]["lr"])
    assert set(fields) | {"recipe"} == set(cell.plan["model"])
    machine = dict(row for row in page.table("Software and machine"))
    assert machine["torch"] == cell.environment.torch
    assert {row[0] for row in page.table("Plugins")} == {"parity", "mlp", "dynamics"}
    codes = [element.text for element in page.root.find("code")]
    assert shlex.split(codes[0]) == ["synthbench", "eval", "ladder", "--model", cell.model]
    assert codes[1].endswith(f"verify leaderboards/ladder/submissions/{entry.submission.name}")
    assert "Seeds 0 to 11" in page.root.text


def test_a_tuned_submission_shows_its_trials_and_a_command_per_cell(
    board: Board, site: dict[str, Page]
) -> None:
    page = site[f"ladder/{board.entries[1].submission.name}/index.html"]
    assert [row[1] for row in page.table("Trials")] == [
        "mlp width=32 lr=0.3",
        "mlp width=32 lr=0.03",
    ]
    assert "chosen: 2 configurations" in page.root.text
    command = page.root.find("code")[0].text.splitlines()
    assert [shlex.split(line)[3:] for line in command] == [
        ["--cell", "1", "--model", "mlp width=32 lr=0.3"],
        ["--cell", "2", "--model", "mlp width=32 lr=0.03"],
    ]
    assert ["lr", "0.3", "0.03"] in page.table("Training recipe")


def test_every_internal_link_leads_somewhere(
    site: dict[str, Page], hostile: dict[str, Page]
) -> None:
    for pages in (site, hostile):
        ids = {page.path.resolve(): page.ids() for page in pages.values()}
        for page in pages.values():
            for link in page.links():
                path, _, anchor = link.partition("#")
                target = (page.path.parent / path).resolve() if path else page.path.resolve()
                assert target.is_file(), link
                if anchor:
                    assert anchor in ids[target], link


def test_pages_run_and_load_nothing_but_what_the_policy_names(
    site: dict[str, Page], hostile: dict[str, Page]
) -> None:
    for page in [*site.values(), *hostile.values()]:
        metas = {e.attributes.get("http-equiv"): e.attributes for e in page.root.find("meta")}
        policy = metas["Content-Security-Policy"]["content"]
        assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
        for element in page.root.find("script") + page.root.find("style"):
            digest = hashlib.sha256(element.text.encode()).digest()
            assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy
            assert not element.attributes
        for element in page.elements:
            assert element.tag not in {"iframe", "object", "embed", "img", "base"}
            names = set(element.attributes)
            assert not names & {"style", "src", "srcset", "formaction", "xlink:href"}
            assert not {name for name in names if name.startswith("on")}


def test_hostile_texts_are_shown_as_they_are(hostile: dict[str, Page], board: Board) -> None:
    name = board.entries[1].submission.name
    page, ranking = hostile[f"ladder/{name}/index.html"], hostile[BOARD]
    assert page.root.find("h1")[0].text == TITLE
    assert AUTHOR in page.root.text and MODEL in page.root.text
    assert any(e.text == WORDS for e in page.root.find("bdi"))
    assert page.root.find("title")[0].text.startswith(TITLE)
    assert not [link for link in page.links() if "javascript" in link]
    assert TITLE in ranking.table("board")[1][1]
    refused = [element.text for element in ranking.root.find("li")]
    for attack in ATTACKS:
        assert any(f"it says {attack}" in text for text in refused)
    labels = [e.attributes.get("aria-label", "") for e in page.root.find("svg")]
    assert any(label.startswith(TITLE) for label in labels)
    assert "49" not in "".join(e.text for e in page.root.find("bdi") if "{{" in e.text)


def test_a_hostile_model_is_one_word_of_the_command(hostile: dict[str, Page], board: Board) -> None:
    name = board.entries[1].submission.name
    command = hostile[f"ladder/{name}/index.html"].root.find("code")[0].text
    assert shlex.split(command)[-1] == MODEL


def test_an_empty_board_says_how_to_begin(tmp_path: Path) -> None:
    empty = read_board(SUITE, tmp_path)
    build_site([empty], tmp_path / "site")
    pages = read_site(tmp_path / "site")
    assert set(pages) == {"index.html", BOARD}
    assert "no submissions yet" in pages[BOARD].root.text
    assert "no submissions yet" in pages["index.html"].root.text
    assert "synthbench eval ladder" in pages[BOARD].root.text
    assert not pages[BOARD].root.find("figure")


def test_a_board_of_one_is_whole(board: Board, tmp_path: Path) -> None:
    assert board.entries[0].on_front
    build_site([replace(board, entries=board.entries[:1])], tmp_path / "site")
    pages = read_site(tmp_path / "site")
    assert len(pages[BOARD].table("board")) == 1
    assert len(pages[BOARD].root.find("figure")) == 2 + 2 * 2
    assert 'line front-line"' in (tmp_path / "site" / BOARD).read_text()


def test_a_board_that_nothing_has_solved_has_no_front(tmp_path: Path) -> None:
    never = np.full((len(SUITE.cells), SUITE.seeds), np.inf)
    for name, model in (("one", "mlp width=4"), ("two", "mlp width=16")):
        make_submission(SUITE, tmp_path / "boards", name, never, model)
    build_site([read_board(SUITE, tmp_path / "boards")], tmp_path / "site")
    assert all(row[5] == "" for row in read_site(tmp_path / "site")[BOARD].table("board"))
    assert 'line front-line"' not in (tmp_path / "site" / BOARD).read_text()


def test_without_the_reference_model_cells_show_medians(board: Board, tmp_path: Path) -> None:
    entries = tuple(
        replace(
            entry, is_reference=False, cells=tuple(replace(c, ratio=NOTHING) for c in entry.cells)
        )
        for entry in board.entries
    )
    build_site([replace(board, entries=entries, relative_to="the budget")], tmp_path / "site")
    pages = read_site(tmp_path / "site")
    for row, entry in zip(pages[BOARD].table("board"), entries, strict=True):
        medians = [c.summary.samples_to_target for c in entry.cells]
        budgets = [c.times.budget for c in entry.cells]
        times = zip(medians, budgets, strict=True)
        assert row[6:8] == [" ".join(format_time_to_target(*time)).strip() for time in times]
    (metric,) = (e for e in pages[BOARD].root.find("select") if e.attributes["id"] == "metric")
    assert metric.find("option")[0].text == "median samples"


def test_what_is_refused_is_listed_with_its_reason(board: Board, tmp_path: Path) -> None:
    folder = tmp_path / "boards" / "ladder" / "submissions" / "nothing-in-it"
    folder.mkdir(parents=True)
    refused = read_board(SUITE, tmp_path / "boards")
    build_site([refused], tmp_path / "site")
    text = read_site(tmp_path / "site")[BOARD].root.text
    assert "nothing-in-it" in text
    assert refused.refused[0].reason in text


def test_the_same_board_makes_the_same_site(board: Board, tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        build_site([board], tmp_path / name)
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        contents.append([(str(p.relative_to(tmp_path / name)), p.read_bytes()) for p in files])
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    "suites", [["quickstart", "grokking-quick"], pytest.param(None, marks=pytest.mark.slow)]
)
def test_the_command_builds_suites_or_all(
    suites: list[str] | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "boards").mkdir()
    build_command(suites, tmp_path / "boards", tmp_path / "site")
    assert f"open {tmp_path / 'site' / 'index.html'}" in capsys.readouterr().out
    assert (tmp_path / "site" / "quickstart" / "index.html").is_file()


def test_the_command_names_an_unknown_suite(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match='did you mean "quickstart"'):
        build_command(["quickstrat"], tmp_path, tmp_path / "site")
    assert not (tmp_path / "site").exists()
