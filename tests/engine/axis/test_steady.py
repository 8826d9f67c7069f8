"""A replica's losses, gradients and scores have the same bits in a stack of any width.

`pytest -m slow` tries sequence models at more widths.
"""

from __future__ import annotations

import pytest
import torch
from torch.utils._pytree import tree_leaves, tree_map

import synthbench as sb
from synthbench.contracts.batch import Batch
from synthbench.engine.axis.gradients import stacked_gradients
from synthbench.engine.axis.objective import Objective, recipe_loss
from synthbench.engine.axis.replicas import stacked_replicas
from synthbench.engine.axis.steady import steady
from synthbench.engine.axis.tracing import traced
from synthbench.engine.axis.way import Way
from synthbench.engine.data.sampling import draw_batch, draw_worlds
from synthbench.engine.training.scoring import replica_scores
from synthbench.isolation.threads import threads
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, keys_of, noise_keys
from tests.engine.authored import Normalized

aten = torch.ops.aten
KINDS = {
    "gelu": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
    "mish": torch.nn.functional.mish,
}
SEQUENCES = "markov symbols=3 length=7 last=3"
SIGNS = "sparse-parity n=7 k=2"
CASES = [
    (SIGNS, "mlp width=3"),
    (SIGNS, "mlp width=7 activation=gelu"),
    (SIGNS, "residual-mlp width=5"),
    (SIGNS, "kan width=3"),
    ("sparse-parity n=8 k=2", "transformer positions=absolute mlp=2 dropout=0.1"),
    (SEQUENCES, "transformer"),
    (SEQUENCES, "transformer positions=rotary mlp=2"),
    (SEQUENCES, "lstm width=5"),
    (SEQUENCES, "mamba2"),
    (SEQUENCES, "deltanet"),
]


def is_long(model: str, widths: tuple[int, int]) -> bool:
    """Whether it takes long, at widths other than those at which most is left over."""
    kinds = ("transformer", "lstm", "mamba2", "deltanet")
    return widths != (16, 5) and model.startswith(kinds)


@pytest.mark.parametrize(
    ("task", "model", "widths"),
    [
        pytest.param(*case, widths, marks=[pytest.mark.slow] if is_long(case[1], widths) else [])
        for case in (*CASES, (SIGNS, "normalized"))
        for widths in ((12, 9), (16, 5), (4, 3))
    ],
)
def test_bits_do_not_depend_on_the_width(task: str, model: str, widths: tuple[int, int]) -> None:
    chosen = Normalized() if model == "normalized" else installed().model(model)
    cell = Cell(installed().task(task), chosen, sb.Protocol())
    wide, narrow = widths
    keys = keys_of([*range(wide)])
    replicas = stacked_replicas(chosen, cell.interface, [*range(wide)])
    batch = draw_batch(cell.task, draw_worlds(cell.task, keys), keys, Purpose.TRAIN, 0, 5)
    noise = noise_keys(keys, range(1))[0]
    objective = Objective(replicas, recipe_loss(cell.task, chosen))
    gradients = stacked_gradients(objective)
    scores = replica_scores(cell, replicas, Way.TRACED)
    arguments = (replicas.parameters, replicas.buffers, batch, noise)
    few = tree_map(lambda leaf: leaf[:narrow].detach().clone(), arguments)
    every = tree_map(lambda leaf: leaf.detach().clone(), arguments)
    for function in (gradients, scores):
        found, alone = (
            tree_leaves(function(own[0], own[1], Batch(*own[2]), own[3])) for own in (every, few)
        )
        assert len(found) == len(alone) > 1
        for whole, part in zip(found, alone, strict=True):
            assert torch.equal(whole[:narrow], part)


@pytest.mark.parametrize(
    "function",
    [torch.sigmoid, torch.nn.functional.silu, torch.nn.functional.gelu, lambda x: (x**2) ** 1.7],
)
def test_what_is_left_over_after_whole_vectors_is_rounded_as_they_are(function: object) -> None:
    """Without care these differ: the last element of 65 is computed by another instruction."""
    x = torch.randn(4001, generator=torch.Generator().manual_seed(0))
    recorded = traced(function)
    whole = recorded(x)
    torch.testing.assert_close(whole, function(x))
    for count in (1, 7, 63, 65, 2001):
        assert torch.equal(recorded(x[:count].clone()), whole[:count])


@pytest.mark.parametrize("count", [35_005, 64 * 1025, 64 * 1030 + 7, 3 * 33_331])
@pytest.mark.parametrize("several", [2, 3, 4])
@pytest.mark.parametrize("kind", ["gelu", "mish"])
def test_bits_depend_neither_on_the_threads_nor_on_those_of_the_recording(
    kind: str, count: int, several: int
) -> None:
    """Threads take equal parts, each of which would leave some numbers over."""
    x = torch.randn(count, generator=torch.Generator().manual_seed(0))
    with threads(1):
        recorded = traced(KINDS[kind])
        alone = recorded(x)
    with threads(several):
        assert torch.equal(recorded(x), alone)
        assert torch.equal(recorded(x[: count // 2].clone()), alone[: count // 2])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.nn.functional.silu(x, inplace=True),
        lambda x: torch.nn.functional.celu(x, inplace=True),
        lambda x: x.abs_().pow_(1.7),
        lambda x: x.bfloat16().abs().rsqrt(),
        lambda x: x.bfloat16().asinh(),
    ],
)
def test_functions_in_place_and_in_half_precision_too(function: object) -> None:
    x = torch.randn(4001, generator=torch.Generator().manual_seed(0))
    recorded = traced(lambda x: function(x + 0))
    whole = recorded(x)
    torch.testing.assert_close(whole, function(x.clone()))
    for count in (1, 7, 63, 65, 2001):
        assert torch.equal(recorded(x[:count].clone()), whole[:count])


def test_rows_that_are_parts_of_longer_ones_and_numbers_for_all_rows() -> None:
    """Each row is worked through alone, and leaves some numbers over, however many there are."""
    x = torch.randn(64, 80, generator=torch.Generator().manual_seed(0))
    for function in (
        lambda x: torch.nn.functional.mish(x[:, :33]),
        lambda x: torch.nn.functional.mish(x.t()[:33].t()),
        lambda x: x[:, :33].abs() ** (x[:1, 40:73].detach() * 0 + 1.7),
    ):
        recorded = traced(function)
        whole = recorded(x)
        torch.testing.assert_close(whole, function(x))
        for count in (2, 3, 63):
            assert torch.equal(recorded(x[:count].clone()), whole[:count])


def test_a_sum_over_the_outermost_axis_does_not_depend_on_what_lies_beside() -> None:
    x = torch.randn(33, 7, 16, generator=torch.Generator().manual_seed(0))
    recorded = traced(lambda x: x.sum(0))
    kept = traced(lambda x: x.sum((0,), keepdim=True))
    whole = recorded(x)
    torch.testing.assert_close(whole, x.sum(0))
    for count in (1, 2, 3, 6):
        assert torch.equal(recorded(x[:, :count].contiguous()), whole[:count])
        assert torch.equal(kept(x[:, :count].contiguous()), whole[:count][None])


def test_operations_that_need_no_care_are_left_as_they_are() -> None:
    even, odd = torch.zeros(4, 64), torch.zeros(3, 7)
    assert steady(aten.exp.default, (odd,)) is aten.exp.default
    assert steady(aten.sigmoid.default, (even,)) is aten.sigmoid.default
    assert steady(aten.sigmoid.default, (odd,)) is not aten.sigmoid.default
    assert steady(aten.sum.dim_IntList, (odd, [1])) is aten.sum.dim_IntList
    assert steady(aten.sum.dim_IntList, (odd, [0])) is not aten.sum.dim_IntList
    assert steady(aten.sum.dim_IntList, (odd, [0, 1])) is aten.sum.dim_IntList
