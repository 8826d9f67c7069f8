"""Which of the three ways are right for a model: tried, and held against plain modules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from synthbench.engine.axis.attributes import attributes_of, changed
from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.gradients import stacked_gradients
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.objective import Objective, recipe_loss
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.replicas import Replicas, stack_modules
from synthbench.engine.axis.state import State
from synthbench.engine.axis.way import Draws, Way
from synthbench.engine.inspection.lesson import STEPS, Lesson
from synthbench.engine.inspection.output_shape import check_output_shape
from synthbench.engine.inspection.reasons import stacking_reason
from synthbench.errors import ModelError, SynthbenchError, explain
from synthbench.plan.cell import Cell

RATE = 1e-3
"""By which every parameter moves between them."""
ROUNDING = 0.01
"""Largest difference to pass for rounding, relative to the norm of a loss, gradient or buffer.

Gradients through chunks of decays differ by almost as much; what a stack gets wrong, by more."""
ROUNDING_IN_HALF = 0.05
"""The same under bf16-mixed."""
EVERYTHING = Draws(intercepted=True, generators=True)


@dataclass(frozen=True)
class Ways:
    """The ways that are right, the fastest by rule first; reasons: why another is not."""

    right: tuple[Way, ...] = (Way.TRACED, Way.STACKED, Way.PLAIN)
    reasons: dict[Way, str] = field(default_factory=dict)
    draws: Draws = Draws()

    def without_stack(self, reason: str) -> Ways:
        """The same where a stack has turned out to be wrong after all."""
        reasons = dict.fromkeys((Way.TRACED, Way.STACKED), reason)
        return replace(self, right=(Way.PLAIN,), reasons={**reasons, **self.reasons})

    @property
    def loop_reason(self) -> str | None:
        """Why replicas cannot be stacked, if they cannot."""
        return self.reasons.get(Way.STACKED) if self.right == (Way.PLAIN,) else None


@dataclass(frozen=True)
class Step:
    """What plain modules did at one step: leaves (R, ...). parameters: those before it."""

    parameters: State
    losses: Tensor
    gradients: State
    buffers: State


@dataclass(frozen=True)
class Tried:
    """Replicas of a cell that were tried in every way; stacked: None where there is no stack."""

    ways: Ways
    plain: PlainReplicas
    stacked: Replicas | None

    def without_stack(self, reason: str) -> Tried:
        """The same where only plain modules will do."""
        return Tried(self.ways.without_stack(reason), self.plain, None)


def try_ways(cell: Cell, seeds: list[int], lesson: Lesson) -> Tried:
    """Train plain modules for a few steps, then hold a stack of the same against them.

    Raises ModelError where the modules themselves cannot be trained, return the wrong shape, or
    give two results for the same parameters and input.
    """
    modules = build_modules(cell.model, cell.interface, seeds)
    replicas, reason = _stack(cell, modules)
    plain = PlainReplicas.of(cell.model, modules, cell.interface, EVERYTHING)
    before = [attributes_of(module) for module in modules]
    with naming(f'model "{cell.model.label()}"', "trained"):
        check_output_shape(cell, plain, lesson.step(0)[0])
        steps = plain_steps(cell, plain, lesson)
    draws = plain.networks[0].drew
    for network in plain.networks:
        network.draws = draws
    if reason is None:
        reason = _unstackable(modules, before, draws)
    ways = _ways(cell, replicas, reason, steps, lesson, draws)
    if ways.right == (Way.PLAIN,):
        _check_repeatable(cell, seeds, steps[0], lesson)
    return Tried(ways, plain, replicas if len(ways.right) > 1 else None)


def _stack(cell: Cell, modules: list[nn.Module]) -> tuple[Replicas | None, str | None]:
    try:
        return stack_modules(cell.model, modules, cell.interface).to(torch.float32), None
    except ModelError as error:
        # What plain modules refuse too is raised there.
        cause = error.__cause__
        return None, stacking_reason(cause if isinstance(cause, Exception) else error)


def plain_steps(cell: Cell, plain: PlainReplicas, lesson: Lesson) -> list[Step]:
    """Train plain modules by the signs of their gradients; returns what they did at every step."""
    loss = recipe_loss(cell.task, cell.model)
    steps = []
    for index in range(STEPS):
        parameters = _copied(plain.parameters)
        gradients, losses = plain.gradients(loss, *lesson.step(index))
        plain.gather_buffers()
        steps.append(Step(parameters, losses, _copied(gradients), _copied(plain.buffers)))
        for name, parameter in plain.parameters.items():
            parameter.sub_(RATE * gradients[name].sign())
    return steps


def _unstackable(
    modules: list[nn.Module], before: list[dict[str, object]], draws: Draws
) -> str | None:
    """Why a stack would be wrong, though its numbers may agree for a few steps."""
    if draws.generators:
        return "its forward pass draws from a global generator, which is seeded for each replica"
    for module, earlier in zip(modules, before, strict=True):
        moved = changed(earlier, attributes_of(module))
        if moved:
            place = moved[0].replace(":", ".").lstrip(".").replace("/", ".")
            return f"its forward pass changes the attribute {place}, which is not in a buffer"
    return None


def _ways(
    cell: Cell,
    replicas: Replicas | None,
    reason: str | None,
    steps: list[Step],
    lesson: Lesson,
    draws: Draws,
) -> Ways:
    reasons: dict[Way, str] = {}
    if replicas is None or reason is not None:
        reasons = dict.fromkeys((Way.TRACED, Way.STACKED), reason or "")
        return Ways((Way.PLAIN,), reasons, draws)
    for way in (Way.TRACED, Way.STACKED):
        found = _difference(cell, replicas, way, steps, lesson)
        if found is None:
            return Ways((way, Way.PLAIN), reasons, draws)
        reasons[way] = found
    return Ways((Way.PLAIN,), reasons, draws)


def _difference(
    cell: Cell, replicas: Replicas, way: Way, steps: list[Step], lesson: Lesson
) -> str | None:
    """What a stack does otherwise than the plain modules, or None."""
    mixed = cell.protocol.precision == "bf16-mixed"
    rounding = ROUNDING_IN_HALF if mixed else ROUNDING
    buffers = _copied(replicas.buffers)
    objective = Objective(replicas, recipe_loss(cell.task, cell.model))
    gradients_of = stacked_gradients(objective, way)
    for index, step in enumerate(steps):
        try:
            gradients, losses = gradients_of(step.parameters, buffers, *lesson.step(index))
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return stacking_reason(error)
        if not close(losses, step.losses, rounding):
            return "stacked, it has another loss"
        for kind, found, expected in (
            ("gradient of", gradients, step.gradients),
            ("buffer", buffers, step.buffers),
        ):
            wrong = [n for n, t in expected.items() if not close(found[n], t, rounding)]
            if wrong:
                return f"stacked, it has another {kind} {wrong[0]}"
    return None


def _check_repeatable(cell: Cell, seeds: list[int], first: Step, lesson: Lesson) -> None:
    """Refuse what gives other numbers when it is built and called again."""
    modules = build_modules(cell.model, cell.interface, seeds)
    again = PlainReplicas.of(cell.model, modules, cell.interface, EVERYTHING)
    # As before the first time: a module may count its calls.
    check_output_shape(cell, again, lesson.step(0)[0])
    _, losses = again.gradients(recipe_loss(cell.task, cell.model), *lesson.step(0))
    if not torch.equal(losses.nan_to_num(), first.losses.nan_to_num()):
        raise ModelError(
            f'model "{cell.model.label()}" gives two results for the same parameters, input and '
            "random numbers; let it depend on nothing else, such as the time or an earlier call"
        )


def close(found: Tensor, expected: Tensor, rounding: float) -> bool:
    """Whether every replica's numbers agree, relative to their norm; NaN agrees with NaN."""
    a, b = (t.detach().double().reshape(t.shape[0], -1) for t in (found, expected))
    if a.shape != b.shape or not torch.equal(a.isfinite(), b.isfinite()):
        return False
    a, b = (t.nan_to_num(0.0, 0.0, 0.0) for t in (a, b))
    return bool(((a - b).norm(dim=1) <= rounding * b.norm(dim=1) + 1e-6).all())


def _copied(state: State) -> State:
    return {name: tensor.detach().clone() for name, tensor in state.items()}


@contextmanager
def naming(what: str, doing: str) -> Iterator[None]:
    """Say in a ModelError what it was that failed; messages of our own stay as they are."""
    try:
        yield
    except SynthbenchError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(f"{what} cannot be {doing}: {explain(error)}") from error
