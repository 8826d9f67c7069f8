"""Staircases against enumeration of all inputs, in plain Python."""

from __future__ import annotations

from itertools import permutations, product
from math import prod
from pathlib import Path

import pytest
import torch
from scipy import stats

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.testing import check_task
from tests.plugins.drawing import world_of

FUNCTIONS = {
    "x1+x1x2+x1x2x3": 1,
    "x1+x1x2+x1x2x3+x1x2x3x4": 1,
    "x1+x2+x3": 1,
    "x1+x1x2x3": 2,
    "x1x2+x1x2x3": 2,
    "x1+x2+x1x2x3x4": 2,
    "x1x2x3": 3,
    "x1x2x3+x1x2x4": 3,
    "x1x2x3+x4+x4x5x1x2x3x6": 3,
    "x1x2x3x4": 4,
}
"""Function -> its leap, by the definition."""


def staircase(fields: str) -> sb.Task:
    return installed().task(f"staircase {fields}")


def terms_of(function: str) -> list[list[int]]:
    return [[int(v) for v in term.split("x")[1:]] for term in function.split("+")]


def every_input(n: int) -> list[tuple[float, ...]]:
    return list(product((-1.0, 1.0), repeat=n))


@pytest.mark.parametrize(("function", "leap"), FUNCTIONS.items())
def test_leap_is_the_best_of_all_orders(function: str, leap: int) -> None:
    worst = []
    for order in permutations(terms_of(function)):
        known, most = set(), 0
        for term in order:
            most = max(most, len(set(term) - known))
            known |= set(term)
        worst.append(most)
    assert staircase(f"n=8 function={function}").leap == min(worst) == leap


@pytest.mark.parametrize("fields", ["", "sign=true"])
def test_labels_are_sums_of_products(fields: str) -> None:
    function = "x2+x1x3+x1x2x3x4"
    task = staircase(f"n=9 function={function} {fields}")
    world = world_of(task).tolist()
    assert len(set(world)) == 4
    batch = task.sample(torch.tensor(world), sb.Stream.from_seed(1, sb.Purpose.TRAIN), 100)
    for x, y in zip(batch.x.tolist(), batch.y.tolist(), strict=True):
        h = sum(prod(x[world[v - 1]] for v in term) for term in terms_of(function))
        assert y == ((1.0 if h >= 0 else -1.0) if fields else h)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_squared_errors_are_remaining_variances(function: str) -> None:
    """Every input once: terms are orthogonal, so each that is left out adds 1."""
    task = staircase(f"n=6 function={function} noise=0.3")
    world = world_of(task).tolist()
    x = torch.tensor(every_input(6))
    terms = terms_of(function)
    h = [sum(prod(row[world[v - 1]] for v in term) for term in terms) for row in x.tolist()]
    columns = [[prod(row[world[v - 1]] for v in term) for term in terms] for row in x.tolist()]
    batch = sb.Batch(x, torch.tensor(h), {"monomials": torch.tensor(columns)})
    exact, largest = task.exact_scores(), max(map(len, terms))
    for name, output in task.references(torch.tensor(world), batch).items():
        degree = {"trivial": 0, "optimal": largest}.get(name) or int(name[7:] or 0) * ("-" in name)
        left = sum(len(term) > degree for term in terms)
        assert exact[name] == pytest.approx(0.3 + left)
        error = float(task.score(output, batch)["squared-error"])
        assert error == pytest.approx(left, abs=1e-5)
    assert next(iter(exact)) == "trivial" and exact["optimal"] == 0.3


@pytest.mark.parametrize("function", [*FUNCTIONS, "x1+x2+x1x2", "x1+x2", "x1+x2x3"])
def test_accuracies_of_signs_by_enumeration(function: str) -> None:
    """The best guess from a sum: the more frequent sign among all inputs with that sum."""
    task = staircase(f"n=6 function={function} sign=true noise=0.2")
    terms, inputs = terms_of(function), every_input(6)
    world = world_of(task)
    exact = task.exact_scores()
    x = torch.tensor(inputs)
    place = world.tolist()
    values = [[prod(row[place[v - 1]] for v in term) for term in terms] for row in inputs]
    signs = [1.0 if sum(row) >= 0 else -1.0 for row in values]
    batch = sb.Batch(x, torch.tensor(signs), {})
    outputs = task.references(world, batch)
    assert list(outputs) == list(exact)
    for name, output in outputs.items():
        degree = int(name[7:]) if name.startswith("degree") else {"trivial": 0, "optimal": 9}[name]
        by_sum: dict[float, list[float]] = {}
        for row, sign in zip(values, signs, strict=True):
            kept = sum(v for v, term in zip(row, terms, strict=True) if len(term) <= degree)
            by_sum.setdefault(kept, []).append(sign)
        right = sum(max(s.count(1.0), s.count(-1.0)) for s in by_sum.values()) / len(signs)
        assert exact[name] == pytest.approx(0.8 * right + 0.2 * (1 - right))
        hits = ((1 + (output * batch.y).sign()) / 2).mean()
        assert float(hits) == pytest.approx(right)


def test_staircases_of_signs_have_the_majority_s_accuracies() -> None:
    """h of degree 3 is the majority of three fair signs; one of them is right 3 times in 4."""
    exact = staircase("n=5 sign=true").exact_scores()
    assert exact == {"trivial": 0.5, "degree-1": 0.75, "degree-2": 0.75, "optimal": 1.0}


def test_what_is_missing_of_every_term() -> None:
    function = "x1+x1x2+x1x2x3"
    task = staircase(f"n=5 function={function}")
    world = world_of(task)
    x = torch.tensor(every_input(5))
    z = x[:, world]
    monomials = torch.stack([z[:, 0], z[:, :2].prod(1), z.prod(1)], dim=1)
    batch = sb.Batch(x, monomials.sum(1), {"monomials": monomials})
    output = 0.75 * monomials[:, 0] - 0.5 * monomials[:, 2] + 7 * z[:, 2]
    assert task.score(output, batch)["missing"].tolist() == pytest.approx([0.25, 1.0, 1.5])
    signed = staircase(f"n=5 function={function} sign=true")
    # The majority correlates with each of its three signs by 1/2, its first sign with itself by 1.
    found = signed.score(monomials[:, 0], batch)["missing"]
    assert found.tolist() == pytest.approx([0.5 - 1, 0.5, 0.5])


def test_noise() -> None:
    clean, noisy = (staircase(f"n=6 noise={noise}") for noise in (0, 0.25))
    world = world_of(clean)
    signs = staircase("n=6 sign=true noise=0.2")
    a, b, flips = (
        task.sample(world, sb.Stream.from_seed(0, sb.Purpose.TRAIN), 20_000)
        for task in (clean, noisy, signs)
    )
    added = ((b.y - a.y) / 0.5).numpy()
    assert torch.equal(a.x, b.x) and stats.kstest(added, "norm").pvalue > 1e-3
    flipped = int((flips.y != torch.where(a.y >= 0, 1.0, -1.0)).sum())
    assert stats.binomtest(flipped, 20_000, 0.2).pvalue > 1e-3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("function=x1+y2", 'a sum such as "x1\\+x1x2\\+x1x2x3"; "y2" is no term'),
        ("function=x1x1", "has a variable twice"),
        ("function=x1x2+x2x1", "occurs twice"),
        ("function=x1+x3", "without a gap"),
        ("n=2", "function has 3 variables, at most n=2"),
        ("function=x1x2x3x4x5x6x7x8x9x10x11x12x13", "at most 12"),
        ("sign=true noise=0.5", "below 0.5"),
    ],
)
def test_what_is_no_function_is_refused(fields: str, message: str) -> None:
    with pytest.raises(sb.SynthbenchError, match=message):
        staircase(fields)


def test_a_function_is_written_in_one_way() -> None:
    assert staircase("n=5 function=x2x1x3+x1+x2*x1") == staircase("n=5")


def test_terms_are_learned_one_after_the_other(tmp_path: Path) -> None:
    """In 32-example steps of SGD, 300 of them: the first term before the second before the third.

    Halves are passed after about 80, 270 and 900 steps in 30 dimensions.
    """
    protocol = sb.Protocol(seeds=4, budget=32 * 300, until="budget", evaluation_samples=1024)
    result = sb.evaluate(
        "staircase n=30", "mlp lr=0.01", protocol=protocol, out=tmp_path, settings=sb.Settings()
    )
    last = [row for row in result.trajectories if row["samples"] == 32 * 300]
    missing = torch.tensor([row["missing"] for row in last])
    assert missing[:, 0].abs().max() < 0.3 and missing[:, 2].min() > 0.85
    assert bool(((missing[:, 1] > 0.3) & (missing[:, 1] < 0.9)).all())


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize(
    "fields", ["n=10", pytest.param("n=10 sign=true noise=0.1", marks=pytest.mark.slow)]
)
def test_every_law(fields: str) -> None:
    check_task(staircase(fields))
