"""What the layers of a transformer are made of."""

from __future__ import annotations

from dataclasses import dataclass

from synthbench import SequenceModel
from synthbench_transformer.positions import Positions


@dataclass(frozen=True)
class TrunkShape:
    """What the layers are made of; the fields but the last two are those of `Transformer`."""

    layers: int
    heads: int
    width: int
    mlp: int
    norm: bool
    positions: Positions | None
    dropout: float
    masked: bool
    """Whether later positions are hidden from earlier ones."""
    mixer: SequenceModel | None
    """A family of the trunk's width, whose mixer takes the place of attention."""
