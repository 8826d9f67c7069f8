"""Selective copying: repeat in order what lies between blanks (Gu & Dao 2023; MAD-Lab)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import IGNORED, Batch, Preset, one_hot
from synthbench_recall.recall_task import MAD_LAB, SMALL, RecallTask, equally_likely

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class SelectiveCopying(RecallTask):
    """Tokens at random places among blanks, a marker, then blanks: write the tokens in order.

    The context has length - tokens - 1 positions, `tokens` of which hold uniform symbols; the
    i-th blank behind the marker asks for the i-th of them. Vocabulary: symbols - 2 to be copied,
    the blank, the marker.
    """

    name: ClassVar[str] = "selective-copying"
    headline: ClassVar[tuple[str, ...]] = ("tokens", "symbols", "length")
    paper: ClassVar[str] = "Gu & Dao 2023, arXiv:2312.00752; Poli et al. 2024, arXiv:2403.17844"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset("tokens=4 symbols=10 length=16", SMALL, 64_000, evaluation_samples=256),
        "mad": Preset("", MAD_LAB, 2_560_000, train_samples=12_800),
    }

    tokens: int = Field(default=16, ge=1)
    """Tokens to be copied."""
    symbols: int = Field(default=16, ge=4)
    """Size of the vocabulary, the blank and the marker among it."""
    length: int = Field(default=256, ge=3)
    """Tokens in a sequence."""

    @model_validator(mode="after")
    def _fits(self) -> SelectiveCopying:
        if self.length < 2 * self.tokens + 1:
            raise ValueError(
                f"length must be at least 2 * tokens + 1 = {2 * self.tokens + 1}, got {self.length}"
            )
        return self

    @property
    def vocabulary(self) -> int:
        """What may be copied, the blank, the marker."""
        return self.symbols

    def sequences(self, rng: Stream, size: int, length: int) -> Batch:
        """Fresh sequences of any length."""
        import torch

        blank, marker = self.symbols - 2, self.symbols - 1
        context = length - self.tokens - 1
        places = rng.choice(context, self.tokens, (size,))
        chosen = rng.integers(blank, (size, self.tokens))
        x = torch.full((size, length), blank, device=rng.device)
        x = x.scatter(1, places, chosen)
        position = torch.arange(length, device=rng.device)
        x = torch.where(position == context, marker, x)
        unasked = torch.full((size, context + 1), IGNORED, device=rng.device)
        gap = context + 1 + torch.arange(self.tokens, device=rng.device) - places
        latents = {"gap": torch.cat([torch.zeros_like(unasked), gap], dim=1)}
        return Batch(x, torch.cat([unasked, chosen], dim=1), latents)

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Any symbol; the most frequent one of the context; the tokens in their order."""
        import torch

        x, blank = batch.x, self.symbols - 2
        before = x.shape[1] - self.tokens
        symbol = torch.arange(self.symbols, device=x.device)
        counts = (one_hot(x, self.symbols, torch.float32) * (symbol < blank)).sum(1, keepdim=True)
        most = counts == counts.amax(dim=2, keepdim=True)
        # The symbols in order come first where the positions of blanks are put last.
        order = (x >= blank).to(torch.int64).argsort(dim=1, stable=True)[:, : self.tokens]
        answers = {
            "trivial": (symbol < blank).expand(x.shape[0], self.tokens, -1),
            "most-frequent": most.expand(-1, self.tokens, -1),
            "optimal": one_hot(x.gather(1, order), self.symbols, torch.bool),
        }
        # Nothing is known before the marker has been read.
        return {
            name: equally_likely(torch.nn.functional.pad(answer, (0, 0, before, 0)))
            for name, answer in answers.items()
        }

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy, the same at every length; the most frequent of uniform symbols by counting."""
        from synthbench_recall.occupancy import most_frequent_share

        exact = {
            "trivial": 1 / (self.symbols - 2),
            "most-frequent": most_frequent_share(self.tokens, self.symbols - 2),
            "optimal": 1.0,
        }
        return exact | {
            f"{name}@length-{length}": score
            for length in self.longer
            for name, score in exact.items()
        }
