"""Which models are refused, or looped, before anything trains."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import synthbench as sb
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.errors import ConfigurationError, ModelError
from synthbench.plan.cell import Cell
from tests.engine.authored import (
    Branching,
    BrokenProbe,
    Forgetful,
    Plain,
    Scaled,
    Seeding,
    Tied,
)


def test_a_module_that_vmap_cannot_take_says_why(small_cell: Cell) -> None:
    reason = inspect_cell(replace(small_cell, model=Branching())).ways.loop_reason
    assert reason is not None and "item" in reason


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Plain(recipe=sb.Recipe(loss="hing")), 'no loss "hing"'),
        (Plain(recipe=sb.Recipe(batch_size=10**13)), "do not fit into memory"),
        (Forgetful(), "cannot be trained: KeyError: 'width'"),
        (Scaled(complex=True), 'has the complex parameter "scale"'),
        (Seeding(), "leave out torch.manual_seed"),
        (Seeding(late=False), "leave out torch.manual_seed"),
        (Forgetful(where="built"), r"cannot be built for signs \(n=10\) -> margin: KeyError: "),
    ],
)
def test_bad_models_are_refused(small_cell: Cell, model: sb.Model, message: str) -> None:
    before = torch.random.get_rng_state()
    protocol = small_cell.protocol.model_copy(
        update={"budget": max(12_800, model.recipe.batch_size)}
    )
    with pytest.raises((ModelError, ConfigurationError), match=message):
        inspect_cell(replace(small_cell, model=model, protocol=protocol))
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_broken_probe_is_refused(small_cell: Cell) -> None:
    with pytest.raises(ModelError, match='probe "broken" cannot be evaluated'):
        inspect_cell(replace(small_cell, probes=(BrokenProbe(),)))


def test_tied_weights_stay_tied(small_cell: Cell) -> None:
    facts = inspect_cell(replace(small_cell, model=Tied()))
    assert facts.ways.loop_reason is None and facts.parameters == 10 * 10 + 10 + 10 + 10 + 1
