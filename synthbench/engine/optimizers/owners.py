"""Every replica's own parameters, as the author of its module made them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from synthbench.engine.axis.state import State

Owners = Sequence[Mapping[str, nn.Parameter]]
"""For every replica, name -> its module's own Parameter: class and attributes are the author's."""


def own_parameters(stacked: State, owners: Owners | None) -> list[dict[str, nn.Parameter]]:
    """For every replica, parameters whose storage are its slices of the stacked ones (R, ...).

    owners: the objects to be used, whose storage is exchanged; None: bare parameters.
    """
    found: list[dict[str, nn.Parameter]] = []
    for r in range(next(iter(stacked.values())).shape[0]):
        slices = {name: tensor.detach()[r] for name, tensor in stacked.items()}
        own = {n: nn.Parameter(s) if owners is None else owners[r][n] for n, s in slices.items()}
        for name, parameter in own.items():
            parameter.data = slices[name]
        found.append(own)
    return found


@dataclass(frozen=True)
class Traits:
    """What sets an author's parameters apart from bare ones, for trials that must know it.

    described: (name, class, attributes) of each that is not bare; what is alike here is taken to
    be alike. owners: examples of them.
    """

    described: tuple[tuple[str, str, str], ...]
    owners: Owners = field(compare=False, repr=False)

    @classmethod
    def of(cls, owners: Owners | None) -> Traits | None:
        """None where all are bare."""
        if owners is None:
            return None
        described = tuple(
            (name, type(parameter).__qualname__, repr(sorted(vars(parameter).items())))
            for name, parameter in owners[0].items()
            if type(parameter) is not nn.Parameter or vars(parameter)
        )
        return cls(described, owners) if described else None

    def start(self, parameters: State) -> State:
        """Parameters (R, ...) with the examples' values where they are special: on a manifold."""
        special = {name for name, *_ in self.described}
        return {
            name: torch.stack([self._example(r)[name].detach() for r in range(len(p))]).to(p)
            if name in special
            else p
            for name, p in parameters.items()
        }

    def copies(self, parameters: State) -> Owners:
        """For every replica of the parameters, copies of the examples."""
        count = len(next(iter(parameters.values())))
        return [{n: _copied(self._example(r)[n]) for n in parameters} for r in range(count)]

    def _example(self, r: int) -> Mapping[str, nn.Parameter]:
        return self.owners[r % len(self.owners)]


def _copied(parameter: nn.Parameter) -> nn.Parameter:
    """Torch's own copy leaves the attributes out."""
    copied = copy.deepcopy(parameter)
    vars(copied).update(vars(parameter))
    return copied
