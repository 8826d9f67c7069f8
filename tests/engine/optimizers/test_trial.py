"""Why an optimizer's step is looped, found out before training."""

from __future__ import annotations

import re

import pytest

import synthbench as sb
from tests.engine.optimizers.stepping import MUON, needs_of
from tests.engine.optimizing import (
    AnchoredStep,
    NormalizedStep,
    Reading,
    ReplacingStep,
    optimizer,
    torch_optimizer,
)


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        (Reading(), "item"),
        (torch_optimizer(ReplacingStep), "."),
        (MUON, "rounds differently"),
        (torch_optimizer(AnchoredStep, place="attribute"), "tensors in its attributes"),
        (torch_optimizer(AnchoredStep, place="group"), "tensors in its param_groups"),
        (torch_optimizer(AnchoredStep, place="number"), "groups differ from replica to replica"),
    ],
    ids=["reading", "replacing", "muon", "attribute", "group", "number"],
)
def test_what_vmap_cannot_take_is_looped_with_a_reason(chosen: sb.Optimizer, reason: str) -> None:
    found = needs_of(chosen).loop_reason
    assert found is not None and re.search(reason, found)


def test_on_a_gpu_equal_within_rounding_is_enough() -> None:
    assert needs_of(MUON, "cuda").loop_reason is None
    assert needs_of(Reading(), "cuda").loop_reason is not None


def test_a_step_that_forgets_the_replicas_when_vmapped_is_looped() -> None:
    """A number kept outside `state` is that of the last call, whoever made it."""

    class Forgetful(NormalizedStep):
        def step(self, closure: None = None) -> None:  # type: ignore[override]
            for p in self.param_groups[0]["params"]:
                p.add_(p.grad, alpha=-self.param_groups[0]["lr"] * p.dim() * len(p.shape))
            self.calls = getattr(self, "calls", 0) + 1
            if "Batched" in repr(self.param_groups[0]["params"][0]):
                self.param_groups[0]["params"][0].zero_()

    chosen = optimizer(lambda p, recipe: Forgetful(list(p.values()), recipe.lr, 0.9))
    assert "something else" in str(needs_of(chosen).loop_reason)
