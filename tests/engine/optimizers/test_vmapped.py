"""What vmap takes is stepped for all replicas at once."""

from __future__ import annotations

import pytest
import torch

import synthbench as sb
from synthbench.errors import ModelError
from tests.engine.optimizers.stepping import draws, needs_of, part, stepped
from tests.engine.optimizing import (
    LateStep,
    LookaheadStep,
    Normalized,
    StepCountingStep,
    WhiteningStep,
    torch_optimizer,
)


@pytest.mark.parametrize(
    "chosen",
    [
        Normalized(),
        torch_optimizer(torch.optim.RMSprop),
        torch_optimizer(torch.optim.Adam),
        torch_optimizer(torch.optim.Adagrad),
        torch_optimizer(StepCountingStep),
        torch_optimizer(WhiteningStep),
        torch_optimizer(LookaheadStep),
    ],
    ids=["normalized", "rmsprop", "adam", "adagrad", "counting", "whitening", "lookahead"],
)
def test_a_vmapped_step_is_the_looped_one_in_any_company(chosen: sb.Optimizer) -> None:
    assert needs_of(chosen).loop_reason is None
    start, gradients = draws(1)
    together = stepped(chosen, start, gradients, looped=False)
    alone = stepped(chosen, start, gradients, looped=True)
    for name, tensor in together.items():
        torch.testing.assert_close(tensor, alone[name], rtol=1e-4, atol=1e-5)
        assert not torch.equal(tensor, start[name])
    few = slice(2, 4)
    some = stepped(chosen, part(start, few), [part(g, few) for g in gradients], looped=False)
    for name, tensor in some.items():
        assert torch.equal(tensor, together[name][few]), name


def test_a_vmapped_step_that_fails_after_the_trial_says_how_to_loop_it() -> None:
    chosen = torch_optimizer(LateStep)
    assert needs_of(chosen).loop_reason is None
    start, gradients = draws()
    with pytest.raises(ModelError, match=r"made.* fails at step 20: .*say `looped: ClassVar"):
        stepped(chosen, start, gradients * 4, looped=False)
    kind = type(torch_optimizer(LateStep))
    kind.looped = True
    assert "class says so" in str(needs_of(kind()).loop_reason)
