"""In-context Markov chains (E. Edelman et al. 2024, "The Evolution of Statistical Induction")."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from synthbench import NEXT_TOKEN_LOSSES, Batch, Interface, Loss, Preset, Task, TokenLogits, Tokens

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream

MOST_CONTEXTS = 256
BURN_IN = 256
"""Symbols dropped before a sequence of a higher-order chain begins."""
NAMES = ("unigram", "bigram", "trigram", "4-gram", "5-gram")


class MarkovChain(Task):
    """Predict the next symbol of a sequence whose Markov chain is new every time.

    Each sequence draws its own transition probabilities from the prior, walks `length` + 1
    symbols, and the model predicts every next one. Ranked by the Kullback-Leibler divergence
    of the true next-symbol probabilities from the model's, in nats, over the last positions.
    """

    name: ClassVar[str] = "markov"
    headline: ClassVar[tuple[str, ...]] = ("symbols", "length")
    paper: ClassVar[str] = "E. Edelman et al. 2024, arXiv:2402.11004"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "symbols=2 length=24 last=8 target=0.8", "transformer lr=0.005", 48_000, ("strategies",)
        ),
        "edelman": Preset("symbols=2 length=100", "transformer dropout=0.1 clip=none", 128_000),
        "makkuva": Preset(
            "symbols=2 length=1024 prior=fixed p=0.5 q=0.8",
            "transformer layers=1 width=8 mlp=4 positions=absolute lr=0.002 weight_decay=0.001 "
            "schedule=cosine batch_size=16",
            6_400,
        ),
    }

    symbols: int = Field(default=2, ge=2, le=16)
    """Number of symbols."""
    length: int = Field(default=100, ge=2)
    """Symbols the model sees."""
    order: int = Field(default=1, ge=1, le=3)
    """Symbols the next one depends on; 2 makes trigrams."""
    prior: Literal["dirichlet", "doubly-stochastic", "unigram", "fixed"] = "dirichlet"
    """Chains: rows Dirichlet(alpha); all symbols equally frequent; no memory; one for all."""
    alpha: float = Field(default=1.0, ge=0.05, le=100)
    """Concentration of the Dirichlet prior."""
    start: Literal["stationary", "uniform"] = "stationary"
    """Distribution of the first symbol."""
    p: float | None = Field(default=None, gt=0, lt=1)
    """P(0 -> 1) of the fixed binary chain; none: drawn from the prior, one per replica."""
    q: float | None = Field(default=None, gt=0, lt=1)
    """P(1 -> 0) of the fixed binary chain."""
    last: int = Field(default=10, ge=1)
    """Positions at the end over which the divergence is averaged."""
    target: float = Field(default=0.9, gt=0, le=1)
    """Progress (0 uniform, 1 Bayes) from which a replica counts as having solved the task."""

    @model_validator(mode="after")
    def _fits_together(self) -> MarkovChain:
        if self.contexts > MOST_CONTEXTS:
            raise ValueError(f"symbols^order must be at most {MOST_CONTEXTS}, got {self.contexts}")
        if self.order > 1 and self.prior in ("doubly-stochastic", "unigram"):
            raise ValueError(f"prior={self.prior} needs order=1, got {self.order}")
        if self.order > 1 and self.start == "uniform":
            raise ValueError("start=uniform needs order=1; longer contexts start from a burn-in")
        if self.alpha != 1 and (self.prior == "doubly-stochastic" or self.p is not None):
            raise ValueError("alpha has no effect with prior=doubly-stochastic, or with p and q")
        if (self.p is None) != (self.q is None):
            raise ValueError("p and q go together")
        if self.p is not None and (self.prior != "fixed" or self.symbols != 2 or self.order != 1):
            raise ValueError("p and q describe prior=fixed symbols=2 order=1")
        if self.last > self.length:
            raise ValueError(f"last must be at most length={self.length}, got {self.last}")
        return self

    @property
    def contexts(self) -> int:
        """Number of rows of a chain."""
        return int(self.symbols**self.order)

    @property
    def interface(self) -> Interface:
        """`length` symbols in, a distribution over the next at every position out."""
        return Interface(Tokens(self.symbols, self.length), TokenLogits(self.symbols, self.length))

    def world(self, rng: Stream) -> Tensor:
        """The fixed chain (C, V); for the other priors an empty tensor, nothing is shared."""
        import torch

        from synthbench_markov.chains import dirichlet_rows, two_state_rows

        if self.prior != "fixed":
            return torch.zeros(0, dtype=torch.float64, device=rng.device)
        if self.p is not None and self.q is not None:
            return two_state_rows(self.p, self.q, rng.device)
        return dirichlet_rows(rng, self.alpha, 1, self.contexts, self.symbols)[0]

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """x (size, T) and y (size, T), the same sequence one symbol later.

        Latents: `transitions` (size, C, V) and `context` (size, T), the row that x_t draws
        its successor from.
        """
        import torch

        from synthbench_markov.packed_maps import MOST_PACKED
        from synthbench_markov.walk import follow, step_by_step, thresholds

        rows = self._chains(world, rng, size)
        burn_in = 0 if self.order == 1 else BURN_IN
        start = self._start(rows, rng, size)
        length = burn_in + self.length + (0 if self.order == 1 else 1)
        words = rng.words(size * length).reshape(size, length)
        walk = follow if self.contexts <= MOST_PACKED else step_by_step
        states = walk(words, thresholds(rows), start, burn_in)
        # The start counts as a state of its own only where it is drawn from the chain's law.
        if self.order == 1:
            states = symbols = torch.cat([start[:, None], states], dim=1)
        else:
            # Remainders of bytes, which hold any context, take a quarter of the time.
            symbols = (states.to(torch.uint8) % self.symbols).to(torch.int64)
            states = states.to(torch.int64)
        latents = {"transitions": rows.to(torch.float32), "context": states[:, :-1]}
        return Batch(symbols[:, :-1], symbols[:, 1:], latents)

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy of every next symbol (the default), or of the last alone."""
        return NEXT_TOKEN_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Divergence from the true chain at the last positions; cross-entropy over all; nats."""
        predicted = output.log_softmax(dim=-1)
        true = true_probabilities(batch)[:, -self.last :]
        divergence = true.xlogy(true) - true * predicted[:, -self.last :]
        missed = -predicted.gather(2, batch.y[:, :, None])
        return {"kl": divergence.sum(dim=-1).mean(), "cross-entropy": missed.mean()}

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Uniform, in-context n-grams up to order + 1, the chain itself, and Bayes' rule."""
        from synthbench_markov.strategies import n_gram, uniform

        x, symbols = batch.x, self.symbols
        found = {"trivial": uniform(x, symbols)}
        for order in range(self.order + 2):
            found[NAMES[order]] = n_gram(x, symbols, order)
        found["true-chain"] = true_probabilities(batch).clamp(min=1e-30).log()
        found["optimal"] = self._bayes(x, found["true-chain"])
        return found

    def exact_scores(self) -> Mapping[str, float]:
        """Divergences with a closed form; E. Edelman et al. 2024 and Makkuva et al. 2024.

        A doubly stochastic binary chain stays with p uniform on (0, 1), so the uniform
        predictor is off by ln 2 - E[H(p)] = ln 2 - 1/2.
        """
        scores = {"true-chain": 0.0}
        if self.prior == "doubly-stochastic" and self.symbols == 2:
            scores["trivial"] = math.log(2) - 0.5
        if self.p is not None and self.q is not None and self.start == "stationary":
            scores["trivial"] = math.log(2) - entropy_rate(self.p, self.q)
        return scores

    def _chains(self, world: Tensor, rng: Stream, size: int) -> Tensor:
        from synthbench_markov.chains import dirichlet_rows, doubly_stochastic_rows, memoryless_rows

        if self.prior == "fixed":
            return world.expand(size, self.contexts, self.symbols)
        if self.prior == "unigram":
            return memoryless_rows(rng, self.alpha, size, self.symbols)
        if self.prior == "doubly-stochastic":
            return doubly_stochastic_rows(rng, size, self.symbols)
        return dirichlet_rows(rng, self.alpha, size, self.contexts, self.symbols)

    def _start(self, rows: Tensor, rng: Stream, size: int) -> Tensor:
        """(size,) first symbol of an order-1 chain, or the context before the burn-in."""
        import torch

        from synthbench_markov.walk import choose, stationary, thresholds

        if self.order > 1 or self.start == "uniform":
            return rng.integers(self.contexts, (size,))
        return choose(rng.words(size), thresholds(stationary(rows))).to(torch.int64)

    def _bayes(self, x: Tensor, true: Tensor) -> Tensor:
        """The best prediction from the transitions seen.

        The stationary start tells a little more about the chain: 0.008 nats at length 10,
        nothing that can be measured at length 100. Where alpha and length are small it is more
        (of 0.20 nats 0.04 at alpha=0.1 length=6 last=6), and a model that reads it gets a
        progress above 1; with start=uniform there is nothing to read.

        For doubly stochastic chains of V > 2 symbols it is the best one that is linear in a
        row's counts (entries have the variance of Dirichlet(alpha) rows with
        alpha = (V - 1) / (2 V)); a model that learns how sparse such rows are can be a little
        better, with a progress above 1.
        """
        from synthbench_markov.strategies import n_gram, stay_or_move

        if self.prior == "fixed":
            return true
        if self.prior == "unigram":
            return n_gram(x, self.symbols, 0, self.alpha)
        if self.prior == "doubly-stochastic":
            if self.symbols == 2:
                return stay_or_move(x)
            return n_gram(x, self.symbols, 1, (self.symbols - 1) / (2 * self.symbols))
        return n_gram(x, self.symbols, self.order, self.alpha)


def true_probabilities(batch: Batch) -> Tensor:
    """The chain's own probabilities of every next symbol: (B, T, V)."""
    rows, context = batch.latents["transitions"], batch.latents["context"]
    return rows.gather(1, context[:, :, None].expand(-1, -1, rows.shape[2]))


def entropy_rate(p: float, q: float) -> float:
    """Nats per symbol of the stationary binary chain: (q H(p) + p H(q)) / (p + q)."""

    def entropy(share: float) -> float:
        return -share * math.log(share) - (1 - share) * math.log(1 - share)

    return (q * entropy(p) + p * entropy(q)) / (p + q)
