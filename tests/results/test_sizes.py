"""Parameters, state and FLOPs per sample beside the results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

import synthbench as sb
from synthbench.records.content import record_bytes
from synthbench.records.schema import Record
from synthbench.registry.registry import installed
from synthbench.results.html import results_html
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.metric_tables import metric_tables
from synthbench.results.sizes import size_columns
from synthbench.results.text import results_text
from tests.results.planned import Planned, planned_cell, planned_cells
from tests.results.synthetic import Setting, make_cell


def sized(cell: MeasuredCell, **sizes: int) -> MeasuredCell:
    compute = cell.record.compute.model_copy(update=sizes)
    return replace(cell, record=cell.record.model_copy(update={"compute": compute}))


def test_sizes_are_shown_where_models_differ_in_them(tmp_path: Path) -> None:
    first, second = make_cell(tmp_path / "a"), make_cell(tmp_path / "b", Setting("gru"))
    for text in (results_text([first, second]), results_html([first, second])):
        assert "state size" not in text
    second = sized(second, parameters=12_000, state_size=128, step_flops=64_000)
    columns = size_columns([first, second])
    assert [[cell.value for cell in column.cells] for column in columns] == [
        ["10", "12k"], ["-", "128"], ["31.2", "2k"],
    ]  # fmt: skip
    for text in (results_text([first, second]), results_html([first, second])):
        assert "state size" in text and "12k" in text


def test_a_grid_of_one_model_has_no_sizes_and_one_of_families_does(tmp_path: Path) -> None:
    """`synthbench metrics` shows them always."""
    first, *grid = planned_cells(
        tmp_path, *(Planned(f"mlp width={width}", model={"width": width}) for width in range(2, 11))
    )
    cells = [sized(first, parameters=7), *grid]
    other = planned_cell(tmp_path / "gru", Planned("gru", model={"name": "gru"}))
    assert "parameters" not in results_text(cells) and "parameters" in results_text(cells[:8])
    assert "parameters" in results_text([*cells, other])
    assert metric_tables(cells)[0].numbers[0].heading == "parameters"


def test_no_column_of_states_where_none_is_known(tmp_path: Path) -> None:
    first = sized(make_cell(tmp_path / "a"), parameters=7)
    text = results_text([first, make_cell(tmp_path / "b", Setting("other"))])
    assert "parameters" in text and "state size" not in text


def test_the_table_in_python_has_them_always(tmp_path: Path) -> None:
    cell = sized(make_cell(tmp_path / "a"), state_size=128)
    unknown = make_cell(tmp_path / "b")
    table = sb.Results([sb.CellResult(each, reused=True) for each in (cell, unknown)]).table()
    assert table["state_size"][0] == 128 and np.isnan(table["state_size"][1])
    assert list(table["parameters"]) == [10, 10]
    assert list(table["flops_per_sample"]) == [1000 / 32] * 2


def test_a_record_without_a_state_size_stays_as_it_was(tmp_path: Path) -> None:
    record = make_cell(tmp_path / "a").record
    assert b"state_size" not in record_bytes(record)
    known = record.model_copy(
        update={"compute": record.compute.model_copy(update={"state_size": 0})}
    )
    assert Record.model_validate(json.loads(record_bytes(known))).compute.state_size == 0


def test_a_record_has_what_the_model_says(tmp_path: Path, settings: sb.Settings) -> None:
    registry = installed()
    cell = sb.Cell(
        registry.task("markov symbols=2 length=12"),
        registry.model("linear-attention width=4 layers=1 mlp=0"),
        sb.Protocol(seeds=1, budget=64, evaluation_samples=128),
    )
    (result,) = sb.evaluate_cells([cell], tmp_path, settings)
    assert result.record.compute.state_size == 4 * (2 + 1)
    assert "state_size" not in json.dumps(result.record.plan)
