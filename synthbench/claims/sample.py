"""Replicas under weights: what a summary is of, and the rows that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from synthbench.claims.bounds import Bounds
from synthbench.claims.replicas import Replicas
from synthbench.claims.resampling import SeedWeights
from synthbench.claims.truth import Texts, Truth
from synthbench.errors import ConfigurationError

SHOWN = 8
"""Values of a column that a message names."""


class NoReplicaError(ConfigurationError):
    """A summary of no replica at all."""


@dataclass(frozen=True)
class Sample:
    """Replicas under weights.

    chosen: (R,) which of them a summary is of. used: how many seeds each summary had, for who
    asks afterwards.
    """

    replicas: Replicas
    weights: SeedWeights
    chosen: NDArray[np.bool_]
    used: list[int] = field(default_factory=list)

    @classmethod
    def whole(cls, replicas: Replicas, weights: SeedWeights) -> Sample:
        """All replicas."""
        return cls(replicas, weights, np.ones(len(replicas), bool))

    def where(self, met: NDArray[np.bool_]) -> Sample:
        """Those of the replicas that meet a condition, (R,)."""
        return replace(self, chosen=self.chosen & met)

    def rows(self, *columns: Bounds | Truth) -> NDArray[np.intp]:
        """The replicas that have a value in all of some columns, (R,) each."""
        defined = [column.defined for column in columns]
        return np.flatnonzero(np.logical_and.reduce([self.chosen, *defined]))

    def seeds_of(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Their seeds, which are noted as used."""
        seeds = self.replicas.seeds[rows]
        self.used.append(len(np.unique(seeds)))
        return seeds

    def summarized(self, summarize: Callable[..., Bounds], *columns: Bounds | Truth) -> Bounds:
        """What a function of columns, seeds and weights says of the rows that have a value."""
        rows = self.rows(*columns)
        seeds = self.seeds_of(rows)
        if not len(rows):
            return self.undefined
        return summarize(*(column[rows] for column in columns), seeds, self.weights)

    @property
    def undefined(self) -> Bounds:
        """What is not defined of any of the rows, (B,)."""
        return Bounds.exact(np.full(len(self.weights.seeds), np.nan))

    def nobody_meets(self, words: str, columns: Sequence[str]) -> NoReplicaError:
        """The error for a condition, which says what values its columns have."""
        told = [text for name in columns if (text := self._values_of(name))]
        values = f" ({'; '.join(told)})" if told else ""
        return NoReplicaError(f"no replica meets {words}{values}")

    def _values_of(self, name: str) -> str:
        """`n is 20, 30, 40`; nothing for what is no column, such as the name of a function."""
        try:
            own = self.replicas.column(name)[np.flatnonzero(self.chosen)]
        except (ConfigurationError, LookupError):
            return ""
        if isinstance(own, Bounds):
            texts = [f"{each:g}" for each in np.unique(own.least[own.defined])]
        else:
            values = own.values if isinstance(own, Texts) else own.sure
            texts = list(dict.fromkeys("none" if v is None else str(v).lower() for v in values))
        more = ", ..." if len(texts) > SHOWN else ""
        return f"{name} is {', '.join(texts[:SHOWN])}{more}" if texts else ""
