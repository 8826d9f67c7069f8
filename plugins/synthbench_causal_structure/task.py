"""Sequences with a hidden causal graph (Nichani et al. 2024)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from synthbench import (
    NEXT_TOKEN_LOSSES,
    Batch,
    Interface,
    Loss,
    Preset,
    Task,
    TokenLogits,
    Tokens,
)

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class CausalStructure(Task):
    """What follows the last symbol, by transition probabilities that the sequence shows elsewhere.

    Every place but the last has one parent among the earlier places, or none (a root). Each
    sequence draws transition probabilities, rows Dirichlet(alpha); a symbol is drawn from the row
    of its parent's symbol. The last symbol is uniform, and what follows it, from its own row, is
    asked (Nichani et al. 2024, section 2). The graph is hidden, and the same in all sequences of a
    replica. Ranked by the cross-entropy of the answer from the true row, in nats.
    """

    name: ClassVar[str] = "causal-structure"
    headline: ClassVar[tuple[str, ...]] = ("graph", "symbols", "length")
    paper: ClassVar[str] = "Nichani et al. 2024, arXiv:2402.14735"

    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "symbols=4 length=16 target=0.8",
            model="transformer layers=2 heads=1 width=32 positions=absolute optimizer=adam "
            "lr=0.003 weight_decay=0 batch_size=64",
            budget=150_000,
            probes=("adjacency",),
            evaluation_samples=256,
        ),
        "nichani": Preset(
            "symbols=10 length=20 alpha=0.1",
            model="transformer layers=2 heads=1 width=64 norm=false positions=absolute "
            "optimizer=sgd lr=1 weight_decay=0 schedule=cosine batch_size=1024",
            budget=1024 * 2**17,
            probes=("adjacency",),
        ),
    }

    graph: Literal["random", "chain", "pairs"] = "random"
    """Parents: any earlier place or none, drawn for each replica; the place before; the place
    before for every second place, the others being roots, as in induction."""
    symbols: int = Field(default=10, ge=2)
    """Number of symbols."""
    length: int = Field(default=20, ge=3)
    """Symbols that the model sees, the last one included."""
    alpha: float = Field(default=0.1, ge=0.05, le=100)
    """Concentration of the transition probabilities."""
    roots: Literal["stationary", "uniform"] = "stationary"
    """Distribution of the symbols of roots: the stationary one of the sequence's transition
    probabilities, or uniform."""

    @property
    def interface(self) -> Interface:
        """Symbols in, log-odds of the next one out, of which the last place's are asked."""
        symbols, length = self.symbols, self.length
        return Interface(Tokens(symbols, length), TokenLogits(symbols, length))

    def world(self, rng: Stream) -> Tensor:
        """The parent of each place but the last, -1 for roots: (length - 1,)."""
        from synthbench_causal_structure.graphs import chain, pairs, random_forest

        draw = {"random": random_forest, "chain": chain, "pairs": pairs}[self.graph]
        return draw(rng, self.length - 1)

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh sequences: x and y (size, length), y -100 everywhere but at the last place.

        Latents: `row` (size, symbols), the true probabilities of the answer.
        """
        import torch

        from synthbench_causal_structure.sequences import draw, stationary

        rows = rng.dirichlet(self.alpha, (size, self.symbols, self.symbols))
        even = torch.full_like(rows[:, 0], 1 / self.symbols)
        return draw(rng, world, rows, stationary(rows) if self.roots == "stationary" else even)

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy from the true row (the default, as published), or of the symbol drawn."""
        return {"cross-entropy": from_row, "sampled": NEXT_TOKEN_LOSSES["cross-entropy"]}

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy of the answer from the true row, and its excess over the row's entropy."""
        row, missed = batch.latents["row"], from_row(output, batch)
        return {"cross-entropy": missed, "kl": missed + row.xlogy(row).sum(dim=1).mean()}

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Uniform; symbol counts; as if every parent were the place before; Bayes.

        The middle two trust their counts, of which only some are of the row that is asked, for the
        share of them that can be: 1/symbols, and the share of neighbours that are parent and
        child. The rest is uniform. Bayes counts what followed the last symbol along the graph; it
        leaves out what little roots tell where they are stationary.
        """
        from synthbench_causal_structure.counting import answers

        return answers(batch.x, world, self.symbols, self.alpha)

    def exact_scores(self) -> Mapping[str, float]:
        """Cross-entropy in nats: ln symbols, and that of Bayes where pairs are independent."""
        from synthbench_causal_structure.expected import bayes_of_pairs

        exact = {"trivial": math.log(self.symbols)}
        if self.graph == "pairs" and self.roots == "uniform":
            exact["optimal"] = bayes_of_pairs(self.symbols, (self.length - 1) // 2, self.alpha)
        return exact


def from_row(output: Tensor, batch: Batch) -> Tensor:
    """Mean over sequences of -sum over symbols of p ln q, p the true row at the last place."""
    predicted = output[:, -1].log_softmax(dim=-1)
    return -(batch.latents["row"].to(predicted.dtype) * predicted).sum(dim=-1).mean()
