"""Staircases: sums of monomials, learned one after the other (Abbe et al. 2022, 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, field_validator, model_validator

from synthbench import (
    MARGIN_LOSSES,
    REGRESSION_LOSSES,
    Batch,
    Interface,
    Loss,
    Margin,
    Mean,
    Preset,
    Signs,
    Task,
    Value,
    accuracy,
)
from synthbench_staircase.polynomial import (
    Monomial,
    leap,
    read,
    sign_accuracy,
    write,
)

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream

MOST_VARIABLES = 12


class Staircase(Task):
    """y = h(z), a sum of monomials of hidden coordinates z of x, which is uniform on {-1, +1}^n.

    The leap of h is the most new variables that a term needs when all terms are learned in the
    best order: 1 for x1+x1x2+x1x2x3, 3 for x1x2x3 alone. SGD is conjectured to need about
    n^max(leap, 2) samples, and to learn one term after the other.
    """

    name: ClassVar[str] = "staircase"
    headline: ClassVar[tuple[str, ...]] = ("n", "function")
    paper: ClassVar[str] = "Abbe et al. 2022, arXiv:2202.08658; 2023, arXiv:2302.11055"
    sample_fields: ClassVar[tuple[str, ...]] = ("noise",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset("n=30 function=x1+x1x2+x1x2x3", model="mlp lr=0.01", budget=320_000),
        "abbe": Preset(
            "n=100 function=x1+x1x2+x1x2x3+x1x2x3x4", model="mlp lr=0.01", budget=2_000_000
        ),
    }

    n: int = Field(default=30, ge=1)
    """Number of coordinates."""
    function: str = "x1+x1x2+x1x2x3"
    """The sum h of monomials, each of different variables, x1 to x12."""
    sign: bool = False
    """Whether y is the sign of h, that of 0 being +1, in place of h."""
    noise: float = Field(default=0.0, ge=0)
    """Of values the variance of what is added, Gaussian; of signs the share that is flipped."""

    @field_validator("function")
    @classmethod
    def _in_one_way(cls, function: str) -> str:
        return "+".join(write(term) for term in read(function))

    @model_validator(mode="after")
    def _fits_together(self) -> Staircase:
        if self.variables > min(self.n, MOST_VARIABLES):
            limit = f"n={self.n}" if self.n < MOST_VARIABLES else str(MOST_VARIABLES)
            raise ValueError(f"function has {self.variables} variables, at most {limit} are meant")
        if self.sign and self.noise >= 0.5:
            raise ValueError(f"noise must be below 0.5 with sign=true, got {self.noise:g}")
        return self

    @property
    def terms(self) -> tuple[Monomial, ...]:
        """The monomials, lowest degree first."""
        return read(self.function)

    @property
    def variables(self) -> int:
        """Number of hidden coordinates."""
        return max(max(term) for term in self.terms)

    @property
    def leap(self) -> int:
        """The leap of the function."""
        return leap(self.terms)

    @property
    def interface(self) -> Interface:
        """n signs in; a number out, or a margin."""
        return Interface(Signs(self.n), Margin() if self.sign else Value())

    def world(self, rng: Stream) -> Tensor:
        """Which coordinates are x1, x2, ...: (variables,)."""
        return rng.permutation(self.n)[: self.variables]

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh samples: x (size, n), y (size,); latents `monomials` (size, terms), -1 or +1."""
        from synthbench_staircase.guesses import monomials_of

        x = rng.signs((size, self.n))
        monomials = monomials_of(self.terms, x[:, world])
        y = self._label(monomials)
        if self.noise and self.sign:
            y = (-y).where(rng.bernoulli(self.noise, (size,)), y)
        elif self.noise:
            y = y + sqrt(self.noise) * rng.normal((size,))
        return Batch(x, y, {"monomials": monomials})

    def losses(self) -> Mapping[str, Loss]:
        """Squared error (the default), absolute and Huber's; for signs hinge and other margins."""
        return MARGIN_LOSSES if self.sign else REGRESSION_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor | Mean]:
        """Squared error, or share of right signs; and what is missing of every term, a curve.

        Missing is the mean of (h - output) times the term: 1 of what is not learned at all, 0 of
        what is. For signs that of (sign(h) - sign(output)) times the term.
        """
        monomials = batch.latents["monomials"].to(output.dtype)
        lacking = self._label(monomials) - (output.sign() if self.sign else output)
        missing = {"missing": (lacking[:, None] * monomials).mean(dim=0)}
        if self.sign:
            return {"accuracy": accuracy(output, batch.y), **missing}
        return {"squared-error": (output - batch.y).square().mean(), **missing}

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """The best constant, the best guess from the terms up to each degree, and from all."""
        from synthbench_staircase.guesses import guess, monomials_of

        monomials = monomials_of(self.terms, batch.x[:, world])
        return {
            name: guess(self.terms, monomials, degree, self.sign)
            for name, degree in self._known_degrees().items()
        }

    def exact_scores(self) -> Mapping[str, float]:
        """Each missing term adds its variance, 1, to the squared error; of signs by enumeration."""
        degrees = self._known_degrees()
        if not self.sign:
            return {
                name: self.noise + sum(len(term) > degree for term in self.terms)
                for name, degree in degrees.items()
            }
        right = {name: sign_accuracy(self.terms, degree) for name, degree in degrees.items()}
        return {name: p * (1 - self.noise) + (1 - p) * self.noise for name, p in right.items()}

    def _known_degrees(self) -> dict[str, int]:
        """Reference -> the degree up to which it knows the terms."""
        degrees = sorted({len(term) for term in self.terms})
        stages = {f"degree-{degree}": degree for degree in degrees[:-1]}
        return {"trivial": 0, **stages, "optimal": degrees[-1]}

    def _label(self, monomials: Tensor) -> Tensor:
        """h, or its sign: (B,)."""
        total = monomials.sum(dim=1)
        return (total >= 0).to(total.dtype) * 2 - 1 if self.sign else total
