"""What regression in context is, whatever the class of functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from synthbench import REGRESSION_LOSSES, Batch, Interface, Loss, RealSequence, Task, Value

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class FunctionClass(Task):
    """Predict y_i = f(x_i) + noise from x_1, y_1, ..., x_i, for an f that is new in each sequence.

    x_i is standard normal in d dimensions. The vectors of a sequence are (x_i, 0) and (0, y_i)
    in turn, of size d + 1, and only at the former something is asked. Scored is the prediction
    of f(x_i), without its noise, in units of E f(x)^2: the answer 0 scores 1.
    """

    d: int = Field(default=4, ge=1)
    """Dimensions of x."""
    examples: int = Field(default=8, ge=1)
    """Examples K in a sequence; the i-th is predicted from the i - 1 before it."""
    noise: float = Field(default=0.0, ge=0)
    """Variance of the noise of y."""

    @property
    def interface(self) -> Interface:
        """2 K vectors in, a number at each of them out."""
        length = 2 * self.examples
        return Interface(RealSequence(length, self.d + 1), Value(length, causal=True))

    @property
    def mean_square(self) -> float:
        """E f(x)^2 over functions and inputs: the unit of scores."""
        return float(self.d)

    def world(self, rng: Stream) -> Tensor:
        """An empty tensor: every sequence has a function of its own."""
        import torch

        return torch.zeros(0, device=rng.device)

    def inputs(self, rng: Stream, size: int) -> Tensor:
        """x: (size, K, d), standard normal, float64 with the digits of float32."""
        return rng.normal((size, self.examples, self.d)).double()

    def prompts(self, x: Tensor, values: Tensor, rng: Stream) -> Batch:
        """Sequences of examples: x (B, K, d), values f(x) (B, K); latents: `values`."""
        from synthbench_function_classes.prompts import interleaved

        y = values + self.noise**0.5 * rng.normal(tuple(values.shape)).double()
        return interleaved(x, y, values)

    def losses(self) -> Mapping[str, Loss]:
        """Squared error (the default), absolute and Huber's, of y with its noise."""
        return REGRESSION_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Squared error over E f(x)^2: its mean, and the curve over the number of examples."""
        missed = (output[:, ::2] - batch.latents["values"]).square() / self.mean_square
        return {"squared-error": missed.mean(), "by-examples": missed.mean(dim=0)}
