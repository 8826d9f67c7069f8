"""What ratios are over: the suite's own entry, whatever calls itself the reference model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthbench.hashing import file_hash
from synthbench.leaderboard.standings.entry import MeasuredSubmission, measure_submission
from synthbench.leaderboard.standings.placing import place
from synthbench.plan.suite import Suite, read_suite
from synthbench.registry.kinds import SUITE as SUITES
from synthbench.registry.registry import installed
from tests.leaderboard.site.boards import SUITE
from tests.leaderboard.synthetic import log_normal_times, make_submission

Measured = dict[str, MeasuredSubmission]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """The reference, one that calls itself so and is a hundred times slower, and another."""
    folder = tmp_path_factory.mktemp("boards")
    slow = np.full((len(SUITE.cells), SUITE.seeds), 25_000.0)
    made = {
        "honest": make_submission(SUITE, folder, "honest", log_normal_times(SUITE, 0.3, 0)),
        "again": make_submission(SUITE, folder, "again", log_normal_times(SUITE, 0.3, 0)),
        "aaa": make_submission(SUITE, folder, "aaa", slow),
        "other": make_submission(
            SUITE, folder, "other", log_normal_times(SUITE, 0.5, 1), "mlp width=32"
        ),
    }
    return {name: measure_submission(checked, SUITE) for name, checked in made.items()}


def pinned(measured: Measured, name: str = "honest") -> Suite:
    return SUITE.model_copy(update={"reference_entry": measured[name].digest})


def ratio_of(board, name: str) -> float:
    return board.entry(name).samples.value


def test_an_entry_of_the_references_plan_does_not_become_the_base(measured: Measured) -> None:
    suite = pinned(measured)
    alone = place(suite, [measured["honest"], measured["other"]])
    attacked = place(suite, [measured["aaa"], measured["honest"], measured["other"]])
    assert alone.relative_to == attacked.relative_to == SUITE.reference
    assert ratio_of(attacked, "other") == ratio_of(alone, "other")
    assert [entry.submission.name for entry in attacked.entries if entry.is_reference] == ["honest"]
    # It is ranked like any other.
    assert ratio_of(attacked, "aaa") > 1


def test_where_the_reference_entry_is_gone_nothing_takes_its_place(measured: Measured) -> None:
    board = place(pinned(measured), [measured["aaa"], measured["other"]])
    assert board.relative_to == "the budget" and not any(e.is_reference for e in board.entries)
    assert measured["honest"].digest[:12] in board.base_note
    assert place(pinned(measured), []).base_note == ""


def test_the_hash_alone_makes_no_reference(measured: Measured) -> None:
    """The pinned entry must be of the reference model too."""
    board = place(pinned(measured, "other"), [measured["honest"], measured["other"]])
    assert board.relative_to == "the budget"


def test_where_no_entry_is_named_those_that_differ_are_none(measured: Measured) -> None:
    board = place(SUITE, [measured["aaa"], measured["honest"], measured["other"]])
    assert board.relative_to == "the budget"
    assert "aaa, honest are all of the reference model and differ" in board.base_note
    same = place(SUITE, [measured["again"], measured["honest"], measured["other"]])
    alone = place(SUITE, [measured["honest"], measured["other"]])
    assert same.base_note == "" and ratio_of(same, "other") == ratio_of(alone, "other")


def test_times_alone_do_not_make_two_agree(measured: Measured) -> None:
    """One FLOP per step, with the honest times."""
    cells = [
        replace(cell, times=replace(cell.times, flops_per_sample=1 / 32))
        for cell in measured["again"].cells
    ]
    cheap = replace(measured["again"], cells=tuple(cells))
    assert place(SUITE, [cheap, measured["honest"]]).relative_to == "the budget"


def test_the_reference_entry_is_no_part_of_the_suites_hash(
    measured: Measured, tmp_path: Path
) -> None:
    suite = pinned(measured)
    assert suite.hash() == SUITE.hash()
    assert SUITE.model_dump().keys() == suite.model_dump().keys() - {"reference_entry"}
    text = (installed().suite("quickstart").folder / "suite.toml").read_text()
    (tmp_path / "suite.toml").write_text(
        text.replace('reference_entry = "', 'reference_entry = "x')
    )
    with pytest.raises(Exception, match="reference_entry"):
        read_suite(tmp_path / "suite.toml")


def test_every_bundled_suite_names_its_reference_entry() -> None:
    registry = installed()
    for name in registry.bundled(SUITES):
        suite = registry.suite(name)
        plan = registry.model(suite.reference).describe()
        own = {
            file_hash(folder / "submission.json")
            for folder in (suite.folder / "submissions").glob("*")
            if json.loads((folder / "submission.json").read_text())["track"] == "fixed-recipe"
            and json.loads((folder / "cell-01/record.json").read_text())["plan"]["model"] == plan
        }
        assert (suite.reference_entry in own) if own else suite.reference_entry is None, name
