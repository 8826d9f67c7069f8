"""How work is cut into blocks, and who is to do it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch

import synthbench as sb
from synthbench.engine.axis.way import Way
from synthbench.evaluation.preparation import PreparedCell
from synthbench.evaluation.shared_block import SharedBlock, split_shared
from synthbench.evaluation.terms import parts_of_stacks
from synthbench.evaluation.training_choice import TrainingChoice, spread
from synthbench.evaluation.workforce import FLOPS_PER_SECOND, WORTH_A_WORKER, worthwhile_launcher
from synthbench.plan.cell import Cell
from tests.evaluation.test_shared_stacks import cell

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("widest", "replicas", "seconds", "parts", "expected"),
    [
        (256, 256, 100.0, 2, 128),
        (256, 256, 100.0, 3, 86),
        (32, 256, 100.0, 2, 32),
        (256, 256, 5.0, 8, 128),
        (256, 256, 3.9, 8, 256),
        (256, 256, None, 4, 64),
        (3, 3, None, 8, 2),
        (64, 64, 100.0, 1, 64),
    ],
    ids="two|rounded up|narrow already|two are worth it|one is|unknown|never one|alone".split("|"),
)
def test_a_stack_is_spread_over_workers_where_blocks_are_worth_it(
    widest: int, replicas: int, seconds: float | None, parts: int, expected: int
) -> None:
    assert spread(widest, replicas, seconds, parts) == expected


def test_few_stacks_make_more_blocks_than_many() -> None:
    assert [parts_of_stacks(4, stacks) for stacks in (1, 4, 6, 8, 16, 100)] == [4, 4, 3, 2, 1, 1]
    assert parts_of_stacks(1, 1) == parts_of_stacks(4, 1000) == 1


CELLS = [cell("mlp lr=0.1", seeds=5), cell("mlp lr=0.2", seeds=6)]
EVERY = [(place, r) for place, each in enumerate(CELLS) for r in range(each.protocol.seeds)]
FOUR = TrainingChoice(Way.TRACED, 4)


def cut(left: set[tuple[int, int]], choice: TrainingChoice = FOUR) -> list[SharedBlock]:
    return split_shared(CELLS, [EVERY], left, choice)


def test_blocks_share_out_all_replicas_at_one_width() -> None:
    blocks = cut(set(EVERY))
    assert [member for block in blocks for member in block.members()] == EVERY
    assert [(len(block.members()), block.whole.width) for block in blocks] == [
        (4, 4),
        (4, 4),
        (3, 4),
    ]
    assert [share.numbers for share in blocks[1].shares] == [(4,), (0, 1, 2)]
    assert all(len(b.whole.seeds) == len(b.whole.cells) == len(b.members()) for b in blocks)


def test_a_block_is_the_same_whatever_else_is_finished() -> None:
    whole = cut(set(EVERY))
    for lost in whole:
        (again,) = cut(set(lost.members()))
        assert again == lost, "so its checkpoint is found"
    first, _, last = whole
    assert cut({*first.members(), *last.members()}) == [first, last]


def test_little_that_is_left_of_a_block_is_trained_narrower() -> None:
    assert [b.whole.width for b in cut({(0, 0), (0, 1)})] == [2]
    assert [b.whole.width for b in cut({(0, 0), (0, 1), (0, 3)})] == [4], "as is traced already"
    assert [b.whole.width for b in cut({(0, 2)})] == [2], "no stack of one"
    assert [b.whole.width for b in cut({(0, 2)}, replace(FOUR, way=Way.PLAIN))] == [1]


def test_replicas_that_stand_at_different_steps_share_no_block() -> None:
    planned = [EVERY[:3], EVERY[3:]]
    blocks = split_shared(CELLS, planned, set(EVERY), FOUR)
    assert blocks[0].members() == EVERY[:3]
    assert [member for block in blocks[1:] for member in block.members()] == EVERY[3:]


@dataclass
class Facts:
    step_flops: int


@dataclass
class Prepared:
    cell: Cell
    facts: Facts


def decided(seconds: float, cores: int, device: torch.device = CPU, **changes: Any) -> str | None:
    """The workers for a cell that takes one thread so long, by the estimate."""
    each = cell("mlp")
    flops = int(seconds * FLOPS_PER_SECOND / each.protocol.seeds / each.steps)
    prepared = cast("PreparedCell", Prepared(each, Facts(flops)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: cores)
        found = worthwhile_launcher(sb.Settings(**changes), [prepared], [0], device)
    return None if found is None else found.label()


def test_workers_open_by_themselves_where_each_has_enough_to_do() -> None:
    assert decided(2.5 * WORTH_A_WORKER, 4) == "local workers=2"
    assert decided(100 * WORTH_A_WORKER, 4) == "local workers=4"
    assert decided(1.9 * WORTH_A_WORKER, 4) is None
    assert decided(100 * WORTH_A_WORKER, 1) is None
    assert decided(100 * WORTH_A_WORKER, 4, torch.device("cuda")) is None
    assert decided(100 * WORTH_A_WORKER, 4, workers=0) is None, "as was said"


def test_what_is_finished_is_nothing_to_do(tmp_path: Path) -> None:
    each = cell("mlp")
    prepared = cast("PreparedCell", Prepared(each, Facts(10**12)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: 4)
        everything = [each.protocol.seeds]
        assert worthwhile_launcher(sb.Settings(), [prepared], everything, CPU) is None
