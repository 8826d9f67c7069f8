"""What the laws of models look at: the model, what it built, and how the engine trains that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.interface import Interface
from synthbench.contracts.model import Model
from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.objective import recipe_loss
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.state import State
from synthbench.engine.data.sampling import as_batch
from synthbench.engine.inspection.lesson import STEPS, Lesson
from synthbench.engine.inspection.ways import EVERYTHING, Ways, try_ways
from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.registry.kinds import MODEL, Kind
from synthbench.streams import Purpose, Stream, keys_of, noise_keys
from synthbench.testing.workbench.comparison import copied, replica
from synthbench.testing.workbench.example_inputs import example_batch
from synthbench.testing.workbench.kept import Kept
from synthbench.testing.workbench.made_up_task import MadeUpTask

SIZE = 16
COMPANY = (0, 1, 2)
STIRRED = 0.3
ELSEWHERE = 1000
"""Between the seeds of examples of one step and the next."""


@dataclass
class ModelTrial:
    """A model under examination, for some interfaces.

    Modules are built anew for every look: one that has been called may have a state of its own.
    """

    subject: Model
    interfaces: tuple[Interface, ...]
    facts: dict[str, str] = field(default_factory=dict)
    kind: ClassVar[Kind[Model]] = MODEL
    _kept: Kept = field(default_factory=Kept)

    def fresh(
        self,
        interface: Interface,
        seeds: Sequence[int] = COMPANY,
        dtype: torch.dtype = torch.float32,
    ) -> PlainReplicas:
        """Modules built for these seeds, which no one has called."""
        modules = build_modules(self.subject, interface, list(seeds))
        return PlainReplicas.of(self.subject, modules, interface, EVERYTHING, dtype)

    def stirred(self, interface: Interface, seeds: Sequence[int] = (0,)) -> PlainReplicas:
        """The same, moved a little at random, so that what begins at zero lets signals through."""
        found = self.fresh(interface, seeds)
        shapes = tuple(tuple(p.shape) for p in found.parameters.values())
        for p, by in zip(found.parameters.values(), self._stirring(shapes), strict=True):
            p += STIRRED * by.to(p.dtype)
        return found

    def _stirring(self, shapes: tuple[tuple[int, ...], ...]) -> list[Tensor]:
        """The same standard normal numbers for every look at parameters of these shapes."""

        def draw() -> list[Tensor]:
            rng = Stream.from_seed(0, Purpose.NOISE)
            return [rng.normal(shape) for shape in shapes]

        return self._kept.get(("stirring", shapes), draw)

    def output(
        self,
        interface: Interface,
        x: Tensor,
        training: bool = False,
        noise: Tensor | None = None,
        stirred: bool = False,
    ) -> Tensor:
        """What a fresh module, of seed 0, returns for x; noise: the key of what it draws."""
        replicas = self.stirred(interface) if stirred else self.fresh(interface, (0,))
        return output_of(replicas, x, 0, training, noise)

    def batch(self, interface: Interface, seed: int = 0, size: int = SIZE) -> Batch:
        """Random examples."""
        return self._kept.get(
            ("batch", interface, seed, size), lambda: example_batch(interface, seed, size)
        )

    def lesson(self, interface: Interface, seeds: Sequence[int], steps: int = STEPS) -> Lesson:
        """Random examples for some training steps of these replicas, and keys of noise."""
        batches = [
            _stacked([self.batch(interface, seed + ELSEWHERE * step) for seed in seeds])
            for step in range(steps)
        ]
        return Lesson(_stacked(batches), noise_keys(keys_of(list(seeds)), range(steps)))

    def draws(self, interface: Interface) -> bool:
        """Whether the numbers of the replica's stream matter in training mode."""

        def attempt() -> bool:
            x = self.batch(interface).x
            first, second = (
                self.output(interface, x, training=True, noise=key, stirred=True)
                for key in noise_pair()
            )
            return not torch.equal(first, second)

        return self._kept.get(("draws", interface), attempt)

    def loss(self, interface: Interface) -> Loss:
        """That of the recipe where the interface has it; otherwise the first."""
        return recipe_loss(MadeUpTask.of(interface), self._trained_on(interface))

    def ways(self, interface: Interface, seeds: Sequence[int], coarse: bool = False) -> Ways:
        """How the engine finds that replicas of these seeds can be trained.

        coarse: let pass what it lets pass in half precision. Raises ModelError where they cannot.
        """

        def attempt() -> Ways:
            task, model = MadeUpTask.of(interface), self._trained_on(interface)
            # Nothing is computed in it: it decides how much passes for rounding.
            protocol = Protocol(precision="bf16-mixed" if coarse else "32-true")
            cell = Cell(task, model, protocol)
            return try_ways(cell, list(seeds), self.lesson(interface, seeds)).ways

        return self._kept.get(("ways", interface, tuple(seeds), coarse), attempt)

    def _trained_on(self, interface: Interface) -> Model:
        """The model, with the first loss of the interface where its recipe's is none of them."""
        losses = interface.output.losses()
        if self.subject.training_loss(losses) in losses:
            return self.subject
        recipe = self.subject.recipe.model_copy(update={"loss": None})
        return self.subject.model_copy(update={"recipe": recipe})


def noise_pair() -> tuple[Tensor, Tensor]:
    """Keys of the numbers of two replicas: () each."""
    first, second = noise_keys(keys_of([0, 1]), range(1))[0]
    return first, second


def output_of(
    replicas: PlainReplicas,
    x: Tensor,
    index: int = 0,
    training: bool = False,
    noise: Tensor | None = None,
) -> Tensor:
    """One replica's output on x, as its module returns it; noise: key of what it draws."""
    network = replicas.networks[index]
    own: State = {**network.parameters}
    with torch.set_grad_enabled(training):
        output = network.forward(own, {}, copied(x), training, noise)
    return output.detach()


def buffers_of(replicas: PlainReplicas, index: int = 0) -> State:
    """One replica's buffers as they are now."""
    replicas.gather_buffers()
    return copied(replica(replicas.buffers, index))


def train(replicas: PlainReplicas, loss: Loss, lesson: Lesson, rate: float) -> None:
    """Steps of one size along the signs of the gradients, as long as the lesson lasts."""
    for index in range(len(lesson.noise)):
        gradients, _ = replicas.gradients(loss, *lesson.step(index))
        for name, parameter in replicas.parameters.items():
            parameter -= rate * gradients[name].sign()


def _stacked(batches: Sequence[Batch]) -> Batch:
    return as_batch(tree_map(lambda *leaves: torch.stack(leaves), *batches))
