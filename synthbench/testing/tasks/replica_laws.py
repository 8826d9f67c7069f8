"""Laws that let many replicas of a task be stacked, traced and moved to another device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch, World
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.tracing import traced
from synthbench.engine.data.sampling import as_batch, cast_batch, draw_batches, draw_worlds
from synthbench.streams import Purpose, Stream, keys_of
from synthbench.testing.examination import raised
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.tasks.trial import SIZE, TaskTrial
from synthbench.testing.workbench.comparison import close, replica, same_bits
from synthbench.testing.workbench.pretend_device import PRETENDED, misplaced, moved

COMPANY = (0, 1, 2)
OTHER_COMPANY = (7, 1, 5)
"""Seed 1 has the same place in both."""
STEPS = range(1, 3)


@law(
    "vmaps",
    "world, sample, references, score and losses work under torch.vmap, which stacks replicas.",
    "use tensor operations only: no .item(), no Python `if` on a tensor's value, no boolean "
    "masks that change a shape (torch.where instead), no writing into a tensor made inside.",
    needs=("samples-fit-interface",),
)
def vmaps(trial: TaskTrial) -> Outcome:
    """Each method under vmap."""
    worlds, batches = _drawn(trial, COMPANY)
    first = replica(batches, 0)
    over_replicas(lambda w, b: dict(trial.subject.references(w, as_batch(b))))(worlds, first)
    over_replicas(lambda o, b: _measured(trial, o, b))(_outputs(trial), first)
    return None


@law(
    "replica-independence",
    "A replica's world and samples do not depend on the replicas it is stacked with.",
    "use nothing but the world and the rng of the replica: no statistics over a hidden axis, no "
    "cache that another replica fills.",
    needs=("vmaps",),
)
def replica_independence(trial: TaskTrial) -> Outcome:
    """The replica of one seed among others, and in a wider stack."""
    place = COMPANY.index(1)
    alone = tree_map(lambda leaf: leaf[:, place], _drawn(trial, COMPANY)[1])
    for company in (OTHER_COMPANY, (3, 1, 4, 0, 6)):
        found = tree_map(lambda leaf: leaf[:, company.index(1)], _drawn(trial, company)[1])  # noqa: B023
        if not same_bits(alone, found):
            return f"seed 1 has other samples beside seeds {company} than beside {COMPANY}"
    worlds = [replica(_drawn(trial, c)[0], place) for c in (COMPANY, OTHER_COMPANY)]
    return None if same_bits(*worlds) else "seed 1 has another world in other company"


@law(
    "vmapped-equals-looped",
    "Stacked under torch.vmap, a replica draws the same bits as alone, and scores the same.",
    "keep to integers and IEEE basic arithmetic where a number decides something, and do not "
    "ask whether vmap is at work.",
    needs=("replica-independence",),
)
def vmapped_equals_looped(trial: TaskTrial) -> Outcome:
    """Data to the bit; references and scores, which are measured, to rounding."""
    task = trial.subject
    worlds, batches = _drawn(trial, COMPANY)
    for r, seed in enumerate(COMPANY):
        world = task.world(Stream.from_seed(seed, Purpose.WORLD))
        if not same_bits(world, replica(worlds, r)):
            return f"the world of seed {seed} is another under vmap"
        for index, step in enumerate(STEPS):
            single = task.sample(world, Stream.from_seed(seed, Purpose.TRAIN, step), SIZE)
            stacked = tree_map(lambda leaf: leaf[index, r], batches)  # noqa: B023
            if not same_bits(tuple(single), tuple(stacked)):
                return f"the samples of seed {seed} at step {step} are others under vmap"
    stacked_values = over_replicas(lambda w, o, b: _everything(trial, w, o, b))(
        worlds, _outputs(trial), replica(batches, 0)
    )
    for r in range(len(COMPANY)):
        own = as_batch(tree_map(lambda leaf: leaf[0, r], batches))  # noqa: B023
        values = _everything(trial, replica(worlds, r), _outputs(trial)[r], own)
        for name, value in values.items():
            if not close(value, stacked_values[name][r]):
                return f"{name} is {value.reshape(-1)[:1].tolist()} alone, another under vmap"
    return None


@law(
    "traced-equals-called",
    "score and losses, recorded once and replayed on other numbers, give what a call gives.",
    "compute with tensors alone, so that nothing of the first batch is frozen into the record; "
    "torch.nn.functional.one_hot cannot be recorded under vmap, comparing with arange can.",
    needs=("vmapped-equals-looped",),
)
def traced_equals_called(trial: TaskTrial) -> Outcome:
    """As the engine does it: trace on one batch, replay on the next."""
    function = over_replicas(lambda o, b: _measured(trial, o, b))
    try:
        replay = traced(function)
        batches = _drawn(trial, COMPANY)[1]
        for index in range(len(STEPS)):
            batch, outputs = tuple(replica(batches, index)), _outputs(trial, index)
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
        "sample": lambda: tuple(task.sample(world, Stream(key, Purpose.TRAIN), SIZE)),
        "references": lambda: dict(task.references(world, batch)),
        "score": lambda: dict(task.score(output, batch)),
        **{f"loss {n}": partial(loss, output, batch) for n, loss in task.losses().items()},
    }
    for name, call in calls.items():
        wrong = misplaced(call)
        if wrong:
            return f"{name}, called on another device: {wrong}"
    return None


@law(
    "any-precision",
    "references, score and losses work in double precision and in bfloat16 too.",
    "give new tensors the type of the output (dtype=output.dtype), or convert before mixing.",
    needs=("samples-fit-interface",),
)
def any_precision(trial: TaskTrial) -> Outcome:
    """Batches and outputs converted as `--precision 64-true` and bf16-true convert them."""
    for kind in (torch.float64, torch.bfloat16):
        batch = cast_batch(trial.batch(0), kind)
        step = "references"
        try:
            trial.subject.references(trial.world(), batch)
            step = "score or losses"
            _measured(trial, trial.generic_output().to(kind), batch)
        except Exception as error:
            return f"{step} in {kind}: {raised(error)}"
    return None


def _drawn(trial: TaskTrial, seeds: tuple[int, ...]) -> tuple[World, Batch]:
    """Worlds (R, ...) and batches (K, R, ...) of STEPS, as the engine draws them."""
    keys = keys_of(list(seeds))
    worlds = draw_worlds(trial.subject, keys)
    return worlds, draw_batches(trial.subject, worlds, keys, Purpose.TRAIN, STEPS, SIZE)


def _outputs(trial: TaskTrial, seed: int = 0) -> Tensor:
    places = [trial.generic_output(seed=seed + r) for r in range(len(COMPANY))]
    return torch.stack(places)


def _measured(trial: TaskTrial, output: Tensor, batch: Any) -> dict[str, Tensor]:
    own = as_batch(batch)
    scores = {f"score {n}": v for n, v in trial.subject.score(output, own).items()}
    losses = {f"loss {n}": loss(output, own) for n, loss in trial.subject.losses().items()}
    return {**scores, **losses}


def _everything(trial: TaskTrial, world: World, output: Tensor, batch: Any) -> dict[str, Tensor]:
    references = trial.subject.references(world, as_batch(batch))
    named = {f"reference {name}": value for name, value in references.items()}
    return {**named, **_measured(trial, output, batch)}


REPLICA_LAWS: tuple[Law[TaskTrial], ...] = (
    vmaps,
    replica_independence,
    vmapped_equals_looped,
    traced_equals_called,
    device_agnostic,
    any_precision,
)
