"""What the laws of models look at: the model, and what it built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.interface import Interface
from synthbench.contracts.model import Model
from synthbench.engine.axis.objective import Objective
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.replicas import Replicas, stacked_replicas
from synthbench.engine.axis.state import State
from synthbench.errors import first_line
from synthbench.registry.kinds import MODEL, Kind
from synthbench.streams import Purpose, Stream, keys_of, noise_keys
from synthbench.testing.workbench.comparison import copied, replica
from synthbench.testing.workbench.example_inputs import example_batch
from synthbench.testing.workbench.kept import Kept

SIZE = 16
COMPANY = (0, 1, 2)
STIRRED = 0.3


@dataclass
class ModelTrial:
    """A model under examination, for some interfaces; whatever is built is kept."""

    subject: Model
    interfaces: tuple[Interface, ...]
    facts: dict[str, str] = field(default_factory=dict)
    kind: ClassVar[Kind[Model]] = MODEL
    _kept: Kept = field(default_factory=Kept)

    def replicas(self, interface: Interface, seeds: Sequence[int] = COMPANY) -> Replicas:
        """Modules built for these seeds, stacked."""
        return self._kept.get(
            ("replicas", interface, tuple(seeds)),
            lambda: stacked_replicas(self.subject, interface, list(seeds)),
        )

    def stirred(self, interface: Interface) -> Replicas:
        """The same, moved a little at random, so that what begins at zero lets signals through."""

        def make() -> Replicas:
            start, rng = self.replicas(interface), Stream.from_seed(0, Purpose.NOISE)
            moved = {
                name: p + STIRRED * rng.normal(tuple(p.shape)).to(p.dtype)
                for name, p in start.parameters.items()
            }
            return start.with_state(moved, start.buffers)

        return self._kept.get(("stirred", interface), make)

    def batch(self, interface: Interface, seed: int = 0, size: int = SIZE) -> Batch:
        """Random examples."""
        return self._kept.get(
            ("batch", interface, seed, size), lambda: example_batch(interface, seed, size)
        )

    def batches(self, interface: Interface, seeds: Sequence[int] = COMPANY) -> Batch:
        """Those of several seeds, leaves (R, B, ...)."""
        found = [self.batch(interface, seed) for seed in seeds]
        return Batch(torch.stack([b.x for b in found]), torch.stack([b.y for b in found]))

    def noise(self, seeds: Sequence[int] = COMPANY) -> Tensor:
        """Keys of the numbers that networks draw at the first step: (R,)."""
        return noise_keys(keys_of(list(seeds)), range(1))[0]

    def draws(self, interface: Interface) -> bool:
        """Whether the numbers of the replica's stream matter in training mode."""

        def attempt() -> bool:
            replicas, x = self.stirred(interface), self.batch(interface).x
            first, second = (
                output_of(replicas, x, training=True, noise=key)[0] for key in self.noise()[:2]
            )
            return not torch.equal(first, second)

        return self._kept.get(("draws", interface), attempt)

    def loss(self, interface: Interface) -> Loss:
        """That of the recipe where the interface has it; otherwise the first."""
        losses = interface.output.losses()
        return losses.get(self.subject.training_loss(losses), next(iter(losses.values())))

    def objective(self, replicas: Replicas, interface: Interface) -> Objective:
        """The training loss of one replica."""
        return Objective(replicas, self.loss(interface))

    def loop_reason(self, interface: Interface) -> str | None:
        """Why a forward and backward pass cannot be vmapped; None if it can."""

        def attempt() -> str | None:
            try:
                self.losses_and_gradients(interface, looped=False)
            except Exception as error:
                return first_line(error)
            return None

        return self._kept.get(("reason", interface), attempt)

    def losses_and_gradients(self, interface: Interface, looped: bool) -> tuple[Tensor, State]:
        """Losses (R,) and their gradients (R, ...) by plain autograd."""
        stack = self.replicas(interface)
        parameters = {n: p.clone().requires_grad_() for n, p in stack.parameters.items()}
        batches = self.batches(interface)
        with torch.enable_grad():
            losses = over_replicas(self.objective(stack, interface), looped)(
                parameters, copied(stack.buffers), batches, self.noise()
            )
            found = torch.autograd.grad(
                losses.sum(), list(parameters.values()), materialize_grads=True
            )
        return losses.detach(), dict(zip(parameters, found, strict=True))


@torch.no_grad()
def output_of(
    replicas: Replicas,
    x: Tensor,
    index: int = 0,
    training: bool = False,
    noise: Tensor | None = None,
) -> tuple[Tensor, State]:
    """One replica's output on x, and its buffers afterwards; noise: key of what it draws."""
    buffers = copied(replica(replicas.buffers, index))
    weights = replica(replicas.parameters, index)
    output = replicas.forward(weights, buffers, copied(x), training=training, noise=noise)
    return output, buffers
