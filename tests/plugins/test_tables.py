"""Small tables against scikit-learn: its data, its splits' counts, its classifiers fitted again."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.registry.registry import installed
from synthbench.testing import check_task
from synthbench_tables.tables import SHAPES
from synthbench_tables.task import SmallTable
from tests.plugins.drawing import world_of

ROWS = {"iris": 20, "wine": 30, "breast-cancer": 60, "digits": 100}


@lru_cache
def load(table: str) -> tuple[np.ndarray, np.ndarray]:
    return getattr(datasets, f"load_{table.replace('-', '_')}")(return_X_y=True)


def ranked(task: SmallTable, output: torch.Tensor, batch: sb.Batch) -> float:
    values, weights = task.score(output, batch)["accuracy"]
    return float((values * weights).sum() / weights.sum())


@pytest.mark.parametrize("table", SHAPES)
def test_rows_are_split_in_the_proportions_of_the_classes(table: str) -> None:
    x, y = load(table)
    task = SmallTable(table=table, rows=ROWS[table])
    assert task.shape == (*x.shape, len(set(y)))
    trained, others = world_of(task)
    assert sorted([*trained.tolist(), *others.tolist()]) == list(range(len(y)))
    assert len(trained) == ROWS[table]
    counts = np.bincount(y[trained])
    assert (abs(counts - ROWS[table] * np.bincount(y) / len(y)) < 1).all()
    again = world_of(task, 1)[0]
    assert again.tolist() != trained.tolist()
    assert np.bincount(y[again]).tolist() == counts.tolist()


@pytest.mark.parametrize("table", SHAPES)
def test_columns_are_standardized_by_the_training_rows_alone(table: str) -> None:
    x, y = load(table)
    task = SmallTable(table=table, rows=ROWS[table])
    world = world_of(task, 3)
    rows, others = (part.numpy() for part in world)
    scaler = StandardScaler().fit(x[rows])
    for batch, chosen in (
        (task.train_set(world), rows),
        (task.test_sets()["held-out"].whole(world), others),
    ):
        assert batch.x.numpy() == pytest.approx(scaler.transform(x[chosen]), rel=1e-5, abs=1e-5)
        assert batch.y.tolist() == y[chosen].tolist()


@pytest.mark.parametrize("table", SHAPES)
def test_the_majority_class_by_counting(table: str) -> None:
    _, y = load(table)
    task = SmallTable(table=table, rows=ROWS[table])
    world = world_of(task, 5)
    rows, others = (part.numpy() for part in world)
    counts = np.bincount(y[rows])
    commonest = np.flatnonzero(counts == counts.max())
    wanted = np.isin(y[others], commonest).mean() / len(commonest)
    held_out = task.test_sets()["held-out"].whole(world)
    trivial = task.references(world, held_out)["trivial"]
    assert ranked(task, trivial, held_out) == pytest.approx(wanted)
    assert task.exact_scores()["trivial"] == pytest.approx(wanted)


def refitted(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> dict[str, object]:
    """The classifiers, fitted on the table as it is."""
    estimators = {
        "logistic-regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        "nearest-neighbours": make_pipeline(StandardScaler(), KNeighborsClassifier(n_neighbors=5)),
        "boosted-trees": HistGradientBoostingClassifier(min_samples_leaf=5, random_state=0),
        "random-forest": RandomForestClassifier(random_state=0),
    }
    return {name: estimator.fit(x[rows], y[rows]) for name, estimator in estimators.items()}


@pytest.mark.parametrize(
    "table", ["iris", "wine", pytest.param("breast-cancer", marks=pytest.mark.slow)]
)
def test_fitted_references_are_scikit_learn_s(table: str) -> None:
    """Fitted on raw and on standardized columns, the same up to a few ties and thresholds."""
    x, y = load(table)
    task = SmallTable(table=table, rows=ROWS[table])
    world = world_of(task)
    rows, others = (part.numpy() for part in world)
    held_out = task.test_sets()["held-out"].whole(world)
    predictors = task.fitted_references(task.train_set(world))
    by_hand = refitted(x, y, rows)
    assert set(predictors) == set(by_hand)
    for name, predictor in predictors.items():
        output = predictor(held_out.x)
        assert output.shape == (len(others), task.shape.classes)
        wanted = float((by_hand[name].predict(x[others]) == y[others]).mean())
        assert ranked(task, output, held_out) == pytest.approx(wanted, abs=0.02), name
        assert wanted > task.exact_scores()["trivial"] + 0.2


def test_classes_without_a_training_row_have_the_least_probability() -> None:
    from synthbench_tables.forest import random_forest

    x = torch.randn(12, 2, generator=torch.Generator().manual_seed(0))
    predict = random_forest(sb.Batch(x, (x[:, 0] > 0).long() * 2), classes=4)
    assert predict(x)[:, [1, 3]].exp().max() == pytest.approx(1e-6)
    assert (predict(x).argmax(dim=1) == (x[:, 0] > 0).long() * 2).all()


def test_progress_is_relative_to_the_best_classifier(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The accuracy of the trained network, and the ceiling of its own rows, as computed here."""
    # Forests are fitted again and again, with a hundred trees by default.
    small = partial(RandomForestClassifier, n_estimators=10)
    monkeypatch.setattr("sklearn.ensemble.RandomForestClassifier", small)
    task, seeds = SmallTable(table="breast-cancer", rows=60), 2
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"), keep_weights=True)
    protocol = sb.Protocol(seeds=seeds, budget=60 * 20, until="budget")
    model = "mlp width=16 optimizer=adam lr=0.01 batch_size=full"
    result = sb.evaluate(task, model, protocol=protocol, out=out, settings=settings)
    _, y = load("breast-cancer")
    for replica in range(seeds):
        world = world_of(task, replica)
        others = world[1].numpy()
        held_out = task.test_sets()["held-out"].whole(world)
        row = [row for row in result.trajectories if row["replica"] == replica][-1]
        guesses = result.network(replica)(held_out.x).argmax(dim=-1).numpy()
        accuracy, chance = float((guesses == y[others]).mean()), task.exact_scores()["trivial"]
        assert row["accuracy"] == pytest.approx(accuracy, abs=1e-9)
    # Of the last, which has rows of its own; that the classifiers are scikit-learn's is seen above.
    fitted = task.fitted_references(task.train_set(world)).values()
    best = max(ranked(task, predictor(held_out.x), held_out) for predictor in fitted)
    assert row["progress"] == pytest.approx((accuracy - chance) / (best - chance), abs=1e-6)
    assert "scikit-learn" in str(result.record.environment)


@pytest.mark.parametrize("fields", ["table=iris rows=148", "table=digits rows=9", "rows=568"])
def test_too_few_or_too_many_rows(fields: str) -> None:
    with pytest.raises(ConfigurationError, match="rows must be between"):
        installed().task(f"small-table {fields}")


@pytest.mark.usefixtures("briefly")
def test_every_law() -> None:
    check_task(SmallTable(table="iris", rows=20))


@pytest.mark.slow
@pytest.mark.parametrize("table", ["wine", "breast-cancer", "digits"])
def test_every_law_of_every_table(table: str) -> None:
    check_task(SmallTable(table=table, rows=ROWS[table]))
