"""Laws of a task's samples: what they look like, and what they depend on."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from synthbench.contracts.batch import Batch
from synthbench.contracts.interface import (
    ClassLogits,
    Margin,
    Margins,
    Port,
    Signs,
    TokenLogits,
    Tokens,
    Value,
)
from synthbench.contracts.losses import IGNORED
from synthbench.engine.data.sampling import as_batch
from synthbench.streams import Purpose
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.tasks.trial import SEEDS, SIZE, TaskTrial
from synthbench.testing.workbench.comparison import same_bits

SIZES = (1, 2, 7)
SMALL, MANY_SEEDS = 2, range(512)
"""A small batch, and in how many replicas it is compared with an ordinary one."""
LEAST_Z = 6.0
"""Standard errors beyond which two shares differ."""


@law(
    "samples-fit-interface",
    "Samples have the shape and the type of the declared interface, and `size` rows.",
    "let sample return Batch(x, y, latents) with x of the input's shape after the batch axis "
    "(signs: float, -1 or +1; tokens: int64 in 0..vocabulary-1), y of the output's (for a margin: "
    "float, (size,); for token logits: int64, (size, length); -100 where none is asked), and "
    "`size` rows everywhere.",
    needs=("arguments-unchanged",),
)
def samples_fit_interface(trial: TaskTrial) -> Outcome:
    """x and y against their ports, and the first axis of the latents."""
    return _misfit(trial, trial.batch(0), SIZE)


@law(
    "any-size",
    "sample(world, rng, size) gives exactly `size` examples, for a size of 1 and odd ones too.",
    "use `size` for the first axis of every tensor, without squeezing or rounding it.",
    needs=("samples-fit-interface",),
)
def any_size(trial: TaskTrial) -> Outcome:
    """Sizes 1, 2 and 7."""
    for size in SIZES:
        wrong = _misfit(trial, trial.batch(0, size=size), size)
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
    found = [trial.together(MANY_SEEDS, size)[1] for size in (SMALL, SIZE)]
    for name in ("x", "y"):
        means = [_part(b, name).double().reshape(len(MANY_SEEDS), -1).mean(1) for b in found]
        error = float(sum(m.var() for m in means) / len(MANY_SEEDS)) ** 0.5
        averages = [float(m.mean()) for m in means]
        if abs(averages[0] - averages[1]) > LEAST_Z * error + 1e-9:
            return (
                f"{name} is {averages[0]:.3g} on average in batches of {SMALL}, "
                f"{averages[1]:.3g} in batches of {SIZE}"
            )
    return None


def _misfit(trial: TaskTrial, batch: Batch, size: int) -> str | None:
    port = trial.interface.input
    expected = (size, *port.shape)
    if tuple(batch.x.shape) != expected:
        return f"x has shape {tuple(batch.x.shape)}, {port.describe()} needs {expected}"
    for name, tensor in {"y": batch.y, **batch.latents}.items():
        if tensor.dim() == 0 or tensor.shape[0] != size:
            return f"{name} has shape {tuple(tensor.shape)}, its first axis must be {size}"
        unknown = name == "y" and isinstance(trial.interface.output, Value)
        known = tensor[~tensor.isnan()] if unknown and tensor.is_floating_point() else tensor
        if known.is_floating_point() and not known.isfinite().all():
            return f"{name} holds numbers that are not finite"
    taken = {"x", "y"} & set(batch.latents)
    if taken:
        return f"a latent is called {min(taken)}"
    wrong = _wrong_labels(trial.interface.output, batch.y) if _has_core_losses(trial) else None
    return wrong or _wrong_values(port, batch.x)


def _has_core_losses(trial: TaskTrial) -> bool:
    """Whether a loss of the core reads the labels; a task's own may want others."""
    core = list(trial.interface.output.losses().values())
    return any(loss in core for loss in trial.subject.losses().values())


def _wrong_labels(port: Port, y: Tensor) -> str | None:
    classes = port.shape[-1] if isinstance(port, ClassLogits | TokenLogits) else None
    if classes is None and not isinstance(port, Margin | Margins | Value):
        return None
    wanted = port.shape if classes is None else port.shape[:-1]
    if tuple(y.shape[1:]) != wanted:
        return f"y has shape {tuple(y.shape)}, {port.describe()} needs {(len(y), *wanted)}"
    if classes is None:
        return None if y.is_floating_point() else f"y is {y.dtype}, labels are floating-point"
    if y.dtype != torch.int64:
        return f"y is {y.dtype}, labels of {port.describe()} are int64"
    asked = y[y != IGNORED]
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
    xs = [trial.batch(seed).x for seed in SEEDS]
    return "x is the same for every seed" if all(same_bits(xs[0], x) for x in xs) else None


@law(
    "steps-give-other-data",
    "Every training step draws fresh examples.",
    "draw from the rng that sample is given; a stream that you make from its seed alone forgets "
    "the step.",
    needs=("seeds-give-other-data",),
)
def steps_give_other_data(trial: TaskTrial) -> Outcome:
    """Step 0 against step 1 of the same seed, more alike than two seeds are."""
    pairs = [(trial.batch(seed, step=0), trial.batch(seed, step=1)) for seed in SEEDS]
    strangers = [(trial.batch(s, step=0), trial.batch(_next(s), step=1)) for s in SEEDS]
    found = _more_alike(pairs, strangers)
    return found and f"{found} at steps 0 and 1 of one seed"


@law(
    "train-and-eval-disjoint",
    "Held-out examples are not among the training examples, except by chance.",
    "draw from the rng that sample is given: its purpose, train or eval, is part of it; examples "
    "that come from the world, or from a stream of your own, are the same for both.",
    needs=("steps-give-other-data",),
)
def train_and_eval_disjoint(trial: TaskTrial) -> Outcome:
    """The train against the eval stream of the same seed, more alike than two seeds are."""
    held_out = {seed: trial.batch(seed, Purpose.EVAL) for seed in SEEDS}
    pairs = [(trial.batch(seed), held_out[seed]) for seed in SEEDS]
    strangers = [(trial.batch(seed), held_out[_next(seed)]) for seed in SEEDS]
    found = _more_alike(pairs, strangers)
    return found and f"{found} in training and held-out batches of one seed"


@law(
    "examples-are-independent",
    "The examples of a batch are drawn independently of one another.",
    "draw `size` examples: give the shape (size, ...) to rng, and do not expand one draw.",
    needs=("seeds-give-other-data",),
)
def examples_are_independent(trial: TaskTrial) -> Outcome:
    """Neighbours in a batch, more alike than examples of two seeds are."""
    batches = [trial.batch(seed) for seed in SEEDS]
    pairs = [(_rolled(batch), batch) for batch in batches]
    strangers = [(_rolled(trial.batch(_next(seed))), trial.batch(seed)) for seed in SEEDS]
    found = _more_alike(pairs, strangers)
    return found and f"{found} in neighbouring examples of a batch"


def _next(seed: int) -> int:
    return (seed + 1) % len(SEEDS)


def _rolled(batch: Batch) -> Batch:
    return as_batch(tree_map(lambda leaf: leaf.roll(1, 0), batch))


def _more_alike(pairs: list[tuple[Batch, Batch]], strangers: list[tuple[Batch, Batch]]) -> str:
    """Which part of an example is equal in pairs more often than in strangers; or nothing.

    By a test of two shares at a level that chance does not reach.
    """
    for name in ("x", "y", *pairs[0][0].latents):
        together, apart = (_equal_share(of, name) for of in (pairs, strangers))
        pooled = (together + apart) / 2
        count = SIZE * len(pairs)
        error = (2 * pooled * (1 - pooled) / count) ** 0.5
        if together - apart > LEAST_Z * error:
            return f"{name} is equal in {together:.0%} of examples (by chance: {apart:.0%})"
    return ""


def _equal_share(pairs: list[tuple[Batch, Batch]], name: str) -> float:
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
    train_and_eval_disjoint,
    examples_are_independent,
    world_varies,
)
