"""One optimizer of a plugin over R replicas: its step vmapped, or called once per replica."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from synthbench.engine.memory import is_out_of_memory
from synthbench.errors import ModelError
from synthbench.optimizer import Optimizer
from synthbench.recipe import Recipe

State = dict[str, Tensor]


class ReplicaOptimizer(torch.optim.Optimizer):
    """What Lightning sees: one torch optimizer over stacked parameters, with one learning rate.

    A replica whose gradient is not finite becomes NaN, which the next evaluation reports as
    diverged, and no longer reaches the inner optimizer: a decomposition that refuses NaN would
    otherwise end its neighbours too.
    """

    def __init__(
        self, optimizer: Optimizer, recipe: Recipe, stacked: Mapping[str, Tensor], looped: bool
    ) -> None:
        """stacked: parameters (R, ...) by name."""
        super().__init__(list(stacked.values()), {"lr": recipe.lr})
        self._peak = recipe.lr
        self._stacked = dict(stacked)
        kind = LoopedStep if looped else VmappedStep
        self._replicas: ReplicaStep = kind(optimizer, recipe, self._stacked)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the stacked parameters by their gradients (R, ...)."""
        loss = closure() if closure is not None else None
        gradients = {
            name: torch.zeros_like(p) if p.grad is None else p.grad
            for name, p in self._stacked.items()
        }
        finite = torch.stack([g.flatten(1).isfinite().all(1) for g in gradients.values()]).all(0)
        healthy = {name: _where(finite, g, 0.0) for name, g in gradients.items()}
        self._replicas.step(healthy, float(self.param_groups[0]["lr"]) / self._peak, finite)
        for parameter in self._stacked.values():
            parameter.copy_(_where(finite, parameter, torch.nan))
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The stacked optimizer's own state, and that of the replicas."""
        return {**super().state_dict(), "replicas": self._replicas.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        own = {key: value for key, value in state_dict.items() if key != "replicas"}
        super().load_state_dict(own)
        self._replicas.load(state_dict["replicas"])


class ReplicaStep(ABC):
    """A step of every replica's own optimizer."""

    @abstractmethod
    def step(self, gradients: State, factor: float, finite: Tensor) -> None:
        """Change the parameters. factor: of every learning rate. finite: (R,) which to step."""

    @abstractmethod
    def state(self) -> Any:
        """Tensors and plain Python values, in dicts and lists: for a checkpoint."""

    @abstractmethod
    def load(self, state: Any) -> None:
        """Take back what `state` gave."""


class LoopedStep(ReplicaStep):
    """R optimizers, each over one replica's slices of the stacked parameters."""

    def __init__(self, optimizer: Optimizer, recipe: Recipe, stacked: State) -> None:
        self._stacked = stacked
        self._slices = [
            {name: nn.Parameter(p.detach()[r]) for name, p in stacked.items()}
            for r in range(next(iter(stacked.values())).shape[0])
        ]
        self._inner = [InnerOptimizers(optimizer, recipe, own) for own in self._slices]
        self._worked = False

    def step(self, gradients: State, factor: float, finite: Tensor) -> None:
        """As `ReplicaStep`; one that raises ends its own replica, unless none ever worked."""
        for r, alive in enumerate(finite.tolist()):
            if not alive:
                continue
            for name, parameter in self._slices[r].items():
                parameter.grad = gradients[name][r]
            try:
                self._inner[r].step(factor)
                self._worked = True
            except Exception as error:
                if is_out_of_memory(error) or not self._worked:
                    raise
                for name in self._stacked:
                    self._stacked[name].data[r] = torch.nan
            self._write_back(r)

    def _write_back(self, r: int) -> None:
        """Where an optimizer has put a new tensor in place of the slice it was given."""
        for name, parameter in self._slices[r].items():
            own = self._stacked[name].detach()[r]
            if parameter.data_ptr() != own.data_ptr():
                own.copy_(parameter.detach())
                parameter.data = own

    def state(self) -> Any:
        """For each replica, its optimizers' state dicts."""
        return [inner.state() for inner in self._inner]

    def load(self, state: Any) -> None:
        """As `ReplicaStep`."""
        for inner, saved in zip(self._inner, state, strict=True):
            inner.load(saved)


class VmappedStep(ReplicaStep):
    """One set of optimizers whose tensors carry the replica axis while a step is vmapped.

    Tensors of state get the axis; what has no axes of its own, such as a step counter, and
    every plain Python value is shared, because replicas train in lock-step.
    """

    def __init__(self, optimizer: Optimizer, recipe: Recipe, stacked: State) -> None:
        self._stacked = stacked
        first = {name: nn.Parameter(p.detach()[0].clone()) for name, p in stacked.items()}
        self._inner = InnerOptimizers(optimizer, recipe, first)
        self._inner.use_single_tensors()
        width = next(iter(stacked.values())).shape[0]
        self._states: Any = tree_map(
            lambda leaf: _repeated(leaf, width) if _has_axes(leaf) else leaf, self._inner.states()
        )

    def step(self, gradients: State, factor: float, finite: Tensor) -> None:
        """As `ReplicaStep`; replicas that are not to be stepped have gradient 0."""
        leaves, spec = tree_flatten(self._states)
        batched = {i: leaf for i, leaf in enumerate(leaves) if _has_axes(leaf)}

        def of_one(
            parameters: State, gradients: State, own: dict[int, Tensor]
        ) -> tuple[State, dict[int, Tensor], list[Tensor]]:
            nonlocal leaves, spec
            filled = [own.get(i, leaf) for i, leaf in enumerate(leaves)]
            self._inner.place(parameters, gradients, tree_unflatten(filled, spec))
            self._inner.step(factor)
            leaves, spec = tree_flatten(self._inner.states())
            changed = {i: leaf for i, leaf in enumerate(leaves) if _has_axes(leaf)}
            # vmap refuses to return these without the axis if they depend on a replica.
            shared = [v for v in leaves if isinstance(v, Tensor) and not _has_axes(v)]
            return self._inner.parameters(), changed, shared

        stacked = {name: p.detach() for name, p in self._stacked.items()}
        axes: Any = (0, 0, None)
        lifted = torch.vmap(of_one, out_dims=axes, randomness="error")
        with warnings.catch_warnings():
            # Some in-place operations have no batching rule; torch then calls them one by one.
            warnings.filterwarnings("ignore", "There is a performance drop")
            moved, changed, _ = lifted(stacked, gradients, batched)
        for name, parameter in self._stacked.items():
            if moved[name].data_ptr() != parameter.data_ptr():
                parameter.copy_(moved[name])
        leaves = [changed.get(i, leaf) for i, leaf in enumerate(leaves)]
        self._states = tree_unflatten(leaves, spec)
        self._inner.place({}, {}, [{} for _ in self._states])

    def state(self) -> Any:
        """States with stacked tensors, and what the parameter groups hold."""
        return {"states": self._states, "groups": self._inner.groups()}

    def load(self, state: Any) -> None:
        """As `ReplicaStep`."""
        self._states = state["states"]
        self._inner.load_groups(state["groups"])


class InnerOptimizers:
    """What a plugin built for one replica: every parameter in exactly one optimizer."""

    def __init__(
        self, optimizer: Optimizer, recipe: Recipe, parameters: Mapping[str, nn.Parameter]
    ) -> None:
        """Raises ModelError for a build that fails, or leaves a parameter out."""
        try:
            built: Any = optimizer.build(parameters, recipe)
        except Exception as error:
            raise ModelError(
                f'optimizer "{optimizer.label()}" cannot be built: {type(error).__name__}: {error}'
            ) from error
        self._optimizers = _listed(optimizer, built)
        self._names = _names_of(optimizer, self._optimizers, parameters)
        self._rates = [[float(g["lr"]) for g in o.param_groups] for o in self._optimizers]

    def step(self, factor: float) -> None:
        """One step, with every learning rate times `factor`."""
        for optimizer, rates in zip(self._optimizers, self._rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            optimizer.step()

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
            parameter.grad = gradients[name]
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

    def load_groups(self, saved: list[list[dict[str, Any]]]) -> None:
        """Take back what `groups` gave."""
        for optimizer, groups in zip(self._optimizers, saved, strict=True):
            for group, values in zip(optimizer.param_groups, groups, strict=True):
                group.update(values)


def _listed(optimizer: Optimizer, built: Any) -> list[torch.optim.Optimizer]:
    found = [built] if isinstance(built, torch.optim.Optimizer) else built
    if not isinstance(found, list | tuple) or not all(
        isinstance(each, torch.optim.Optimizer) for each in found
    ):
        raise ModelError(
            f'optimizer "{optimizer.name}".build must return torch.optim.Optimizer objects, '
            f"got {built!r}"
        )
    return list(found)


def _names_of(
    optimizer: Optimizer,
    built: list[torch.optim.Optimizer],
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


def _repeated(tensor: Tensor, width: int) -> Tensor:
    return tensor.expand(width, *tensor.shape).clone()


def _has_axes(leaf: object) -> bool:
    return isinstance(leaf, Tensor) and leaf.dim() > 0


def _where(mask: Tensor, values: Tensor, other: float) -> Tensor:
    """values (R, ...) where mask (R,), `other` elsewhere."""
    return torch.where(mask.reshape(-1, *[1] * (values.dim() - 1)), values, other)
