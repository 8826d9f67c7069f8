"""Single- and multi-index models of Gaussian inputs (Damian et al. 2022; Abbe et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from synthbench import REGRESSION_LOSSES, Batch, Interface, Loss, Mean, Preset, Reals, Task, Value
from synthbench_index_models.link import Term, information_exponent, leap, parse_link

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream

BASELINE = "mlp width=100 optimizer=adam lr=0.003 batch_size=64"


class IndexModel(Task):
    """y = g(u_1 . x, ..., u_r . x) + noise, with x standard normal in R^d and g of variance 1.

    The directions u_i are hidden and orthonormal. The link g is a sum of products of normalized
    Hermite polynomials, which are orthonormal too, so what every part of g is worth is exact.
    Ranked by the squared error relative to that of zero.
    """

    name: ClassVar[str] = "index-model"
    headline: ClassVar[tuple[str, ...]] = ("d", "link")
    paper: ClassVar[str] = "Damian et al. 2022, arXiv:2206.15144; Abbe et al. 2023, 2302.11055"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset("d=16 link=he3(z1)", BASELINE, 400_000, ("direction-overlap",)),
        "damian": Preset("d=16 link=he2(z1)+he2(z2)+z1*he2(z2)", BASELINE, 400_000),
        "abbe": Preset("d=16 link=z1+z1*z2+z1*z2*z3 directions=axes", BASELINE, 600_000),
    }

    d: int = Field(default=16, ge=2)
    """Dimensions of x."""
    link: str = "he2(z1)"
    """The function g: a sum of products of z1, z2, ..., he2(z1), ... and positive numbers. he3(z1)
    stands for He_3(z_1) / sqrt(3!), z_i for u_i . x; the sum is scaled to a variance of 1."""
    directions: Literal["uniform", "axes"] = "uniform"
    """Hidden directions: uniform over orthonormal frames, or coordinates of x."""
    noise: float = Field(default=0.0, ge=0)
    """Variance of the noise, which is normal."""

    @field_validator("link")
    @classmethod
    def _link_is_one(cls, link: str) -> str:
        parse_link(link)
        return link.replace(" ", "")

    @model_validator(mode="after")
    def _link_fits(self) -> IndexModel:
        if self.rank > self.d:
            raise ValueError(f"link reads {self.rank} directions, more than d={self.d}")
        return self

    @property
    def terms(self) -> tuple[Term, ...]:
        """The link in the Hermite basis."""
        return parse_link(self.link)

    @property
    def rank(self) -> int:
        """Number of hidden directions, r."""
        return len(self.terms[0].degrees)

    @property
    def degree(self) -> int:
        """Degree of the link."""
        return max(term.degree for term in self.terms)

    @property
    def information_exponent(self) -> int:
        """Smallest degree of the link's terms (Ben Arous et al. 2021)."""
        return information_exponent(self.terms)

    @property
    def leap(self) -> int:
        """The link's leap in the basis of its directions (Abbe et al. 2023)."""
        return leap(self.terms)

    @property
    def interface(self) -> Interface:
        """d numbers in, one out."""
        return Interface(Reals(self.d), Value())

    def world(self, rng: Stream) -> Tensor:
        """The directions: (r, d) orthonormal, float64 as all that follows, for every device."""
        # Here, so that a task can be listed and described without torch.
        import torch

        if self.directions == "axes":
            axes = rng.permutation(self.d)[: self.rank]
            return (axes[:, None] == torch.arange(self.d, device=rng.device)).double()
        found: list[Tensor] = []
        for drawn in rng.normal((self.rank, self.d)).double().unbind():
            direction = drawn
            for other in found:
                direction = direction - (direction * other).sum() * other
            found.append(direction / direction.square().sum().sqrt())
        return torch.stack(found)

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh samples: x (size, d) standard normal, y (size,)."""
        x = rng.normal((size, self.d))
        y = self.part(world, x, self.degree)
        if self.noise:
            y = y + self.noise**0.5 * rng.normal((size,)).double()
        return Batch(x, y.to(x.dtype))

    def part(self, world: Tensor, x: Tensor, degree: int) -> Tensor:
        """The part of the link of at most that degree at inputs (B, d): (B,), float64."""
        from synthbench_index_models.hermite import evaluate

        kept = [term for term in self.terms if term.degree <= degree]
        return evaluate(kept, x.double() @ world.to(x.device).T)

    def losses(self) -> Mapping[str, Loss]:
        """Squared (the default), absolute and Huber's error."""
        return REGRESSION_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Mean]:
        """Squared error over the sum of squares of y, 1 - R^2 of the test set: zero scores 1.

        As a mean of (output - y)^2 / y^2 with the weights y^2. Polynomials of Gaussians have heavy
        tails; errors relative to the very same samples scatter far less than plain ones.
        """
        y = batch.y.double()
        return {"relative-error": Mean(((output - y) / y).square(), y.square())}

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Zero, the best linear predictor, the best polynomials of every degree, the link."""
        parts = {"trivial": 0, **self._partial_degrees(), "optimal": self.degree}
        return {
            name: self.part(world, batch.x, degree).to(batch.x.dtype)
            for name, degree in parts.items()
        }

    def exact_scores(self) -> Mapping[str, float]:
        """What the terms that are missing weigh, with the noise.

        Terms are orthonormal: the best predictor among polynomials of degree j is the sum of the
        terms up to that degree, and its error the sum of the other squared coefficients.
        """
        parts = {"trivial": 0, **self._partial_degrees(), "optimal": self.degree}
        missing = {
            name: sum(term.coefficient**2 for term in self.terms if term.degree > degree)
            for name, degree in parts.items()
        }
        return {name: (part + self.noise) / (1 + self.noise) for name, part in missing.items()}

    def _partial_degrees(self) -> Mapping[str, int]:
        """The best polynomials of a degree below the link's, by name."""
        degrees = range(1, self.degree)
        return {"linear" if j == 1 else f"degree-{j}": j for j in degrees}
