"""Names of cells beside one another: short, and never alike."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

import synthbench as sb
from synthbench.evaluation.planning import plan_cells
from synthbench.listeners.cell_names import cell_names, distinctions
from synthbench.registry.registry import installed


def named(tasks: list[str], models: list[str], width: int | None = None) -> list[str]:
    return cell_names(plan_cells(tasks, models, sb.Protocol()), width)


def test_what_all_have_in_common_is_left_out() -> None:
    tasks = ["sparse-parity n=20 k=2", "sparse-parity n=40 k=3 noise=0.1"]
    assert named(tasks, ["mlp"]) == ["n=20 k=2", "n=40 k=3 noise=0.1"]
    assert named(tasks, ["mlp", "mlp width=7"])[1] == "width=7 on n=20 k=2"
    assert named(["sparse-parity n=20 k=2", "sparse-parity n=40 k=2"], ["mlp"]) == ["n=20", "n=40"]
    assert named(["sparse-parity n=30 k=3"], ["mlp", "transformer"])[0].startswith("mlp")


def test_a_cell_without_anything_special_has_its_name() -> None:
    assert named(["sparse-parity n=9 k=2"], ["mlp", "mlp lr=0.2"]) == ["mlp", "lr=0.2"]


def test_a_single_cell_has_its_whole_name_or_the_heads_of_it() -> None:
    whole = "mlp width=100 on sparse-parity n=9 k=2"
    assert named(["sparse-parity n=9 k=2"], ["mlp"]) == [whole]
    assert named(["sparse-parity n=9 k=2"], ["mlp"], len(whole)) == [whole]
    assert named(["sparse-parity n=9 k=2"], ["mlp"], 24) == ["mlp on sparse-parity"]
    assert named(["sparse-parity n=9 k=2"], ["mlp"], 12) == ["mlp ...arity"]


def test_protocols_tell_apart_what_else_is_alike(small_cell: sb.Cell) -> None:
    def with_seeds(cell: sb.Cell, seeds: int) -> sb.Cell:
        return replace(cell, protocol=cell.protocol.model_copy(update={"seeds": seeds}))

    one, two = with_seeds(small_cell, 4), with_seeds(small_cell, 8)
    assert cell_names([one, two]) == ["seeds=4", "seeds=8"]
    other = replace(one, task=installed().task("sparse-parity n=11 k=2"))
    assert cell_names([one, two, other]) == ["n=10, seeds=4", "n=10, seeds=8", "n=11, seeds=4"]
    probed = replace(one, probes=(installed().probe("weight-movement"),))
    assert cell_names([one, probed])[1] == "probe=weight-movement"


def test_fields_that_differ_are_told_at_their_defaults_too(small_cell: sb.Cell) -> None:
    def with_samples(cell: sb.Cell, samples: int | None) -> sb.Cell:
        protocol = cell.protocol.model_copy(update={"train_samples": samples})
        return replace(cell, protocol=protocol)

    other = replace(small_cell, model=installed().model("mlp width=99"))
    cells = [with_samples(small_cell, None), with_samples(small_cell, 64), other]
    assert cell_names(cells[:2]) == ["train_samples=none", "train_samples=64"]
    assert distinctions(cells) == ["train_samples=none", "train_samples=64", ""]


def test_what_a_cell_stands_on_is_one_word(small_cell: sb.Cell) -> None:
    other = replace(small_cell, model=installed().model("mlp width=99"))
    taught = [replace(small_cell, teacher=sb.Teacher(other, at)) for at in (8, 16)]
    assert cell_names(taught) == ["teacher=(mlp width=99)@8", "teacher=(mlp width=99)@16"]


@pytest.mark.parametrize("width", range(8, 60))
def test_no_two_are_alike_in_little_room(width: int) -> None:
    fields = product((20, 21), (2, 3), (0.1, 0.15))
    tasks = [f"sparse-parity n={n} k={k} noise={noise}" for n, k, noise in fields]
    names = named(tasks, ["mlp optimizer=adam lr=0.01", "mlp lr=0.02"], width)
    assert max(map(len, names)) <= width
    assert len(set(names)) == len(names) or width < 24


def test_names_of_fields_are_cut_before_their_values() -> None:
    models = [f"mlp weight_decay={decay} momentum=0.{m}" for decay, m in ((0.01, 9), (0.02, 8))]
    task = ["sparse-parity n=9 k=2"]
    assert named(task, models, 24) == ["momentu=0.9 weight_=0.01", "momentu=0.8 weight_=0.02"]
    assert named(task, models, 16) == ["mom=0.9 wei=0.01", "mom=0.8 wei=0.02"]
    assert named(task, models, 15) == ["mom=0....i=0.01", "mom=0....i=0.02"]
