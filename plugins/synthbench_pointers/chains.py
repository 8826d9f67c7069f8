"""Chains of assignments: drawing them, and following them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from synthbench import IGNORED, Batch, Stream


def draw_chains(rng: Stream, size: int, chain: int, supervised: int, names: int) -> Batch:
    """Chains of `chain` variables with labels for the first few, as `Lego.sample` describes.

    Symbols: the names, then + and -, then ONE.
    """
    variables = rng.permutation(names, (size,))[:, :chain]
    bits, clause = rng.bits((size, chain)), rng.permutation(chain, (size,))
    one = torch.full_like(variables[:, :1], names + 2)
    sources = torch.cat([one, variables[:, :-1]], dim=1)
    clauses = torch.stack([variables, names + bits, sources], dim=2)
    values = bits.cumsum(dim=1) % 2
    known = torch.arange(chain, device=values.device) < supervised
    labels = torch.where(known, values, IGNORED)
    # Which variable's clause stands at each place.
    place = clause.argsort(dim=1)
    x = clauses.gather(1, place[..., None].expand_as(clauses)).flatten(1)
    y = pad(labels.gather(1, place)[..., None], (0, 2), value=IGNORED).flatten(1)
    return Batch(x, y, {"clause": clause, "values": values})


def in_chain_order(output: Tensor, batch: Batch) -> Tensor:
    """Outputs where the variables stand: (B, 3n, 2) -> (B, n, 2), in the order of the chain."""
    place = batch.latents["clause"][..., None].expand(-1, -1, output.shape[-1])
    return output[:, ::3].gather(1, place)


def taken_up(x: Tensor) -> Tensor:
    """Which clause gives the variable that each takes up: (B, 3n) -> (B, n, n) bool."""
    name, _, source = x.unflatten(1, (-1, 3)).unbind(dim=2)
    return source[:, :, None] == name[:, None, :]


def resolve(x: Tensor, names: int) -> list[Tensor]:
    """What is known of the clauses after 0, 1, ..., n steps along the chain.

    x: (B, 3n). Each (B, n): +1 or -1, and 0 where a value is not known yet. Step d finds the value
    of the chain's d-th variable, since that of the one before is known.
    """
    _, sign, source = x.unflatten(1, (-1, 3)).unbind(dim=2)
    flip, first = 1 - 2 * (sign - names), source == names + 2
    links = taken_up(x).to(flip.dtype)
    found = [torch.zeros_like(flip)]
    for _ in range(flip.shape[1]):
        before = (links * found[-1][:, None, :]).sum(dim=2)
        found.append(flip * torch.where(first, 1, before))
    return found


def count_signs(x: Tensor, names: int) -> Tensor:
    """The product of all signs, for the one variable that none takes up: (B, 3n) -> (B, n)."""
    _, sign, _ = x.unflatten(1, (-1, 3)).unbind(dim=2)
    product = 1 - 2 * ((sign - names).sum(dim=1, keepdim=True) % 2)
    return product * ~taken_up(x).any(dim=1)


def as_logits(values: Tensor) -> Tensor:
    """Values +1, 0 (not known) and -1 as log-odds of the bits 0 and 1: (B, n) -> (B, 3n, 2)."""
    logits = torch.stack([values, -values], dim=-1).float()
    return pad(logits[:, :, None], (0, 0, 0, 2)).flatten(1, 2)
