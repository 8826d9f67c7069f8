"""The Task contract: a data distribution with its loss, its score and its references."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from pydantic import Field

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.preset import Preset
from synthbench.contracts.test_set import TestSet
from synthbench.errors import TaskError

if TYPE_CHECKING:
    from datasets import DatasetDict
    from torch import Tensor

    from synthbench.contracts.batch import Batch, Loss, World
    from synthbench.contracts.interface import Interface
    from synthbench.contracts.scores import Scores
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
    randomness comes from the `rng` argument. `interface`, `world`, `sample`, `losses`, `score`,
    `references` and `exact_scores` make a task; the other methods are there for what these
    seven cannot say.
    """

    ceiling: ClassVar[str] = "optimal"
    """The reference at which progress is 1: where the optimum is not known, an "oracle" or other
    named strategy, or "best-known", the best of the references on each replica's test set."""
    higher_is_better: ClassVar[bool] = True
    """Whether the best known score is the highest; asked for with ceiling "best-known" alone."""
    sample_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that change the numbers that are drawn alone: no shape, loss, score or target. Cells
    that differ in them, and in numbers of the recipe, train together, unless a probe looks on or a
    trial shows that more is changed."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Distributions, such as scikit-learn, whose versions belong into the record."""
    presets: ClassVar[Mapping[str, Preset]] = {}
    """Named settings, such as a paper's, or "small": one that a model learns in a minute."""

    target: float = Field(default=0.96, gt=0, le=1)
    """Progress (0 trivial, 1 optimal) from which a replica counts as having solved the task."""
    target_score: float | None = Field(default=None, exclude_if=lambda value: value is None)
    """The ranked score from which a replica counts as having solved it, in place of target."""

    @property
    @abstractmethod
    def interface(self) -> Interface:
        """What a model must accept and return."""

    @abstractmethod
    def world(self, rng: Stream) -> World:
        """Draw one replica's hidden truth: a tensor, or a tuple or dict of tensors."""

    def sample(self, world: World, rng: Stream, size: int) -> Batch:
        """Draw `size` fresh examples. To be written, unless there is a `train_set`."""
        raise TaskError(f'task "{self.name}" has neither sample nor train_set; write one of them')

    def sample_at(self, world: World, rng: Stream, size: int, step: Tensor) -> Batch:
        """Draw `size` training examples for one optimizer step: a curriculum, by default none.

        step: the number of the optimizer step, from 0, int64 (). With the protocol's
        train_samples, example i of the set is that of the same numbers at every step.
        """
        return self.sample(world, rng, size)

    def train_set(self, world: World) -> Batch | None:
        """All examples that may be trained on, where there are finitely many; by default none.

        The same number of rows in every world. `Stream.split` divides a population.
        """
        return None

    def test_sets(self) -> Mapping[str, TestSet]:
        """The held-out distributions by name; the first is ranked, by default that of `sample`.

        Scores on the first have their own names, those on another `score@name`.
        """
        return {"": TestSet(sample=self.sample)}

    @abstractmethod
    def losses(self) -> Mapping[str, Loss]:
        """The training losses a recipe may name; the first is the default."""

    @abstractmethod
    def score(self, output: Tensor, batch: Batch) -> Scores:
        """Named scores, each a mean over the batch or a `Mean`; the first is ranked.

        A scalar, or (T,) for a curve over T places that is one quantity. Never ranked: a curve.
        """

    def aggregate(self, scores: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """What is reported of the scores of a whole test set, such as the worst of some groups.

        By default the scores as they are. The first is ranked.
        """
        return scores

    @abstractmethod
    def references(self, world: World, batch: Batch) -> Mapping[str, Tensor]:
        """Outputs of known strategies on a batch, scored by `score` like any model.

        Ordered from "trivial" (progress 0) to "optimal" (progress 1), or whatever `ceiling`
        names; both must be there, and none scores worse than "trivial": what is overconfident
        is mixed with it. Asked for on the examples of every test set.
        """

    def fitted_references(self, train: Batch) -> Mapping[str, Callable[[Tensor], Tensor]]:
        """Predictors fitted on a replica's finite training set, by name; by default none.

        train: the rows that the replica trains on. Each predictor takes inputs (N, ...) and
        returns outputs (N, ...). They are neither vmapped nor traced, so any library may fit
        them (`synthbench.fitted_classifiers`). The same rows have to give the same predictors:
        cells of several models are scored by those of the first.
        """
        return {}

    @abstractmethod
    def exact_scores(self) -> Mapping[str, float]:
        """Population value of the ranked score for each reference that has a closed form.

        On another test set than the first: `reference@name`.
        """

    def fixed_inputs(self) -> Mapping[str, Path | Tensor]:
        """Tables and weights that the task reads, by name; the plan holds their hashes."""
        return {}

    def known_algorithms(self) -> Mapping[str, KnownAlgorithm]:
        """Classical algorithms that solve the task, by name; none unless a task knows some."""
        return {}

    def dataset(self, samples: Mapping[str, int], seed: int = 0) -> DatasetDict:
        """Samples of one world as a Hugging Face data set.

        samples: how many for each of the splits "train", "validation" and "test"; each split
        has a random stream of its own, and a finite set gives no more than it has. Further test
        sets are splits `test_NAME`. seed: of the world and of the samples. Columns: `x`, `y`
        and the task's latents. Raises ConfigurationError for another split.
        """
        from synthbench.contracts.samples import draw_dataset

        return draw_dataset(self, samples, seed)
