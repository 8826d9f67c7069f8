"""One optimizer of a plugin over R replicas: its step vmapped, or called once per replica."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.optimizers.draws import OptimizerDraws
from synthbench.engine.optimizers.inner import InnerOptimizers
from synthbench.engine.optimizers.looped import LoopedStep
from synthbench.engine.optimizers.needs import OptimizerNeeds
from synthbench.engine.optimizers.owners import Owners, own_parameters
from synthbench.engine.optimizers.step import Closures, ReplicaStep
from synthbench.engine.optimizers.vmapped import VmappedStep
from synthbench.errors import ModelError, explain
from synthbench.streams import keys_of


class ReplicaOptimizer(torch.optim.Optimizer):
    """What Lightning sees: one torch optimizer over stacked parameters, with one learning rate.

    A replica whose gradient is not finite becomes NaN, which the next evaluation reports as
    diverged, and no longer reaches the inner optimizer: a decomposition that refuses NaN would
    otherwise end its neighbours too. One whose own step raises becomes NaN, too.

    Where `needs` says closure, `closures` must be set before a step; where it says graph alone,
    the `.grad` of the replicas' own parameters, with a graph.
    """

    closures: Closures | None = None
    running: Sequence[bool] | None = None
    """Which replicas still train, where gradients are their own; None: all."""

    def __init__(
        self,
        optimizer: Optimizer,
        recipe: Recipe,
        stacked: Mapping[str, Tensor],
        needs: OptimizerNeeds,
        owners: Owners | None = None,
        keys: Tensor | None = None,
    ) -> None:
        """stacked: parameters (R, ...) by name. owners: the modules' own Parameters.

        keys: (R, 2) int64 words of the replicas' `train` seeds; None: the numbers of the replicas.
        Raises ModelError for a build that fails, or leaves a parameter out.
        """
        super().__init__(list(stacked.values()), {"lr": recipe.lr})
        self.needs, self._label, self._peak = needs, optimizer.label(), recipe.lr
        self._stacked = dict(stacked)
        self.own = own_parameters(self._stacked, owners)
        keys = keys_of([*range(len(self.own))]) if keys is None else keys
        draws = OptimizerDraws(keys, next(iter(stacked.values())).device)
        inner = []
        with draws.at(0) as drawn, _eager():
            for r, parameters in enumerate(self.own):
                drawn.seed(r)
                inner.append(InnerOptimizers(optimizer, recipe, parameters))
        self._has_modes, self._begun = inner[0].has_modes, False
        self._replicas: ReplicaStep = (
            VmappedStep(inner, self._stacked, self._label)
            if needs.loop_reason is None
            else LoopedStep(inner, self.own, self._stacked, needs, draws)
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the stacked parameters by their gradients (R, ...), or by their own."""
        loss = closure() if closure is not None else None
        factor = float(self.param_groups[0]["lr"]) / self._peak
        self._begun = True
        with _eager():
            finite = self._step_own(factor) if self.needs.own_gradients else self._step(factor)
        self._end(finite)
        return loss

    def _step(self, factor: float) -> Tensor:
        """Step by the stacked gradients; returns (R,) which of them are finite."""
        gradients = {
            name: torch.zeros_like(p) if p.grad is None else p.grad
            for name, p in self._stacked.items()
        }
        finite = _all_finite(gradients.values())
        healthy = {name: _where(finite, g, 0.0) for name, g in gradients.items()}
        self._replicas.step(healthy, factor, finite)
        return finite

    def _step_own(self, factor: float) -> Tensor:
        """Step by the replicas' own gradients; returns (R,) whose parameters are finite then."""
        alive = _all_finite(self._stacked.values())
        if self.running is not None:
            alive &= torch.tensor(self.running, device=alive.device)
        if self.needs.closure:
            if self.closures is None:
                raise ModelError(
                    f'the step of optimizer "{self._label}" needs a closure, and none is given'
                )
            self._replicas.closures = self.closures
        else:
            alive &= torch.stack([_has_finite_gradients(own) for own in self.own])
        self._replicas.step(None, factor, alive)
        return alive & _all_finite(self._stacked.values())

    def _end(self, alive: Tensor) -> None:
        """Make NaN of the others."""
        for parameter in self._stacked.values():
            parameter.copy_(_where(alive, parameter, torch.nan))

    @torch.no_grad()
    def narrow(self, rows: Sequence[int]) -> None:
        """Go on with some of the replicas, whose parameters alone are left."""
        self.own = [self.own[row] for row in rows]
        for r, own in enumerate(self.own):
            for name, parameter in own.items():
                parameter.data = self._stacked[name].detach()[r]
        self._replicas.narrow(rows)

    @contextmanager
    def evaluated(self) -> Iterator[None]:
        """Put the weights that are to be evaluated in place, where they are not those trained.

        Before the first step they are; some optimizers have no others to offer then.
        """
        self.eval_mode()
        try:
            yield
        finally:
            self.train_mode()

    def eval_mode(self) -> None:
        """Call the `eval()` of optimizers that have it: the weights become those to be judged."""
        self._set_mode(training=False)

    def train_mode(self) -> None:
        """Call their `train()`: the weights become those to be trained; so it begins."""
        self._set_mode(training=True)

    @torch.no_grad()
    def _set_mode(self, training: bool) -> None:
        if not (self._has_modes and self._begun):
            return
        numbers = [p.isnan().logical_not() for p in self._stacked.values()]
        try:
            with _eager():
                self._replicas.set_mode(training)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            mode = "train" if training else "eval"
            raise ModelError(
                f'optimizer "{self._label}" fails in {mode}(): {explain(error)}'
            ) from error
        self._end(torch.stack([n.reshape(len(n), -1).all(1) for n in numbers]).all(0))

    def state_dict(self) -> dict[str, Any]:
        """The stacked optimizer's own state, and that of the replicas."""
        return {**super().state_dict(), "replicas": self._replicas.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        own = {key: value for key, value in state_dict.items() if key != "replicas"}
        super().load_state_dict(own)
        self._replicas.load(state_dict["replicas"])
        self._begun = True

    @property
    def failure(self) -> Exception | None:
        """What the step of a replica has raised, where steps are looped."""
        return self._replicas.failure


def _eager() -> Any:
    """Optimizers that compile themselves are not compiled: minutes, for a few steps of a trial."""
    return torch.compiler.set_stance("force_eager")


def _all_finite(tensors: Iterable[Tensor]) -> Tensor:
    """(R, ...) each -> (R,)."""
    return torch.stack([t.reshape(t.shape[0], -1).isfinite().all(1) for t in tensors]).all(0)


def _has_finite_gradients(own: Mapping[str, nn.Parameter]) -> Tensor:
    """() whether there are gradients, and all of them are numbers."""
    first = next(iter(own.values()))
    gradients = [p.grad.isfinite().all() for p in own.values() if p.grad is not None]
    return torch.stack(gradients).all() if gradients else first.new_zeros((), dtype=torch.bool)


def _where(mask: Tensor, values: Tensor, other: float) -> Tensor:
    """values (R, ...) where mask (R,), `other` elsewhere."""
    return torch.where(mask.reshape(-1, *[1] * (values.dim() - 1)), values, other)
