"""A linear read-out, fitted on one half of the examples and scored on the other."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench import IGNORED, one_hot

TINY = 1e-12
"""Least penalty: where a layer says nothing at all, the read-out is its intercept."""


def in_rows(output: Tensor, target: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """What is read from where: (B, N, d) float64 and (B, N), N positions of each example.

    Of an example's own label and an output at every position, the last one is read. Raises
    ValueError where the two do not fit together.
    """
    if target.dim() == 1 and output.dim() in (2, 3):
        rows = output[:, None] if output.dim() == 2 else output[:, -1:]
        return rows.double(), target[:, None]
    if target.dim() == 2 and output.dim() == 3 and output.shape[:2] == target.shape:
        return output.double(), target
    raise ValueError(
        f"{layer} gives {tuple(output.shape)}, from which targets {tuple(target.shape)} cannot be "
        "read position by position"
    )


def held_out_accuracy(rows: Tensor, target: Tensor, classes: int, ridge: float) -> Tensor:
    """Share of the second half's targets of which the read-out's largest output is right.

    rows: (B, N, d). target: (B, N), whole numbers, booleans, or signs; -100 is not asked for.
    NaN where nothing is asked.
    """
    half = rows.shape[0] // 2
    asked = target != IGNORED
    kinds = (target > 0).long() if target.is_floating_point() else target.long()
    (fit_x, test_x), (fit_y, test_y), (fit_asked, test_asked) = (
        (part[:half].flatten(0, 1), part[half:].flatten(0, 1)) for part in (rows, kinds, asked)
    )
    indicators = one_hot(fit_y, classes, fit_x.dtype)
    weights, intercept = ridge_regression(fit_x, indicators, fit_asked.double(), ridge)
    guess = (test_x @ weights + intercept).argmax(dim=1)
    right = (guess == test_y) & test_asked
    return (right.sum() / test_asked.sum()).to(torch.float32)


def ridge_regression(x: Tensor, y: Tensor, counts: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """The linear map of least squares with a penalty on all but the intercept.

    x: (n, d); y: (n, c); counts: (n,), 0 leaves a row out. ridge: the penalty on the squared
    weights, as a share of the mean square of a centred coordinate of x. Returns (d, c) and (c,).
    """
    total = counts.sum().clamp(min=1)
    mean_x, mean_y = counts @ x / total, counts @ y / total
    centred = (x - mean_x) * counts[:, None]
    gram = centred.T @ centred
    size = x.shape[1]
    penalty = (ridge * gram.diagonal().sum() / size).clamp(min=TINY)
    eye = torch.eye(size, dtype=x.dtype, device=x.device)
    weights = torch.linalg.solve(gram + penalty * eye, centred.T @ (y - mean_y))
    return weights, mean_y - mean_x @ weights
