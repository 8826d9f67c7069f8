"""Rows by conditions and in orders, columns by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import ConfigurationError, UnknownNameError
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.table.chosen_table import chosen_cells, chosen_table
from synthbench.results.table.frame import FrameOptions
from synthbench.results.table.selection import Selection
from tests.results.planned import Planned, planned_cells


@pytest.fixture
def cells(tmp_path: Path) -> list[MeasuredCell]:
    """Widths 50, 200, 3 on n = 10, 20, 20; the last is not solved within the budget."""
    return planned_cells(tmp_path, *(
        Planned(f"mlp width={width}", f"synthetic n={n}", task={"n": n}, model={"width": width},
                recipe={"clip": clip}, speed=speed)
        for width, n, clip, speed in ((50, 10, 1.0, 1), (200, 20, 1.0, 0.5), (3, 20, "auto", 0.01))
    ))  # fmt: skip


def widths(cells: list[MeasuredCell], **wanted: object) -> list[int]:
    chosen = chosen_cells(cells, Selection(**wanted))
    return [cell.record.model_plan["width"] for cell in chosen]


def test_conditions_name_fields_by_any_of_their_names(cells: list[MeasuredCell]) -> None:
    assert widths(cells, where="n == 20") == widths(cells, where="task.n == 20") == [200, 3]
    assert widths(cells, where="model.width >= 50 and n == 20") == [200]
    assert widths(cells, where="model.lr == 0.1 and recipe.lr == lr") == [50, 200, 3]
    # A field that is the same everywhere, and so no column.
    assert widths(cells, where="hold == 2 and train_samples == none") == [50, 200, 3]
    assert widths(cells, where="model == 'mlp width=3' or solved > 7") == [50, 200, 3]


def test_a_time_beyond_the_budget_is_larger_than_any(cells: list[MeasuredCell]) -> None:
    assert widths(cells, where="samples_to_target > 1e9") == [3]
    assert widths(cells, where="samples_to_target < inf") == [50, 200]
    assert widths(cells, sort=("samples_to_target",)) == [50, 200, 3]
    assert widths(cells, sort=("-samples_to_target",)) == [3, 200, 50]


def test_rows_are_sorted_by_one_column_after_another(cells: list[MeasuredCell]) -> None:
    assert widths(cells, sort=("-n", "model.width")) == [3, 200, 50]
    assert widths(cells, sort=("n", "-model.width")) == [50, 200, 3]
    assert widths(cells, sort=("-clip",)) == [3, 50, 200], "texts after numbers, else stable"
    assert widths(cells, sort=("completion",)) == [50, 200, 3], "what is missing comes last"


def test_a_name_of_a_field_and_of_a_metric_is_refused(cells: list[MeasuredCell]) -> None:
    with pytest.raises(ConfigurationError, match=r"model\.width or measured\.width; write one"):
        widths(cells, sort=("width",))
    assert sorted(widths(cells, sort=("measured.width",))) == [3, 50, 200]
    # Where the field does not vary there is nothing to mistake.
    assert widths(cells[:1], sort=("width",)) == [50]


def test_columns_are_those_that_are_named_in_that_order(cells: list[MeasuredCell]) -> None:
    selection = Selection(columns=("solved", "model.width", "hold", "task.n", "solved"))
    table = chosen_table(cells, FrameOptions(), selection).wanted
    assert list(table.columns) == ["solved", "model.width", "hold", "n"]
    usual = chosen_table(cells, FrameOptions(), Selection()).wanted
    assert list(usual.columns[:6]) == ["task", "model", "n", "model.width", "clip", "budget"]
    assert "hold" not in usual


def test_an_unknown_column_is_one_line_with_a_suggestion(cells: list[MeasuredCell]) -> None:
    for selection in (
        Selection(columns=("regrets",)), Selection(sort=("-regrets",)),
        Selection(where="regrets > 1"),
    ):  # fmt: skip
        with pytest.raises(UnknownNameError, match='no column "regrets"; did you mean "regret"'):
            chosen_table(cells, FrameOptions(), selection)


def test_models_are_compared_among_the_rows_that_are_left(cells: list[MeasuredCell]) -> None:
    """Holm's price is for these comparisons alone."""
    again = Planned("mlp width=7", "synthetic n=20", task={"n": 20}, model={"width": 7}, speed=0.6)
    cells = [*cells, *planned_cells(cells[0].folder.parent / "more", again)]
    options = FrameOptions(against="mlp width=200")
    every = chosen_table(cells, options, Selection(columns=("p_value",))).wanted
    alone = chosen_table(
        cells, options, Selection(where="model.width in [200, 3]", columns=("p_value",))
    ).wanted
    assert every["p_value"].notna().sum() == 2 and alone["p_value"].notna().sum() == 1
    assert alone["p_value"].iloc[1] < every["p_value"].iloc[2]
    nearest = Selection(sort=("ratio_of_medians",), columns=("model.width",))
    assert chosen_table(cells, options, nearest).wanted["model.width"].iloc[0] == 7


def test_a_curve_has_no_order(cells: list[MeasuredCell]) -> None:
    with pytest.raises(ConfigurationError, match='"excess" is a curve'):
        chosen_table(cells, FrameOptions("evaluation"), Selection(sort=("excess",)))


def test_no_row_keeps_the_columns(cells: list[MeasuredCell]) -> None:
    table = chosen_table(cells, FrameOptions(), Selection(where="n > 99"))
    assert table.wanted.empty and "regret" in table.wanted
