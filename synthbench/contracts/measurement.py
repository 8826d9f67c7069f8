"""The Measurement contract: numbers of a seed that the training of one network does not give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from synthbench.contracts.configuration import Configuration


class Measurement(Configuration, ABC):
    """Measures named numbers of every seed: what an algorithm needs, how far two networks differ.

    A grid of a paper study can be made of measurements where it cannot be made of cells.
    """

    @abstractmethod
    def measure(self, seeds: Sequence[int]) -> Sequence[Mapping[str, float]]:
        """Named numbers of each seed, in the order of the seeds.

        The same whenever it is asked and whichever other seeds are asked with it: a seed stands for
        the same hidden truth, samples and initialization as in a training. NaN is what a seed does
        not have, infinity what never comes.
        """
