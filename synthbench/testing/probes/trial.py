"""What the laws of probes look at: a probe, and replicas of a network on a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.engine.axis.objective import recipe_loss
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.replicas import Replicas
from synthbench.engine.data.held_out import held_out_sets
from synthbench.engine.data.sampling import cast_batch, draw_worlds
from synthbench.engine.training.view import probe_measurement
from synthbench.registry.kinds import PROBE, Kind
from synthbench.streams import keys_of
from synthbench.testing.workbench.comparison import copied, replica
from synthbench.testing.workbench.kept import Kept
from synthbench.testing.workbench.training import samples_of, train, untrained

COMPANY = (0, 1, 2)
SIZE = 64
TRAINED = 20

Values = Mapping[str, Tensor]


@dataclass(frozen=True)
class Watched:
    """Replicas that a probe measures: now, at initialization, and what they are measured on.

    Everything has a replica axis but `module`.
    """

    module: Replicas
    parameters: dict[str, Tensor]
    initial: dict[str, Tensor]
    buffers: dict[str, Tensor]
    world: Any
    batch: tuple[Any, ...]
    keys: Tensor

    def tensors(self) -> tuple[Any, ...]:
        """The stacked arguments of `measured`."""
        return (
            self.parameters, self.initial, self.buffers, self.world, self.batch, self.keys
        )  # fmt: skip


@dataclass
class ProbeTrial:
    """A probe under examination, on some task and model that it can measure."""

    subject: Probe
    task: Task
    model: Model
    facts: dict[str, str] = field(default_factory=dict)
    kind: ClassVar[Kind[Probe]] = PROBE
    _kept: Kept = field(default_factory=Kept)

    def untrained(self, company: Sequence[int] = COMPANY) -> Watched:
        """Replicas at initialization."""
        return self._kept.get(("untrained", tuple(company)), lambda: self._start(company))

    def trained(self) -> Watched:
        """The same after a few steps."""

        def make() -> Watched:
            start, lesson = self.untrained(), samples_of(self.task, self.model, COMPANY)
            after = train(start.module, self.model, lesson, TRAINED)
            return replace(start, parameters=after.parameters, buffers=after.buffers)

        return self._kept.get("trained", make)

    def one(self, watched: Watched, index: int = 0) -> Values:
        """The probe's values for one replica, without vmap, on copies."""
        return self.measured(watched.module, *copied(replica(watched.tensors(), index)))

    def each(self) -> tuple[list[Values], list[Values]]:
        """The values of every replica alone: untrained, and after some steps."""

        def make() -> tuple[list[Values], list[Values]]:
            replicas = range(len(COMPANY))
            before = [self.one(self.untrained(), index) for index in replicas]
            return before, [self.one(self.trained(), index) for index in replicas]

        return self._kept.get("each", make)

    def together(self, watched: Watched, looped: bool = False) -> Values:
        """The probe's values (R,) for all replicas."""
        lifted = over_replicas(
            lambda *arguments: dict(self.measured(watched.module, *arguments)), looped
        )
        return lifted(*copied(watched.tensors()))

    def measured(self, module: Replicas, *arguments: Any) -> Values:
        """The probe's values for one replica's tensors, in the order of `Watched.tensors`."""
        loss = recipe_loss(self.task, self.model)
        measure = probe_measurement(self.subject, self.task, loss, torch.float32)
        return measure(module, *arguments)

    def _start(self, company: Sequence[int]) -> Watched:
        module, keys = untrained(self.task, self.model, company), keys_of(list(company))
        worlds = draw_worlds(self.task, keys)
        drawn = held_out_sets(self.task)[0].drawn(worlds, keys, 0, SIZE)
        batch = cast_batch(drawn, torch.float32)
        initial = copied(module.parameters)
        return Watched(
            module, module.parameters, initial, module.buffers, worlds, tuple(batch), keys
        )
