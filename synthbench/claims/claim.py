"""A claim of a paper, as a study states it, and what can be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pydantic import Field, field_validator

from synthbench.claims.quantity import check_quantity
from synthbench.claims.side import Side
from synthbench.contracts.frozen import Frozen


class Claim(Frozen):
    """One sentence that measured replicas can bear out or contradict."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    """Short, unique in a study: small letters, digits and hyphens."""
    says: str = Field(min_length=1)
    """The sentence."""
    source: str
    """Where it stands: `Barak et al. 2022, Figure 1`."""
    quantity: str
    """What is measured, as an expression: `median(samples_to_target, where=n == 40)`."""
    holds: str
    """The claimed side: `> 1`, `>= 0.9`, `< 0.5`, `<= 2` or `in [2.5, 3.5]`."""
    note: str = ""
    """What a reader should know beside it."""

    @field_validator("quantity")
    @classmethod
    def _check_quantity(cls, text: str) -> str:
        check_quantity(text)
        return text

    @field_validator("holds")
    @classmethod
    def _check_side(cls, text: str) -> str:
        Side.read(text)
        return text

    @property
    def side(self) -> Side:
        """The claimed side."""
        return Side.read(self.holds)


class Verdict(Enum):
    """What replicas say of a claim."""

    HOLDS = "holds"
    BEST_SEED_ONLY = "holds for the best seed only"
    DOES_NOT_HOLD = "does not hold"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Judgement:
    """A claim, what was measured of it, and the verdict.

    value: of all seeds; NaN where it is not defined, or lies somewhere beyond the budget. low,
    high: its interval, simultaneous over the claims that were judged together; infinite where
    nothing bounds it. best: the quantity of the single seed that lies deepest on the claimed side,
    or nearest to it; NaN where one seed alone has none, as of a spread. seeds: the fewest that any
    part of the quantity rests on. seeds_needed: about how many would decide it if the value were
    the truth, where it is undecided and the value is not on the threshold itself.
    """

    claim: Claim
    value: float
    low: float
    high: float
    best: float
    seeds: int
    verdict: Verdict
    seeds_needed: int | None
