"""What is asked of results before they are there is what they turn out to have."""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb
from synthbench.claims.calls import Level
from synthbench.claims.named_columns import NamedColumn
from synthbench.errors import ConfigurationError, UnknownNameError
from synthbench.papers import expected_columns
from synthbench.papers.expected_columns import ExpectedColumns
from synthbench.papers.kept import kept_study
from synthbench.plan.cell import Cell
from synthbench.plan.paper_study import PaperStudy
from tests.papers.conftest import SETTINGS


def cells(
    *tasks: str, models: tuple[str, ...] = ("mlp width=4",), **protocol: object
) -> list[Cell]:
    """Of some tasks and models, with a probe."""
    probes = ["weight-movement"]
    return sb.Study(tasks=tasks, models=models, protocol=protocol, probes=probes).cells


def test_every_column_of_the_results_is_expected(study: PaperStudy, runs: Path) -> None:
    grid = kept_study(study, runs).grids["sizes"]
    expected = ExpectedColumns(grid.study.cells)
    results = grid.results
    for name in results.table(per="replica", fields="all").columns:
        expected.check(NamedColumn(name, Level.REPLICA))
    for name in results.table(per="evaluation", fields="all").columns:
        expected.check(NamedColumn(name, Level.EVALUATION))
    for name in results.table(fields="all").columns:
        expected.check_of_configuration(name)
    assert "accuracy" in results.table(per="evaluation").columns


def test_so_are_those_of_probes_of_training_data_and_of_other_test_sets(tmp_path: Path) -> None:
    (cell,) = cells(
        "spurious-features n=6 core=1", seeds=2, budget=640, train_samples=64,
        evaluation_samples=128,
    )  # fmt: skip
    table = sb.evaluate_cells([cell], tmp_path, SETTINGS).table(per="evaluation")
    for name in table.columns:
        ExpectedColumns([cell]).check(NamedColumn(name, Level.EVALUATION))
    for name in ("weight-movement/l2", "train_accuracy", "progress@decorrelated"):
        assert name in table.columns


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("weight-movement/l2", Level.EVALUATION), ("train_accuracy", Level.EVALUATION),
        ("by-subtask[1]", Level.EVALUATION), ("n", Level.EVALUATION), ("onset", Level.EVALUATION),
        ("measured.width", Level.REPLICA), ("model.lr", Level.REPLICA), ("suite", Level.REPLICA),
        ("train_samples", Level.REPLICA),
    ],
)  # fmt: skip
def test_names_that_results_take_are_expected(name: str, level: Level) -> None:
    found = cells("multitask-parity n=8 k=2 tasks=4", "sparse-parity n=6 k=2")
    ExpectedColumns(found).check(NamedColumn(name, level))


@pytest.mark.parametrize(
    ("name", "level", "error", "message"),
    [
        ("widht", Level.REPLICA, UnknownNameError, 'no column "widht"; did you mean "width"'),
        ("acuracy", Level.EVALUATION, UnknownNameError, 'did you mean "accuracy".*accuracy, train'),
        ("weights/l2", Level.EVALUATION, UnknownNameError, 'no column "weights/l2"'),
        ("samples_to_targt", Level.EVALUATION, UnknownNameError, 'mean "samples_to_target"'),
        ("accuracy", Level.REPLICA, ConfigurationError, r"say which: last\(accuracy\)"),
        ("weight-movement/l2", Level.REPLICA, ConfigurationError, r"last\(`weight-movement/l2`\)"),
        ("acuracy", Level.REPLICA, UnknownNameError, 'did you mean "accuracy"'),
        ("width", Level.REPLICA, ConfigurationError, "may be model.width or measured.width"),
    ],
)  # fmt: skip
def test_what_no_result_will_have_is_refused(name, level, error, message) -> None:
    expected = ExpectedColumns(cells("sparse-parity n=6 k=2", models=("mlp width=[2,4]",)))
    with pytest.raises(error, match=message):
        expected.check(NamedColumn(name, level))


def test_the_label_of_what_a_cell_stands_on_is_not_known_yet() -> None:
    study = sb.Study(tasks=["sparse-parity n=6 k=2"], models=["mlp width=4"], start="mlp width=4@0")
    expected = ExpectedColumns(study.cells)
    expected.check_condition("start == 'mlp width=4@0'")
    expected.check_condition("start.at == 0")
    with pytest.raises(ConfigurationError, match=r"no cell .* meets start.at == 1 \(start.at is 0"):
        expected.check_condition("start.at == 1")


def test_of_a_task_that_fails_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own check says why, in a line."""

    def fails(cell: Cell) -> list[str]:
        raise ZeroDivisionError

    monkeypatch.setattr(expected_columns, "score_names", fails)
    expected = ExpectedColumns(cells("sparse-parity n=6 k=2"))
    expected.check(NamedColumn("whatever", Level.EVALUATION))
    with pytest.raises(UnknownNameError, match='no column "whatever"'):
        expected.check(NamedColumn("whatever", Level.REPLICA))


def test_a_name_that_is_not_one_word_is_suggested_in_backticks() -> None:
    expected = ExpectedColumns(cells("staircase n=6 function=x1x2"))
    for level in Level.below_study():
        with pytest.raises(UnknownNameError, match='did you mean "`squared-error`"'):
            expected.check(NamedColumn("squared_error", level))


def test_a_field_that_is_measured_of_nothing_may_vary() -> None:
    found = cells("sparse-parity n=6 k=2", budget=["1k", "2k"])
    ExpectedColumns(found).check(NamedColumn("budget", Level.REPLICA))
