"""One optimizer of a plugin over R replicas: its step vmapped, or called once per replica."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.errors import ModelError

State = dict[str, Tensor]


class ReplicaOptimizer(torch.optim.Optimizer):
    """What Lightning sees: one torch optimizer over stacked parameters, with one learning rate.

    A replica whose gradient is not finite becomes NaN, which the next evaluation reports as
    diverged, and no longer reaches the inner optimizer: a decomposition that refuses NaN would
    otherwise end its neighbours too. One whose own step raises becomes NaN, too.
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
        finite = torch.stack([_all_finite(g) for g in gradients.values()]).all(0)
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

    @property
    def failure(self) -> Exception | None:
        """What the step of a replica has raised, where steps are looped."""
        return self._replicas.failure


class ReplicaStep(ABC):
    """A step of every replica's own optimizer."""

    failure: Exception | None = None

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

    def step(self, gradients: State, factor: float, finite: Tensor) -> None:
        """As `ReplicaStep`; one that raises ends its own replica, with a warning."""
        for r, alive in enumerate(finite.tolist()):
            if not alive:
                continue
            for name, parameter in self._slices[r].items():
                parameter.grad = gradients[name][r]
            try:
                self._inner[r].step(factor)
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                self._end(r, error)
            self._write_back(r)

    def _end(self, r: int, error: Exception) -> None:
        if self.failure is None:
            warnings.warn(
                "a replica ends, as diverged: its optimizer's step raised "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )
        self.failure = error
        for name, parameter in self._slices[r].items():
            parameter.data = self._stacked[name].detach()[r].fill_(torch.nan)

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
        self._label, self._steps = optimizer.label(), 0
        # One for each, for what an optimizer makes of its parameters when it is built.
        built = [
            InnerOptimizers(optimizer, recipe, _copied(stacked, r))
            for r in range(next(iter(stacked.values())).shape[0])
        ]
        self._inner = built[0]
        for inner in built:
            inner.refuse_tensors_elsewhere()
            if inner.groups() != self._inner.groups():
                raise NotVmappable("its parameter groups differ from replica to replica")
        self._states: Any = _stacked_states([inner.states() for inner in built])
        self._inner.use_single_tensors()

    def step(self, gradients: State, factor: float, finite: Tensor) -> None:
        """As `ReplicaStep`; replicas that are not to be stepped have gradient 0.

        Raises ModelError where the step fails that worked in the trial.
        """
        self._steps += 1
        try:
            self._step(gradients, factor)
            self._inner.refuse_tensors_elsewhere()
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise ModelError(
                f'the vmapped step of optimizer "{self._label}" fails at step {self._steps}: '
                f"{type(error).__name__}: {' '.join(str(error).split())}; where vmap cannot take "
                "every step, say `looped: ClassVar[bool] = True` in its class"
            ) from error

    def _step(self, gradients: State, factor: float) -> None:
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


class NotVmappable(Exception):
    """Why one set of optimizers cannot stand for those of all replicas."""


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


def _copied(stacked: State, r: int) -> dict[str, nn.Parameter]:
    return {name: nn.Parameter(p.detach()[r].clone()) for name, p in stacked.items()}


def _stacked_states(states: list[Any]) -> Any:
    """The states of all replicas as one, whose tensors have the replica axis."""
    flat = [tree_flatten(state) for state in states]
    spec = flat[0][1]
    if any(other != spec for _, other in flat):
        raise NotVmappable("its state differs in kind from replica to replica")
    stacked: list[Any] = []
    for column in zip(*(own for own, _ in flat), strict=True):
        if _has_axes(column[0]):
            stacked.append(torch.stack(column))
        elif all(_equal(value, column[0]) for value in column):
            stacked.append(column[0])
        else:
            raise NotVmappable("its state holds a number that differs from replica to replica")
    return tree_unflatten(stacked, spec)


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other) or bool(one != one and other != other)  # NaN


def _all_finite(gradients: Tensor) -> Tensor:
    """(R, ...) -> (R,)."""
    return gradients.reshape(gradients.shape[0], -1).isfinite().all(1)


def _has_axes(leaf: object) -> bool:
    return isinstance(leaf, Tensor) and leaf.dim() > 0


def _where(mask: Tensor, values: Tensor, other: float) -> Tensor:
    """values (R, ...) where mask (R,), `other` elsewhere."""
    return torch.where(mask.reshape(-1, *[1] * (values.dim() - 1)), values, other)
