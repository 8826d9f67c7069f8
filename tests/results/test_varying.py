"""Fields that tell cells apart: which they are, what they are called, what they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthbench.errors import ConfigurationError
from synthbench.plan.suite_reference import SuiteReference
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.varying import varying
from tests.results.planned import Planned, plan_of, planned_cell, planned_cells


def test_equal_fields_are_no_columns_and_defaults_are_values(tmp_path: Path) -> None:
    cells = planned_cells(tmp_path, Planned(), Planned(label="mlp lr=0.05", recipe={"lr": 0.05}))
    found = varying(cells)
    assert found.paths == ("recipe.lr",) and found.names == ("lr",)
    assert found.values("lr") == [0.1, 0.05] and found.of(0) == {"lr": 0.1}
    assert varying(cells[:1]).paths == ()


def test_parts_come_in_the_order_of_a_plan(tmp_path: Path) -> None:
    changed = Planned(
        protocol={"train_samples": 500}, recipe={"lr": 1.0}, model={"width": 3}, task={"n": 20}
    )
    found = varying(planned_cells(tmp_path, Planned(), changed))
    assert found.paths == ("task.n", "model.width", "recipe.lr", "protocol.train_samples")
    assert found.values("train_samples") == [None, 500]


def test_names_that_meet_are_prefixed(tmp_path: Path) -> None:
    """`width` is a transition's too, `loss` a column of trajectories, `n` now also a model's."""
    one = Planned(model={"n": 1})
    other = Planned(task={"n": 20}, model={"n": 2, "width": 3}, recipe={"loss": "hinge"})
    found = varying(planned_cells(tmp_path, one, other))
    assert found.names == ("task.n", "model.width", "model.n", "recipe.loss")
    with pytest.raises(ConfigurationError, match=r'"n" may be task\.n or model\.n; write one'):
        found.values("n")
    # No other field is called so, and a picture's axis is no measured column.
    assert found.values("width") == found.values("model.width") == [100, 3]
    assert found.find("model.lr") == "recipe.lr" == found.find("lr")


def test_a_source_called_as_a_field_takes_its_name(tmp_path: Path) -> None:
    plan = planned_cell(tmp_path / "plain").record.plan
    source = {"cell": plan_of(plan, Planned()), "at": 500}
    label = "mlp start=(mlp width=4)@500"
    cells = planned_cells(
        tmp_path,
        Planned(task={"start": "uniform"}),
        Planned(label=label, task={"start": "stationary"}, rest={"start": source}),
    )
    found = varying(cells)
    assert found.paths == ("task.start", "start") == found.names
    assert found.values("start") == [None, "(mlp width=4)@500"]


def test_of_a_source_only_what_is_not_the_cells_own(tmp_path: Path) -> None:
    plan = planned_cell(tmp_path / "plain").record.plan

    def on(width: int, own: int, at: int) -> Planned:
        source = {"cell": plan_of(plan, Planned(model={"width": own})), "at": at}
        return Planned(f"mlp start=mlp@{at}", model={"width": width}, rest={"start": source})

    same = varying(planned_cells(tmp_path / "same", on(8, 8, 500), on(16, 16, 500)))
    assert same.paths == ("model.width",)
    other = varying(planned_cells(tmp_path / "other", on(8, 4, 500), on(8, 2, 300)))
    assert other.paths == ("start", "start.at", "start.model.width")
    assert other.values("start.model.width") == [4, 2]


def test_what_only_another_model_has_varies_among_those_that_have_it(tmp_path: Path) -> None:
    def transformer(heads: int) -> Planned:
        return Planned(f"transformer heads={heads}", model={"name": "transformer", "heads": heads})

    two = varying(planned_cells(tmp_path / "two", Planned(), transformer(4)))
    assert two.paths == ("model.name",)
    three = varying(planned_cells(tmp_path / "three", Planned(), transformer(4), transformer(8)))
    assert three.paths == ("model.name", "model.heads")
    assert three.values("heads") == [None, 4, 8] and "model.heads" not in three.cells[0]


def test_what_an_older_record_lacks_is_none(tmp_path: Path) -> None:
    """A plan leaves out a protocol's score where it is the task's first."""
    cells = planned_cells(tmp_path, Planned(), Planned(protocol={"score": "accuracy"}))
    found = varying(cells)
    assert found.paths == ("protocol.score",) and found.values("score") == [None, "accuracy"]
    assert "protocol.score" in found.cells[0], "it has the field, which is off"


def test_fields_of_an_optimizer_and_lists(tmp_path: Path) -> None:
    def muon(momentum: float) -> Planned:
        optimizer = {"name": "muon", "version": 1, "momentum": momentum}
        return Planned(recipe={"optimizer": optimizer}, model={"widths": [10, 20]})

    found = varying(planned_cells(tmp_path, Planned(), muon(0.9), muon(0.95)))
    assert found.paths == ("model.widths", "recipe.optimizer", "recipe.optimizer.momentum")
    assert found.names == ("widths", "optimizer", "optimizer.momentum")
    assert found.values("optimizer") == ["sgd", "muon", "muon"]
    assert found.values("optimizer.momentum") == [None, 0.9, 0.95]
    assert found.values("widths") == [None, "[10,20]", "[10,20]"]


def test_a_bare_module_has_its_arguments_as_fields(tmp_path: Path) -> None:
    def bare(width: int, code: str) -> Planned:
        fields = {"name": "two-layers", "arguments": {"width": width}, "code": code * 64}
        return Planned("two-layers", model=fields)

    found = varying(planned_cells(tmp_path, bare(10, "a"), bare(20, "b")))
    assert found.paths == ("model.width", "model.code")
    assert found.values("code") == ["a" * 8, "b" * 8]


def test_one_plan_in_two_folders_is_told_apart_by_them(tmp_path: Path) -> None:
    cells = planned_cells(tmp_path, Planned(), Planned())
    found = varying(cells)
    assert found.paths == ("folder",)
    assert found.values("folder") == [str(tmp_path / "0"), str(tmp_path / "1")]


def test_an_unknown_field_says_which_there_are(tmp_path: Path) -> None:
    found = varying(planned_cells(tmp_path, Planned(), Planned(task={"n": 20})))
    with pytest.raises(ConfigurationError, match=r'"widht"; did you mean "width"\? \(.*vary: n\)'):
        found.find("widht")


def test_suites_are_told_apart(tmp_path: Path) -> None:
    def of_suite(cell: MeasuredCell, version: int) -> MeasuredCell:
        suite = SuiteReference(name="s", version=version, hash="0" * 64)
        return replace(cell, record=cell.record.model_copy(update={"suite": suite}))

    one, other = planned_cells(tmp_path, Planned(), Planned(task={"n": 20}))
    assert varying([one, of_suite(other, 1)]).paths == ("task.n", "suite")
    found = varying([of_suite(one, 1), of_suite(other, 2)])
    assert found.paths == ("task.n", "suite.version")
