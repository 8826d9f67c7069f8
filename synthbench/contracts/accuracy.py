"""The share of labels that an output hits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthbench.contracts.losses import IGNORED
from synthbench.contracts.scores import Mean
from synthbench.errors import TaskError

if TYPE_CHECKING:
    from torch import Tensor


def accuracy(output: Tensor, y: Tensor) -> Mean:
    """Share of the labels that are hit, as a score; labels of -100 are not asked for.

    output: logits (..., C) with y int64 (...), such as `ClassLogits` and `TokenLogits`; or margins
    with y of the same shape, -1 or +1 and floating-point. A margin of 0 counts one half, and k
    largest logits that are equal 1/k each, as if one were drawn: a constant output scores at
    chance, whatever its precision. Undefined (NaN) for an output of NaN. Values and weights are
    float32, one for each label: (y.numel(),). Raises TaskError for other shapes.
    """
    of_signs = y.is_floating_point()
    if tuple(y.shape) != tuple(output.shape if of_signs else output.shape[:-1]):
        fitting = "of the output's shape" if of_signs else "of the output's shape without its last"
        raise TaskError(
            f"accuracy takes labels {fitting}; the output has {tuple(output.shape)}, "
            f"the labels {tuple(y.shape)}"
        )
    asked = y != IGNORED
    hits = _signs_hit(output, y) if of_signs else _classes_hit(output, y.masked_fill(~asked, 0))
    hits, weights = hits.float().reshape(-1), asked.float().reshape(-1)
    return Mean(hits.where(weights > 0, 0), weights)


def _signs_hit(margins: Tensor, y: Tensor) -> Tensor:
    # A sign of NaN is 0 to torch.
    return ((1 + (y * margins).sign()) / 2).where(~margins.isnan(), margins)


def _classes_hit(logits: Tensor, y: Tensor) -> Tensor:
    largest = logits == logits.amax(dim=-1, keepdim=True)
    return largest.gather(-1, y[..., None]).squeeze(-1) / largest.sum(dim=-1)
