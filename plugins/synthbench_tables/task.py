"""Small real tables with few training rows (Edelman et al. 2023, "Pareto Frontiers")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

import synthbench as sb

World = tuple[Tensor, Tensor]
"""Rows that are trained on, and the others."""


class Tabular(sb.Task):
    """Classify the rows of a table that comes with scikit-learn, trained on few of them.

    Which rows is drawn for every replica, in the proportions of the classes. Columns are scaled
    to [0, 1] over the table. No optimum is known: progress is relative to the best of the
    classifiers that are fitted on the same rows.
    """

    name: ClassVar[str] = "tabular"
    headline: ClassVar[tuple[str, ...]] = ("table", "rows")
    paper: ClassVar[str] = "Edelman et al. 2023, arXiv:2309.03800"
    ceiling: ClassVar[str] = "best-known"
    libraries: ClassVar[tuple[str, ...]] = ("scikit-learn",)

    table: Literal["digits", "breast-cancer"] = "digits"
    """8 x 8 images of ten digits (1,797 rows), or 30 measurements of tumours (569 rows)."""
    rows: int = Field(default=100, ge=20, le=500)
    """Rows that are trained on."""

    @property
    def interface(self) -> sb.Interface:
        """Numbers in, one of the classes out."""
        inputs, labels = read_table(self.table)
        return sb.Interface(sb.Reals(inputs.shape[1]), sb.ClassLogits(int(labels.max()) + 1))

    def world(self, rng: sb.Stream) -> World:
        """The rows on both sides, ascending."""
        _, labels = read_table(self.table)
        return rng.split(len(labels), self.rows, strata=labels)

    def train_set(self, world: World) -> sb.Batch:
        """The rows that are trained on."""
        return self.examples(world[0])

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        """All other rows."""
        return {"held-out": sb.TestSet(whole=lambda world: self.examples(world[1]))}

    def examples(self, rows: Tensor) -> sb.Batch:
        """Rows with the given numbers."""
        inputs, labels = (part.to(rows.device) for part in read_table(self.table))
        return sb.Batch(inputs[rows], labels[rows])

    def losses(self) -> Mapping[str, sb.Loss]:
        """Cross-entropy (the default) and square."""
        return sb.CLASS_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Mean]:
        """Share of rows whose class is right."""
        return {"accuracy": sb.accuracy(output, batch.y)}

    def references(self, world: World, batch: sb.Batch) -> Mapping[str, Tensor]:
        """The most frequent class of the training rows."""
        (classes,) = self.interface.output.shape
        labels = self.examples(world[0]).y
        counts = sb.one_hot(labels, classes, torch.float32).sum(dim=0)
        return {"trivial": counts.log().expand(batch.x.shape[0], -1)}

    def fitted_references(self, train: sb.Batch) -> Mapping[str, Callable[[Tensor], Tensor]]:
        """Logistic regression, nearest neighbours and boosted trees."""
        (classes,) = self.interface.output.shape
        return sb.fitted_classifiers(train, classes)

    def exact_scores(self) -> Mapping[str, float]:
        """None is known."""
        return {}

    def fixed_inputs(self) -> Mapping[str, Tensor]:
        """The table."""
        inputs, labels = read_table(self.table)
        return {"inputs": inputs, "labels": labels}


@lru_cache
def read_table(name: str) -> tuple[Tensor, Tensor]:
    """Inputs in [0, 1], float32 (N, columns), and classes, int64 (N,)."""
    from sklearn.datasets import load_breast_cancer, load_digits

    load = {"digits": load_digits, "breast-cancer": load_breast_cancer}[name]
    inputs, labels = load(return_X_y=True)
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    scaled = (inputs - low) / (high - low).clip(min=1e-12)
    return torch.from_numpy(scaled).float(), torch.from_numpy(labels).long()
