"""Multi-query associative recall (Arora et al. 2023, "Zoology")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from synthbench import IGNORED, Batch, Preset, TestSet, one_hot
from synthbench_recall.recall_task import SMALL, RecallTask

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream

ZOOLOGY = (
    "transformer layers=2 width=64 positions=absolute dropout=0.1 "
    "lr=0.00215 beta2=0.999 clip=none schedule=cosine batch_size=512"
)
"""Figure 2's attention at its smallest width and one of its four rates; AdamW, decay 0.1."""
SMALLEST = 1e-9
"""Probability of what a strategy rules out."""


class Mqar(RecallTask):
    """Pairs of a key and a value, then each key once more, somewhere: recall its value.

    x = k_1 v_1 ... k_D v_D, then slots of two tokens: in D of them the first token is a key.
    All keys of a sequence differ, and so do its values; both are new in every sequence. The
    slots are drawn by a power law of their distance from the pairs. Token 0 is the blank, then
    come the keys, and the second half of the vocabulary are the values.
    """

    name: ClassVar[str] = "mqar"
    headline: ClassVar[tuple[str, ...]] = ("pairs", "symbols", "length")
    paper: ClassVar[str] = "Arora et al. 2023, arXiv:2312.04927"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset("pairs=4 symbols=16 length=16", SMALL, 64_000, evaluation_samples=256),
        "zoology": Preset("", ZOOLOGY, 6_400_000, train_samples=100_000),
    }

    pairs: int = Field(default=4, ge=2)
    """Pairs of a key and a value."""
    symbols: int = Field(default=8192, ge=4, multiple_of=2)
    """Size of the vocabulary: a blank, symbols/2 - 1 keys, symbols/2 values."""
    length: int = Field(default=64, ge=4, multiple_of=2)
    """Tokens in a sequence."""
    power: float = Field(default=0.01, ge=0, le=10)
    """A query lies in slot g = 1, 2, ... behind the pairs with a chance as g^(power - 1)."""
    filler: Literal["blank", "random"] = "blank"
    """What is between queries: the blank, or random tokens of the vocabulary."""
    more_pairs: tuple[int, ...] = ()
    """Numbers of pairs of further test sets, with as many tokens for each pair."""

    @model_validator(mode="after")
    def _fits(self) -> Mqar:
        if self.length < 4 * self.pairs:
            raise ValueError(
                f"length must be at least 4 * pairs = {4 * self.pairs}, got {self.length}"
            )
        for length in self.longer:
            if length % 2:
                raise ValueError(f"longer must be even, got {length}")
        if any(pairs <= self.pairs for pairs in self.more_pairs):
            raise ValueError(f"more_pairs must be above pairs={self.pairs}, got {self.more_pairs}")
        most = max((self.pairs, *self.more_pairs))
        if most >= self.symbols // 2:
            raise ValueError(
                f"{most} pairs need symbols of at least {2 * most + 2}, got {self.symbols}"
            )
        return self

    @property
    def vocabulary(self) -> int:
        """The blank, keys, values."""
        return self.symbols

    def sequences(self, rng: Stream, size: int, length: int) -> Batch:
        """Fresh sequences of any length, with as many pairs as in training."""
        return self.sequences_of(rng, size, self.pairs, length)

    def sequences_of(self, rng: Stream, size: int, pairs: int, length: int) -> Batch:
        """Fresh sequences of any number of pairs and any length."""
        import torch

        from synthbench_recall.drawing import by_weight, distinct
        from synthbench_recall.slots import power_law

        half, slots = self.symbols // 2, length // 2 - pairs
        keys = 1 + distinct(rng, half - 1, pairs, size)
        values = half + distinct(rng, half, pairs, size)
        slot = by_weight(rng, power_law(slots, self.power), pairs, size)
        place = 2 * (pairs + slot)
        free = torch.zeros(size, 2 * slots, dtype=torch.int64, device=rng.device)
        if self.filler == "random":
            free = rng.integers(self.symbols, (size, 2 * slots))
        x = torch.cat([torch.stack([keys, values], dim=2).flatten(1), free], dim=1)
        unasked = torch.full_like(x, IGNORED)
        gap = place - 2 * torch.arange(pairs, device=rng.device)
        latents = {"gap": torch.zeros_like(x).scatter(1, place, gap)}
        return Batch(x.scatter(1, place, keys), unasked.scatter(1, place, values), latents)

    def test_sets(self) -> Mapping[str, TestSet]:
        """Sequences as in training; longer ones; ones with more pairs, in proportion longer."""
        return {name: self._test_set(*shape) for name, shape in self._shapes().items()}

    def _shapes(self) -> dict[str, tuple[int, int]]:
        """Pairs and length of every test set."""
        shapes = {"trained": (self.pairs, self.length)}
        shapes |= {f"length-{length}": (self.pairs, length) for length in self.longer}
        for pairs in self.more_pairs:
            shapes[f"pairs-{pairs}"] = (pairs, 2 * (self.length * pairs // (2 * self.pairs)))
        return shapes

    def _test_set(self, pairs: int, length: int) -> TestSet:
        return TestSet(
            sample=lambda world, rng, size: self.sequences_of(rng, size, pairs, length),
            interface=self.interface_of(length),
            references=lambda world, batch: self.strategies(batch.x, pairs),
        )

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Any value; any of the context; that which the slot asks for most; that of the key."""
        return self.strategies(batch.x, self.pairs)

    def strategies(self, x: Tensor, pairs: int) -> Mapping[str, Tensor]:
        """Log-probabilities of every strategy, for sequences (B, T) of any number of pairs.

        Within the pairs, where nothing is asked, each takes any value.
        """
        import torch

        from synthbench_recall.slots import pair_of_slot

        begin, slots = 2 * pairs, x.shape[1] // 2 - pairs
        table = torch.from_numpy(pair_of_slot(slots, pairs, self.power))
        asked = (table / table.sum(dim=1, keepdim=True)).repeat_interleave(2, dim=0)
        found = x[:, begin:, None] == x[:, None, :begin:2]
        values = one_hot(x[:, 1:begin:2], self.symbols, torch.float32)
        is_value = torch.arange(self.symbols, device=x.device) >= self.symbols // 2
        anything = is_value.to(torch.float32).expand(*x.shape, -1) / (self.symbols // 2)
        chances = {
            "trivial": anything[:, begin:],
            "in-context": values.mean(dim=1, keepdim=True).expand(-1, 2 * slots, -1),
            "by-position": asked.to(x.device, torch.float32) @ values,
            "optimal": found.to(torch.float32) @ values,
        }
        return {
            name: torch.cat([anything[:, :begin], chance], dim=1).clamp(min=SMALLEST).log()
            for name, chance in chances.items()
        }

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy over the queries, on every test set."""
        from synthbench_recall.slots import pair_of_slot

        exact: dict[str, float] = {}
        for name, (pairs, length) in self._shapes().items():
            on = "" if name == "trained" else f"@{name}"
            table = pair_of_slot(length // 2 - pairs, pairs, self.power)
            exact[f"trivial{on}"] = 2 / self.symbols
            exact[f"in-context{on}"] = 1 / pairs
            exact[f"by-position{on}"] = float(table.max(axis=1).sum()) / pairs
            exact[f"optimal{on}"] = 1.0
        return exact
