"""One optimizer step of all replicas, from a batch to changed parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.gradients import Gradients, lifted_gradients
from synthbench.engine.axis.objective import Objective
from synthbench.engine.axis.state import State
from synthbench.engine.axis.tracing import Execute, Traces, replayed, traced
from synthbench.engine.axis.way import Way
from synthbench.engine.optimizers.elementwise import ElementwiseRule, Moments
from synthbench.engine.training.inheritance import prune, pruned_gradients


@dataclass(frozen=True)
class Trained:
    """What a step reads and changes in place, leaves (R, ...).

    masks: factors of parameters that are pruned; they stay as they are.
    """

    parameters: State
    buffers: State
    moments: Moments
    masks: State


Step = Callable[[Trained, Batch, Tensor, Tensor], Tensor]
"""(trained, batch (R, ...), noise (R,), rates (C, R)) -> losses (R,) before the step."""


def stacked_step(
    objective: Objective, rule: ElementwiseRule, way: Way, execute: Execute = replayed
) -> Step:
    """Forward, backward, clipping and update as one function of tensors, recorded as a whole.

    execute: what becomes of the recording, if there is one.
    """
    gradients_of = lifted_gradients(objective)

    def step(
        tensors: tuple[State, State, Moments, State], batch: Any, noise: Tensor, rates: Tensor
    ) -> Tensor:
        parameters, buffers, moments, masks = tensors
        gradients, losses = gradients_of(parameters, buffers, batch, noise)
        _update(rule, Trained(parameters, buffers, moments, masks), gradients, rates)
        return losses  # type: ignore[no-any-return]

    if way is not Way.TRACED:
        called = torch.no_grad()(step)
        return lambda trained, batch, noise, rates: called(
            _tensors(trained), tuple(batch), noise, rates
        )
    return _Recorded(Traces(step, execute))


class _Recorded:
    """A recorded step, which looks at what it changes once for many steps."""

    def __init__(self, traces: Traces) -> None:
        self._traces, self._trained = traces, Trained({}, {}, {}, {})
        self._bound: Callable[..., Tensor] = traces.bound()

    def __call__(self, trained: Trained, batch: Batch, noise: Tensor, rates: Tensor) -> Tensor:
        if trained is not self._trained:
            self._trained, self._bound = trained, self._traces.bound(_tensors(trained))
        return self._bound(tuple(batch), noise, rates)


def plain_step(gradients_of: Gradients, rule: ElementwiseRule) -> Step:
    """The same with the gradients of plain modules; the update alone is recorded."""

    def update(tensors: tuple[State, State, Moments, State], own: State, rates: Tensor) -> Tensor:
        _update(rule, Trained(*tensors), own, rates)
        return rates

    recorded = traced(update)

    def step(trained: Trained, batch: Batch, noise: Tensor, rates: Tensor) -> Tensor:
        gradients, losses = gradients_of(trained.parameters, trained.buffers, batch, noise)
        recorded(_tensors(trained), gradients, rates)
        return losses

    return step


def _tensors(trained: Trained) -> tuple[State, State, Moments, State]:
    parameters = {name: parameter.detach() for name, parameter in trained.parameters.items()}
    return parameters, trained.buffers, trained.moments, trained.masks


def _update(rule: ElementwiseRule, trained: Trained, gradients: State, rates: Tensor) -> None:
    with torch.autocast(rates.device.type, enabled=False):
        if trained.masks:
            gradients = pruned_gradients(trained.masks, gradients)
        rule.update(trained.parameters, gradients, trained.moments, rates)
        prune(trained.masks, trained.parameters)
