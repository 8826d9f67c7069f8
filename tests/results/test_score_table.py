"""The table of final scores on several test sets, and the line about the ceiling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from synthbench.results.html import results_html
from synthbench.results.score_table import score_table
from synthbench.results.text import results_text
from tests.results.synthetic import FAR, Setting, make_cell, make_cells


def test_one_row_for_each_model_and_a_column_for_each_score(tmp_path: Path) -> None:
    cells = make_cells(tmp_path, [Setting(), Setting("cnn")])
    table = score_table(cells)
    (models,) = table.labels
    assert [cell.value for cell in models.cells] == ["mlp", "cnn"]
    assert [column.heading for column in table.numbers] == ["accuracy *", FAR]
    final = np.median([v[-1] for v in cells[1].trajectories.by_replica(FAR)])
    assert abs(float(table.numbers[1].cells[1].value) - final) < 0.01


def test_a_single_model_has_a_row_for_each_score_and_a_column_for_each_set(tmp_path: Path) -> None:
    table = score_table([make_cell(tmp_path / "a", Setting())])
    (scores,) = table.labels
    assert [cell.value for cell in scores.cells] == ["accuracy"]
    assert [column.heading for column in table.numbers] == ["first set", FAR.partition("@")[2]]
    assert [column.cells[0].value.endswith(" *") for column in table.numbers] == [True, False]


def test_the_tables_name_sets_and_ceiling(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a", Setting(ceiling="best-known"))
    for text in (results_text([cell]), results_html([cell])):
        assert FAR.partition("@")[2] in text and "progress is relative to the best known" in text


def test_one_test_set_needs_no_second_table(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a")
    replicas = [
        replica.model_copy(
            update={
                "references": {
                    name: {"accuracy": scores["accuracy"]}
                    for name, scores in replica.references.items()
                }
            }
        )
        for replica in cell.record.replicas
    ]
    record = cell.record.model_copy(update={"replicas": tuple(replicas)})
    text = results_text([replace(cell, record=record)])
    assert "final scores" not in text and "relative to" not in text
