"""Modular arithmetic with held-out pairs (Power et al. 2022; Nanda et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from synthbench import Batch, Preset
from synthbench_arithmetic.baselines import ONE_LAYER, POWER, QUADRATIC
from synthbench_arithmetic.table_task import TableTask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from synthbench_arithmetic.table_task import World

COMMUTATIVE = ("add", "multiply", "quadratic")


class ModularArithmetic(TableTask):
    """c = a + b, a - b, a b, a / b or a^2 + a b + b^2, modulo p, for all pairs of residues.

    A share of the pairs is trained on, all others are held out. Division is by b != 0, so it has
    p (p - 1) pairs; the other operations have p^2. Known for grokking: with weight decay, training
    accuracy reaches 1 long before held-out accuracy leaves chance.
    """

    name: ClassVar[str] = "modular-arithmetic"
    headline: ClassVar[tuple[str, ...]] = ("p", "operation", "share")
    paper: ClassVar[str] = "Power et al. 2022, arXiv:2201.02177; Nanda et al. 2023, 2301.05217"
    presets: ClassVar[Mapping[str, Preset]] = {
        # 600 steps on 480 pairs.
        "small": Preset("p=31 share=0.5", f"{QUADRATIC} width=128", 288_000, ("fourier-spectrum",)),
        # 10^6 steps of 512 pairs without weight decay, and 10^5 with it.
        "power": Preset("p=97 operation=divide share=0.5", f"{POWER} weight_decay=0", 512_000_000),
        "power-decay": Preset(
            "p=97 operation=divide share=0.5", f"{POWER} weight_decay=1", 51_200_000
        ),
        # 20,000 steps on all 3,831 pairs.
        "nanda": Preset(
            "p=113 share=0.3",
            f"{ONE_LAYER} width=128 lr=0.001 weight_decay=1 warmup=10",
            76_620_000,
            ("fourier-spectrum", "restricted-loss"),
        ),
        # 700 steps on 673 pairs.
        "nanda-small": Preset(
            "p=31 share=0.7",
            f"{ONE_LAYER} width=64 lr=0.003 weight_decay=0.3",
            471_100,
            ("fourier-spectrum", "restricted-loss"),
        ),
    }

    p: int = Field(default=97, ge=3, le=1000)
    """Modulus; a prime for division."""
    operation: Literal["add", "subtract", "multiply", "divide", "quadratic"] = "add"
    """What is done with a and b; quadratic: a^2 + a b + b^2."""

    @model_validator(mode="after")
    def _division_has_answers(self) -> ModularArithmetic:
        if self.operation == "divide" and not is_prime(self.p):
            raise ValueError(f"operation=divide needs a prime p, got {self.p}")
        return self

    @property
    def elements(self) -> int:
        """The residues 0, ..., p - 1."""
        return self.p

    @property
    def pairs(self) -> int:
        """All pairs of residues, for division those with b != 0."""
        return self.p * (self.p - 1 if self.operation == "divide" else self.p)

    def answers(self) -> NDArray[np.int64]:
        """The residue for a and b: (p, p); division has none in its first column."""
        import numpy as np

        a, b = np.arange(self.p)[:, None], np.arange(self.p)[None]
        if self.operation == "divide":
            inverses = np.array([pow(i, -1, self.p) if i else -1 for i in range(self.p)])
            return np.where(b == 0, -1, a * inverses % self.p)
        done = {
            "add": a + b,
            "subtract": a - b,
            "multiply": a * b,
            "quadratic": a * a + a * b + b * b,
        }
        return done[self.operation] % self.p

    def shortcuts(self, world: World, batch: Batch, answer: Tensor) -> Mapping[str, Tensor]:
        """The answer that is right most often; that of (b, a) where the pair is trained on.

        The first where answers differ in their frequency, the second where a and b commute.
        """
        import torch

        everything = torch.arange(self.p, device=answer.device)
        found = {}
        if self.most_frequent > self.pairs // self.p:
            counts = (self.table(answer)[..., None] == everything).sum(dim=(0, 1))
            found["most-frequent"] = (everything == counts.argmax()).expand(len(answer), -1)
        if self.operation in COMMUTATIVE:
            a, b = self.operands(batch.x)
            trained = torch.zeros(self.pairs, device=answer.device).scatter(0, world[0], 1.0) > 0
            known = trained[b * self.p + a][:, None]
            found["commutes"] = (everything == answer[:, None]) | ~known
        return found

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy on held-out pairs, in the mean over splits.

        A held-out pair has a != b with probability (p - 1) / p, and then its mirror image is any
        of the p^2 - 1 others, of which m are trained on; 1 / p of the rest is guessed.
        """
        scores = {"trivial": 1 / self.p}
        if self.most_frequent > self.pairs // self.p:
            scores["most-frequent"] = self.most_frequent / self.pairs
        if self.operation in COMMUTATIVE:
            known = (self.p - 1) / self.p * self.trained / (self.pairs - 1)
            scores["commutes"] = known + (1 - known) / self.p
        return {**scores, "optimal": 1.0}

    @property
    def most_frequent(self) -> int:
        """In how many pairs the most frequent answer is right."""
        import numpy as np

        answers = self.answers()
        return int(np.bincount(answers[answers >= 0]).max())


def is_prime(p: int) -> bool:
    """By trial division."""
    return p > 1 and all(p % i for i in range(2, int(p**0.5) + 1))
