"""Laws of a task's score and of its losses."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.losses import IGNORED
from synthbench.metrics.trajectories import INDEX
from synthbench.streams import Purpose
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.tasks.trial import SIZE, TaskTrial
from synthbench.testing.workbench.comparison import close, rows

CUT = 24
"""Where a batch of SIZE is cut in two unequal parts."""
SCALES = (0.0, 1.0, 100.0)
GRADIENT_SCALES = (0.1, -0.1, 1.0, -1.0, 3.0, -3.0)
TAKEN = {*INDEX, "loss", "progress", "train_loss"}
"""Columns that a trajectory has already."""
SHARE = re.compile(r"(.*-)?accuracy")
SMALLEST_SCALES = (0.05, 0.2, 0.5, 1.0, 2.0)


@law(
    "score-names",
    "Scores are scalars with names that can be columns of a trajectory.",
    "return {name: scalar tensor}; a name has no '/', and is none of "
    + ", ".join(sorted(TAKEN)) + ".",
    needs=("samples-fit-interface",),
)  # fmt: skip
def score_names(trial: TaskTrial) -> Outcome:
    """Names and shapes."""
    scores = trial.subject.score(trial.generic_output(), trial.batch(0))
    for name, value in scores.items():
        if not name or "/" in name or name in TAKEN:
            return f"a score is called {name!r}"
        if value.shape != torch.Size([]):
            return f"score {name} has shape {tuple(value.shape)}"
    return None


@law(
    "scores-are-means",
    "Every score is a mean over the batch, so that scores of several batches can be averaged.",
    "use .mean() over the batch, not .sum(), and compute nothing across examples: a score of two "
    "batches together must be the average of theirs.",
    needs=("score-names",),
)
def scores_are_means(trial: TaskTrial) -> Outcome:
    """The whole batch against its two parts."""

    def scores(output: Tensor, batch: Batch) -> dict[str, Tensor]:
        return dict(trial.subject.score(output, batch))

    return _not_a_mean(trial, "score", scores)


@law(
    "scores-in-range",
    "Scores are finite whatever a network says, and an accuracy is between 0 and 1.",
    "take logarithms by log_softmax or of clamped numbers, and divide by no count that can be 0; "
    "an accuracy is a share, not a percentage.",
    needs=("scores-are-means",),
)
def scores_in_range(trial: TaskTrial) -> Outcome:
    """Outputs that are all zero, ordinary and large."""
    for scale in SCALES:
        output = scale * trial.generic_output()
        for name, value in trial.subject.score(output, trial.batch(0)).items():
            what = f"score {name} is {float(value):.4g} for outputs of size {scale:g}"
            if not value.isfinite():
                return what
            if SHARE.fullmatch(name) and not -1e-6 <= float(value) <= 1 + 1e-6:
                return what
    return None


@law(
    "losses-are-differentiable",
    "Every loss is a finite scalar with a finite gradient that is not zero everywhere.",
    "return one number, computed from the output by differentiable operations: no argmax, no "
    "rounding, no .detach(), no comparison alone.",
    needs=("samples-fit-interface",),
)
def losses_are_differentiable(trial: TaskTrial) -> Outcome:
    """The gradient at a generic output."""
    for name, loss in trial.subject.losses().items():
        output = trial.generic_output().requires_grad_()
        with torch.enable_grad():
            value = loss(output, trial.batch(0))
            if value.shape != torch.Size([]) or not value.isfinite():
                return f"loss {name} is {value.tolist()}, with shape {tuple(value.shape)}"
            if not value.requires_grad:
                return f"loss {name} does not depend on the output differentiably"
            (gradient,) = torch.autograd.grad(value, output)
        if not gradient.isfinite().all():
            return f"the gradient of loss {name} is not finite"
        if not gradient.any():
            return f"the gradient of loss {name} is zero"
    return None


@law(
    "losses-are-means",
    "Every loss is a mean over the batch, so that the learning rate means the same for each size.",
    "use .mean() over the batch, not .sum(); and see that y and output have the same shape, or "
    "they are broadcast against one another.",
    needs=("losses-are-differentiable",),
)
def losses_are_means(trial: TaskTrial) -> Outcome:
    """The whole batch against its two parts, every label asked for."""

    def losses(output: Tensor, batch: Batch) -> dict[str, Tensor]:
        batch = _all_asked(batch)
        return {name: loss(output, batch) for name, loss in trial.subject.losses().items()}

    return _not_a_mean(trial, "loss", losses)


@law(
    "every-example-has-a-gradient",
    "Every loss teaches something about each example, for some output.",
    "see that the labels are those that the loss is made for: the losses of a margin multiply by "
    "y and need -1 and +1; labels of 0 teach nothing.",
    needs=("losses-are-means",),
)
def every_example_has_a_gradient(trial: TaskTrial) -> Outcome:
    """At outputs of several sizes and both signs; labels may be left out on purpose.

    Those are ignored tokens, and margins of 0 where there are others of -1 and +1.
    """
    batch = trial.batch(0)
    for name, loss in trial.subject.losses().items():
        without = ~_taught(loss, trial.generic_output(), batch) & ~_ignored(batch.y)
        left_out = bool((batch.y < 0).any()) and bool((batch.y[without] == 0).all())
        if bool(without.any()) and not left_out:
            count = int(without.sum())
            labels = sorted(set(batch.y[without].flatten().tolist()))[:3]
            return (
                f"the gradient of loss {name} is zero for {count} of {SIZE} examples, whose y is "
                f"{', '.join(f'{label:g}' for label in labels)}"
            )
    return None


def _taught(loss: Loss, output: Tensor, batch: Batch) -> Tensor:
    """Which examples (SIZE,) the loss has a gradient for, at any of some outputs."""
    taught = torch.zeros(SIZE, dtype=torch.bool)
    for scale in GRADIENT_SCALES:
        scaled = (scale * output).requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(loss(scaled, batch), scaled)
        taught |= gradient.reshape(SIZE, -1).any(1)
    return taught


def _all_asked(batch: Batch) -> Batch:
    """Another label in place of each that is not asked for: parts that ask for more weigh more."""
    missing = _missing(batch.y)
    if not bool(missing.any()) or bool(missing.all()):
        return batch
    return batch._replace(y=torch.where(missing, batch.y[~missing][0], batch.y))


def _ignored(y: Tensor) -> Tensor:
    """Which examples have no label that is asked for."""
    return _missing(y).reshape(SIZE, -1).all(1)


def _missing(y: Tensor) -> Tensor:
    return (y == IGNORED) | y.isnan()


def _not_a_mean(
    trial: TaskTrial, what: str, values: Callable[[Tensor, Batch], dict[str, Tensor]]
) -> Outcome:
    batch = trial.batch(0)
    # Of two sizes, so that the parts differ by more than chance.
    output = torch.cat([trial.generic_output()[:CUT], 4 * trial.generic_output()[CUT:]])
    whole = values(output, batch)
    first = values(output[:CUT], rows(batch, 0, CUT))
    second = values(output[CUT:], rows(batch, CUT, SIZE))
    for name, value in whole.items():
        mean = (CUT * first[name] + (SIZE - CUT) * second[name]) / SIZE
        if not close(value, mean, 1e-5):
            return (
                f"{what} {name} is {float(value):.6g} on a batch, {float(mean):.6g} averaged "
                "over its two parts"
            )
    return None


@law(
    "losses-prefer-optimal",
    "Every loss is lower for the optimal reference, at a suitable scale, than for the trivial one.",
    "check the sign of the loss, and that it reads the same labels as the score.",
    needs=("every-example-has-a-gradient", "optimal-beats-trivial", "references-are-causal"),
)
def losses_prefer_optimal(trial: TaskTrial) -> Outcome:
    """The best of a few scales, because a score may not see the scale and a loss does."""
    outputs, batch = _held_out(trial)
    for name, loss in trial.subject.losses().items():
        trivial = float(loss(outputs["trivial"], batch))
        best = min(float(loss(scale * outputs["optimal"], batch)) for scale in SMALLEST_SCALES)
        if not best < trivial:
            return f"loss {name} is {best:.4g} at best for optimal, {trivial:.4g} for trivial"
    return None


def _held_out(trial: TaskTrial) -> tuple[dict[str, Tensor], Batch]:

    return trial.references(), trial.batch(0, Purpose.EVAL)


SCORE_LAWS: tuple[Law[TaskTrial], ...] = (score_names, scores_are_means, scores_in_range)
LOSS_LAWS: tuple[Law[TaskTrial], ...] = (
    losses_are_differentiable,
    losses_are_means,
    every_example_has_a_gradient,
    losses_prefer_optimal,
)
