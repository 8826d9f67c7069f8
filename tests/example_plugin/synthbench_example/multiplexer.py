"""The Boolean multiplexer, a classic of rule learning, with hidden coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import Field, model_validator
from torch import Tensor

from synthbench import MARGIN_LOSSES, Batch, Interface, Loss, Margin, Signs, Stream, Task


class Multiplexer(Task):
    """y = the data bit at the address that the address bits spell, with x uniform on {-1, +1}^n.

    Of the n coordinates, `address` are address bits and 2^address are data bits, all different;
    which they are, and in which order, is hidden.
    """

    name: ClassVar[str] = "multiplexer"
    headline: ClassVar[tuple[str, ...]] = ("n", "address")
    paper: ClassVar[str] = "Wilson 1995, Classifier Fitness Based on Accuracy"

    n: int = Field(default=12, ge=3)
    """Number of coordinates."""
    address: int = Field(default=2, ge=1, le=6)
    """Number of address bits."""

    @model_validator(mode="after")
    def _bits_fit(self) -> Multiplexer:
        if self.n < (wanted := self.address + 2**self.address):
            raise ValueError(f"n must be at least address + 2^address = {wanted}, got {self.n}")
        return self

    @property
    def interface(self) -> Interface:
        """n signs in, one margin out."""
        return Interface(Signs(self.n), Margin())

    def world(self, rng: Stream) -> Tensor:
        """The address bits, then the data bits: (address + 2^address,) coordinates."""
        return rng.permutation(self.n)[: self.address + 2**self.address]

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh samples: x (size, n) and y (size,), both -1 or +1."""
        x = rng.signs((size, self.n))
        return Batch(x, self.looked_up(world, x, self.address))

    def looked_up(self, world: Tensor, x: Tensor, known: int) -> Tensor:
        """The data bit at the address of which only `known` bits are read, the others taken as 0.

        A sign of -1 is the bit 1; the first address bit is the lowest. x: (B, n) -> (B,).
        """
        places = 2 ** torch.arange(known, device=x.device)
        number = ((x[:, world[:known]] < 0) * places).sum(dim=1)
        return x[:, world[self.address :]].gather(1, number[:, None]).squeeze(1)

    def losses(self) -> Mapping[str, Loss]:
        """Hinge (the default), logistic, square and correlation."""
        return MARGIN_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Share of correct signs; an output of exactly 0 counts one half."""
        return {"accuracy": ((torch.sign(output * batch.y) + 1) / 2).mean()}

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """A constant, then the multiplexer with none of the address bits read, one, ..., all."""
        partial = {
            f"reads-{known}": self.looked_up(world, batch.x, known) for known in range(self.address)
        }
        optimal = self.looked_up(world, batch.x, self.address)
        return {"trivial": torch.zeros_like(batch.y), **partial, "optimal": optimal}

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy over all inputs: the right data bit is found by chance, or any agrees half."""
        partial = {
            f"reads-{known}": 0.5 + 0.5 ** (self.address - known + 1)
            for known in range(self.address)
        }
        return {"trivial": 0.5, **partial, "optimal": 1.0}
