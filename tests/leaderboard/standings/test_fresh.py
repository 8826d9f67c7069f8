"""Entries on fresh seeds: the test of their difference, and what a board shows of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import synthbench as sb
from synthbench.leaderboard.standings.board import ranking_table
from synthbench.leaderboard.standings.entry import measure_submission
from synthbench.leaderboard.standings.fresh import LEVEL, alike_p_value
from synthbench.leaderboard.standings.placing import place
from synthbench.leaderboard.submissions.expected import expected_cells
from synthbench.leaderboard.submissions.reading import read_submission
from synthbench.metrics.time_to_target import TimesToTarget
from tests.leaderboard.fresh import write_fresh
from tests.leaderboard.site.boards import SUITE
from tests.leaderboard.synthetic import log_normal_times, make_submission


def reached(times: np.ndarray, budget: float = 100.0) -> TimesToTarget:
    return TimesToTarget(np.minimum(times, budget), times < budget)


def test_the_p_value_is_that_of_all_permutations() -> None:
    """Two cells, four ranked seeds and three fresh ones: every choice of three of seven."""
    first = np.array([5.0, 9.0, 14.0, 200.0, 30.0, 45.0, 200.0])
    second = np.array([7.0, 3.0, 20.0, 31.0, 33.0, 200.0, 60.0])

    def scores(times: np.ndarray) -> np.ndarray:
        found = []
        for own in times:
            solved = float(own < 100)
            events = [t for t in times if t < 100 and t <= own]
            found.append(solved - sum(1 / (times >= event).sum() for event in events))
        return np.array(found)

    both = scores(first) + scores(second)
    sums = np.array([both[list(choice)].sum() for choice in combinations(range(7), 3)])
    observed = both[4:].sum()
    exact = 2 * min((sums <= observed + 1e-9).mean(), (sums >= observed - 1e-9).mean())
    ranked, fresh = ([reached(c[part]) for c in (first, second)] for part in
                     (slice(0, 4), slice(4, 7)))  # fmt: skip
    p_value, later = alike_p_value(ranked, fresh)
    assert later and p_value == pytest.approx(exact, abs=0.02) and exact < 0.2
    assert alike_p_value(fresh, ranked)[1] is False


def test_nothing_tells_seeds_apart_that_never_learn() -> None:
    never = [reached(np.full(8, np.inf))]
    assert alike_p_value(never, never)[0] == 1.0


@pytest.mark.slow
def test_false_alarms_and_power() -> None:
    """At the level of 1% among honest entries, whose cells share their seeds' difficulty."""
    rng = np.random.default_rng(0)

    def seeds(count: int, factor: float) -> list[TimesToTarget]:
        shared = rng.normal(size=count)
        own = rng.normal(size=(3, count))
        times = 40 * factor * np.exp(0.4 * (np.sqrt(0.3) * shared + np.sqrt(0.7) * own))
        return [reached(row, 80.0) for row in times]

    def rate(factor: float, trials: int) -> float:
        found = [alike_p_value(seeds(32, 1.0), seeds(32, factor)) for _ in range(trials)]
        return float(np.mean([later and p < LEVEL for p, later in found]))

    alarms, power = rate(1.0, 2000), {factor: rate(factor, 200) for factor in (1.2, 1.4)}
    print(f"false marks {alarms:.2%}; caught {power}")
    assert alarms < 0.012 and power[1.4] > 0.9 > power[1.2] > 0.2


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory):
    """The reference and a submission that is 0.3 times on its own seeds, 1 time on fresh ones."""
    folder = tmp_path_factory.mktemp("boards")
    made = {
        name: make_submission(SUITE, folder, name, log_normal_times(SUITE, factor, seed), model)
        for name, factor, seed, model in (
            ("reference", 1.0, 0, None),
            ("chosen", 0.3, 1, "mlp width=32"),
            ("untried", 0.5, 2, "mlp width=8"),
        )
    }
    for name, seed in (("reference", 0), ("chosen", 3)):
        write_fresh(made[name].folder, SUITE, on_grid(made[name], log_normal_times(SUITE, 1, seed)))
    again = [read_submission(one.folder, SUITE, expected_cells(SUITE)) for one in made.values()]
    return place(SUITE, [measure_submission(one, SUITE) for one in again])


def on_grid(checked, times: np.ndarray) -> list[list[int | None]]:
    """The evaluation points at or after the times."""
    found = []
    for cell, own in zip(checked.cells, times, strict=True):
        points = cell.context.points
        found.append([
            None if not np.isfinite(t) else int(points[np.searchsorted(points, t)]) for t in own
        ])  # fmt: skip
    return found


def test_an_entry_that_only_holds_on_its_own_seeds_is_marked(board) -> None:
    chosen, reference = board.entry("chosen"), board.entry("reference")
    assert chosen.fresh is not None and not chosen.fresh.holds
    (mark,) = chosen.marks
    assert mark.kind == "fresh" and mark.text.startswith("on 12 fresh seeds it takes")
    assert 2 < chosen.fresh.ratio.value < 5 and chosen.fresh.p_value < 0.01
    # On the board's scale: as many samples as the reference on the ranked seeds.
    assert 0.7 < chosen.fresh.samples.value < 1.4
    assert chosen.fresh.ratio.value == pytest.approx(
        chosen.fresh.samples.value / chosen.samples.value
    )
    assert reference.fresh is not None and reference.fresh.holds and not reference.marks
    assert reference.fresh.p_value > 0.05 and board.entry("untried").fresh is None


def test_the_board_shows_fresh_beside_submitted(board) -> None:
    text = repr(board)
    line = next(line for line in text.splitlines() if "chosen (fixed)" in line)
    assert "(fresh seeds " in line and " ! " in line.partition("fresh seeds")[2]
    assert "fresh seeds" not in next(line for line in text.splitlines() if "untried (" in line)
    assert "marked: chosen: on 12 fresh seeds" in text
    assert "fresh seeds" in board._repr_html_()


def test_the_ranks_are_those_of_the_ranked_seeds(board) -> None:
    names = [entry.submission.name for entry in board.entries]
    assert names[0] == "chosen" and names[-1] == "reference"


def test_folders_with_a_result_are_still_submissions(board) -> None:
    assert board.refused == () and (Path(board.entry("chosen").folder) / "fresh.json").exists()


def test_a_bound_is_marked_on_fresh_seeds_too(board) -> None:
    """Of the bundled entries, of which one leaves most replicas unsolved."""
    bundled = sb.read_board("quickstart")
    assert [entry.fresh_bound for entry in bundled.entries] == ["", ">"]
    headings, rows = ranking_table(bundled)
    assert rows[1][headings.index("fresh seeds")].value.startswith("> ")
    untried = replace(board, entries=(board.entry("untried"),))
    assert "fresh seeds" not in ranking_table(untried)[0]
