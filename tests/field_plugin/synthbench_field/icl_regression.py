"""Linear regression in context (Garg et al. 2022; Raventos et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

import synthbench as sb


class IclRegression(sb.Task):
    """Predict y_i = w . x_i + noise from x_1, y_1, ..., x_i, for a w that is new in each sequence.

    x_i and w are standard normal, in d dimensions. The vectors of a sequence are (x_i, 0) and
    (0, y_i) in turn, and only at the former something is asked. With a pool, every training
    sequence takes its w from one of so many that are hidden. Scores are of w . x_i, without the
    noise, and divided by d: the answer 0 scores 1.
    """

    name: ClassVar[str] = "icl-regression"
    headline: ClassVar[tuple[str, ...]] = ("d", "examples")
    paper: ClassVar[str] = "Garg et al. 2022, arXiv:2208.01066; Raventos et al. 2023, 2306.15063"

    d: int = Field(default=4, ge=1)
    """Dimensions."""
    examples: int = Field(default=8, ge=1)
    """Examples in a sequence."""
    noise: float = Field(default=0.125, gt=0)
    """Variance of the noise."""
    pool: int | None = Field(default=None, ge=1)
    """Size of the pool; none: every w is new."""

    @property
    def interface(self) -> sb.Interface:
        """Real vectors in, a number at each out."""
        length = 2 * self.examples
        return sb.Interface(sb.RealSequence(length, self.d + 1), sb.Value(length, causal=True))

    def world(self, rng: sb.Stream) -> Tensor:
        """The pool: (pool, d); without one, a w that nobody uses."""
        return rng.normal((self.pool or 1, self.d))

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh sequences, of the pool if there is one."""
        if self.pool is None:
            return self.fresh(world, rng, size)
        return self.sequences(world[rng.integers(self.pool, (size,))], rng)

    def fresh(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh sequences with a new w each."""
        return self.sequences(rng.normal((size, self.d)), rng)

    def sequences(self, w: Tensor, rng: sb.Stream) -> sb.Batch:
        """One sequence for each w (B, d); latents: the `clean` answers."""
        size = w.shape[0]
        x = rng.normal((size, self.examples, self.d)).double()
        clean = (x * w[:, None].double()).sum(dim=-1)
        y = clean + self.noise**0.5 * rng.normal((size, self.examples)).double()
        given = torch.cat([x, torch.zeros_like(y)[..., None]], dim=-1)
        told = torch.cat([torch.zeros_like(x), y[..., None]], dim=-1)
        vectors = torch.stack([given, told], dim=2).flatten(1, 2)
        asked = torch.stack([y, torch.full_like(y, torch.nan)], dim=2).flatten(1, 2)
        return sb.Batch(vectors.float(), asked.float(), {"clean": clean.float()})

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        """Sequences of the pool and of fresh w; without a pool there is but one kind."""
        fresh = sb.TestSet(sample=self.fresh, references=self.for_fresh)
        return {"fresh": fresh} if self.pool is None else {
            "pool": sb.TestSet(sample=self.sample), "fresh": fresh,
        }  # fmt: skip

    def losses(self) -> Mapping[str, sb.Loss]:
        """Squared (the default), absolute and Huber's error."""
        return sb.REGRESSION_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Squared error, and that after each number of examples."""
        missed = (output[:, ::2] - batch.latents["clean"]).square() / self.d
        return {"squared-error": missed.mean(), "by-examples": missed.mean(dim=0)}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Zero; ridge regression; Bayes over the pool."""
        found = self.for_fresh(world, batch)
        if self.pool is None:
            return found
        bayes = among(world.double(), *seen(batch), self.noise)
        return {**found, "optimal": with_zeros(bayes).to(batch.x.dtype)}

    def for_fresh(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Zero; ridge regression, which is Bayes' for a fresh w."""
        ridge = with_zeros(ridge_regression(*seen(batch), self.noise)).to(batch.x.dtype)
        return {"trivial": torch.zeros_like(ridge), "ridge": ridge, "optimal": ridge}

    def exact_scores(self) -> Mapping[str, float]:
        """Squared error: (w . x)^2 is d in expectation."""
        return {"trivial": 1.0, **({"trivial@fresh": 1.0} if self.pool else {})}


def seen(batch: sb.Batch) -> tuple[Tensor, Tensor]:
    """Inputs (B, K, d) and answers (B, K), as the vectors hold them."""
    return batch.x[:, ::2, :-1].double(), batch.x[:, 1::2, -1].double()


def ridge_regression(x: Tensor, y: Tensor, noise: float) -> Tensor:
    """Posterior mean of w . x_i given the examples before it: (B, K, d), (B, K) -> (B, K)."""
    outer = (x[..., :, None] * x[..., None, :]).cumsum(dim=1) - x[..., :, None] * x[..., None, :]
    moments = (x * y[..., None]).cumsum(dim=1) - x * y[..., None]
    identity = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    w = torch.linalg.solve(outer + noise * identity, moments)
    return (w * x).sum(dim=-1)


def among(pool: Tensor, x: Tensor, y: Tensor, noise: float) -> Tensor:
    """The same where w is one of a pool (M, d), each as likely as the other."""
    each = x @ pool.T
    fits = -(y[..., None] - each).square() / (2 * noise)
    return ((fits.cumsum(dim=1) - fits).softmax(dim=-1) * each).sum(dim=-1)


def with_zeros(values: Tensor) -> Tensor:
    """(B, K) -> (B, 2 K), with 0 at the places of the answers."""
    return torch.stack([values, torch.zeros_like(values)], dim=2).flatten(1, 2)
