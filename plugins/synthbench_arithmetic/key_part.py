"""The part of a table of logits that lies on the key frequencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from synthbench_arithmetic.waves import components, waves
from synthbench_arithmetic.whole_table import pairs_of

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench_arithmetic.cyclic import CyclicGroup
    from synthbench_arithmetic.modular import ModularArithmetic


def key_part(logits: Tensor, sign: int, keys: int) -> Tensor:
    """Projection of (m, m, p) logits on cos(w_k s) and sin(w_k s), s = i + sign j, for the keys k.

    The keys are the frequencies with the largest projection, summed over answers.
    """
    m = logits.shape[0]
    i = torch.arange(m, device=logits.device)
    exponent = (i[:, None] + sign * i[None]) % m
    # A function of s alone is what remains of the mean over the m pairs of every s: row s holds
    # the pairs (i, j) with j = sign (s - i).
    partner = (sign * (i[:, None] - i[None])) % m
    by_exponent = logits[i[None], partner].mean(dim=1)
    parts = components(by_exponent)
    sizes = parts.square().sum(dim=(1, 2))
    smallest = sizes.topk(min(keys, sizes.shape[0])).values[-1]
    chosen = (sizes >= smallest).to(parts.dtype)
    kept = torch.einsum("kwi,kwn->in", waves(by_exponent), parts * chosen[:, None, None])
    return kept[exponent]


def truth_and_trained(
    world: tuple[Tensor, Tensor], task: ModularArithmetic, group: CyclicGroup
) -> tuple[Tensor, Tensor]:
    """The right answers, and whether a pair is trained on (1.0 or 0.0): both (m^2,)."""
    rows = world[0]
    a, b = pairs_of(group, rows)
    # Division has no column for 0; in all other tables a row has p pairs.
    row = a * (task.p - 1) + b - 1 if task.operation == "divide" else a * task.p + b
    trained = torch.zeros(task.pairs, device=rows.device).scatter(0, rows, 1.0)
    return task.table(rows)[a, b], trained[row]


def cross_entropy(logits: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Mean of -ln p(truth) over pairs, in nats: logits (m, m, p), truth and weights (m^2,)."""
    missed = -logits.log_softmax(dim=-1).flatten(0, 1).gather(1, truth[:, None]).squeeze(1)
    return (missed * weights).sum() / weights.sum()
