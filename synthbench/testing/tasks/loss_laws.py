"""Laws of a task's losses."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.losses import IGNORED
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.tasks.trial import SIZE, TaskTrial
from synthbench.testing.workbench.comparison import rows

CUT = 24
"""Where a batch of SIZE is cut in two unequal parts."""
GRADIENT_SCALES = (0.1, -0.1, 1.0, -1.0, 3.0, -3.0)
SMALLEST_SCALES = (0.05, 0.2, 0.5, 1.0, 2.0)


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
    """The whole batch against its two parts."""
    batch = trial.batch(0)
    # Of two sizes, so that the parts differ by more than chance.
    output = torch.cat([trial.generic_output()[:CUT], 4 * trial.generic_output()[CUT:]])
    parts = (slice(0, CUT), slice(CUT, SIZE))
    sizes, asked = [CUT, SIZE - CUT], [int(_asked(batch.y[part]).sum()) for part in parts]
    for name, loss in trial.subject.losses().items():
        value = float(loss(output, batch))
        each = [float(loss(output[p], rows(batch, p.start, p.stop))) for p in parts]
        means = [_weighted(each, sizes), _weighted(each, asked)]
        if any(abs(value - mean) <= 1e-5 * abs(mean) + 1e-8 for mean in means):
            continue
        # The parts weigh what the loss says: it may leave out labels, or read weights.
        may_weigh = bool(batch.latents) or sum(asked) < batch.y.numel()
        if not (may_weigh and min(each) - 1e-6 <= value <= max(each) + 1e-6):
            return (
                f"loss {name} is {value:.6g} on a batch, {means[0]:.6g} averaged over its two parts"
            )
    return None


def _weighted(values: list[float], weights: list[int]) -> float:
    return sum(v * w for v, w in zip(values, weights, strict=True)) / max(sum(weights), 1)


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


def _ignored(y: Tensor) -> Tensor:
    """Which examples have no label that is asked for."""
    return ~_asked(y).reshape(SIZE, -1).any(1)


def _asked(y: Tensor) -> Tensor:
    """Which labels are asked for: none of -100, and none of NaN."""
    return (y != IGNORED) & ~y.isnan() if y.is_floating_point() else y != IGNORED


@law(
    "losses-prefer-optimal",
    "Every loss is lower for the optimal reference (or the ceiling that the task names), at a "
    "suitable scale, than for the trivial one.",
    "check the sign of the loss, and that it reads the same labels as the score.",
    needs=("every-example-has-a-gradient", "optimal-beats-trivial", "references-are-causal"),
)
def losses_prefer_optimal(trial: TaskTrial) -> Outcome:
    """The best of a few scales, because a score may not see the scale and a loss does."""
    outputs, batch, top = trial.references(), trial.held_out(0, 0), trial.subject.ceiling
    if top not in outputs:
        return NotApplicable(f'its ceiling "{top}" is not known on a batch alone')
    for name, loss in trial.subject.losses().items():
        trivial = float(loss(outputs["trivial"], batch))
        best = min(float(loss(scale * outputs[top], batch)) for scale in SMALLEST_SCALES)
        if not best < trivial:
            return f"loss {name} is {best:.4g} at best for {top}, {trivial:.4g} for trivial"
    return None


LOSS_LAWS: tuple[Law[TaskTrial], ...] = (
    losses_are_differentiable,
    losses_are_means,
    every_example_has_a_gradient,
    losses_prefer_optimal,
)
