"""What a legend says of a cell: what tells it from the others, once, as one types it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthbench.results.cell_fields import Fields
from synthbench.results.scaling import find_series
from tests.results.planned import Planned, plan_of, planned_cells
from tests.results.synthetic import Setting, make_cell


def fields(folder: Path, *planned: Planned) -> Fields:
    return Fields(planned_cells(folder, *planned))


def test_a_label_says_none_as_the_command_line_does(tmp_path: Path) -> None:
    alone = fields(tmp_path, Planned("mlp clip=null lr=1", "synthetic n=10 first=null"))
    assert alone.names() == ["mlp clip=none lr=1"]
    assert alone.titles() == ["synthetic n=10 first=none\nmlp clip=none lr=1"]
    # A value that only begins so is another one.
    assert fields(tmp_path / "other", Planned("mlp norm=nullified")).names() == [
        "mlp norm=nullified"
    ]


def test_what_a_plan_leaves_out_is_at_its_default(tmp_path: Path) -> None:
    names = {"name": "transformer"}
    found = fields(
        tmp_path,
        Planned("transformer tied=true", model={**names, "tied": True, "ours": 1}),
        Planned("transformer", model=names),
    )
    assert found.short_names() == ["tied=true ours=1", "tied=false ours=none"]


def source(folder: Path, name: str, label: str, **own: Any) -> Planned:
    """A cell that stands on a network of its own, whose label says how."""
    cell = plan_of(make_cell(folder / "of" / label, Setting()).record.plan, Planned())
    return Planned(f"mlp {name}={label}", rest={name: {"cell": cell, **own}})


def test_a_teacher_is_said_once(tmp_path: Path) -> None:
    moments = [["last"], [500, "last"]]
    taught = [
        source(tmp_path, "teacher", f"(mlp width=9)@{','.join(map(str, at))}", at=at)
        for at in moments
    ]
    assert fields(tmp_path, Planned(), *taught).names() == [
        "mlp", "mlp teacher@last", "mlp teacher@500,last",
    ]  # fmt: skip
    assert fields(tmp_path / "one", Planned(), taught[0]).names() == [
        "mlp", "mlp teacher=(mlp width=9)@last",
    ]  # fmt: skip
    other = source(tmp_path, "teacher", "cnn@3", at=[3])
    assert fields(tmp_path / "two", taught[0], other).names() == [
        "mlp teacher=(mlp width=9)@last", "mlp teacher=cnn@3",
    ]  # fmt: skip


def test_a_field_of_a_mask_is_an_axis(tmp_path: Path) -> None:
    """Beside it the mask's label, which says the sparsity too, is another for each cell."""
    masked = [
        source(tmp_path, "mask", f"mlp@last-{share}", at="last", sparsity=share)
        for share in (0.0, 0.5, 0.9)
    ]
    assert fields(tmp_path, *masked).names()[1] == "mlp mask@last-0.5"
    (line,) = find_series(planned_cells(tmp_path / "line", *masked), "mask.sparsity")
    assert line.values == (0.0, 0.5, 0.9)
