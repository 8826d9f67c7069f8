"""Recall in a stream of pairs, with noise in between (Poli et al. 2024, "MAD-Lab")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import IGNORED, Batch, Preset, one_hot
from synthbench_recall.recall_task import MAD_LAB_RECALL, SMALL, RecallTask, equally_likely

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class NoisyRecall(RecallTask):
    """A stream of keys, each followed by its value, and noise: recall the value of a key seen.

    Every place of two tokens holds two noise tokens with probability `noise`, else a uniform
    key and its value, which is uniform, and the same all through a sequence. From its second
    occurrence on a key is asked for. Vocabulary: keys, values, noise. Without noise it is
    MAD-Lab's in-context recall.
    """

    name: ClassVar[str] = "noisy-recall"
    headline: ClassVar[tuple[str, ...]] = ("symbols", "length", "noise")
    paper: ClassVar[str] = "Poli et al. 2024, arXiv:2403.17844"
    sample_fields: ClassVar[tuple[str, ...]] = ("noise",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "symbols=8 noise_symbols=4 length=20", SMALL, 64_000, evaluation_samples=256
        ),
        "mad": Preset("", MAD_LAB_RECALL, 2_560_000, train_samples=12_800),
    }

    symbols: int = Field(default=16, ge=4, multiple_of=2)
    """Half as many keys, and as many values."""
    length: int = Field(default=128, ge=4, multiple_of=2)
    """Tokens in a sequence."""
    noise: float = Field(default=0.2, ge=0, lt=1)
    """Share of noise."""
    noise_symbols: int = Field(default=16, ge=1)
    """Tokens that are nothing but noise."""

    @model_validator(mode="after")
    def _even(self) -> NoisyRecall:
        if any(length % 2 for length in self.longer):
            raise ValueError(f"longer must be even, got {self.longer}")
        return self

    @property
    def vocabulary(self) -> int:
        """Keys, values, noise."""
        return self.symbols + self.noise_symbols

    def sequences(self, rng: Stream, size: int, length: int) -> Batch:
        """Fresh sequences of any length."""
        import torch

        from synthbench_recall.matching import latest

        half, places = self.symbols // 2, (size, length // 2)
        keys, values = rng.integers(half, places), half + rng.integers(half, (size, half))
        noise = self.symbols + rng.integers(self.noise_symbols, (*places, 2))
        noisy = rng.bernoulli(self.noise, places)
        pairs = torch.stack([keys, values.gather(1, keys)], dim=2)
        before = latest((keys[:, :, None] == keys[:, None, :]) & ~noisy[:, None, :])
        asked = (before >= 0) & ~noisy
        y = torch.where(asked, pairs[:, :, 1], IGNORED)
        gap = torch.where(asked, 2 * (torch.arange(length // 2, device=rng.device) - before), 0)
        x = torch.where(noisy[:, :, None], noise, pairs).flatten(1)
        return Batch(x, at_keys(y, IGNORED), {"gap": at_keys(gap, 0)})

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Any value; any that has occurred; the latest one; that of the key."""
        import torch

        from synthbench_recall.matching import copied, latest

        x = batch.x
        symbol = torch.arange(self.vocabulary, device=x.device)
        of_values = (symbol >= self.symbols // 2) & (symbol < self.symbols)
        occurred = (one_hot(x, self.vocabulary, torch.float32) * of_values).cumsum(dim=1) > 0
        newest = latest(of_values[x][:, None, :].expand(-1, x.shape[1], -1))
        matched = latest(x[:, :, None] == x[:, None, :])
        answers = {
            "trivial": of_values.expand_as(occurred),
            "in-context": occurred,
            "latest": copied(x, newest, self.vocabulary),
            "optimal": copied(x, matched + 1, self.vocabulary),
        }
        return {name: equally_likely(answer) for name, answer in answers.items()}

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy over the queries: a dynamic programme over the keys seen.

        The values of d keys are independent and uniform, so one of their different values is
        right with probability E[1 / number of them]; the latest is the key's own with
        probability 1/d, and else that of another key, equal by chance.
        """
        from synthbench_recall.occupancy import inverse_distinct, queries_by_keys_seen

        half = self.symbols // 2
        inverse, exact = inverse_distinct(half, half), dict[str, float]()
        for length in (self.length, *self.longer):
            on = "" if length == self.length else f"@length-{length}"
            queries = queries_by_keys_seen(length // 2, half, self.noise)
            seen = range(1, half + 1)
            asked = sum(queries[d] for d in seen)
            own = sum(queries[d] / d for d in seen) / asked
            exact[f"trivial{on}"] = 1 / half
            exact[f"in-context{on}"] = sum(queries[d] * inverse[d] for d in seen) / asked
            exact[f"latest{on}"] = own + (1 - own) / half
            exact[f"optimal{on}"] = 1.0
        return exact


def at_keys(each: Tensor, elsewhere: int) -> Tensor:
    """Numbers of pairs (B, P) at their keys, and another at their values: (B, 2 P)."""
    import torch

    return torch.stack([each, torch.full_like(each, elsewhere)], dim=2).flatten(1)
