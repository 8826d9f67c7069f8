"""Regression in context: prompts, predictors and laws, against numpy, scikit-learn and loops."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct
from sklearn.linear_model import Lasso

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream
from synthbench.testing import check_probe, check_task
from synthbench_function_classes.covariances import network_covariance, tree_covariance
from synthbench_function_classes.lasso import lasso
from synthbench_function_classes.predictors import among_pool, best_linear, least_squares
from synthbench_function_classes.probe import Predictors
from synthbench_function_classes.supports import among_supports
from synthbench_function_classes.tree_paths import leaf_of, mean_of_leaf
from tests.plugins.probing import measure, view_of


def sampled(reference: str, size: int, seed: int = 0) -> tuple[sb.Task, torch.Tensor, sb.Batch]:
    task = installed().task(reference)
    world = task.world(Stream.from_seed(seed, Purpose.WORLD))
    return task, world, task.sample(world, Stream.from_seed(seed, Purpose.TRAIN), size)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def test_prompts_hold_examples_in_turn_and_labels_carry_the_noise() -> None:
    _, _, batch = sampled("in-context-regression d=3 examples=5 noise=0.5", 4000)
    x, y = batch.x[:, ::2], batch.x[:, 1::2]
    assert batch.x.shape == (4000, 10, 4)
    assert (x[..., -1] == 0).all() and (y[..., :-1] == 0).all()
    assert torch.equal(batch.y[:, ::2], y[..., -1]) and batch.y[:, 1::2].isnan().all()
    noise = (y[..., -1] - batch.latents["values"]).double()
    assert float(noise.var()) == pytest.approx(0.5, abs=4 * 0.5 * (2 / 20_000) ** 0.5)
    # The same w explains all of a sequence: five equations in three unknowns.
    w = torch.linalg.lstsq(x[..., :-1].double(), batch.latents["values"].double()[..., None])
    assert float((x[..., :-1].double() @ w.solution).sub(
        batch.latents["values"].double()[..., None]).abs().max()) < 1e-4  # fmt: skip


def test_sparse_functions_have_that_many_coordinates() -> None:
    _, _, batch = sampled("in-context-sparse-regression d=4 nonzero=2 examples=9", 300)
    x, values = batch.x[:, ::2, :-1].double(), batch.latents["values"].double()
    w = torch.linalg.lstsq(x, values[..., None]).solution.squeeze(-1)
    assert ((w.abs() > 1e-6).sum(dim=1) == 2).all()
    supports = {tuple(row.nonzero().flatten().tolist()) for row in w.abs() > 1e-6}
    assert supports == set(itertools.combinations(range(4), 2))


def test_best_linear_prediction_is_a_gaussian_process_on_each_prefix() -> None:
    x, y = normal(3, 6, 2), normal(3, 6, seed=1)
    found = best_linear(0.7 * x @ x.mT, y, 0.3)
    for row in range(3):
        assert found[row, 0] == 0
        for i in range(1, 6):
            kernel = 0.7 * DotProduct(sigma_0=0.0, sigma_0_bounds="fixed")
            process = GaussianProcessRegressor(kernel, alpha=0.3, optimizer=None)
            process.fit(x[row, :i].numpy(), y[row, :i].numpy())
            wanted = process.predict(x[row, i : i + 1].numpy())[0]
            assert float(found[row, i]) == pytest.approx(wanted, abs=1e-9)


def test_least_squares_and_the_average_by_numpy() -> None:
    task, world, batch = sampled("in-context-regression d=3 examples=9 noise=0.4", 4)
    references = task.references(world, batch)
    x, y = batch.x[:, ::2, :-1].double().numpy(), batch.x[:, 1::2, -1].double().numpy()
    plain = least_squares(torch.from_numpy(x), torch.from_numpy(y), [1.0] * 9)
    for row in range(4):
        for i in range(9):
            known, told, asked = x[row, :i], y[row, :i], x[row, i]
            w = np.linalg.pinv(known) @ told
            assert float(plain[row, i]) == pytest.approx(w @ asked, abs=1e-4)
            # Scaled for the best; within three of d = 3 it has no variance, and says 0.
            factor = 0.0 if i <= 6 else 1 / (1 + 0.4 / (i - 4))
            answer = float(references["least-squares"][row, 2 * i])
            assert answer == pytest.approx(factor * (w @ asked), abs=1e-4)
            average = (told @ known) @ asked / (i + 4.4)
            assert float(references["average"][row, 2 * i]) == pytest.approx(average, abs=1e-5)
            ridge = np.linalg.solve(known.T @ known + 0.4 * np.eye(3), known.T @ told) @ asked
            assert float(references["optimal"][row, 2 * i]) == pytest.approx(ridge, abs=1e-5)


def test_bayes_among_a_pool_by_enumeration() -> None:
    x, y, pool = normal(5, 4, 2), normal(5, 4, seed=1), normal(3, 2, seed=2)
    found = among_pool(pool, x, y, 0.3)
    for row, i in itertools.product(range(5), range(4)):
        misses = [((y[row, :i] - x[row, :i] @ w) ** 2).sum() for w in pool]
        chances = [math.exp(-float(miss) / 0.6) for miss in misses]
        answers = [float(w @ x[row, i]) for w in pool]
        wanted = sum(c * a for c, a in zip(chances, answers, strict=True)) / sum(chances)
        assert float(found[row, i]) == pytest.approx(wanted, abs=1e-9)


def test_a_pool_is_scored_on_itself_and_on_fresh_functions() -> None:
    task, world, batch = sampled("in-context-regression d=2 examples=6 pool=2 noise=0.1", 2000)
    names = list(task.references(world, batch))
    assert names == ["trivial", "average", "least-squares", "ridge", "optimal"]
    fresh = task.test_sets()["fresh"]
    other = fresh.sample(world, Stream.from_seed(1, Purpose.EVAL), 2000)
    ridge = fresh.references(world, other)["optimal"]
    pool = task.references(world, other)
    assert torch.equal(pool["ridge"], ridge) and not torch.equal(pool["optimal"], ridge)
    scores = {name: float(task.score(o, other)["squared-error"]) for name, o in pool.items()}
    assert scores["ridge"] < scores["optimal"], "who knows the pool alone fails outside of it"


@pytest.mark.parametrize("noise", [0.2, 0.0])
def test_bayes_among_supports_by_the_evidence_of_each(noise: float) -> None:
    """Each support's evidence is a normal density, its prediction a conditional mean."""
    rng, d, s, examples = np.random.default_rng(0), 4, 2, 6
    x = rng.standard_normal((4, examples, d))
    w = np.zeros((4, d))
    w[:, [1, 3]] = rng.standard_normal((4, 2))
    y = (x * w[:, None]).sum(-1) + noise**0.5 * rng.standard_normal((4, examples))
    found = among_supports(torch.from_numpy(x), torch.from_numpy(y), noise, s)
    # Without noise two examples are as many as there are unknowns: later ones identify.
    last = examples if noise else 3
    for row, i in itertools.product(range(4), range(last)):
        weights, answers = [], []
        for support in itertools.combinations(range(d), s):
            part = x[row][:, support]
            covariance = part @ part.T + noise * np.eye(examples)
            inner = covariance[:i, :i]
            solved = np.linalg.solve(inner, y[row, :i]) if i else np.zeros(0)
            density = math.exp(-(y[row, :i] @ solved) / 2) / math.sqrt(np.linalg.det(inner))
            weights.append(density if i else 1.0)
            answers.append(float((part[:i] @ part[i]) @ solved))
        wanted = np.average(answers, weights=weights)
        assert float(found[row, i]) == pytest.approx(wanted, abs=1e-4)
    if not noise:
        assert np.allclose(found.numpy()[:, 3:], y[:, 3:], atol=1e-3)


def test_lasso_is_that_of_scikit_learn() -> None:
    x, w = normal(4, 12, 6), torch.tensor([1.5, 0, 0, -1, 0, 0]).double()
    y = x @ w + 0.3 * normal(4, 12, seed=1)
    found = lasso(x, y, 0.1)
    for row, i in itertools.product(range(4), range(1, 12)):
        fitted = Lasso(alpha=0.1, fit_intercept=False, tol=1e-10, max_iter=100_000)
        fitted.fit(x[row, :i].numpy(), y[row, :i].numpy())
        wanted = fitted.predict(x[row, i : i + 1].numpy())[0]
        assert float(found[row, i]) == pytest.approx(wanted, abs=0.01)


def test_covariances_over_many_functions() -> None:
    x = normal(1, 4, 3)
    rng = np.random.default_rng(1)
    hidden = np.maximum(x[0].numpy() @ rng.standard_normal((3, 400_000)), 0)
    wanted = 2 * hidden @ hidden.T / 400_000
    assert np.allclose(network_covariance(x)[0].numpy(), wanted, atol=0.05)
    trees = torch.from_numpy(rng.integers(3, size=(40_000, 7)))
    leaf = leaf_of(x.expand(40_000, 4, 3), trees, 3)
    together = (leaf[:, :, None] == leaf[:, None, :]).double().mean(dim=0)
    assert torch.allclose(tree_covariance(x, 3)[0], together, atol=0.015)


def test_networks_and_trees_are_what_their_kernels_expect() -> None:
    """Labels of samples, over new functions, have the covariance of the class."""
    for reference in ("in-context-networks d=2 examples=2 hidden=3", "in-context-trees examples=2"):
        task, _, batch = sampled(reference, 100_000)
        x, y = batch.x[:, ::2, :-1].double(), batch.latents["values"].double()
        inner = task.name == "in-context-networks"
        kernel = network_covariance(x) if inner else tree_covariance(x, task.depth)
        for i, j in ((0, 0), (0, 1)):
            missed = y[:, i] * y[:, j] - kernel[:, i, j]
            assert abs(float(missed.mean())) < 4 * float(missed.std()) / 100_000**0.5
        assert float(y.square().mean()) / task.mean_square == pytest.approx(1, abs=0.03)


def test_trees_by_walking_down() -> None:
    x = normal(6, 5, 3)
    nodes = torch.from_numpy(np.random.default_rng(2).integers(3, size=(6, 7)))
    found = leaf_of(x, nodes, 3)
    y = normal(6, 5, seed=3)
    means = mean_of_leaf(found, y, 0.5)
    for row in range(6):
        ends = []
        for i in range(5):
            path = 0
            for _ in range(3):
                path = 2 * path + (2 if x[row, i, nodes[row, path]] > 0 else 1)
            ends.append(path - 7)
            same = [float(y[row, j]) for j in range(i) if ends[j] == ends[i]]
            wanted = sum(same) / (len(same) + 0.5)
            assert float(means[row, i]) == pytest.approx(wanted, abs=1e-9)
        assert found[row].tolist() == ends


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize(
    "reference",
    [
        "in-context-regression d=2 examples=4 pool=3",
        pytest.param("in-context-regression d=2 examples=7 noise=0", marks=pytest.mark.slow),
        pytest.param(
            "in-context-sparse-regression d=3 nonzero=1 examples=4 noise=0.1",
            marks=pytest.mark.slow,
        ),
        pytest.param("in-context-networks d=2 examples=4 hidden=20", marks=pytest.mark.slow),
        pytest.param("in-context-trees d=3 examples=5 noise=0.3", marks=pytest.mark.slow),
    ],
)
def test_every_law(reference: str) -> None:
    check_task(installed().task(reference))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("d=4 nonzero=5", "nonzero must be at most d=4, got 5"),
        ("d=30 nonzero=4", "27,405 supports"),
    ],
)
def test_supports_that_cannot_be(fields: str, words: str) -> None:
    with pytest.raises(sb.SynthbenchError, match=words):
        installed().task(f"in-context-sparse-regression {fields}")


def test_distances_from_predictors_of_a_model_that_says_nothing() -> None:
    """A network of zeros is the trivial predictor; from another it is its mean square away."""
    task, model = "in-context-regression d=2 examples=3", "transformer layers=1 width=8"
    view = view_of(task, model)
    silent = {name: torch.zeros_like(w) for name, w in view.parameters.items()}
    view = view_of(task, model, silent)
    found = measure("predictors", view)
    assert found["trivial"] == 0
    for name, output in view.task.references(view.world, view.batch).items():
        wanted = float(output[:, ::2].square().mean()) / 2
        assert found[name] == pytest.approx(wanted, rel=1e-5)
    with pytest.raises(ValueError, match="no regression in context"):
        measure("predictors", view_of("sparse-parity n=4 k=2", "mlp width=4"))


def test_every_law_of_the_probe() -> None:
    check_probe(
        Predictors(),
        task="in-context-regression d=2 examples=3",
        model="transformer layers=1 width=8",
    )
