"""Laws without which nothing else about a task can be judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.interface import Interface
from synthbench.contracts.task import Task
from synthbench.contracts.test_set import TestSet
from synthbench.engine.data.sampling import as_batch
from synthbench.engine.generators import GlobalRandomState, seed_everything
from synthbench.plan.task_facts import SET_NAME, fixed_input_hashes
from synthbench.streams import Purpose, Stream
from synthbench.testing.examination import raised
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.tasks.trial import SIZE, TaskTrial
from synthbench.testing.workbench.comparison import copied, same_bits


@law(
    "runs",
    "interface, world, sample or train_set, test_sets, losses, score, references and exact_scores "
    "work for one replica.",
    "make the method work for a single replica, and return what its docstring in "
    "synthbench.Task says.",
)
def runs(trial: TaskTrial) -> Outcome:
    """Each method once, and the type of what it returns."""
    task, found = trial.subject, dict[str, Any]()
    source = "sample" if type(task).train_set is Task.train_set else "train_set"
    calls: dict[str, tuple[Callable[[], Any], type]] = {
        "interface": (lambda: task.interface, Interface),
        "world": (lambda: task.world(Stream.from_seed(0, Purpose.WORLD)), object),
        source: (lambda: trial.draw_training(found["world"], 0), Batch),
        "test_sets": (task.test_sets, Mapping),
        "losses": (task.losses, Mapping),
        "score": (lambda: task.score(_output(trial), found[source]), Mapping),
        "references": (lambda: task.references(found["world"], found[source]), Mapping),
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
    losses = {f"loss {n}": f(_output(trial), found[source]) for n, f in found["losses"].items()}
    for name in ("world", source, "score", "references"):
        strays = [leaf for leaf in tree_leaves(found[name]) if not isinstance(leaf, Tensor)]
        if strays:
            return f"{name} holds {type(strays[0]).__name__}, where only tensors may be"
    wrong = [name for name, value in losses.items() if not isinstance(value, Tensor)]
    if wrong or not losses or not found["score"]:
        return f"{wrong[0]} is no tensor" if wrong else "losses or score is empty"
    return None


def _output(trial: TaskTrial) -> Tensor:
    return Stream.from_seed(0, Purpose.TEST).normal((SIZE, *trial.interface.output.shape))


@law(
    "test-sets-are-stated",
    "Every test set has a name for columns, and either a sampler or a finite set.",
    "return {name: TestSet(sample=...)} or TestSet(whole=...), never both; names are lower-case "
    "words, numbers and hyphens (the first may be empty); interface= for another length.",
    needs=("runs",),
)
def test_sets_are_stated(trial: TaskTrial) -> Outcome:
    """Names, the two kinds, and ports of the task's own kinds."""
    found = trial.subject.test_sets()
    if not found:
        return "test_sets is empty; the default is that of sample"
    for place, (name, test_set) in enumerate(found.items()):
        if not isinstance(test_set, TestSet):
            return f"test set {name!r} is {type(test_set).__name__}, not TestSet"
        if not SET_NAME.fullmatch(name) and (place or name):
            return f"a test set is called {name!r}"
        if (test_set.sample is None) == (test_set.whole is None):
            given = "neither" if test_set.sample is None else "both"
            return f'test set "{name}" has {given} of sample and whole'
        wrong = _other_ports(trial.interface, test_set.interface)
        if wrong:
            return f'test set "{name}" {wrong}'
    return None


def _other_ports(own: Interface, other: Interface | None) -> str | None:
    """What is not of the task's kind; only sizes may differ."""
    if other is None:
        return None
    for mine, theirs in ((own.input, other.input), (own.output, other.output)):
        if type(mine) is not type(theirs) or mine.causal != theirs.causal:
            return f"has {theirs.describe()}, the task {mine.describe()}"
    return None


@law(
    "no-global-random-state",
    "All randomness comes from rng: the global generators of torch, numpy and Python are "
    "neither drawn from nor seeded.",
    "draw from the rng argument, such as rng.signs(shape), rng.integers(high, shape) or "
    "rng.normal(shape); the engine gives it the replica's own numbers.",
    needs=("test-sets-are-stated",),
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
    "and scores, to the bit; fixed inputs keep their hashes.",
    "let every method be a function of its arguments: no clock, no generator of your own, "
    "nothing kept from one call to the next.",
    needs=("no-global-random-state",),
)
def same_stream_same_data(trial: TaskTrial) -> Outcome:
    """Everything twice."""
    first, second = everything(trial), everything(trial)
    changed = [name for name in first if not same_bits(first[name], second[name])]
    if changed:
        return f"{changed[0]} gave other numbers when called again"
    hashes = [fixed_input_hashes(trial.subject) for _ in range(2)]
    return None if hashes[0] == hashes[1] else "fixed_inputs has other hashes when called again"


def everything(trial: TaskTrial) -> dict[str, Any]:
    """World, examples, references, scores and losses of a replica, as new tensors."""
    task = trial.subject
    world = copied(task.world(Stream.from_seed(0, Purpose.WORLD)))
    found: dict[str, Any] = {"world": world}
    for name, place, draw in _sources(trial):
        batch = as_batch(copied(tuple(draw(world))))
        found[name] = batch
        if place:
            # Of other lengths, maybe; whether they are as declared is another law's question.
            continue
        output = _output(trial)
        found |= {
            f"references of {name}": copied(
                dict(trial.sets[0].references(copied(world), as_batch(copied(tuple(batch)))))
            ),
            f"score of {name}": copied(dict(task.score(output, batch))),
            f"losses of {name}": {n: f(output, batch) for n, f in task.losses().items()},
        }
    return found


Source = tuple[str, int | None, Callable[[World], Batch]]
"""A method, the place of its test set if it is of one, and what it draws in a world."""


def _sources(trial: TaskTrial) -> list[Source]:
    """Where examples come from: test sets, and what is trained on."""
    training = "train_set" if trial.has_train_set else "sample"
    found: list[Source] = [(training, None, lambda world: trial.draw_training(world, 0))]
    for place, held_out in enumerate(trial.sets):
        name = f'test set "{held_out.name}"' if held_out.name else "test set"
        found.append((name, place, partial(trial.draw_held_out, place=place, seed=0)))
    return found


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
    batch = as_batch(copied(tuple(trial.draw_held_out(copied(world), 0, 0))))
    calls: dict[str, Callable[[World, Batch, Tensor], object]] = {
        **{name: lambda w, b, o, f=draw: f(w) for name, _, draw in _sources(trial)},  # type: ignore[misc]
        "references": lambda w, b, o: trial.sets[0].references(w, b),
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
    test_sets_are_stated,
    no_global_random_state,
    same_stream_same_data,
    arguments_unchanged,
)
