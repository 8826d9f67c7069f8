"""The Task contract: a data distribution with its loss, its score and its references."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from synthbench.contracts.configuration import Configuration

if TYPE_CHECKING:
    from datasets import DatasetDict
    from torch import Tensor

    from synthbench.contracts.batch import Batch, Loss, World
    from synthbench.contracts.interface import Interface
    from synthbench.streams import Stream


class KnownAlgorithm(NamedTuple):
    """A learner that is not trained by gradients, as a reference row of a leaderboard.

    samples: with which it finds the optimum at least half of the time; operations: elementary
    ones it then takes; source: of both formulas.
    """

    samples: float
    operations: float
    source: str


class Task(Configuration, ABC):
    """A data distribution, how a prediction is scored, and what simple predictors score.

    Subclasses are frozen pydantic models whose fields are the configuration. Every method
    speaks of a single replica; the engine adds the replica axis with `torch.vmap`. All
    randomness comes from the `rng` argument.
    """

    target: float = Field(default=0.96, gt=0, le=1)
    """Progress (0 trivial, 1 optimal) from which a replica counts as having solved the task."""

    @property
    @abstractmethod
    def interface(self) -> Interface:
        """What a model must accept and return."""

    @abstractmethod
    def world(self, rng: Stream) -> World:
        """Draw one replica's hidden truth: a tensor, or a tuple or dict of tensors."""

    @abstractmethod
    def sample(self, world: World, rng: Stream, size: int) -> Batch:
        """Draw `size` fresh examples."""

    @abstractmethod
    def losses(self) -> Mapping[str, Loss]:
        """The training losses a recipe may name; the first is the default."""

    @abstractmethod
    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Named scalars, each a mean over the batch; the first is the one that is ranked."""

    @abstractmethod
    def references(self, world: World, batch: Batch) -> Mapping[str, Tensor]:
        """Outputs of known strategies on a batch, scored by `score` like any model.

        Ordered from "trivial" (progress 0) to "optimal" (progress 1); both must be there, and none
        scores worse than "trivial": what is overconfident is mixed with it.
        """

    @abstractmethod
    def exact_scores(self) -> Mapping[str, float]:
        """Population value of the ranked score for each reference that has a closed form."""

    def known_algorithms(self) -> Mapping[str, KnownAlgorithm]:
        """Classical algorithms that solve the task, by name; none unless a task knows some."""
        return {}

    def dataset(self, samples: Mapping[str, int], seed: int = 0) -> DatasetDict:
        """Samples of one world as a Hugging Face data set.

        samples: how many for each of the splits "train", "validation" and "test"; each split
        has a random stream of its own. seed: of the world and of the samples. Columns: `x`,
        `y` and the task's latents. Raises ConfigurationError for another split.
        """
        from synthbench.contracts.samples import draw_dataset

        return draw_dataset(self.world, self.sample, samples, seed)
