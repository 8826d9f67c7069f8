"""The tables that come with scikit-learn."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Shape(NamedTuple):
    """How large a table is."""

    rows: int
    columns: int
    classes: int


SHAPES = {
    "iris": Shape(150, 4, 3),
    "wine": Shape(178, 13, 3),
    "breast-cancer": Shape(569, 30, 2),
    "digits": Shape(1797, 64, 10),
}


@lru_cache
def read_table(name: str) -> tuple[Tensor, Tensor]:
    """Measurements as they are, float64 (rows, columns), and classes, int64 (rows,)."""
    # Here, so that a task can be listed and described without them.
    import torch
    from sklearn import datasets

    load = {
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "breast-cancer": datasets.load_breast_cancer,
        "digits": datasets.load_digits,
    }[name]
    inputs, labels = load(return_X_y=True)
    return torch.from_numpy(inputs).double(), torch.from_numpy(labels).long()
