"""Modules that nobody here wrote: in which ways each kind is trained, and why not in others."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from synthbench.engine.axis.way import Draws, Way
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.engine.inspection.ways import Ways
from synthbench.errors import ModelError
from synthbench.isolation import isolated
from synthbench.plan.cell import Cell
from tests.engine.foreign import DETERMINISTIC, DRAWING, Builder, OwnGenerator, model_of

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated")

STACKED = {
    "plain",
    "tied",
    "asks for a device",
    "closed form",
    "cached in a buffer",
    "constants in a list",
    "view",
    "compiled layer",
    "compiled",
    "data parallel",
    "lazy",
    "parametrized",
    "tuple",
    "dict",
    "logits",
    "half",
    "bfloat16",
    "double",
    "in place",
}
"""Kinds that are trained all at once."""
PLAIN = {
    "branches on a value": "reads the value of a tensor",
    "old-style function": "autograd.Function without setup_context",
    "backward hook": "or a backward hook",
    "parameter hook": "another gradient of first.weight",
    "checkpointing": "computes activations anew",
    "inner gradient": "calls requires_grad_ in its forward pass",
    "input made a leaf": "calls requires_grad_ in its forward pass",
    "cached mask": "changes the attribute mask",
    "assigned buffer": "another buffer average",
    "drawn attribute": "another loss",
    "captured layer": "another loss",
    "scripted": "it is scripted",
    "lock": "cannot be copied, such as a lock",
    "weight norm": "a computed tensor in an attribute",
    "pruned": "a computed tensor in an attribute",
    "spectral norm": "changes the attribute first.weight",
    "cumulative norm": "reads the value of a tensor",
    "mixed precision": "another gradient of first.weight",
    "NumPy": "out of PyTorch, as to NumPy",
    "boolean index": "as many numbers as meet a condition",
    "schedule in an attribute": "changes the attribute calls",
}
"""Kinds that are trained one replica after the other, and a part of the reason that is given."""


@pytest.fixture(scope="module")
def cell(small_cell: Cell) -> Cell:
    return replace(small_cell, protocol=small_cell.protocol.model_copy(update={"budget": 320}))


def ways_of(cell: Cell, builder: Builder) -> Ways:
    with isolated():
        return inspect_cell(replace(cell, model=model_of(builder))).ways


def test_every_kind_has_its_way() -> None:
    assert DETERMINISTIC.keys() == STACKED | PLAIN.keys() and not STACKED & PLAIN.keys()


@pytest.mark.parametrize("kind", sorted(STACKED))
def test_kinds_that_are_stacked(kind: str, cell: Cell) -> None:
    ways = ways_of(cell, DETERMINISTIC[kind])
    assert ways.right == (Way.TRACED, Way.PLAIN) and ways.loop_reason is None


@pytest.mark.parametrize("kind", sorted(PLAIN))
def test_kinds_that_are_trained_one_after_the_other(kind: str, cell: Cell) -> None:
    ways = ways_of(cell, DETERMINISTIC[kind])
    assert ways.right == (Way.PLAIN,) and ways.draws == Draws()
    assert ways.loop_reason is not None and PLAIN[kind] in ways.loop_reason


@pytest.mark.parametrize(
    "builder", [DRAWING["torch's functions"], DRAWING["LSTM with dropout"], OwnGenerator]
)
def test_torch_s_random_functions_are_answered_in_a_stack(builder: Builder, cell: Cell) -> None:
    ways = ways_of(cell, builder)
    assert ways.right[0] is Way.TRACED and ways.draws == Draws(intercepted=True)


@pytest.mark.parametrize(
    "kind", sorted(DRAWING.keys() - {"torch's functions", "LSTM with dropout"})
)
def test_what_draws_out_of_sight_is_seeded_for_each_replica(kind: str, cell: Cell) -> None:
    before = torch.random.get_rng_state()
    ways = ways_of(cell, DRAWING[kind])
    assert ways.right == (Way.PLAIN,) and ways.draws.generators
    assert ways.loop_reason is not None and "draws from a global generator" in ways.loop_reason
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_value_that_is_the_same_for_all_may_be_branched_on(cell: Cell) -> None:
    """As masks are checked that a forward pass has made."""

    class MaskChecked(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            mask = torch.ones(x.shape[1], dtype=torch.bool)
            return super().forward(x if mask.all() else x * mask)

    assert ways_of(cell, lambda n: MaskChecked(n, 1)).right[0] is Way.TRACED


@pytest.mark.parametrize(
    ("builder", "message"),
    [
        (lambda n: torch.nn.Linear(n, 2), r"must return shape \(32,\) for .* got \(32, 2\)"),
        (lambda n: torch.nn.Embedding(2, 1), "Expected tensor for argument"),
        (lambda n: torch.nn.Identity(), "has no parameters to train"),
        (lambda n: torch.nn.Linear(n + 1, 1), "shapes cannot be multiplied"),
    ],
    ids=["two logits", "embedding of signs", "no parameters", "wrong size"],
)
def test_misfits_are_refused(builder: Builder, message: str, cell: Cell) -> None:
    with pytest.raises(ModelError, match=message):
        ways_of(cell, builder)
