"""LEGO: following a chain of assignments (Zhang et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import (
    NEXT_TOKEN_LOSSES,
    Batch,
    Interface,
    Loss,
    Mean,
    Preset,
    Task,
    TestSet,
    TokenLogits,
    Tokens,
    accuracy,
)

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class Lego(Task):
    """Clauses a = +1, b = -a, c = +b, ... of a chain, in any order; the value of each variable.

    A clause is three symbols: a variable, a sign, and the variable that it takes up, or ONE. An
    encoder reads all clauses and says the value, 0 for +1 and 1 for -1, where the clause's
    variable stands. Only the first `supervised` variables of the chain are trained on and ranked;
    the others show whether what was learnt goes on along the chain. Names, signs and order are
    new in each sequence, so nothing is hidden: the world is empty.
    """

    name: ClassVar[str] = "lego"
    headline: ClassVar[tuple[str, ...]] = ("variables", "supervised")
    paper: ClassVar[str] = "Zhang et al. 2022, arXiv:2206.04301"

    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "variables=3 supervised=2 names=4 hops=[1]",
            model="transformer layers=2 heads=2 width=32 mlp=2 positions=absolute optimizer=adam "
            "lr=0.003 weight_decay=0 batch_size=64",
            budget=150_000,
            probes=("pointer-attention",),
            evaluation_samples=512,
        ),
        "zhang": Preset(
            "variables=12 supervised=6",
            model="transformer layers=12 heads=12 width=768 mlp=4 positions=absolute "
            "optimizer=adam lr=5e-5 weight_decay=0 schedule=cosine batch_size=500",
            budget=12_000_000,
            probes=("pointer-attention",),
        ),
    }

    variables: int = Field(default=12, ge=2)
    """Variables in a sequence, the length of the chain."""
    supervised: int = Field(default=6, ge=1)
    """Variables, from the chain's beginning, whose values are trained on and ranked."""
    names: int = Field(default=26, ge=2)
    """Names that variables may have."""
    hops: tuple[int, ...] = (1, 2, 4)
    """Partial references: the first 1, 2, ... variables of the chain are known."""
    longer: tuple[int, ...] = ()
    """Further test sets, of chains of so many variables."""

    @model_validator(mode="after")
    def _fits_together(self) -> Lego:
        if self.supervised > self.variables:
            raise ValueError(
                f"supervised must be at most variables={self.variables}, got {self.supervised}"
            )
        if any(chain <= self.variables for chain in self.longer):
            raise ValueError(f"longer must be above variables={self.variables}, got {self.longer}")
        if max(self.variables, *self.longer, 0) > self.names:
            raise ValueError(f"every variable needs a name of its own; names={self.names}")
        if sorted({hop for hop in self.hops if hop > 0}) != list(self.hops):
            raise ValueError(f"hops must be ascending and from 1 on, got {self.hops}")
        return self

    @property
    def interface(self) -> Interface:
        """Names, two signs and ONE in; a bit at every place out, from the whole sequence."""
        return self.interface_of(self.variables)

    def interface_of(self, chain: int) -> Interface:
        """For so many variables."""
        given = Tokens(self.names + 3, 3 * chain)
        return Interface(given, TokenLogits(2, 3 * chain, causal=False))

    def world(self, rng: Stream) -> Tensor:
        """An empty tensor: nothing is hidden from one sequence to the next."""
        import torch

        return torch.zeros(0, device=rng.device)

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh chains: x and y (size, 3 variables); y is -100 where nothing is asked.

        Latents: `clause` (size, variables), the place among the clauses of each variable of the
        chain, and `values` (size, variables), its bit.
        """
        return self.chains(rng, size, self.variables)

    def chains(self, rng: Stream, size: int, chain: int) -> Batch:
        """Fresh chains of so many variables."""
        from synthbench_pointers.chains import draw_chains

        return draw_chains(rng, size, chain, self.supervised, self.names)

    def test_sets(self) -> Mapping[str, TestSet]:
        """Chains of the trained length, and longer ones."""

        def of(chain: int) -> TestSet:
            def draw(world: Tensor, rng: Stream, size: int) -> Batch:
                return self.chains(rng, size, chain)

            return TestSet(sample=draw, interface=self.interface_of(chain))

        return {f"chain-{chain}": of(chain) for chain in (self.variables, *self.longer)}

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy over the supervised variables."""
        return {"cross-entropy": NEXT_TOKEN_LOSSES["cross-entropy"]}

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Mean]:
        """Share of right values: of the supervised variables, the later ones, and one by one."""
        from synthbench_pointers.chains import in_chain_order

        ordered, values = in_chain_order(output, batch), batch.latents["values"]
        parts = {"accuracy": slice(self.supervised)}
        if values.shape[1] > self.supervised:
            parts["generalization"] = slice(self.supervised, None)
        scores = {name: accuracy(ordered[:, part], values[:, part]) for name, part in parts.items()}
        each = accuracy(ordered, values)
        curve = Mean(*(part.reshape(values.shape) for part in each))
        return {**scores, "by-variable": curve}

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """A guess; the last variable by counting signs; the first few variables; all of them.

        Whoever counts the minus signs knows the last variable without following the chain, the
        shortcut of section 4 in Zhang et al.; it helps where that variable is supervised.
        """
        from synthbench_pointers.chains import as_logits, count_signs, resolve

        resolved = resolve(batch.x, self.names)
        strategies = {"trivial": resolved[0], "sign-count": count_signs(batch.x, self.names)}
        # A chain that is shorter than the hops is known whole.
        strategies |= {
            f"resolves-{hop}": resolved[min(hop, len(resolved) - 1)] for hop in self.hops
        }
        strategies["optimal"] = resolved[-1]
        return {name: as_logits(values) for name, values in strategies.items()}

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy on each test set: what is not known is right half of the time."""
        exact = {}
        for chain in (self.variables, *self.longer):
            on = "" if chain == self.variables else f"@chain-{chain}"
            known = {f"resolves-{hop}": min(hop, self.supervised) for hop in self.hops}
            known |= {"trivial": 0, "sign-count": int(chain == self.supervised)}
            known["optimal"] = self.supervised
            exact |= {f"{name}{on}": (1 + n / self.supervised) / 2 for name, n in known.items()}
        return exact
