"""Laws without which nothing else about a task can be judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.interface import Interface
from synthbench.engine.data.sampling import as_batch
from synthbench.streams import Purpose, Stream
from synthbench.testing.examination import raised
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.tasks.trial import SIZE, TaskTrial
from synthbench.testing.workbench.comparison import copied, same_bits
from synthbench.testing.workbench.global_state import GlobalRandomState, seed_everything


@law(
    "runs",
    "interface, world, sample, losses, score, references and exact_scores work for one replica.",
    "make the method work for a single replica, and return what its docstring in "
    "synthbench.Task says.",
)
def runs(trial: TaskTrial) -> Outcome:
    """Each method once, and the type of what it returns."""
    task, found = trial.subject, dict[str, Any]()
    calls: dict[str, tuple[Callable[[], Any], type]] = {
        "interface": (lambda: task.interface, Interface),
        "world": (lambda: task.world(Stream.from_seed(0, Purpose.WORLD)), object),
        "sample": (lambda: _sample(trial, found["world"]), Batch),
        "losses": (task.losses, Mapping),
        "score": (lambda: task.score(trial.generic_output(), found["sample"]), Mapping),
        "references": (lambda: task.references(found["world"], found["sample"]), Mapping),
        "exact_scores": (task.exact_scores, Mapping),
        "known_algorithms": (task.known_algorithms, Mapping),
    }
    for name, (call, kind) in calls.items():
        try:
            found[name] = call()
        except Exception as error:
            return f"{name}: {raised(error)}"
        if not isinstance(found[name], kind):
            return f"{name} returned {type(found[name]).__name__}, not {kind.__name__}"
    losses = {
        f"loss {n}": f(trial.generic_output(), found["sample"]) for n, f in found["losses"].items()
    }
    for name in ("world", "sample", "score", "references"):
        strays = [leaf for leaf in tree_leaves(found[name]) if not isinstance(leaf, Tensor)]
        if strays:
            return f"{name} holds {type(strays[0]).__name__}, where only tensors may be"
    wrong = [name for name, value in losses.items() if not isinstance(value, Tensor)]
    if wrong or not losses or not found["score"]:
        return f"{wrong[0]} is no tensor" if wrong else "losses or score is empty"
    return None


def _sample(trial: TaskTrial, world: World) -> Batch:
    return trial.subject.sample(world, Stream.from_seed(0, Purpose.EVAL), SIZE)


@law(
    "no-global-random-state",
    "All randomness comes from rng: the global generators of torch, numpy and Python are "
    "neither drawn from nor seeded.",
    "draw from the rng argument, such as rng.signs(shape), rng.integers(high, shape) or "
    "rng.normal(shape); the engine gives it the replica's own numbers.",
    needs=("runs",),
)
def no_global_random_state(trial: TaskTrial) -> Outcome:
    """Whether everything leaves the generators alone, and does not depend on their seed."""
    found = []
    for seed in (1, 2):
        seed_everything(seed)
        before = GlobalRandomState.now()
        found.append(everything(trial))
        if before.moved():
            return f"the global generator of {' and '.join(before.moved())} was used"
    if same_bits(*found):
        return None
    # What differs between two calls for another reason is no matter of global generators.
    seed_everything(2)
    return (
        None
        if not same_bits(found[1], everything(trial))
        else ("the numbers depend on the seed of a global generator")
    )


@law(
    "same-stream-same-data",
    "The same stream gives the same world and samples, and the same batch the same references "
    "and scores, to the bit.",
    "let every method be a function of its arguments: no clock, no generator of your own, "
    "nothing kept from one call to the next.",
    needs=("no-global-random-state",),
)
def same_stream_same_data(trial: TaskTrial) -> Outcome:
    """Everything twice."""
    names = ("world", "sample", "references", "score", "losses")
    first, second = everything(trial), everything(trial)
    changed = [n for n, a, b in zip(names, first, second, strict=True) if not same_bits(a, b)]
    return f"{changed[0]} gave other numbers when called again" if changed else None


def everything(trial: TaskTrial) -> tuple[Any, ...]:
    """World, sample, references, scores and losses, as new tensors."""
    task, output = trial.subject, trial.generic_output()
    world = copied(task.world(Stream.from_seed(0, Purpose.WORLD)))
    batch = as_batch(copied(tuple(_sample(trial, world))))
    references = copied(dict(task.references(copied(world), as_batch(copied(tuple(batch))))))
    scores = copied(dict(task.score(output, batch)))
    return world, batch, references, scores, {n: f(output, batch) for n, f in task.losses().items()}


@law(
    "arguments-unchanged",
    "World, batch and output are left as they were given.",
    "work on new tensors: no in-place operations (those whose names end in _) and no indexed "
    "assignment on an argument.",
    needs=("same-stream-same-data",),
)
def arguments_unchanged(trial: TaskTrial) -> Outcome:
    """The arguments before and after each method."""
    task, output = trial.subject, trial.generic_output()
    world = task.world(Stream.from_seed(0, Purpose.WORLD))
    batch = as_batch(copied(tuple(_sample(trial, copied(world)))))
    calls: dict[str, Callable[[World, Batch, Tensor], object]] = {
        "sample": lambda w, b, o: _sample(trial, w),
        "references": lambda w, b, o: task.references(w, b),
        "score": lambda w, b, o: task.score(o, b),
        **{f"loss {name}": lambda w, b, o, f=f: f(o, b) for name, f in task.losses().items()},  # type: ignore[misc]
    }
    for name, call in calls.items():
        given = copied((world, tuple(batch), output))
        call(given[0], as_batch(given[1]), given[2])
        if not same_bits(given, (world, tuple(batch), output)):
            return f"{name} wrote into its arguments"
    return None


RUNNING_LAWS: tuple[Law[TaskTrial], ...] = (
    runs,
    no_global_random_state,
    same_stream_same_data,
    arguments_unchanged,
)
