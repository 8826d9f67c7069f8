"""Boards from folders of submissions: what they are relative to, and what reading them loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from synthbench.leaderboard.standings.entry import MeasuredSubmission, measure_submission
from synthbench.leaderboard.standings.placing import place
from tests.leaderboard.site.boards import SUITE
from tests.leaderboard.synthetic import log_normal_times, make_submission

PROGRAM = """
import sys
import synthbench
from synthbench.cli.main import main

out = sys.argv[1]

def run(*arguments):
    sys.argv = ["synthbench", "leaderboard", *arguments]
    try:
        main()
    except SystemExit as done:
        assert not done.code

def trainers():
    names = ("pytorch_lightning", "synthbench.engine", "synthbench.evaluation")
    return [name for name in names if name in sys.modules]

synthbench.read_board("quickstart")
run("show", "quickstart")
run("build", "quickstart", "--out", out)
print(trainers())
import synthbench.engine
print(trainers())
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MeasuredSubmission]:
    folder = tmp_path_factory.mktemp("boards")
    never = np.full((len(SUITE.cells), SUITE.seeds), np.inf)
    made = {
        "reference": make_submission(SUITE, folder, "reference", log_normal_times(SUITE, 1.0, 0)),
        "fast": make_submission(
            SUITE, folder, "fast", log_normal_times(SUITE, 0.4, 1), "mlp width=32"
        ),
        "stuck": make_submission(SUITE, folder, "stuck", never, "mlp width=4"),
    }
    return {name: measure_submission(checked, SUITE) for name, checked in made.items()}


def test_ratios_are_to_the_reference_model(measured: dict[str, MeasuredSubmission]) -> None:
    board = place(SUITE, [measured["fast"], measured["reference"], measured["stuck"]])
    assert board.relative_to == SUITE.reference
    assert [entry.submission.name for entry in board.entries] == ["fast", "reference", "stuck"]
    fast, reference, stuck = board.entries
    assert [entry.bound for entry in board.entries] == ["", "", ">"]
    assert reference.samples.value == 1 and fast.samples.value < 1 < stuck.samples.value
    ratios = [cell.ratio.value for cell in fast.cells]
    assert fast.samples.value == pytest.approx(np.exp(np.log(ratios).mean()))
    assert [entry.on_front for entry in board.entries] == [True, False, False]


def test_without_it_they_are_to_the_budgets(measured: dict[str, MeasuredSubmission]) -> None:
    board = place(SUITE, [measured["stuck"], measured["fast"]])
    assert board.relative_to == "the budget"
    fast, stuck = board.entries
    shares = [
        cell.summary.samples_to_target.value / cell.times.budget for cell in measured["fast"].cells
    ]
    assert fast.samples.value == pytest.approx(np.exp(np.log(shares).mean()))
    assert stuck.samples.value == 1 and stuck.bound == ">"
    assert all(cell.ratio.value is None for cell in fast.cells)


def test_a_board_without_submissions() -> None:
    board = place(SUITE, [])
    assert board.entries == () and board.relative_to == "the budget"
    assert [row.number for row in board.reference_rows] == [1, 2]


def test_boards_are_read_and_shown_without_the_trainer(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *_, found, imported = done.stdout.splitlines()
    assert found == "[]"
    assert imported == "['synthbench.engine']", "the check itself works"
