"""Leaderboard reports, saved by W&B's own library to a server on the loopback interface."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthbench.cli.main import main
from synthbench.errors import SynthbenchError
from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.placing import read_board
from synthbench.listeners.tracker import Tracker
from synthbench.plan.suite import Suite
from synthbench.registry.registry import installed
from tests.leaderboard.synthetic import log_normal_times, make_submission
from tests.wandb_server import WandbServer, wandb_server

TITLE = "SynthBench leaderboard: tiny"
MARKUP = "<img src=x onerror=alert(1)> [a](javascript:b) | `c` **d** https://evil.example $e$"
SUITE = Suite(
    name="tiny",
    version=3,
    title="A tiny suite",
    description="Two small cells.",
    seeds=8,
    evaluation_samples=128,
    models=("mlp width=16",),
    cells=(
        {"task": "sparse-parity n=10 k=2", "budget": 3200},
        {"task": "sparse-parity n=12 k=2", "budget": 6400},
    ),
)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    folder = tmp_path_factory.mktemp("boards")
    make_submission(SUITE, folder, "first", log_normal_times(SUITE, 1.0, 0))
    faster = log_normal_times(SUITE, 0.5, 0)
    make_submission(
        SUITE, folder, "second", faster, "mlp width=32",
        title=MARKUP, authors=("A|B", "C\\D"), link="https://x.org/a)[b](c)?d=1&copy=2",
    )  # fmt: skip
    return read_board(SUITE, folder)


@pytest.fixture
def tracker() -> Tracker:
    return installed().tracker("wandb project=acme/boards")


@pytest.fixture
def server(wandb_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    with wandb_server(monkeypatch) as state:
        yield state


def blocks(spec: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [block for block in spec["blocks"] if block["type"] == kind]


def markdown(spec: dict[str, Any]) -> str:
    return blocks(spec, "markdown-block")[0]["content"]


def saved(server: WandbServer, number: str) -> dict[str, Any]:
    return json.loads(server.reports[number]["spec"])


def test_saving_twice_from_anywhere_updates_one_report(
    server: WandbServer, board: Board, tracker: Tracker
) -> None:
    address = tracker.publish([board], TITLE, None)
    (number,) = server.reports
    first = saved(server, number)
    # Nothing is kept on this machine: the second save finds the report on the server.
    assert tracker.publish([board], TITLE, None) == address
    assert list(server.reports) == [number] and server.saves == 2
    assert markdown(saved(server, number)) == markdown(first)
    assert server.projects == ["boards"]
    assert "/acme/boards/reports/" in address and number.rstrip("=") in address
    assert server.reports[number]["displayName"] == TITLE


def test_comments_survive_an_update(server: WandbServer, board: Board, tracker: Tracker) -> None:
    tracker.publish([board], TITLE, None)
    (number,) = server.reports
    spec = saved(server, number)
    spec["discussionThreads"] = [{"id": "thread"}]
    server.reports[number]["spec"] = json.dumps(spec)
    tracker.publish([board], TITLE, None)
    assert saved(server, number)["discussionThreads"] == [{"id": "thread"}]


def test_a_report_of_somebody_else_is_left_alone(
    server: WandbServer, board: Board, tracker: Tracker
) -> None:
    server.projects.append("boards")
    theirs = server.add_report(displayName=TITLE, description="By hand.", name="theirs")
    before = dict(server.reports[theirs])
    tracker.publish([board], TITLE, None)
    assert len(server.reports) == 2 and server.reports[theirs] == before


def test_a_login_that_the_server_refuses_is_one_line(
    server: WandbServer, board: Board, tracker: Tracker
) -> None:
    server.accepts = False
    with pytest.raises(SynthbenchError, match="did not accept the login") as caught:
        tracker.publish([board], TITLE, None)
    assert "\n" not in str(caught.value) and not server.reports


def test_a_project_that_the_server_refuses_is_one_line(
    server: WandbServer, board: Board, tracker: Tracker
) -> None:
    server.refuses = "upsertView"
    with pytest.raises(SynthbenchError, match="acme/boards: the report could not be") as caught:
        tracker.publish([board], TITLE, None)
    assert "\n" not in str(caught.value)


def test_the_table_ranks_with_intervals(board: Board, tracker: Tracker) -> None:
    table = markdown(tracker.report([board], TITLE, None)["spec"]).splitlines()
    assert table[0].split(" | ")[:2] == ["| rank", "submission"]
    rows = [line.strip("| ").split(" | ") for line in table[2:]]
    assert len(rows) == 2 and rows[1][1] == "first"
    best = board.entries[0]
    assert best.submission.name == "second" and rows[0][0] == "1"
    value, ends = rows[0][5].split(" ", 1)
    assert float(value) == pytest.approx(best.samples.value, rel=0.02)
    assert ends.startswith("(") and " to " in ends
    assert rows[0][7] == f"{best.solved_cells} of 2"


def test_text_of_submissions_is_never_markup(board: Board, tracker: Tracker) -> None:
    text = markdown(tracker.report([board], TITLE, None)["spec"])
    lines = text.splitlines()
    assert len({line.count("|") for line in lines}) == 1, "no cell opens another"
    for markup in ("<", "`", "**", "javascript:", "https://evil", "$", "\\"):
        assert markup not in text, markup
    assert text.count("](") == 1
    assert "](https://x.org/a%29%5Bb%5D%28c%29?d=1&amp;copy=2)" in text
    import html

    assert MARKUP in html.unescape(text)


def test_panels_show_the_runs_of_their_cell(board: Board, tracker: Tracker) -> None:
    spec = tracker.report([board], TITLE, None)["spec"]
    grids = blocks(spec, "panel-grid")
    assert len(grids) == 2
    for grid, cell in zip(grids, ("n10-k2", "n12-k2"), strict=True):
        (runs,) = grid["metadata"]["runSets"]
        filters = [(f["key"]["section"], f["key"]["name"], f["op"], f["value"])
                   for f in runs["filters"]["filters"]]  # fmt: skip
        assert filters == [
            ("config", "suite", "=", "tiny"),
            ("config", "suite_version", "=", 3),
            ("config", "cell", "=", f"sparse-parity-{cell}"),
        ]
        panels = grid["metadata"]["panelBankSectionConfig"]["panels"]
        kinds = [panel["viewType"] for panel in panels]
        assert kinds == ["Run History Line Plot"] * 3 + ["Scatter Plot"] * 2 + ["Media Browser"]
        assert panels[0]["config"]["xAxis"] == "samples"
        assert panels[1]["config"]["metrics"] == ["accuracy/median"]
        assert panels[3]["config"]["yAxis"] == "summary:samples_to_target"


def test_the_panels_read_what_runs_are_logged_with() -> None:
    from synthbench.plan.cell import Cell
    from synthbench.plan.protocol import Protocol
    from synthbench.plan.suite_reference import SuiteReference
    from synthbench_wandb.history import configuration

    cell = Cell(
        installed().task(SUITE.cells[0].task), installed().model("mlp"), Protocol(budget=3200)
    )
    config = configuration(cell, SuiteReference(name="tiny", version=3, hash=SUITE.hash()))
    assert (config["suite"], config["suite_version"]) == ("tiny", 3)
    assert config["cell"] == "sparse-parity-n10-k2"


def test_the_site_is_linked(board: Board, tracker: Tracker) -> None:
    spec = tracker.report([board], TITLE, "https://bench.example/")["spec"]
    links = [child for block in blocks(spec, "paragraph") for child in block["children"]
             if child.get("type") == "link"]  # fmt: skip
    assert [link["url"] for link in links] == ["https://bench.example/tiny/"]
    assert "[first](https://bench.example/tiny/first/)" in markdown(spec)


def run_command(patch: pytest.MonkeyPatch, *arguments: str) -> int:
    patch.setattr(sys, "argv", ["synthbench", "leaderboard", "report", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_dry_run_needs_no_account(
    wandb_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "report.json"
    place = ["--wandb", "acme/boards", "--boards", str(tmp_path)]
    assert run_command(monkeypatch, "quickstart", *place, "--dry-run", str(file)) == 0
    report = json.loads(file.read_text())
    assert report["displayName"] == "SynthBench leaderboard: quickstart"
    assert report["project"] == {"name": "boards", "entityName": "acme"}
    assert not (wandb_home / "cache").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quickstart", "--wandb", "acme/boards"], "not logged in to Weights & Biases; run"),
        (["quickstart", "--wandb", "boards", "--dry-run", "x.json"], "ENTITY/boards"),
        (["quickstart", "--wandb", "a/b", "--site-url", "x.org"], "--site-url must be https://"),
        (["quickstrat", "--wandb", "acme/boards"], 'did you mean "quickstart"?'),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], message: str, wandb_home: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run_command(monkeypatch, *arguments) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_without_the_extra_the_error_names_it(
    board: Board, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("library", "report"):
        monkeypatch.delitem(sys.modules, f"synthbench_wandb.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "wandb_workspaces.reports.v2", None)
    with pytest.raises(SynthbenchError, match=r"pip install 'synthbench\[wandb-report\]'"):
        tracker.report([board], TITLE, None)


def test_cells_that_nobody_solves_are_reported_too(tracker: Tracker, tmp_path: Path) -> None:
    never = np.full((2, SUITE.seeds), np.inf)
    make_submission(SUITE, tmp_path, "never", never)
    make_submission(SUITE, tmp_path, "neither", never, "mlp width=32")
    board = read_board(SUITE, tmp_path)
    text = markdown(tracker.report([board], TITLE, None)["spec"])
    assert text.count("0 of 2") == 2
    # Of one of them the ratios are 1, of the other they are bounds either way.
    assert [entry.bound for entry in board.entries] == ["~", ""]
    assert text.count("| &#126; 1.00 ") == 2


def test_scores_of_strategies_are_rounded_as_on_the_boards(tracker: Tracker, board: Board) -> None:
    rows = tuple(replace(row, scores={"trivial": -4.29e-11}) for row in board.reference_rows)
    spec = tracker.report([replace(board, reference_rows=rows)], TITLE, None)["spec"]
    _, *references = (block["content"] for block in blocks(spec, "markdown-block"))
    assert len(references) == 2
    assert all("| trivial | 0 |" in text and "e-11" not in text for text in references)
