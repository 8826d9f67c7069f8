"""What all tasks of recall have in common: nothing is hidden, and few positions are asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from synthbench import (
    IGNORED,
    NEXT_TOKEN_LOSSES,
    Batch,
    Interface,
    Loss,
    Mean,
    Task,
    TestSet,
    TokenLogits,
    Tokens,
    accuracy,
)

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream

SMALL = "attention layers=2 width=32 lr=0.003 weight_decay=0 batch_size=32"
"""The baseline of the small presets."""
MAD_LAB = (
    "attention layers=2 width=128 heads=16 lr=0.0005 beta2=0.999 weight_decay=0 clip=none "
    "schedule=cosine lr_final=0.002 batch_size=128"
)
"""MAD-Lab's attention and training (Poli et al. 2024, released configuration)."""
MAD_LAB_RECALL = f"{MAD_LAB} loss=every-token"
"""The same where it trains on every next token."""
CERTAIN = 30.0
"""Log-odds of a strategy that is sure of its tokens."""


class RecallTask(Task, ABC):
    """Sequences whose context has every answer; y is -100 where nothing is asked.

    Latent: `gap` (B, T), the distance in tokens between a query and where its answer is found.
    """

    length: int = Field(default=128, ge=3)
    """Tokens in a sequence."""
    longer: tuple[int, ...] = ()
    """Lengths of further test sets."""

    @model_validator(mode="after")
    def _longer_than_trained(self) -> RecallTask:
        if any(length <= self.length for length in self.longer):
            raise ValueError(f"longer must be above length={self.length}, got {self.longer}")
        return self

    @property
    @abstractmethod
    def vocabulary(self) -> int:
        """Tokens that there are."""

    @abstractmethod
    def sequences(self, rng: Stream, size: int, length: int) -> Batch:
        """Fresh sequences of any length: x and y (size, length)."""

    @property
    def interface(self) -> Interface:
        """Tokens in, and tokens of the same vocabulary out."""
        return self.interface_of(self.length)

    def interface_of(self, length: int) -> Interface:
        """At another length."""
        return Interface(Tokens(self.vocabulary, length), TokenLogits(self.vocabulary, length))

    def world(self, rng: Stream) -> Tensor:
        """An empty tensor: nothing is hidden from one sequence to the next."""
        import torch

        return torch.zeros(0, device=rng.device)

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh sequences of the trained length."""
        return self.sequences(rng, size, self.length)

    def test_sets(self) -> Mapping[str, TestSet]:
        """Sequences of the trained length, then of the longer ones."""

        def at(length: int) -> TestSet:
            return TestSet(
                sample=lambda world, rng, size: self.sequences(rng, size, length),
                interface=self.interface_of(length),
            )

        return {f"length-{length}": at(length) for length in (self.length, *self.longer)}

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy of what is asked (the default), or of every next token too."""
        return {"cross-entropy": NEXT_TOKEN_LOSSES["cross-entropy"], "every-token": every_token}

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Mean]:
        """Share of the queries that are answered, and the same by the gap to the answer."""
        hits = accuracy(output, batch.y)
        return {"accuracy": hits, "by-gap": by_octave(hits, batch.latents["gap"])}


def every_token(output: Tensor, batch: Batch) -> Tensor:
    """Mean of -ln p over positions: of the answer where one is asked, else of the next token.

    The last position, which has no next token, counts only if it is asked. MAD-Lab trains its
    tasks of recall so (Poli et al. 2024).
    """
    import torch

    next_token = torch.cat([batch.x[:, 1:], torch.full_like(batch.x[:, :1], IGNORED)], dim=1)
    wanted = torch.where(batch.y == IGNORED, next_token, batch.y)
    return NEXT_TOKEN_LOSSES["cross-entropy"](output, batch._replace(y=wanted))


def by_octave(hits: Mean, gap: Tensor) -> Mean:
    """A mean over queries as a curve: place p has those whose gap is from 2^p to 2^(p+1) - 1.

    hits: (B T,) values and weights. gap: (B, T) int64. Returns (B T, P), with as many places as
    gaps of a sequence of T tokens need.
    """
    import torch

    places = torch.arange((gap.shape[1] - 1).bit_length(), device=gap.device)
    inside = ((gap.reshape(-1, 1) >> places) == 1).to(hits.weights.dtype)
    return Mean(hits.values[:, None].expand_as(inside), hits.weights[:, None] * inside)


def equally_likely(answers: Tensor) -> Tensor:
    """Logits of a strategy that takes any of its answers: 0 or 1 (B, T, V) -> (B, T, V)."""
    import torch

    return CERTAIN * answers.to(torch.float32)
