"""How far an output is from a teacher's, for every kind of output.

A new port goes into `DIVERGENCES`; one that is not there is compared by squared error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.interface import ClassLogits, Margin, Margins, Port, TokenLogits
from synthbench.contracts.losses import IGNORED, over_asked

if TYPE_CHECKING:
    from torch import Tensor

Divergence: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"
"""(output, the teacher's output) -> divergence of each prediction."""
TEACHER = "synthbench/teacher"
"""The entry of a batch's latents that holds the teacher's outputs."""


def categorical_divergence(output: Tensor, target: Tensor) -> Tensor:
    """KL(teacher || student) in nats of the distributions that logits (..., C) stand for."""
    student, teacher = output.log_softmax(-1), target.log_softmax(-1)
    # What a teacher excludes, with a logit of -inf, adds nothing.
    excess = (teacher - student).masked_fill(teacher == float("-inf"), 0)
    return (teacher.exp() * excess).sum(-1)


def binary_divergence(output: Tensor, target: Tensor) -> Tensor:
    """KL(teacher || student) in nats, for margins m that mean P(+1) = 1 / (1 + exp(-m)).

    That is the probability whose negative logarithm is the logistic loss.
    """
    from torch.nn.functional import logsigmoid

    chance = target.sigmoid()
    plus = chance * (logsigmoid(target) - logsigmoid(output))
    minus = (1 - chance) * (logsigmoid(-target) - logsigmoid(-output))
    return plus + minus


def squared_error(output: Tensor, target: Tensor) -> Tensor:
    """(f(x) - g(x))^2 of student f and teacher g."""
    return (output - target).square()


DIVERGENCES: Mapping[type[Port], Divergence] = {
    TokenLogits: categorical_divergence,
    ClassLogits: categorical_divergence,
    Margin: binary_divergence,
    Margins: binary_divergence,
}
"""Those of ports that hold logits or margins, to which a temperature applies."""


def divergence_of(port: Port) -> Divergence:
    """How outputs of this kind are compared: that of its class, or squared error."""
    found = (DIVERGENCES[kind] for kind in type(port).__mro__ if kind in DIVERGENCES)
    return next(found, squared_error)


def distillation(port: Port, temperature: float) -> Loss:
    """The loss of a student whose teacher's outputs are in the batch's latents (`TEACHER`).

    The mean of T^2 times the divergence of outputs divided by T (Hinton et al. 2015, sec. 2.1),
    over all predictions but those whose label is -100; T is 1, and the label NaN, for outputs
    that are no logits.
    """
    divergence = divergence_of(port)
    scale = 1.0 if divergence is squared_error else temperature

    def loss(output: Tensor, batch: Batch) -> Tensor:
        values = divergence(output / scale, batch.latents[TEACHER] / scale) * scale**2
        labels = batch.y
        if labels.shape != values.shape:
            return values.mean()
        asked = ~labels.isnan() if divergence is squared_error else labels != IGNORED
        return over_asked(values * asked, asked)

    return loss


def mixed(soft: Loss, own: Loss, hard: float) -> Loss:
    """(1 - hard) times the distillation loss plus hard times the recipe's own."""
    if hard == 0:
        return soft
    return lambda output, batch: (1 - hard) * soft(output, batch) + hard * own(output, batch)
