"""Recall of values of several tokens by keys of several tokens (Poli et al. 2024, "MAD-Lab")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import IGNORED, Batch, Mean, Preset, one_hot
from synthbench_recall.recall_task import MAD_LAB_RECALL, RecallTask, equally_likely

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


DELTA_RULE = "deltanet layers=1 width=32 lr=0.01 weight_decay=0 batch_size=32"
"""The small preset's baseline: its convolution puts tokens together, so one layer is enough.

Of six seeds of two layers of attention, four had not learnt it after 32,000 samples (length 24).
"""


class FuzzyRecall(RecallTask):
    """A stream of keys of 1 to `key` tokens, each followed by its value of 1 to `value` tokens.

    Sizes are uniform; the tokens of a key differ, and so do those of a value; a key has the same
    value all through a sequence. Where a key occurs again, every token of its value is asked
    for. One token may begin many keys, so what followed it before is no answer: what counts is
    all of the key. Vocabulary: one half for keys, the other for values.
    """

    name: ClassVar[str] = "fuzzy-recall"
    headline: ClassVar[tuple[str, ...]] = ("symbols", "length", "key", "value")
    paper: ClassVar[str] = "Poli et al. 2024, arXiv:2403.17844"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "symbols=6 length=20 key=2 value=1", DELTA_RULE, 32_000, evaluation_samples=256
        ),
        "mad": Preset("", MAD_LAB_RECALL, 2_560_000, train_samples=12_800),
    }

    symbols: int = Field(default=16, ge=2, multiple_of=2)
    """Size of the vocabulary."""
    length: int = Field(default=128, ge=4)
    """Tokens in a sequence."""
    key: int = Field(default=3, ge=1)
    """Most tokens of a key."""
    value: int = Field(default=3, ge=1)
    """Most tokens of a value."""

    @model_validator(mode="after")
    def _fits(self) -> FuzzyRecall:
        if max(self.key, self.value) > self.symbols // 2:
            raise ValueError(
                f"a key or a value has at most symbols/2 = {self.symbols // 2} different tokens, "
                f"got key={self.key} value={self.value}"
            )
        return self

    @property
    def vocabulary(self) -> int:
        """Keys, then values."""
        return self.symbols

    def sequences(self, rng: Stream, size: int, length: int) -> Batch:
        """Fresh sequences of any length. Latents: `gap`, and `key_size` of the pair asked for."""
        import torch

        from synthbench_recall.motifs import draw, write

        half, pairs = self.symbols // 2, length // 2 + 1
        keys = draw(rng, half, self.key, size, pairs)
        values = draw(rng, half, self.value, size, pairs)
        written = write(keys, values, half, length + 1)
        y = torch.where(written.answers, written.tokens, IGNORED)[:, 1:].contiguous()
        # Contiguous, since scores that are recorded look at them in one row.
        latents = {"gap": written.gap, "key_size": written.key_size}
        latents = {name: latent[:, 1:].contiguous() for name, latent in latents.items()}
        return Batch(written.tokens[:, :-1].contiguous(), y, latents)

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Mean]:
        """Share of value tokens that are right; by the gap; and by the tokens of the key."""
        scores = dict(super().score(output, batch))
        hits = scores["accuracy"]
        sizes = one_hot(batch.latents["key_size"].reshape(-1) - 1, self.key, hits.weights.dtype)
        by_size = Mean(hits.values[:, None].expand_as(sizes), hits.weights[:, None] * sizes)
        return {**scores, "by-key-size": by_size}

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Any value token; one that has occurred; what followed the last token; the key's own.

        induction: the value token that followed the latest earlier occurrence of the last token
        alone, as an induction head copies it (Olsson et al. 2022).
        """
        import torch

        from synthbench_recall.matching import copied, latest, same_runs

        x, half = batch.x, self.symbols // 2
        is_value = x >= half
        # A pair begins at a key token behind a value token; its offset counts from there.
        begins = torch.nn.functional.pad(~is_value[:, 1:] & is_value[:, :-1], (1, 0), value=True)
        position = torch.arange(x.shape[1], device=x.device)
        offset = position - torch.where(begins, position, 0).cummax(dim=1).values
        followed = torch.nn.functional.pad(is_value[:, 1:], (0, 1))[:, None, :]
        alone = latest((x[:, :, None] == x[:, None, :]) & followed)
        whole = latest(same_runs(x, offset, self.key + self.value) & followed)
        of_values = torch.arange(self.symbols, device=x.device) >= half
        occurred = (one_hot(x, self.symbols, torch.float32) * of_values).cumsum(dim=1) > 0
        followers = torch.where(
            alone[:, :, None] < 0, of_values, copied(x, alone + 1, self.symbols)
        )
        answers = {
            "trivial": of_values.expand_as(occurred),
            "in-context": occurred,
            "induction": followers,
            "optimal": copied(x, whole + 1, self.symbols),
        }
        return {name: equally_likely(answer) for name, answer in answers.items()}

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy of a value at random and of the key's own, on every test set."""
        sets = ("" if at == self.length else f"@length-{at}" for at in (self.length, *self.longer))
        return {
            f"{name}{on}": score
            for on in sets
            for name, score in (("trivial", 2 / self.symbols), ("optimal", 1.0))
        }
