"""Laws that let many replicas of a task be stacked, traced and moved to another device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.task import Task
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.tracing import traced
from synthbench.engine.data.held_out import HeldOut
from synthbench.engine.data.sampling import as_batch, cast_batch
from synthbench.engine.training.score_totals import score_parts
from synthbench.streams import Purpose, Stream
from synthbench.testing.examination import raised
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.tasks.everything_drawn import Drawn, alone, stacked, words
from synthbench.testing.tasks.trial import SIZE, TaskTrial
from synthbench.testing.workbench.comparison import alike, close, replica, same_bits
from synthbench.testing.workbench.pretend_device import PRETENDED, misplaced, moved

COMPANY = (0, 1, 2)
OTHER_COMPANY = (7, 1, 5)
"""Seed 1 has the same place in both."""
WIDER_COMPANY = (3, 1, 4, 0, 6)


@law(
    "vmaps",
    "world, sample or train_set, test_sets, references, score, aggregate and losses work under "
    "torch.vmap, which stacks replicas.",
    "use tensor operations only: no .item(), no Python `if` on a tensor's value, no boolean "
    "masks that change a shape (torch.where instead), no writing into a tensor made inside.",
    needs=("samples-fit-interface",),
)
def vmaps(trial: TaskTrial) -> Outcome:
    """Each method under vmap."""
    _together(trial, COMPANY)
    for place in range(len(trial.sets)):
        worlds, batches = trial.together(COMPANY, SIZE, place)
        over_replicas(partial(_referred, trial.sets[place]))(worlds, batches)
        over_replicas(lambda o, b: measured(trial, o, b))(_outputs(trial, 0, place), batches)
    trial.scores(_outputs(trial), trial.together(COMPANY, SIZE)[1])
    return None


@law(
    "replica-independence",
    "A replica's world and examples do not depend on the replicas it is stacked with.",
    "use nothing but the world and the rng of the replica: no statistics over a hidden axis, no "
    "cache that another replica fills.",
    needs=("vmaps",),
)
def replica_independence(trial: TaskTrial) -> Outcome:
    """The replica of one seed among others, to the bit, and in a wider stack."""
    seen = _of(_together(trial, COMPANY), COMPANY.index(1))
    for company in (OTHER_COMPANY, WIDER_COMPANY):
        found = _of(_together(trial, company), company.index(1))
        agree = same_bits if len(company) == len(COMPANY) else alike
        for name in seen:
            if not agree(seen[name], found[name]):
                return f"{name} of seed 1 is another beside seeds {company} than beside {COMPANY}"
            _report_bits(trial, name, seen[name], found[name], "in wider stacks")
    return None


@law(
    "vmapped-equals-looped",
    "Stacked under torch.vmap, a replica draws the same as alone: integers, booleans and whole "
    "numbers to the bit, other real numbers to rounding; and it scores the same.",
    "keep to integers and IEEE basic arithmetic where a number decides something, and do not "
    "ask whether vmap is at work.",
    needs=("replica-independence",),
)
def vmapped_equals_looped(trial: TaskTrial) -> Outcome:
    """Data, then references and scores, which are measured, to rounding."""
    for r, seed in enumerate(COMPANY):
        stack, single = _of(_together(trial, COMPANY), r), alone(trial, seed)
        for name in single:
            if not alike(single[name], stack[name]):
                return f"{name} of seed {seed} is another under vmap"
            _report_bits(trial, name, single[name], stack[name], "under vmap")
    worlds, batches = trial.together(COMPANY, SIZE)
    outputs = _outputs(trial)
    values = over_replicas(lambda w, o, b: _everything(trial, w, o, b))(worlds, outputs, batches)
    for r in range(len(COMPANY)):
        own = as_batch(replica(tuple(batches), r))
        for name, value in _everything(trial, replica(worlds, r), outputs[r], own).items():
            if not close(value, replica(values[name], r)):
                first = tree_leaves(value)[0].reshape(-1)[:1].tolist()
                return f"{name} is {first} alone, another under vmap"
    return None


def _report_bits(trial: TaskTrial, name: str, first: Any, second: Any, where: str) -> None:
    """Say so where two trees that agree do not do so to the bit."""
    if not same_bits(first, second):
        trial.facts[f"last bits of {name}"] = (
            f"differ {where}; compute in float64 and round to float32 to avoid it"
        )


@law(
    "traced-equals-called",
    "score and losses, recorded once and replayed on other numbers, give what a call gives.",
    "compute with tensors alone, so that nothing of the first batch is frozen into the record; "
    "torch.nn.functional.one_hot cannot be recorded under vmap, comparing with arange can.",
    needs=("vmapped-equals-looped",),
)
def traced_equals_called(trial: TaskTrial) -> Outcome:
    """As the engine does it: trace on one batch, replay on the next."""
    function = over_replicas(lambda o, b: measured(trial, o, b))
    try:
        replay = traced(function)
        for index, company in enumerate((COMPANY, OTHER_COMPANY)):
            batch, outputs = tuple(trial.together(company, SIZE)[1]), _outputs(trial, index)
            expected, found = function(outputs, batch), replay(outputs, batch)
            wrong = [name for name in expected if not close(found[name], expected[name])]
            if wrong:
                return f"{wrong[0]} gives other numbers when it is replayed"
    except Exception as error:
        return f"recording: {raised(error)}"
    return None


@law(
    "device-agnostic",
    "Everything it makes is on the device of its arguments.",
    "give new tensors a device: torch.arange(n, device=rng.device) in world and sample, "
    "device=batch.x.device elsewhere.",
    needs=("vmaps",),
)
def device_agnostic(trial: TaskTrial) -> Outcome:
    """Every method with arguments that claim to be on another device."""
    task = trial.subject
    key = torch.empty(2, dtype=torch.int64, device=PRETENDED)
    world, output = moved(trial.world()), moved(trial.generic_output())
    batch = as_batch(moved(tuple(trial.batch(0))))
    calls: dict[str, Callable[[], Any]] = {
        "world": lambda: task.world(Stream(key, Purpose.WORLD)),
        **_drawing(trial, world, key),
        "references": lambda: dict(trial.sets[0].references(world, batch)),
        "score": lambda: dict(task.score(output, batch)),
        **{f"loss {n}": partial(loss, output, batch) for n, loss in task.losses().items()},
    }
    for name, call in calls.items():
        wrong = misplaced(call)
        if wrong:
            return f"{name}, called on another device: {wrong}"
    return None


def _drawing(trial: TaskTrial, world: World, key: Tensor) -> dict[str, Callable[[], Any]]:
    """What draws examples, called with tensors of another device."""
    task = trial.subject

    def training() -> tuple[Any, ...]:
        if trial.has_train_set:
            return tuple(task.train_set(world) or ())
        step = torch.zeros((), dtype=torch.int64, device=PRETENDED)
        return tuple(task.sample_at(world, Stream(key, Purpose.TRAIN), SIZE, step))

    found: dict[str, Callable[[], Any]] = {
        "train_set" if trial.has_train_set else "sample": training
    }
    if type(task).test_sets is not Task.test_sets:
        for held_out in trial.sets:
            whole = held_out.test_set.whole
            call = partial(whole, world) if whole else partial(_drawn, held_out, world, key)
            found[words(held_out)] = lambda call=call: tuple(call())  # type: ignore[misc]
    return found


def _drawn(held_out: HeldOut, world: World, key: Tensor) -> Batch:
    return held_out.sample(world, Stream(key, Purpose.EVAL), SIZE)


@law(
    "any-precision",
    "references, score and losses work in double precision and in bfloat16 too.",
    "give new tensors the type of the output (dtype=output.dtype), or convert before mixing; what "
    "has no bfloat16, such as torch.linalg.solve, is given float32 (or more) and converted back.",
    needs=("samples-fit-interface",),
)
def any_precision(trial: TaskTrial) -> Outcome:
    """Batches and outputs converted as `--precision 64-true` and bf16-true convert them."""
    for kind in (torch.float64, torch.bfloat16):
        batch = cast_batch(trial.batch(0), kind)
        step = "references"
        try:
            trial.sets[0].references(trial.world(), batch)
            step = "score or losses"
            measured(trial, trial.generic_output().to(kind), batch)
        except Exception as error:
            return f"{step} in {kind}: {raised(error)}"
    return None


def _referred(held_out: HeldOut, world: World, batch: Any) -> dict[str, Tensor]:
    return dict(held_out.references(world, as_batch(batch)))


def _together(trial: TaskTrial, seeds: tuple[int, ...]) -> Drawn:
    return trial.keep(("stacked", seeds), lambda: stacked(trial, seeds))


def _of(drawn: Drawn, place: int) -> Drawn:
    return {name: replica(tree, place) for name, tree in drawn.items()}


def _outputs(trial: TaskTrial, seed: int = 0, place: int = 0) -> Tensor:
    several = [trial.generic_output(seed=seed + r, place=place) for r in range(len(COMPANY))]
    return torch.stack(several)


def measured(trial: TaskTrial, output: Tensor, batch: Any) -> dict[str, Any]:
    """Parts of the scores, and losses, of one replica's output."""
    own = as_batch(batch)
    parts = score_parts(trial.subject.score(output, own))
    losses = {f"loss {n}": loss(output, own) for n, loss in trial.subject.losses().items()}
    return {**{f"score {name}": part for name, part in parts.items()}, **losses}


def _everything(trial: TaskTrial, world: World, output: Tensor, batch: Any) -> dict[str, Any]:
    references = trial.sets[0].references(world, as_batch(batch))
    named = {f"reference {name}": value for name, value in references.items()}
    return {**named, **measured(trial, output, batch)}


REPLICA_LAWS: tuple[Law[TaskTrial], ...] = (
    vmaps,
    replica_independence,
    vmapped_equals_looped,
    traced_equals_called,
    device_agnostic,
    any_precision,
)
