"""The torch optimizers that a plugin builds for one replica."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.axis.state import State
from synthbench.engine.optimizers.step import NotVmappable
from synthbench.errors import ModelError


class InnerOptimizers:
    """What a plugin built for one replica: every parameter in exactly one optimizer."""

    def __init__(
        self, optimizer: Optimizer, recipe: Recipe, parameters: Mapping[str, nn.Parameter]
    ) -> None:
        """Raises ModelError for a build that fails, or leaves a parameter out."""
        try:
            with torch.no_grad():
                built: Any = optimizer.build(parameters, recipe)
        except Exception as error:
            raise ModelError(
                f'optimizer "{optimizer.label()}" cannot be built: {type(error).__name__}: {error}'
                f"{_advice(error)}"
            ) from error
        self._optimizers = _listed(optimizer, built)
        self._names = _names_of(optimizer, self._optimizers, parameters)
        self._scheduled = recipe.schedule != "constant" or recipe.warmup > 0
        self._rates = [_rates_of(optimizer, o, self._scheduled) for o in self._optimizers]
        modes = [(getattr(o, "train", None), getattr(o, "eval", None)) for o in self._optimizers]
        self._modes = [(t, e) for t, e in modes if callable(t) and callable(e)]
        self.set_mode(training=True)

    @property
    def has_modes(self) -> bool:
        """Whether the weights to be judged are not those that are trained (`schedulefree`)."""
        return bool(self._modes)

    def set_mode(self, training: bool) -> None:
        """Call `train()` or `eval()` of those that have both."""
        for train, evaluate in self._modes:
            (train if training else evaluate)()

    def step(self, factor: float, closure: Callable[[], Tensor] | None = None) -> None:
        """One step, with every learning rate times `factor`.

        Where no schedule asks for it, no rate is written: an optimizer may adapt its own.
        """
        for optimizer, rates in zip(self._optimizers, self._rates, strict=True):
            if self._scheduled or factor != 1:
                for group, rate in zip(optimizer.param_groups, rates, strict=True):
                    group["lr"] = None if rate is None else rate * factor
            if closure is None:
                optimizer.step()
            else:
                optimizer.step(closure)

    def state(self) -> list[dict[str, Any]]:
        """The optimizers' state dicts."""
        return [optimizer.state_dict() for optimizer in self._optimizers]

    def load(self, state: list[dict[str, Any]]) -> None:
        """Take back what `state` gave."""
        for optimizer, saved in zip(self._optimizers, state, strict=True):
            optimizer.load_state_dict(saved)

    def use_single_tensors(self) -> None:
        """Choose the implementations that vmap knows, where torch's optimizers have several."""
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group.update({key: False for key in ("foreach", "fused") if key in group})

    def states(self) -> list[dict[str, Any]]:
        """For each optimizer, parameter name -> its state."""
        return [
            {
                name: dict(optimizer.state[parameter])
                for names, group in zip(groups, optimizer.param_groups, strict=True)
                for name, parameter in zip(names, group["params"], strict=True)
                if parameter in optimizer.state
            }
            for groups, optimizer in zip(self._names, self._optimizers, strict=True)
        ]

    def place(self, parameters: State, gradients: State, states: list[dict[str, Any]]) -> None:
        """Put other tensors in the parameters' places; none to let go of those that are there."""
        for name, parameter in parameters.items():
            parameter.grad = gradients.get(name)
        for groups, optimizer, state in zip(self._names, self._optimizers, states, strict=True):
            optimizer.state.clear()
            for names, group in zip(groups, optimizer.param_groups, strict=True):
                group["params"] = [parameters[name] for name in names if name in parameters]
            for name, own in state.items():
                optimizer.state[parameters[name]] = own

    def parameters(self) -> State:
        """The tensors that are in the parameters' places."""
        return {
            name: parameter
            for groups, optimizer in zip(self._names, self._optimizers, strict=True)
            for names, group in zip(groups, optimizer.param_groups, strict=True)
            for name, parameter in zip(names, group["params"], strict=True)
        }

    def groups(self) -> list[list[dict[str, Any]]]:
        """What the parameter groups hold beside the parameters."""
        return [
            [{k: v for k, v in group.items() if k != "params"} for group in o.param_groups]
            for o in self._optimizers
        ]

    def refuse_tensors_elsewhere(self) -> None:
        """Raise NotVmappable where a tensor is kept that is neither parameter nor state."""
        for optimizer, groups in zip(self._optimizers, self.groups(), strict=True):
            own = {k: v for k, v in vars(optimizer).items() if k not in ("param_groups", "state")}
            for place, kept in (("param_groups", groups), ("attributes", own)):
                if any(isinstance(leaf, Tensor) for leaf in tree_leaves(kept)):
                    raise NotVmappable(f"it keeps tensors in its {place}, not in state")

    def load_groups(self, saved: list[list[dict[str, Any]]]) -> None:
        """Take back what `groups` gave."""
        for optimizer, groups in zip(self._optimizers, saved, strict=True):
            for group, values in zip(optimizer.param_groups, groups, strict=True):
                group.update(values)


@runtime_checkable
class Stepping(Protocol):
    """What is used of a torch optimizer; some wrappers are none but have it all."""

    param_groups: list[dict[str, Any]]

    def step(self, closure: Any = None) -> Any:
        """Change the parameters."""

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""


BUILD_ADVICE = {
    "2D": "build may return a list: this one for the matrices, torch.optim.AdamW for the rest",
    "named_parameters": "build is given no module; parameters.items() are names and parameters",
}
"""What to do where an optimizer does not take all parameters, or more than parameters."""


def _advice(error: Exception) -> str:
    found = [advice for phrase, advice in BUILD_ADVICE.items() if phrase in str(error)]
    return f"; {found[0]}" if found else ""


def _listed(optimizer: Optimizer, built: Any) -> list[Any]:
    found = built if isinstance(built, list | tuple) else [built]
    if not all(isinstance(each, Stepping) for each in found):
        raise ModelError(
            f'optimizer "{optimizer.name}".build must return torch.optim.Optimizer objects, '
            f"got {built!r}"
        )
    return list(found)


def _rates_of(optimizer: Optimizer, built: Stepping, scheduled: bool) -> list[float | None]:
    """The learning rate of each group; None where it sets its own."""
    rates = [group.get("lr") for group in built.param_groups]
    if scheduled and None in rates:
        raise ModelError(
            f'optimizer "{optimizer.label()}" has no learning rate that a schedule could change; '
            "give it recipe.lr, or leave out schedule and warmup"
        )
    return [None if rate is None else float(rate) for rate in rates]


def _names_of(
    optimizer: Optimizer,
    built: list[Stepping],
    parameters: Mapping[str, nn.Parameter],
) -> list[list[list[str]]]:
    """Optimizer -> group -> names of its parameters."""
    by_id = {id(parameter): name for name, parameter in parameters.items()}
    held = [[[id(p) for p in group["params"]] for group in o.param_groups] for o in built]
    flat = [key for groups in held for group in groups for key in group]
    unknown = [key for key in flat if key not in by_id]
    twice = [by_id[key] for key in by_id if flat.count(key) > 1]
    left_out = [name for key, name in by_id.items() if key not in flat]
    if unknown or twice or left_out:
        wrong = (
            f'"{twice[0]}" is there twice'
            if twice
            else f'"{left_out[0]}" is in none'
            if left_out
            else "one holds a tensor that is no parameter"
        )
        raise ModelError(
            f'optimizer "{optimizer.name}".build must put every parameter into exactly one '
            f"optimizer: {wrong}"
        )
    return [[[by_id[key] for key in group] for group in groups] for groups in held]
