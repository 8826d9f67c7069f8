"""LEGO: following a chain of assignments (Zhang et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import Field, model_validator
from torch import Tensor

import synthbench as sb


class Lego(sb.Task):
    """Clauses a = +1, b = -a, c = +b, ... of a chain, in any order; the value of each variable.

    A clause is three symbols: variable, sign, and the variable that it takes up or ONE. An encoder
    reads them all and gives the value at the variable's place. Names, signs and order are new in
    each sequence; nothing is hidden: the world is constant.
    """

    name: ClassVar[str] = "lego"
    headline: ClassVar[tuple[str, ...]] = ("chain",)
    paper: ClassVar[str] = "Zhang et al. 2022, arXiv:2206.04301"

    chain: int = Field(default=4, ge=2)
    """Variables in a training sequence."""
    longer: int = Field(default=6, ge=2)
    """Variables in the second test set."""
    names: int = Field(default=8, ge=2)
    """Names that variables may have."""
    hops: int = Field(default=2, ge=1)
    """Variables that the partial reference can resolve."""

    @model_validator(mode="after")
    def _names_suffice(self) -> Lego:
        if not self.chain < self.longer <= self.names:
            raise ValueError(
                f"longer must be above chain={self.chain} and at most names={self.names}, "
                f"got {self.longer}"
            )
        return self

    @property
    def interface(self) -> sb.Interface:
        """Names, two signs and ONE in; two values out, of which the whole sequence tells."""
        return self.interface_of(self.chain)

    def interface_of(self, chain: int) -> sb.Interface:
        """For so many variables."""
        given = sb.Tokens(self.names + 3, 3 * chain)
        return sb.Interface(given, sb.TokenLogits(2, 3 * chain, causal=False))

    def world(self, rng: sb.Stream) -> Tensor:
        """Nothing: (1,)."""
        return torch.zeros(1, device=rng.device)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh chains of the trained length."""
        return self.chains(rng, size, self.chain)

    def chains(self, rng: sb.Stream, size: int, chain: int) -> sb.Batch:
        """Fresh chains; latents: `clause`, where the variables are, in the chain's order."""
        variables = rng.permutation(self.names, (size,))[:, :chain]
        bits, clause = rng.bits((size, chain)), rng.permutation(chain, (size,))
        one = torch.full_like(variables[:, :1], self.names + 2)
        sources = torch.cat([one, variables[:, :-1]], dim=1)
        clauses = torch.stack([variables, self.names + bits, sources], dim=2)
        values = (bits.cumsum(dim=1) % 2)[..., None]
        labels = torch.cat([values, torch.full_like(clauses[..., 1:], sb.IGNORED)], dim=2)
        place = clause.argsort(dim=1)[..., None].expand_as(clauses)
        x, y = clauses.gather(1, place).flatten(1), labels.gather(1, place).flatten(1)
        return sb.Batch(x, y, {"clause": clause})

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        """Chains of the trained length, and longer ones."""
        longer = sb.TestSet(
            sample=lambda world, rng, size: self.chains(rng, size, self.longer),
            interface=self.interface_of(self.longer),
        )
        return {"trained": sb.TestSet(sample=self.sample), f"chain-{self.longer}": longer}

    def losses(self) -> Mapping[str, sb.Loss]:
        """Cross-entropy over the variables."""
        return {"cross-entropy": sb.NEXT_TOKEN_LOSSES["cross-entropy"]}

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Mean]:
        """Share of right values, and that of each variable, in the chain's order."""
        hits = sb.accuracy(output, batch.y)
        ordered = hits.values.reshape(batch.y.shape)[:, ::3].gather(1, batch.latents["clause"])
        return {"accuracy": hits, "by-variable": sb.Mean(ordered, torch.ones_like(ordered))}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """A guess; the first few variables; all of them."""
        name, sign, source = batch.x.unflatten(1, (-1, 3)).unbind(dim=2)
        value = torch.zeros_like(sign)
        flip, first = 1 - 2 * (sign - self.names), source == self.names + 2
        takes_up = (source[:, :, None] == name[:, None, :]).to(value.dtype)
        resolved = [value]
        for _ in range(name.shape[1]):
            before = (takes_up * resolved[-1][:, None, :]).sum(dim=2)
            resolved.append(flip * torch.where(first, 1, before))
        known = {"trivial": 0, f"resolves-{self.hops}": self.hops, "optimal": -1}
        return {strategy: as_logits(resolved[hops]) for strategy, hops in known.items()}

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy: what is not resolved is right half of the time."""
        exact = {}
        for chain, on in ((self.chain, ""), (self.longer, f"@chain-{self.longer}")):
            known = min(self.hops / chain, 1)
            exact |= {f"trivial{on}": 0.5, f"resolves-{self.hops}{on}": (1 + known) / 2}
            exact[f"optimal{on}"] = 1.0
        return exact


def as_logits(values: Tensor) -> Tensor:
    """Values -1, 0 (not known) and +1 of clauses as log-odds of the bit at three symbols each."""
    logits = torch.stack([values, -values], dim=-1).float()
    return torch.nn.functional.pad(logits[:, :, None], (0, 0, 0, 2)).flatten(1, 2)
