"""A held-out distribution on which networks are scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench.contracts.batch import Batch, World
    from synthbench.contracts.interface import Interface
    from synthbench.streams import Stream


@dataclass(frozen=True)
class TestSet:
    """A held-out distribution: a sampler, or a finite set that is scored whole.

    sample: `sample(world, rng, size) -> Batch` draws fresh examples, as many as the protocol's
    evaluation_samples. whole: `whole(world) -> Batch` gives every example once, the same number
    in every world. Exactly one of the two. interface: of its examples, where it is not the
    task's: another length of its sequences, which the model has to take. references:
    `references(world, batch) -> outputs`, where strategies answer differently here than
    `Task.references`, whose names they bear.
    """

    sample: Callable[[World, Stream, int], Batch] | None = None
    whole: Callable[[World], Batch] | None = None
    interface: Interface | None = None
    references: Callable[[World, Batch], Mapping[str, Tensor]] | None = None

    __test__: ClassVar[bool] = False
    """It is no test class of pytest's."""
