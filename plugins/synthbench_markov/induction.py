"""Induction copying: repeat what followed the previous occurrence of the last symbol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import NEXT_TOKEN_LOSSES, Batch, Interface, Loss, Preset, Task, TokenLogits, Tokens

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream

CERTAIN = 30.0
"""Log-odds of a strategy that is sure of its symbol."""


class InductionCopying(Task):
    """A random sequence ends in a symbol that occurred before; predict what followed it then.

    All symbols but the last are uniform; the last repeats one of them, chosen uniformly among
    the positions that have a successor. Ranked by the accuracy of the answer. The training
    loss is that of the last position, since no other can be predicted.
    """

    name: ClassVar[str] = "induction-copying"
    headline: ClassVar[tuple[str, ...]] = ("symbols", "length")
    paper: ClassVar[str] = "Olsson et al. 2022, arXiv:2209.11895"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset("symbols=4 length=12 target=0.8", "transformer lr=0.005", 48_000),
    }

    symbols: int = Field(default=8, ge=2, le=1024)
    """Number of symbols."""
    length: int = Field(default=32, ge=3)
    """Symbols the model sees, the repeated one included."""

    @property
    def interface(self) -> Interface:
        """`length` symbols in, a distribution over the next at every position out."""
        return Interface(Tokens(self.symbols, self.length), TokenLogits(self.symbols, self.length))

    def world(self, rng: Stream) -> Tensor:
        """An empty tensor: nothing is hidden from one sequence to the next."""
        import torch

        return torch.zeros(0, device=rng.device)

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """x (size, T) and y (size, T): y_t = x_{t+1}, and at the end the symbol to copy."""
        import torch

        from synthbench_markov.copying import copied_symbol

        free = rng.integers(self.symbols, (size, self.length - 1))
        asked = rng.integers(self.length - 2, (size, 1))
        x = torch.cat([free, free.gather(1, asked)], dim=1)
        return Batch(x, torch.cat([x[:, 1:], copied_symbol(x)], dim=1))

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy of the answer (the default), or of every next symbol."""
        return dict(reversed(NEXT_TOKEN_LOSSES.items()))

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Probability-weighted accuracy of the answer, and its cross-entropy in nats."""
        predicted = output[:, -1].log_softmax(dim=-1)
        answer = predicted.gather(1, batch.y[:, -1:]).squeeze(1)
        ties = (predicted == predicted.max(dim=-1, keepdim=True).values).float()
        hit = (ties / ties.sum(dim=-1, keepdim=True)).gather(1, batch.y[:, -1:]).squeeze(1)
        return {"accuracy": hit.mean(), "cross-entropy": -answer.mean()}

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Guessing, the most frequent symbol so far, and copying; before the end, a guess."""
        import torch
        from torch.nn.functional import one_hot

        from synthbench_markov.copying import copied_symbol

        x = batch.x
        counts = one_hot(x, self.symbols).float().cumsum(dim=1)
        guess = torch.zeros_like(counts)
        answer = CERTAIN * one_hot(copied_symbol(x), self.symbols).float()
        return {
            "trivial": guess,
            "most-frequent": counts,
            "optimal": torch.cat([guess[:, :-1], answer], dim=1),
        }

    def exact_scores(self) -> Mapping[str, float]:
        """A guess is right once in V times, a copy always."""
        return {"trivial": 1 / self.symbols, "optimal": 1.0}
