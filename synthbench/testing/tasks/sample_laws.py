"""Laws of a task's examples: what they look like, and what they depend on."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from synthbench.contracts.batch import Batch
from synthbench.contracts.interface import (
    ClassLogits,
    Interface,
    Margin,
    Margins,
    Port,
    Signs,
    TokenLogits,
    Tokens,
    Value,
)
from synthbench.contracts.losses import (
    CLASS_LOSSES,
    IGNORED,
    MARGIN_LOSSES,
    NEXT_TOKEN_LOSSES,
    REGRESSION_LOSSES,
)
from synthbench.engine.data.sampling import as_batch
from synthbench.streams import Purpose
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.tasks.everything_drawn import words
from synthbench.testing.tasks.trial import SEEDS, SIZE, TaskTrial
from synthbench.testing.workbench.comparison import same_bits

SIZES = (1, 2, 7)
SMALL, MANY_SEEDS = 2, range(512)
"""A small batch, and in how many replicas it is compared with an ordinary one."""
LEAST_Z = 6.0
"""Standard errors beyond which two shares differ."""
CORE_LOSSES = (
    *MARGIN_LOSSES.values(),
    *NEXT_TOKEN_LOSSES.values(),
    *CLASS_LOSSES.values(),
    *REGRESSION_LOSSES.values(),
)
ROWS_ALONE = "its examples are the rows of a training set and of finite test sets"


@law(
    "samples-fit-interface",
    "Training examples and those of every test set have the shape and the type of their "
    "interface, and `size` rows; a finite set has the same number of rows in every world.",
    "return Batch(x, y, latents) with x of the input's shape after the batch axis "
    "(signs: float, -1 or +1; tokens: int64 in 0..vocabulary-1), y of the output's (margins and "
    "values: float, of the output's shape; class and token logits: int64, without the last "
    "axis), and `size` rows everywhere. A test set of another length says so: interface=.",
    needs=("arguments-unchanged",),
)
def samples_fit_interface(trial: TaskTrial) -> Outcome:
    """x and y against their ports, and the first axis of the latents."""
    wrong = _misfit(trial, trial.interface, trial.batch(0), SIZE)
    if wrong:
        return wrong
    for place, held_out in enumerate(trial.sets):
        wrong = _misfit(trial, held_out.interface, trial.held_out(place, 0), SIZE)
        if wrong:
            return f"in {words(held_out)}: {wrong}"
    return _uneven(trial)


def _uneven(trial: TaskTrial) -> str | None:
    """Which finite set has another number of rows in another world."""
    worlds = [trial.world(seed) for seed in SEEDS]
    sets = {words(each): each.test_set.whole for each in trial.sets}
    sources = {"the training set": trial.subject.train_set if trial.has_train_set else None, **sets}
    for name, source in sources.items():
        if source is None:
            continue
        found = [source(world) for world in worlds]
        counts = {0 if batch is None else batch.x.shape[0] for batch in found}
        if len(counts) > 1 or not min(counts):
            return f"{name} has {min(counts)} to {max(counts)} rows in the worlds of {_range()}"
        trial.facts[name] = f"{min(counts):,} rows"
    return None


@law(
    "any-size",
    "What is sampled comes in exactly `size` examples, for a size of 1 and odd ones too.",
    "use `size` for the first axis of every tensor, without squeezing or rounding it.",
    needs=("samples-fit-interface",),
)
def any_size(trial: TaskTrial) -> Outcome:
    """Sizes 1, 2 and 7, of training batches and of every sampler."""
    for size in SIZES:
        wrong = _misfit(trial, trial.interface, trial.batch(0, size=size), size)
        for place, held_out in enumerate(trial.sets):
            batch = trial.held_out(place, 0, size)
            wrong = wrong or _misfit(trial, held_out.interface, batch, size)
        if wrong:
            return f"with size={size}: {wrong}"
    return None


@law(
    "size-changes-nothing",
    "The examples of a small batch are drawn like those of a large one.",
    "let nothing but the first axis depend on `size`: training and evaluation batches differ in "
    "it; what is balanced within a batch is another distribution for each size.",
    needs=("any-size", "examples-are-independent", "vmapped-equals-looped"),
)
def size_changes_nothing(trial: TaskTrial) -> Outcome:
    """Means of x and y in many replicas, for two sizes."""
    if trial.sets[0].is_whole:
        return NotApplicable("its first test set is finite")
    found = [trial.together(MANY_SEEDS, size)[1] for size in (SMALL, SIZE)]
    for name in ("x", "y"):
        parts = [_part(b, name).double().reshape(len(MANY_SEEDS), -1) for b in found]
        means = [part.nanmean(1) for part in parts]
        error = float(sum(m.var() for m in means) / len(MANY_SEEDS)) ** 0.5
        averages = [float(m.mean()) for m in means]
        if abs(averages[0] - averages[1]) > LEAST_Z * error + 1e-9:
            return (
                f"{name} is {averages[0]:.3g} on average in batches of {SMALL}, "
                f"{averages[1]:.3g} in batches of {SIZE}"
            )
    return None


def _misfit(trial: TaskTrial, interface: Interface, batch: Batch, size: int) -> str | None:
    port = interface.input
    expected = (size, *port.shape)
    if tuple(batch.x.shape) != expected:
        return f"x has shape {tuple(batch.x.shape)}, {port.describe()} needs {expected}"
    core = any(loss in CORE_LOSSES for loss in trial.subject.losses().values())
    for name, tensor in {"y": batch.y, **batch.latents}.items():
        if tensor.dim() == 0 or tensor.shape[0] != size:
            return f"{name} has shape {tuple(tensor.shape)}, its first axis must be {size}"
        # A value that is not asked for.
        may_lack = name == "y" and isinstance(interface.output, Value)
        if tensor.is_floating_point() and not (may_lack or tensor.isfinite().all()):
            return f"{name} holds numbers that are not finite"
    taken = {"x", "y"} & set(batch.latents)
    if taken:
        return f"a latent is called {min(taken)}"
    # A task's own losses may want other labels.
    wrong = _wrong_labels(interface.output, batch.y) if core else None
    return wrong or _wrong_values(port, batch.x)


def _wrong_labels(port: Port, y: Tensor) -> str | None:
    real, counted = (Margin, Margins, Value), (ClassLogits, TokenLogits)
    if not isinstance(port, (*real, *counted)):
        return None
    wanted = port.shape if isinstance(port, real) else port.shape[:-1]
    if tuple(y.shape[1:]) != wanted:
        return f"y has shape {tuple(y.shape)}, {port.describe()} needs {(len(y), *wanted)}"
    kind = port.describe().partition(" (")[0]
    if isinstance(port, real) and not y.is_floating_point():
        return f"y is {y.dtype}, labels of a {kind} are floating-point"
    if not isinstance(port, counted):
        return "y holds infinite numbers" if bool(y.isinf().any()) else None
    if y.dtype != torch.int64:
        return f"y is {y.dtype}, labels of {kind} are int64"
    asked, classes = y[y != IGNORED], port.shape[-1]
    inside = bool(((asked >= 0) & (asked < classes)).all())
    return None if inside else f"y holds labels other than 0..{classes - 1} and {IGNORED}"


def _wrong_values(port: Port, x: Tensor) -> str | None:
    if isinstance(port, Signs):
        if not x.is_floating_point():
            return f"x is {x.dtype}, signs are floating-point"
        return None if bool((x.abs() == 1).all()) else "x holds numbers other than -1 and +1"
    if isinstance(port, Tokens):
        if x.dtype != torch.int64:
            return f"x is {x.dtype}, tokens are int64"
        low, high = int(x.min()), int(x.max())
        inside = low >= 0 and high < port.vocabulary
        return None if inside else f"x holds {low}..{high}, tokens are 0..{port.vocabulary - 1}"
    return None if x.isfinite().all() else "x holds numbers that are not finite"


@law(
    "seeds-give-other-data",
    "A stream of another seed gives other inputs.",
    "draw x from the rng that sample is given, not from a stream of your own.",
    needs=("samples-fit-interface",),
)
def seeds_give_other_data(trial: TaskTrial) -> Outcome:
    """x of several seeds, in one world."""
    samplers = [place for place, held_out in enumerate(trial.sets) if not held_out.is_whole]
    if trial.has_train_set and not samplers:
        return NotApplicable(ROWS_ALONE)
    drawn = {} if trial.has_train_set else {"x": [trial.batch(seed).x for seed in SEEDS]}
    for place in samplers:
        name = f"x of {words(trial.sets[place])}"
        drawn[name] = [trial.held_out(place, seed).x for seed in SEEDS]
    for name, xs in drawn.items():
        if all(same_bits(xs[0], x) for x in xs):
            return f"{name} is the same for every seed"
    return None


@law(
    "steps-give-other-data",
    "Every training step draws fresh examples.",
    "draw from the rng that sample is given; a stream that you make from its seed alone forgets "
    "the step.",
    needs=("seeds-give-other-data",),
)
def steps_give_other_data(trial: TaskTrial) -> Outcome:
    """Step 0 against step 1 of the same seed, more alike than two seeds are."""
    if trial.has_train_set:
        return NotApplicable("it is trained on a finite set")
    pairs = [(trial.batch(seed, step=0), trial.batch(seed, step=1)) for seed in SEEDS]
    strangers = [(trial.batch(s, step=0), trial.batch(_next(s), step=1)) for s in SEEDS]
    found = more_alike(pairs, strangers)
    return found and f"{found} at steps 0 and 1 of one seed"


@law(
    "examples-are-independent",
    "The examples of a batch are drawn independently of one another, and those of two test sets.",
    "draw `size` examples: give the shape (size, ...) to rng, and do not expand one draw.",
    needs=("seeds-give-other-data",),
)
def examples_are_independent(trial: TaskTrial) -> Outcome:
    """Neighbours in a batch, more alike than examples of two seeds are; and test sets."""
    if trial.has_train_set and trial.sets[0].is_whole:
        return NotApplicable(ROWS_ALONE)
    purpose = Purpose.EVAL if trial.has_train_set else Purpose.TRAIN
    batches = [trial.batch(seed, purpose) for seed in SEEDS]
    pairs = [(_rolled(batch), batch) for batch in batches]
    strangers = [(_rolled(batches[_next(seed)]), batches[seed]) for seed in SEEDS]
    found = more_alike(pairs, strangers)
    if found:
        return f"{found} in neighbouring examples of a batch"
    for place, held_out in enumerate(trial.sets[1:], start=1):
        found = _repeats_first(trial, place)
        if found:
            return f"{found} in {words(held_out)} and the first one"
    return None


def _repeats_first(trial: TaskTrial, place: int) -> str:
    """What a sampler has in common with the first test set, example by example; or nothing."""
    first, other = trial.sets[0], trial.sets[place]
    alike = trial.held_out(0, 0).x.shape == trial.held_out(place, 0).x.shape
    if first.is_whole or other.is_whole or not alike:
        return ""
    pairs = [(trial.held_out(0, s), trial.held_out(place, s)) for s in SEEDS]
    strangers = [(trial.held_out(0, s), trial.held_out(place, _next(s))) for s in SEEDS]
    # Of x alone: latents that say what a whole set is like are equal by right.
    return more_alike(pairs, strangers, ("x",))


def _next(seed: int) -> int:
    return (seed + 1) % len(SEEDS)


def _rolled(batch: Batch) -> Batch:
    return as_batch(tree_map(lambda leaf: leaf.roll(1, 0), batch))


Pairs = list[tuple[Batch, Batch]]


def more_alike(pairs: Pairs, strangers: Pairs, names: tuple[str, ...] = ()) -> str:
    """Which part of an example is equal in pairs more often than in strangers; or nothing.

    By a test of two shares at a level that chance does not reach. names: parts; default: all.
    """
    for name in names or ("x", "y", *pairs[0][0].latents):
        together, apart = (_equal_share(of, name) for of in (pairs, strangers))
        pooled = (together + apart) / 2
        count = SIZE * len(pairs)
        error = (2 * pooled * (1 - pooled) / count) ** 0.5
        if together - apart > LEAST_Z * error:
            return f"{name} is equal in {together:.0%} of examples (by chance: {apart:.0%})"
    return ""


def _equal_share(pairs: Pairs, name: str) -> float:
    equal = [
        (_part(first, name) == _part(second, name)).reshape(SIZE, -1).all(1)
        for first, second in pairs
    ]
    return float(torch.cat(equal).double().mean())


def _part(batch: Batch, name: str) -> Tensor:
    return {"x": batch.x, "y": batch.y, **batch.latents}[name]


@law(
    "world-varies",
    "Another seed gives another hidden truth, or there is none: an empty tensor.",
    "draw the world from the rng it is given; if the fields leave nothing to draw, return an "
    "empty tensor, or say so: check_task(task, constant_world=True), or --constant-world.",
    needs=("arguments-unchanged",),
)
def world_varies(trial: TaskTrial) -> Outcome:
    """The worlds of several seeds."""
    worlds = [trial.world(seed) for seed in SEEDS]
    if not any(leaf.numel() for leaf in tree_leaves(worlds[0])):
        trial.facts["hidden truth"] = "none"
        return None
    different = sum(not any(same_bits(w, v) for v in worlds[:i]) for i, w in enumerate(worlds))
    if different == 1 and trial.constant_world:
        return NotApplicable("the world was declared constant")
    trial.facts["hidden truth"] = f"{different} different among {len(worlds)} seeds"
    return None if different > 1 else f"the world of seeds {_range()} is the same"


def _range() -> str:
    return f"{SEEDS.start} to {SEEDS.stop - 1}"


SAMPLE_LAWS: tuple[Law[TaskTrial], ...] = (
    samples_fit_interface,
    any_size,
    size_changes_nothing,
    seeds_give_other_data,
    steps_give_other_data,
    examples_are_independent,
    world_varies,
)
