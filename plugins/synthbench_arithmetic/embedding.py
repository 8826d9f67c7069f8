"""The weights that read the operands, one row for each residue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import View
    from synthbench_arithmetic.modular import ModularArithmetic


def embedding_of(view: View, task: ModularArithmetic) -> Tensor:
    """What is read of each residue: (p, n).

    The rows of the first parameter with "embed" in its name; or of a first layer on indicators,
    (neurons, length vocabulary), the columns of a beside those of b. ValueError where there is
    neither.
    """
    length, vocabulary = task.interface.input.shape[0], task.interface.input.vocabulary
    for name, weight in view.parameters.items():
        if weight.dim() != 2:
            continue
        if "embed" in name and weight.shape[0] >= vocabulary:
            return weight[: task.p]
        if weight.shape[1] == length * vocabulary:
            columns = weight.unflatten(1, (length, vocabulary))
            a, b = task.operands(columns.permute(2, 1, 0)[: task.p])
            return torch.cat([a, b], dim=1)
    raise ValueError(
        f"no parameter of the model is an embedding, or reads the {length} x {vocabulary} "
        "indicators of the tokens"
    )
