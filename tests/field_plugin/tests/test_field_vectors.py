"""Tasks over vectors and digits: pointers, indices, curricula, tables."""

from __future__ import annotations

from math import factorial, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from exact import last_row, reference_scores, world_of
from numpy.polynomial import hermite_e
from small_network import SmallNetwork
from synthbench_field.curriculum_parity import CurriculumParity
from synthbench_field.multi_index import MultiIndex, hermite
from synthbench_field.tabular import Tabular, read_table

import synthbench as sb

# Indices


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_hermite_polynomials_by_numpy(degree: int) -> None:
    z = torch.linspace(-3, 3, 13, dtype=torch.float64)
    wanted = hermite_e.hermeval(z.numpy(), [0] * degree + [1])
    assert hermite(z, degree).numpy() == pytest.approx(wanted)


@pytest.mark.parametrize("link", ["he1", "he2", "he3", "he4", "product", "staircase"])
def test_labels_are_functions_of_orthonormal_directions(link: str) -> None:
    task = MultiIndex(d=6, link=link, noise=0.1)
    world = world_of(task)
    assert (world @ world.T).numpy() == pytest.approx(np.eye(3), abs=1e-9)
    x = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
    z = (x.double() @ world.T).numpy()
    wanted = {
        "product": z[:, 0] * z[:, 1] * z[:, 2],
        "staircase": (z[:, 0] + z[:, 0] * z[:, 1] + z[:, 0] * z[:, 1] * z[:, 2]) / sqrt(3),
    }.get(link)
    if wanted is None:
        degree = int(link[2])
        wanted = hermite_e.hermeval(z[:, 0], [0] * degree + [1]) / sqrt(factorial(degree))
    assert task.function(world, x).numpy() == pytest.approx(wanted)


def test_exact_scores_of_a_staircase() -> None:
    task = MultiIndex(d=4, link="staircase", noise=0.1)
    world = world_of(task)
    batch = task.sample(world, sb.Stream.from_seed(0, sb.Purpose.EVAL), 100_000)
    for name, score in reference_scores(task, world, batch).items():
        assert score == pytest.approx(task.exact_scores()[name], abs=0.05)


# Curricula


def test_inputs_are_biased_in_the_first_steps_alone() -> None:
    task = CurriculumParity(n=10, k=3, biased_steps=5, bias=0.6)
    world = world_of(task)
    for step, mean in ((0, 0.6), (4, 0.6), (5, 0.0), (900, 0.0)):
        rng = sb.Stream.from_seed(0, sb.Purpose.TRAIN, step)
        batch = task.sample_at(world, rng, 4000, torch.tensor(step))
        assert batch.x.mean(dim=0).tolist() == pytest.approx([mean] * 10, abs=0.06)
        assert (batch.y == batch.x[:, world].prod(dim=1)).all()
    # The parity's mean is that of a product of independent signs, and held-out inputs are fair.
    rng = sb.Stream.from_seed(0, sb.Purpose.TRAIN)
    biased = task.sample_at(world, rng, 20_000, torch.tensor(0))
    assert float(biased.y.mean()) == pytest.approx(0.6**3, abs=0.03)
    (held_out,) = task.test_sets().values()
    fair = held_out.sample(world, sb.Stream.from_seed(0, sb.Purpose.EVAL), 20_000)
    assert abs(float(fair.y.mean())) < 0.03


# Tables


def test_rows_are_split_in_the_proportions_of_the_classes() -> None:
    task = Tabular(table="digits", rows=100)
    _, labels = read_table("digits")
    trained, held_out = world_of(task)
    assert len(trained) == 100 and len(held_out) == 1697
    assert sorted([*trained.tolist(), *held_out.tolist()]) == list(range(1797))
    counts = np.bincount(labels[trained].numpy(), minlength=10)
    wanted = 100 * np.bincount(labels.numpy()) / 1797
    assert (abs(counts - wanted) < 1).all()
    assert world_of(task, 1)[0].tolist() != trained.tolist()
    assert set(task.fixed_inputs()) == {"inputs", "labels"}


def best_of_three(x: np.ndarray, y: np.ndarray, rows: np.ndarray, others: np.ndarray) -> float:
    """The best accuracy of scikit-learn's classifiers, fitted here on the same rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fitted = (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        make_pipeline(StandardScaler(), KNeighborsClassifier(n_neighbors=5)),
        HistGradientBoostingClassifier(min_samples_leaf=5, random_state=0),
    )
    guesses = (f.fit(x[rows], y[rows]).predict(x[others]) for f in fitted)
    return max(float((guess == y[others]).mean()) for guess in guesses)


def check_best_known(task: Tabular, seeds: int, out: Path) -> None:
    """Train, then compare ceiling and accuracy with what is computed here."""
    recipe = sb.Recipe(optimizer="adam", lr=0.01, batch_size="full")
    settings = sb.Settings(
        sb.TrainerOptions(accelerator="cpu"), replicas_per_block=seeds, keep_weights=True
    )
    protocol = sb.Protocol(seeds=seeds, budget=task.rows * 30, until="budget")
    model = sb.as_model(SmallNetwork, recipe)
    result = sb.evaluate(task, model, protocol=protocol, out=out, settings=settings)
    inputs, labels = read_table(task.table)
    x, y = inputs.double().numpy(), labels.numpy()
    for replica in range(seeds):
        rows, others = (part.numpy() for part in world_of(task, replica))
        best = best_of_three(x, y, rows, others)
        row, network = last_row(result, replica), result.network(replica)
        guesses = network(inputs[others]).argmax(dim=-1).numpy()
        accuracy = float((guesses == y[others]).mean())
        trivial = np.bincount(y[rows])
        majority = (trivial == trivial.max()) / (trivial == trivial.max()).sum()
        chance = float(majority[y[others]].mean())
        assert row["accuracy"] == pytest.approx(accuracy, abs=1e-9)
        assert row["progress"] == pytest.approx((accuracy - chance) / (best - chance), abs=1e-6)
    assert "scikit-learn" in str(result.record.environment)


@pytest.mark.slow
def test_progress_on_tumours_is_relative_to_the_best_known(tmp_path: Path) -> None:
    check_best_known(Tabular(table="breast-cancer", rows=60), 2, tmp_path)


def test_progress_on_digits_is_relative_to_the_best_known(tmp_path: Path) -> None:
    check_best_known(Tabular(table="digits", rows=100), 1, tmp_path)
