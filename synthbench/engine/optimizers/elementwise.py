"""SGD, Adam and AdamW over stacked parameters, each replica with the numbers of its own recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from synthbench.contracts.recipe import Recipe
from synthbench.engine.axis.rows import rows_of_stack
from synthbench.engine.axis.state import State
from synthbench.engine.optimizers.clipping import clipped
from synthbench.engine.optimizers.rates import COLUMNS, Rates

Moments = dict[str, State]
"""`momentum`, or `first` and `second` -> (R, ...) by the parameter's name."""
HALF = (torch.bfloat16, torch.float16)


class ElementwiseRule:
    """How such an optimizer changes parameters: in place, every replica by its own numbers.

    The arithmetic is that of `torch.optim`'s classes, with tensors for numbers.
    """

    def __init__(self, recipe: Recipe) -> None:
        """recipe: of all replicas, for what are no numbers."""
        self._recipe, self._columns = recipe, COLUMNS[str(recipe.optimizer)]

    def moments(self, parameters: State) -> Moments:
        """The state before the first step: zeros."""
        if self._recipe.optimizer == "sgd":
            names = ["momentum"] if self._recipe.momentum else []
        else:
            names = ["first", "second"]
        return {m: {n: torch.zeros_like(p.detach()) for n, p in parameters.items()} for m in names}

    @torch.no_grad()
    def update(self, parameters: State, gradients: State, moments: Moments, rates: Tensor) -> None:
        """One step; parameters and moments are changed in place. rates: (C, R)."""
        numbers = dict(zip(self._columns, rates.unbind(), strict=True))
        if self._recipe.clip is not None:
            gradients = clipped(gradients, numbers["clip"])
        depths = {parameter.dim() for parameter in parameters.values()}
        shaped = {d: {k: n.reshape(-1, *[1] * (d - 1)) for k, n in numbers.items()} for d in depths}
        for name, parameter in parameters.items():
            own = [parameter.detach(), *(state[name] for state in moments.values())]
            wide = [tensor.float() if tensor.dtype in HALF else tensor for tensor in own]
            self._step(wide, gradients[name].to(wide[0].dtype), shaped[parameter.dim()])
            for tensor, result in zip(own, wide, strict=True):
                if result is not tensor:
                    tensor.copy_(result)

    def _step(self, tensors: list[Tensor], gradient: Tensor, numbers: Mapping[str, Tensor]) -> None:
        """tensors: the parameter (R, ...), then its moments."""
        recipe, (parameter, *moments) = self._recipe, tensors
        # A stacked matrix has three axes.
        decays = recipe.weight_decay > 0 and (recipe.decayed == "all" or parameter.dim() >= 3)
        if decays and recipe.optimizer == "adamw":
            parameter.mul_(numbers["kept"])
        elif decays:
            gradient = gradient.addcmul(numbers["weight_decay"], parameter)
        if recipe.optimizer == "sgd":
            _descend(parameter, gradient, moments, numbers, recipe.nesterov)
        else:
            _adapt(parameter, gradient, moments, numbers)


def _descend(
    parameter: Tensor,
    gradient: Tensor,
    moments: Sequence[Tensor],
    numbers: Mapping[str, Tensor],
    nesterov: bool,
) -> None:
    """`torch.optim.SGD`."""
    for momentum in moments:
        momentum.mul_(numbers["momentum"]).add_(gradient)
        gradient = gradient.addcmul(numbers["momentum"], momentum) if nesterov else momentum
    parameter.addcmul_(numbers["lr"], gradient, value=-1)


def _adapt(
    parameter: Tensor,
    gradient: Tensor,
    moments: Sequence[Tensor],
    numbers: Mapping[str, Tensor],
) -> None:
    """`torch.optim.Adam`: Kingma & Ba 2015, algorithm 1 in the order of the end of section 2."""
    first, second = moments
    first.mul_(numbers["first"]).addcmul_(numbers["new_first"], gradient)
    second.mul_(numbers["second"]).addcmul_(numbers["new_second"] * gradient, gradient)
    denominator = second.sqrt().add_(numbers["eps"])
    parameter.addcdiv_(numbers["size"] * first, denominator, value=-1)


class ElementwiseOptimizer(torch.optim.Optimizer):
    """What Lightning sees and checkpoints: the moments of all replicas.

    The training step updates parameters by `rule` itself, with the rates of its own step;
    `step` counts for itself.
    """

    def __init__(
        self, recipes: Sequence[Recipe], stacked: Mapping[str, Tensor], total: int
    ) -> None:
        """recipes: of the R replicas; stacked: (R, ...) by name; total: steps of the budget."""
        super().__init__(list(stacked.values()), {"lr": recipes[0].lr})
        self.rates = Rates(recipes, total)
        self.rule = rule_of(recipes)
        self._stacked, self._done = dict(stacked), 0
        for moment, tensors in self.rule.moments(self._stacked).items():
            for name, tensor in tensors.items():
                self.state[self._stacked[name]][moment] = tensor

    @property
    def moments(self) -> Moments:
        """The state as it is now, for `rule`."""
        names = dict.fromkeys(m for own in self.state.values() for m in own)
        return {m: {n: self.state[p][m] for n, p in self._stacked.items()} for m in names}

    def narrow(self, rows: Sequence[int]) -> None:
        """Go on with some of the replicas, whose parameters alone are left."""
        for own in self.state.values():
            own.update({moment: rows_of_stack(tensor, rows) for moment, tensor in own.items()})
        self.rates.narrow(rows)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the stacked parameters by their `.grad` (R, ...)."""
        loss = closure() if closure is not None else None
        gradients = {
            name: torch.zeros_like(p) if p.grad is None else p.grad
            for name, p in self._stacked.items()
        }
        first = next(iter(self._stacked.values()))
        rates = self.rates.at(range(self._done, self._done + 1), first.dtype)[0]
        self.rule.update(self._stacked, gradients, self.moments, rates.to(first.device))
        self._done += 1
        return loss


def rule_of(recipes: Sequence[Recipe]) -> ElementwiseRule:
    """How replicas of these recipes are updated, which differ in numbers alone.

    With weight decay and momentum if any has them: where they are zero they do nothing.
    """
    recipe = recipes[0].model_copy(
        update={
            "weight_decay": max(recipe.weight_decay for recipe in recipes),
            "momentum": max(recipe.momentum for recipe in recipes),
        }
    )
    return ElementwiseRule(recipe)
