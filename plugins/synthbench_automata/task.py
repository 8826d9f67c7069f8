"""Tracking the state of an automaton, at other lengths too (Liu et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import (
    NEXT_TOKEN_LOSSES,
    Batch,
    Interface,
    Loss,
    Mean,
    Preset,
    Task,
    TestSet,
    TokenLogits,
    Tokens,
    accuracy,
)
from synthbench_automata.machines import Machine, Name, machine

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class Automaton(Task):
    """Read a word of random symbols and say after each which state the machine is in.

    The machine is known and starts in state 0; nothing is hidden. Ranked by the share of
    positions with the right state, on words of the trained length and on longer ones.
    """

    name: ClassVar[str] = "automaton"
    headline: ClassVar[tuple[str, ...]] = ("machine", "length")
    paper: ClassVar[str] = "Liu et al. 2023, arXiv:2210.10749"

    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "machine=s3", "lstm layers=1 width=32 mlp=0 lr=0.01 batch_size=32", 16_000,
            ("linear-probe",), evaluation_samples=256,
        ),
        "parity": Preset(
            "machine=parity", "lstm layers=1 width=32 mlp=0 lr=0.003 batch_size=32", 32_000
        ),
        "flip-flop": Preset(
            "machine=flip-flop", "transformer layers=1 width=32 mlp=2 lr=0.003 batch_size=32",
            64_000,
        ),
        "liu": Preset(
            "machine=s5 length=100 longer=[200]",
            "transformer layers=8 width=512 heads=8 mlp=1 positions=absolute lr=1e-4 "
            "batch_size=64",
            10_000_000,
        ),
    }  # fmt: skip

    machine: Name = "parity"
    """Groups: parity (2 states), cyclic-5, s3 (6), d4 and quaternion (8), a5 (60), s5 (120).
    flip-flop: the symbol written last. gridworld: a walk between two walls."""
    length: int = Field(default=20, ge=1)
    """Symbols in a training word, and in the ranked test set."""
    longer: tuple[int, ...] = (40, 80)
    """Lengths of further test sets."""
    ignores: float = Field(default=0.8, ge=0, lt=1)
    """Probability of flip-flop's symbol that changes nothing; 0.8 in Liu et al. 2023b."""
    cells: int = Field(default=9, ge=2, le=16)
    """Cells of the gridworld; 9 in the released data."""
    windows: tuple[int, ...] = (1, 2, 4, 8)
    """How many of the last symbols each look-back reference sees."""

    @model_validator(mode="after")
    def _fits_together(self) -> Automaton:
        for key, owner in (("ignores", "flip-flop"), ("cells", "gridworld")):
            if self.machine != owner and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} is of machine={owner}, got machine={self.machine}")
        lengths = (self.length, *self.longer)
        if list(lengths) != sorted(set(lengths)):
            raise ValueError(f"longer must ascend from length={self.length}, got {self.longer}")
        if any(window < 1 for window in self.windows) or len(set(self.windows)) < len(self.windows):
            raise ValueError(f"windows must be different and at least 1, got {self.windows}")
        return self

    @property
    def automaton(self) -> Machine:
        """Its table of transitions and the probabilities of its symbols."""
        return machine(self.machine, self.cells, self.ignores)

    @property
    def interface(self) -> Interface:
        """Symbols in, log-odds of the states out."""
        return self.interface_at(self.length)

    def interface_at(self, length: int) -> Interface:
        """That of words of another length."""
        symbols, states = self.automaton.symbols, self.automaton.states
        return Interface(Tokens(symbols, length), TokenLogits(states, length))

    def world(self, rng: Stream) -> Tensor:
        """An empty tensor: nothing is hidden."""
        import torch

        return torch.zeros(0, device=rng.device)

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh words of the trained length: x and y (size, length)."""
        return self.words(rng, size, self.length)

    def words(self, rng: Stream, size: int, length: int) -> Batch:
        """Fresh words of any length, and the state after every symbol."""
        import torch

        from synthbench_automata.strategies import states

        shape, chances = (size, length), self.automaton.chances
        if len(set(chances)) == 1:
            x = rng.integers(len(chances), shape)
        else:
            x = rng.categorical(torch.tensor(chances, device=rng.device), shape)
        return Batch(x, states(self.automaton, x))

    def test_sets(self) -> Mapping[str, TestSet]:
        """Words of the trained length, then of the longer ones."""

        def at(length: int) -> TestSet:
            return TestSet(
                sample=lambda world, rng, size: self.words(rng, size, length),
                interface=self.interface_at(length),
            )

        return {f"length-{length}": at(length) for length in (self.length, *self.longer)}

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy of the state at every position (the default), or at the last alone."""
        return NEXT_TOKEN_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor | Mean]:
        """Share of positions with the right state; of words right at the last and at every one.

        And the share at each position, a curve.
        """
        hits = accuracy(output, batch.y)
        curve = Mean(*(part.reshape(batch.y.shape) for part in hits))
        return {
            "accuracy": hits,
            "last": Mean(*(part[:, -1] for part in curve)),
            "word": curve.values.prod(dim=1).mean(),
            "by-position": curve,
        }

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Bayes' rule from the position; from the last symbols too; from counts; and the state.

        "abelianization" is there where it is strictly between: s3, d4, quaternion and s5.
        """
        from synthbench_automata.strategies import predictions

        return predictions(self.automaton, batch.x, self.windows)

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy of every reference at every length, by dynamic programming."""
        from synthbench_automata.laws import accuracies
        from synthbench_automata.structure import counted_classes

        lengths = (self.length, *self.longer)
        curves = accuracies(self.automaton, lengths[-1], self.windows)
        counted, exact = curves.pop("counted"), {}
        if 1 < len(set(counted_classes(self.automaton))) < self.automaton.states:
            curves["abelianization"] = counted
        curves["optimal"] = [1.0] * lengths[-1]
        for length in lengths:
            on = "" if length == self.length else f"@length-{length}"
            exact |= {f"{name}{on}": sum(c[:length]) / length for name, c in curves.items()}
        return exact
