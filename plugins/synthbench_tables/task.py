"""Small real tables with few training rows (Edelman et al. 2023, "Pareto Frontiers")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from synthbench import (
    CLASS_LOSSES,
    Batch,
    ClassLogits,
    Interface,
    Loss,
    Mean,
    Preset,
    Reals,
    Task,
    TestSet,
    accuracy,
    fitted_classifiers,
    one_hot,
)
from synthbench_tables.tables import SHAPES, Shape, read_table

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream

    World = tuple[Tensor, Tensor]
    """Rows that are trained on, and the others."""

BASELINE = "mlp width=100 optimizer=adam lr=0.003 batch_size=full"


class SmallTable(Task):
    """Classify the rows of a table that comes with scikit-learn, trained on few of them.

    Which rows is drawn for every replica, in the proportions of the classes; all others are the
    test set. Columns are standardized by the mean and the standard deviation of the training
    rows alone. No optimum is known: progress is relative to the best of the classifiers that are
    fitted on the same rows.
    """

    name: ClassVar[str] = "small-table"
    headline: ClassVar[tuple[str, ...]] = ("table", "rows")
    paper: ClassVar[str] = "Edelman et al. 2023, arXiv:2309.03800"
    ceiling: ClassVar[str] = "best-known"
    libraries: ClassVar[tuple[str, ...]] = ("scikit-learn",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset("table=breast-cancer rows=60", BASELINE, 18_000),
        "digits": Preset("table=digits rows=200", BASELINE, 60_000),
    }

    table: Literal["iris", "wine", "breast-cancer", "digits"] = "breast-cancer"
    """4 measurements of 150 flowers (3 species), 13 of 178 wines (3 growers), 30 of 569 tumours
    (2 kinds), or 8 x 8 images of 1,797 digits (10)."""
    rows: int = Field(default=60, ge=2)
    """Rows that are trained on."""

    @model_validator(mode="after")
    def _rows_suffice(self) -> SmallTable:
        least, most = self.shape.classes, self.shape.rows - self.shape.classes
        if not least <= self.rows <= most:
            raise ValueError(
                f"rows must be between {least} and {most} with table={self.table}, got {self.rows}"
            )
        return self

    @property
    def shape(self) -> Shape:
        """Rows, columns and classes of the table."""
        return SHAPES[self.table]

    @property
    def interface(self) -> Interface:
        """The columns in, one of the classes out."""
        return Interface(Reals(self.shape.columns), ClassLogits(self.shape.classes))

    def fixed_inputs(self) -> Mapping[str, Tensor]:
        """The table as it is."""
        inputs, labels = read_table(self.table)
        return {"inputs": inputs, "labels": labels}

    def world(self, rng: Stream) -> World:
        """The rows on both sides, ascending: as many of each class in every replica."""
        _, labels = read_table(self.table)
        return rng.split(self.shape.rows, self.rows, strata=labels)

    def examples(self, world: World, rows: Tensor) -> Batch:
        """Rows with the given numbers, standardized by those that this world trains on.

        A column that is constant in them is only centred.
        """
        inputs, labels = (part.to(rows.device) for part in read_table(self.table))
        trained = inputs[world[0]]
        scale = trained.std(dim=0, correction=0)
        scale = scale.where(scale > 0, 1.0)
        return Batch(((inputs[rows] - trained.mean(dim=0)) / scale).float(), labels[rows])

    def train_set(self, world: World) -> Batch:
        """The rows that are trained on."""
        return self.examples(world, world[0])

    def test_sets(self) -> Mapping[str, TestSet]:
        """All other rows."""
        return {"held-out": TestSet(whole=lambda world: self.examples(world, world[1]))}

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy (the default) and square."""
        return CLASS_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Mean]:
        """Share of rows whose class is right."""
        return {"accuracy": accuracy(output, batch.y)}

    def references(self, world: World, batch: Batch) -> Mapping[str, Tensor]:
        """The most frequent class of the training rows."""
        counts = self._class_counts(world[0])
        return {"trivial": (counts + 1).log().expand(batch.x.shape[0], -1)}

    def fitted_references(self, train: Batch) -> Mapping[str, Callable[[Tensor], Tensor]]:
        """Logistic regression, nearest neighbours, boosted trees and a random forest."""
        from synthbench_tables.forest import random_forest

        classes = self.shape.classes
        found = dict(fitted_classifiers(train, classes))
        return {**found, "random-forest": random_forest(train, classes)}

    def exact_scores(self) -> Mapping[str, float]:
        """The share of the commonest training class in the rows that are held out.

        Both sides have the same number of each class in every world. Where several classes are
        the commonest, as in iris, each counts its part.
        """
        # Here, so that a task can be listed and described without torch.
        from synthbench import Purpose, Stream

        trained, others = self.world(Stream.from_seed(0, Purpose.WORLD))
        commonest = self._class_counts(trained)
        commonest = commonest == commonest.max()
        shares = self._class_counts(others) / len(others)
        return {"trivial": float(shares[commonest].mean())}

    def _class_counts(self, rows: Tensor) -> Tensor:
        """How many of the rows are in each class: (classes,), float32."""
        import torch

        labels = read_table(self.table)[1].to(rows.device)[rows]
        return one_hot(labels, self.shape.classes, torch.float32).sum(dim=0)
