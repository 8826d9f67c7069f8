"""Index models against scipy's Hermite polynomials, quadrature and samples."""

from __future__ import annotations

from itertools import product
from math import factorial, sqrt

import numpy as np
import pytest
import torch
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import eval_hermitenorm

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.registry.registry import installed
from synthbench.testing import check_task
from synthbench_index_models.task import IndexModel
from tests.plugins.drawing import world_of

LINKS = {
    "he1(z1)": [(1.0, (1,))],
    "he2(z1)": [(1.0, (2,))],
    "he3(z1)": [(1.0, (3,))],
    "he4(z1)": [(1.0, (4,))],
    "z1*z2*z3": [(1.0, (1, 1, 1))],
    "z1 + z1*z2 + z1*z2*z3": [(1.0, (1, 0, 0)), (1.0, (1, 1, 0)), (1.0, (1, 1, 1))],
    "2*he2(z1)*z2+0.5*z1": [(2.0, (2, 1)), (0.5, (1, 0))],
}
"""A link, and the same as coefficients of a product of polynomials, not yet scaled."""


def link_by_scipy(link: str, z: np.ndarray, highest: int = 9) -> np.ndarray:
    """The terms of at most that degree at (B, r), scaled by all of them."""
    terms = LINKS[link]
    size = sqrt(sum(coefficient**2 for coefficient, _ in terms))
    total = np.zeros(len(z))
    for coefficient, degrees in terms:
        if sum(degrees) <= highest:
            factors = [
                eval_hermitenorm(degree, z[:, place]) / sqrt(factorial(degree))
                for place, degree in enumerate(degrees)
            ]
            total += coefficient / size * np.prod(factors, axis=0)
    return total


def ranked(task: sb.Task, output: torch.Tensor, batch: sb.Batch) -> float:
    values, weights = task.score(output, batch)["relative-error"]
    return float((values * weights).sum() / weights.sum())


@pytest.mark.parametrize("link", LINKS)
def test_labels_and_references_are_those_of_scipy(link: str) -> None:
    task = IndexModel(link=link, d=6)
    world = world_of(task)
    assert (world @ world.T).numpy() == pytest.approx(np.eye(task.rank), abs=1e-9)
    batch = task.sample(world, sb.Stream.from_seed(0, sb.Purpose.TRAIN), 300)
    z = batch.x.double().numpy() @ world.numpy().T
    assert batch.y.numpy() == pytest.approx(link_by_scipy(link, z), rel=1e-5, abs=1e-5)
    degree = max(sum(degrees) for _, degrees in LINKS[link])
    parts = {"trivial": 0, "optimal": degree}
    parts |= {"linear" if j == 1 else f"degree-{j}": j for j in range(1, degree)}
    references = task.references(world, batch)
    assert set(references) == set(parts)
    for name, highest in parts.items():
        wanted = link_by_scipy(link, z, highest)
        assert references[name].numpy() == pytest.approx(wanted, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_exact_scores_by_quadrature(link: str, noise: float) -> None:
    """Gauss-Hermite quadrature integrates these polynomials exactly; noise adds its variance."""
    task = IndexModel(link=link, d=4, noise=noise, directions="axes")
    points, weights = hermegauss(8)
    z = np.array(list(product(points, repeat=task.rank)))
    mass = np.array([np.prod(w) for w in product(weights / weights.sum(), repeat=task.rank)])
    world = world_of(task)
    x = torch.tensor(z) @ world
    y = link_by_scipy(link, z)
    assert mass @ y == pytest.approx(0, abs=1e-9)
    assert mass @ y**2 == pytest.approx(1)
    exact = task.exact_scores()
    references = task.references(world, sb.Batch(x, torch.tensor(y)))
    assert set(exact) == set(references)
    for name, output in references.items():
        error = (mass @ (output.numpy() - y) ** 2 + noise) / (1 + noise)
        assert exact[name] == pytest.approx(error)


def test_a_part_is_the_best_polynomial_of_its_degree() -> None:
    """Least squares on all monomials of degree 1, then 2, at the nodes of a quadrature."""
    link = "2*he2(z1)*z2+0.5*z1"
    points, weights = hermegauss(8)
    z = np.array(list(product(points, repeat=2)))
    root = np.sqrt([np.prod(w) for w in product(weights / weights.sum(), repeat=2)])
    monomials = {1: [(0, 0), (1, 0), (0, 1)], 2: [(2, 0), (1, 1), (0, 2)]}
    y, exact = link_by_scipy(link, z), IndexModel(link=link).exact_scores()
    columns: list[np.ndarray] = []
    for degree, name in ((1, "linear"), (2, "degree-2")):
        columns += [z[:, 0] ** a * z[:, 1] ** b for a, b in monomials[degree]]
        features = root[:, None] * np.stack(columns, axis=1)
        found = np.linalg.lstsq(features, root * y, rcond=None)[0]
        assert exact[name] == pytest.approx(((features @ found - root * y) ** 2).sum())
    assert exact["linear"] == pytest.approx(4 / 4.25)


def test_noise_has_its_variance_and_bounds_the_optimum() -> None:
    task = IndexModel(link="z1", d=3, noise=0.25)
    world = world_of(task)
    batch = task.sample(world, sb.Stream.from_seed(1, sb.Purpose.TRAIN), 40_000)
    optimal = task.references(world, batch)["optimal"]
    missed = (batch.y - optimal).double()
    # The standard error of a normal sample's variance is v sqrt(2 / N).
    assert float(missed.square().mean()) == pytest.approx(0.25, abs=5 * 0.25 * sqrt(2 / 40_000))
    assert ranked(task, optimal, batch) == pytest.approx(0.2, abs=0.01)
    assert ranked(task, torch.zeros_like(batch.y), batch) == pytest.approx(1, abs=1e-9)


def test_directions_are_uniform_or_axes() -> None:
    keys = torch.stack([torch.arange(3000), torch.zeros(3000, dtype=torch.int64)], 1)

    def worlds_of(task: sb.Task) -> torch.Tensor:
        return torch.vmap(lambda key: task.world(sb.Stream(key, sb.Purpose.WORLD)))(keys)

    worlds = worlds_of(IndexModel(link="z1*z2", d=4))
    # Uniform on the sphere: every coordinate has mean 0 and mean square 1/d.
    assert worlds.mean(0).numpy() == pytest.approx(np.zeros((2, 4)), abs=5 * 0.5 / sqrt(3000))
    assert worlds.square().mean(0).numpy() == pytest.approx(np.full((2, 4), 0.25), abs=0.03)
    axes = worlds_of(IndexModel(link="z1*z2", d=4, directions="axes"))
    assert set(axes.unique().tolist()) == {0.0, 1.0} and (axes.sum(-1) == 1).all()
    assert axes.mean(0).numpy() == pytest.approx(np.full((2, 4), 0.25), abs=0.05)
    assert ((axes[:, 0] * axes[:, 1]).sum(-1) == 0).all()


@pytest.mark.parametrize(
    ("link", "exponent", "leap"),
    [
        ("he3(z1)", 3, 3),
        ("he3(z1)+z1", 1, 1),
        ("z1+z1*z2+z1*z2*z3", 1, 1),
        ("z1*z2*z3", 3, 3),
        ("z1+z1*z2*z3", 1, 2),
        # After z1*z2 the last two cost 1 and 2; in the order of the text it would be 4.
        ("z1*z2*z3*z4+z1*z2+z1*z2*z3", 2, 2),
        ("he2(z1)+z1*he3(z2)", 2, 3),
        ("he2(z1)+he2(z2)+z1*he2(z2)", 2, 2),
    ],
)
def test_information_exponents_and_leaps(link: str, exponent: int, leap: int) -> None:
    """Ben Arous et al. 2021, definition 1.2; Abbe et al. 2023, definition 1."""
    task = IndexModel(link=link, d=8)
    assert (task.information_exponent, task.leap) == (exponent, leap)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("link=z1*z3", "lacks z2"),
        ("link=z1*z1", r"write he2\(z1\)"),
        ("link=z1+z1", "occur once"),
        ("link=sin(z1)", r'cannot read "sin\(z1\)"'),
        ("link=z1-z2", "cannot read"),
        ("link=0*z1", "positive numbers"),
        ("link=he7(z1)", "degree 6 at most"),
        ("link=1+z1", "reads no direction"),
        ("d=2 link=z1*z2*z3", "3 directions, more than d=2"),
    ],
)
def test_links_that_are_none(fields: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        installed().task(f"index-model {fields}")


@pytest.mark.usefixtures("briefly")
def test_every_law() -> None:
    check_task(IndexModel(d=5, link="z1+z1*z2+0.5*he3(z2)", noise=0.1))


@pytest.mark.slow
@pytest.mark.parametrize("link", ["he1(z1)", "he2(z1)", "he3(z1)", "he4(z1)", "z1*z2*z3"])
def test_every_law_of_every_link(link: str) -> None:
    check_task(IndexModel(d=6, link=link, directions="axes"))
