"""Marks that only a whole board can give: copies, and entries that contradict one another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthbench.leaderboard.standings.entry import MeasuredSubmission, measure_submission
from synthbench.leaderboard.standings.placing import place
from synthbench.metrics.time_to_target import TimesToTarget
from tests.leaderboard.site.boards import SUITE
from tests.leaderboard.synthetic import log_normal_times, make_submission

OTHER = "mlp width=32"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MeasuredSubmission]:
    folder = tmp_path_factory.mktemp("boards")
    made = {
        "one": make_submission(SUITE, folder, "one", log_normal_times(SUITE, 0.5, 0)),
        "two": make_submission(SUITE, folder, "two", log_normal_times(SUITE, 0.5, 1), OTHER),
    }
    return {name: measure_submission(checked, SUITE) for name, checked in made.items()}


def renamed(one: MeasuredSubmission, name: str) -> MeasuredSubmission:
    submission = one.submission.model_copy(update={"name": name})
    return replace(one, submission=submission, digest=name)


def with_times(one: MeasuredSubmission, source: MeasuredSubmission) -> MeasuredSubmission:
    cells = zip(one.cells, source.cells, strict=True)
    return replace(one, cells=tuple(replace(a, times=b.times) for a, b in cells))


def moved(one: MeasuredSubmission, replicas: int) -> MeasuredSubmission:
    """The first replicas of each cell one evaluation point later."""

    def later(reached: TimesToTarget) -> TimesToTarget:
        times = reached.times.copy()
        times[:replicas] *= 1.05
        return TimesToTarget(times, reached.solved)

    cells = (replace(c, times=replace(c.times, reached=later(c.times.reached))) for c in one.cells)
    return replace(one, cells=tuple(cells))


def marks(*measured: MeasuredSubmission, suite=SUITE) -> dict[str, list[str]]:
    board = place(suite, measured)
    return {e.submission.name: [f"{m.kind}: {m.text}" for m in e.marks] for e in board.entries}


def test_honest_entries_have_no_marks(honest) -> None:
    assert marks(*honest.values()) == {"one": [], "two": []}


def test_a_copy_under_another_models_name_marks_both(honest) -> None:
    stolen = with_times(renamed(honest["two"], "stolen"), honest["one"])
    assert marks(honest["one"], stolen) == {
        "one": ['copy: it has the times of "stolen", another model'],
        "stolen": ['copy: it has the times of "one", another model'],
    }
    # Disguised by a replica of twelve in each cell; by half of them it is a forgery of its own.
    assert marks(honest["one"], moved(stolen, 1))["stolen"]
    assert not marks(honest["one"], moved(stolen, 6))["stolen"]


def test_the_same_model_with_the_same_results_is_a_copy(honest) -> None:
    found = marks(honest["one"], renamed(honest["one"], "again"))
    assert found["again"] == ['copy: it has the times of "one", the same model on the same seeds']


def test_the_same_model_with_other_results_contradicts(honest) -> None:
    forged = with_times(renamed(honest["one"], "forged"), honest["two"])
    found = marks(honest["one"], forged)
    assert found["forged"][0].startswith('contradiction: "one" is the same model on the same seeds')
    assert found["one"][0].startswith('contradiction: "forged" is the same')


def test_the_reference_entry_is_never_marked(honest) -> None:
    suite = SUITE.model_copy(update={"reference_entry": honest["one"].digest})
    forged = with_times(renamed(honest["one"], "forged"), honest["two"])
    found = marks(honest["one"], forged, suite=suite)
    assert found["one"] == [] and len(found["forged"]) == 1


def test_equal_times_that_say_nothing_are_no_copy(honest) -> None:
    """Two that never learn have no times to copy."""

    def never(one: MeasuredSubmission) -> MeasuredSubmission:
        count = SUITE.seeds
        cells = []
        for cell in one.cells:
            censored = TimesToTarget(np.full(count, cell.times.budget), np.zeros(count, bool))
            cells.append(replace(cell, times=replace(cell.times, reached=censored)))
        return replace(one, cells=tuple(cells))

    assert marks(never(honest["one"]), never(honest["two"])) == {"one": [], "two": []}


def test_a_board_says_what_its_entries_are_marked_with(honest) -> None:
    stolen = with_times(renamed(honest["two"], "stolen"), honest["one"])
    board = place(SUITE, [honest["one"], stolen])
    assert 'marked: stolen: it has the times of "one", another model' in repr(board)
    assert "marked: stolen" in board._repr_html_()


def test_reading_a_board_marks_it(honest, tmp_path: Path) -> None:
    """Bundled boards have no marks: their entries are of different models, all installed."""
    import synthbench as sb

    assert sb.read_board("quickstart").caveats() == []
