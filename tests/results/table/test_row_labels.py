"""What rows of a table are called: never two alike, defaults included."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from synthbench.results.table.row_labels import model_names, row_labels
from synthbench.results.text import results_text
from tests.results.planned import Planned, planned_cells


def at_rate(lr: float, **more: Any) -> Planned:
    """At its default of 0.1 a label does not show it."""
    return Planned("mlp" if lr == 0.1 else f"mlp lr={lr}", recipe={"lr": lr}, **more)


def test_a_default_is_shown_where_another_row_has_another_value(tmp_path: Path) -> None:
    cells = planned_cells(tmp_path, at_rate(0.1), at_rate(0.05))
    labels = row_labels(cells)
    assert labels.common == "mlp on synthetic n=10"
    assert labels.headings == ("lr",) and labels.rows == (("0.1",), ("0.05",))
    assert model_names(cells) == ["mlp lr=0.1", "mlp lr=0.05"]
    text = results_text(cells)
    assert "\n 0.1  " in text and "\n0.05  " in text


def test_a_single_cell_has_its_whole_name(tmp_path: Path) -> None:
    """Above the table, where it is read once however many blocks the table breaks into."""
    cells = planned_cells(tmp_path, at_rate(0.05))
    labels = row_labels(cells)
    assert labels.common == "mlp lr=0.05 on synthetic n=10" and not labels.headings
    assert results_text(cells).count("mlp lr=0.05") == 1
    labels = row_labels(cells, always=True)
    assert labels.common == "synthetic n=10"
    assert labels.headings == ("model",) and labels.rows == (("mlp lr=0.05",),)


def test_a_grid_over_task_protocol_and_model(tmp_path: Path) -> None:
    cells = planned_cells(
        tmp_path,
        *(
            Planned(f"mlp width={width}", f"synthetic n={n} k=3", task={"n": n, "k": 3},
                    model={"width": width}, protocol={"train_samples": rows})
            for n, rows, width in product((20, 40), (None, 50_000), (50, 200))
        ),
    )  # fmt: skip
    labels = row_labels(cells)
    assert labels.common == "mlp on synthetic k=3"
    assert labels.headings == ("n", "width", "train_samples") and all(labels.numeric[:2])
    assert labels.rows[:3] == (("20", "50", "none"), ("20", "200", "none"), ("20", "50", "50k"))
    assert len(set(labels.rows)) == 8


def test_families_keep_their_default_recipes_to_themselves(tmp_path: Path) -> None:
    """Until one of them is named: then both sides have the column."""

    def gru(label: str, lr: float) -> Planned:
        recipe = {"lr": lr, "optimizer": "adamw"}
        return Planned(label, model={"name": "gru"}, recipe=recipe)

    usual = row_labels(planned_cells(tmp_path / "a", Planned(), gru("gru", 0.003)))
    assert usual.headings == ("model",) and usual.rows == (("mlp",), ("gru",))
    named = row_labels(planned_cells(tmp_path / "b", Planned(), gru("gru lr=0.01", 0.01)))
    assert named.headings == ("model", "lr") and named.rows == (("mlp", "0.1"), ("gru", "0.01"))
    tuned = row_labels(
        planned_cells(tmp_path / "c", Planned(), gru("gru", 0.003), gru("gru lr=0.01", 0.01))
    )
    assert tuned.rows == (("mlp", "0.1"), ("gru", "0.003"), ("gru", "0.01"))


def test_what_only_some_models_have_is_a_dash(tmp_path: Path) -> None:
    def transformer(heads: int) -> Planned:
        model = {"name": "transformer", "heads": heads}
        return Planned(f"transformer heads={heads} width=100", model=model)

    labels = row_labels(planned_cells(tmp_path, Planned(), transformer(2), transformer(4)))
    assert labels.headings == ("model", "heads") and labels.numeric == (False, True)
    assert labels.rows == (("mlp", "-"), ("transformer width=100", "2"),
                           ("transformer width=100", "4"))  # fmt: skip


def test_rates_of_a_grid_have_the_digits_that_tell_them_apart(tmp_path: Path) -> None:
    rates = (0.031622776601683794, 0.01, 0.0316227)
    labels = row_labels(planned_cells(tmp_path, *(at_rate(lr) for lr in rates)))
    assert labels.rows == (("0.0316228",), ("0.01",), ("0.0316227",))


def test_names_that_meet_are_paths(tmp_path: Path) -> None:
    one, other = (
        Planned(f"mlp n={n}", f"synthetic n={n}", task={"n": n}, model={"n": n}) for n in (10, 20)
    )
    labels = row_labels(planned_cells(tmp_path, one, other))
    assert labels.headings == ("task.n", "model.n") and labels.common == "mlp on synthetic"


def test_one_plan_twice_is_told_by_the_end_of_its_folder(tmp_path: Path) -> None:
    labels = row_labels(planned_cells(tmp_path, Planned(), Planned()))
    assert labels.headings == ("folder",) and labels.rows == (("0",), ("1",))
