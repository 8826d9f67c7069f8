"""Where replicas stood when their budget ended, from which a larger one goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthbench.engine.axis.state import State
from synthbench.engine.optimizers.elementwise import Moments

WEIGHT, MOMENT, LOSS = "weight", "moment", "loss"


@dataclass(frozen=True)
class TrainingState:
    """All that the next steps of some replicas depend on beside their seeds, after `step` steps.

    replicas: their numbers. interval: steps since the last evaluation before the one at the end.
    tensors: leaves (R, ...) on CPU, `weight/NAME` of parameters and buffers, `moment/MOMENT/NAME`
    of the optimizer, and `loss`, the sum of the training losses over the interval.
    """

    step: int
    interval: int
    replicas: tuple[int, ...]
    tensors: State

    @classmethod
    def of(
        cls, weights: State, moments: Moments, loss: Tensor, when: tuple[int, int]
    ) -> TrainingState:
        """Of a whole stack, its replicas numbered by their places; when: step and interval."""
        named = {f"{WEIGHT}/{name}": tensor for name, tensor in weights.items()}
        for moment, own in moments.items():
            named |= {f"{MOMENT}/{moment}/{name}": tensor for name, tensor in own.items()}
        tensors = {name: t.detach().cpu() for name, t in {**named, LOSS: loss}.items()}
        return cls(*when, tuple(range(len(loss))), tensors)

    @property
    def weights(self) -> State:
        """Parameters and buffers by name."""
        return _below(f"{WEIGHT}/", self.tensors)

    def moments_of(self, moment: str) -> State:
        """One moment of the optimizer, by the names of the parameters."""
        return _below(f"{MOMENT}/{moment}/", self.tensors)

    def rows(self, places: Sequence[int], numbers: Sequence[int]) -> TrainingState:
        """Some of its replicas, renumbered; a place may be named twice."""
        chosen = torch.tensor(list(places), dtype=torch.long)
        tensors = {name: tensor[chosen] for name, tensor in self.tensors.items()}
        return replace(self, replicas=tuple(numbers), tensors=tensors)

    @staticmethod
    def joined(states: Sequence[TrainingState]) -> TrainingState:
        """The replicas of several of one moment, one after the other."""
        first = states[0]
        tensors = {n: torch.cat([own.tensors[n] for own in states]) for n in first.tensors}
        replicas = tuple(number for own in states for number in own.replicas)
        return replace(first, replicas=replicas, tensors=tensors)


@dataclass(frozen=True)
class Continuation:
    """The state from which a block goes on, and what its replicas measured until then.

    state: of the padded replicas, in their order. columns: name -> (E, R, ...); met: (E, R),
    whether the target was met; both at the first evaluations of the block's cell. seconds: spent
    on them.
    """

    state: TrainingState
    columns: Mapping[str, NDArray[np.float64]]
    met: NDArray[np.bool_]
    seconds: float = 0.0

    def rows(self, places: Sequence[int], numbers: Sequence[int]) -> Continuation:
        """Some of its replicas, renumbered."""
        chosen = list(places)
        share = len(chosen) / len(self.state.replicas)
        return Continuation(
            self.state.rows(chosen, numbers),
            {name: values[:, chosen] for name, values in self.columns.items()},
            self.met[:, chosen],
            self.seconds * share,
        )

    @staticmethod
    def joined(parts: Sequence[Continuation]) -> Continuation:
        """The replicas of several that stand at one step, one after the other."""
        names = parts[0].columns
        return Continuation(
            TrainingState.joined([part.state for part in parts]),
            {n: np.concatenate([part.columns[n] for part in parts], axis=1) for n in names},
            np.concatenate([part.met for part in parts], axis=1),
            sum(part.seconds for part in parts),
        )


def _below(prefix: str, tensors: State) -> State:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
