"""Core and spurious features against their distribution, input by input in plain Python."""

from __future__ import annotations

from itertools import product
from math import comb, prod
from pathlib import Path

import pytest
import torch
from scipy import stats

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.testing import check_task
from tests.plugins.drawing import world_of

PAIRS = {
    "parities": "n=6 core=3 spurious=2 agreement=0.9",
    "odd staircases": "n=6 core=3 spurious=3 core_kind=staircase spurious_kind=staircase",
    "even staircases": "n=6 core=4 spurious=2 core_kind=staircase spurious_kind=staircase",
    "a staircase and a parity": "n=5 core=2 spurious=2 core_kind=staircase agreement=0.7",
    "a parity and a staircase": "n=5 core=2 spurious=2 spurious_kind=staircase agreement=0.6",
}


def spurious(fields: str) -> sb.Task:
    return installed().task(f"spurious-features {fields}")


def value(kind: str, signs: list[float]) -> float:
    """A feature, from its definition."""
    if kind == "parity":
        return prod(signs)
    total = sum(prod(signs[: j + 1]) for j in range(len(signs)))
    return 1.0 if total >= 0 else -1.0


def distribution(task: sb.Task, agreement: float | None) -> dict[tuple[float, ...], tuple]:
    """Input -> its probability, label and spurious feature; agreement None: uniform inputs."""
    core, other = (places.tolist() for places in world_of(task))
    inputs = list(product((-1.0, 1.0), repeat=task.n))
    f = {x: value(task.core_kind, [x[i] for i in core]) for x in inputs}
    g = {x: value(task.spurious_kind, [x[i] for i in other]) for x in inputs}
    share = {s: sum(g[x] == s for x in inputs) / len(inputs) for s in (-1.0, 1.0)}
    found = {}
    for x in inputs:
        p = 2.0**-task.n
        if agreement is not None:
            # Everything but the spurious coordinates is uniform; they are so given g.
            p *= (agreement if f[x] == g[x] else 1 - agreement) / share[g[x]]
        found[x] = p, f[x], g[x]
    assert sum(p for p, _, _ in found.values()) == pytest.approx(1)
    return found


@pytest.mark.parametrize("fields", PAIRS.values(), ids=PAIRS)
def test_labels_and_the_distribution_of_inputs(fields: str) -> None:
    task = spurious(fields)
    world = world_of(task)
    assert len({*world[0].tolist(), *world[1].tolist()}) == task.core + task.spurious
    for name, agreement in (("correlated", task.agreement), ("decorrelated", None)):
        known = distribution(task, agreement)
        rng = sb.Stream.from_seed(5, sb.Purpose.EVAL)
        batch = task.test_sets()[name].sample(world, rng, 20_000)
        counts = dict.fromkeys(known, 0)
        latent = batch.latents["spurious"].tolist()
        for x, y, g in zip(batch.x.tolist(), batch.y.tolist(), latent, strict=True):
            counts[tuple(x)] += 1
            assert (y, g) == known[tuple(x)][1:]
        expected = [20_000 * p for p, _, _ in known.values()]
        assert stats.chisquare(list(counts.values()), expected).pvalue > 1e-3


@pytest.mark.parametrize("fields", PAIRS.values(), ids=PAIRS)
def test_exact_scores_by_enumeration(fields: str) -> None:
    task = spurious(fields)
    exact = task.exact_scores()
    for suffix, agreement in (("", task.agreement), ("@decorrelated", None)):
        known = distribution(task, agreement)
        x = torch.tensor(list(known))
        p, y, g = (torch.tensor(column) for column in zip(*known.values(), strict=True))
        batch = sb.Batch(x, y.float(), {"spurious": g.float()})
        for name, output in task.references(world_of(task), batch).items():
            hits = (1 + torch.sign(output * batch.y)) / 2
            assert float((p * hits).sum()) == pytest.approx(exact[name + suffix], abs=1e-6)


def test_correlation_of_the_spurious_feature_is_2_lambda_minus_1() -> None:
    for agreement in (0.5, 0.75, 0.95):
        task = spurious(f"n=6 core=3 spurious=2 agreement={agreement}")
        known = distribution(task, agreement).values()
        assert sum(p * f * g for p, f, g in known) == pytest.approx(2 * agreement - 1)
        assert task.exact_scores()["spurious-only"] == agreement


@pytest.mark.parametrize("degree", [2, 3, 5, 6, 10])
def test_staircases_in_closed_form(degree: int) -> None:
    inputs = list(product((-1.0, 1.0), repeat=degree))
    values = [value("staircase", list(x)) for x in inputs]
    task = spurious(f"n={degree + 1} core={degree} core_kind=staircase")
    exact = task.exact_scores()
    mean = sum(values) / len(values)
    assert exact.get("constant", 0.5) == pytest.approx((1 + mean) / 2)
    assert mean == (0 if degree % 2 else comb(degree, degree // 2) / 2**degree)
    agree = sum(v == x[0] for v, x in zip(values, inputs, strict=True)) / len(inputs)
    assert exact["first-step"] == pytest.approx(agree)
    steps = {tuple(prod(x[: j + 1]) for j in range(degree)) for x in inputs}
    assert len(steps) == len(inputs), "the steps of a staircase are independent fair signs"


def test_the_released_hard_staircases() -> None:
    """Degrees 14 and 10: ties are 20.9% and 24.6% of the inputs, all labelled +1."""
    preset = spurious("n=34 core=14 spurious=10 core_kind=staircase spurious_kind=staircase")
    exact = preset.exact_scores()
    assert exact["constant"] == pytest.approx(0.5 + comb(14, 7) / 2**15)
    both = comb(14, 7) / 2**14 * comb(10, 5) / 2**10
    assert exact["spurious-only@decorrelated"] == pytest.approx((1 + both) / 2)
    batch = preset.sample(world_of(preset), sb.Stream.from_seed(0, sb.Purpose.TRAIN), 20_000)
    agrees = int((batch.y == batch.latents["spurious"]).sum())
    assert stats.binomtest(agrees, 20_000, 0.9).pvalue > 1e-3


def test_groups_and_the_worst_of_them_by_hand() -> None:
    task = spurious("n=4 core=1 spurious=1")
    y = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0, -1.0])
    g = torch.tensor([1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
    output = torch.tensor([2.0, -1.0, 1.0, -3.0, 0.0, 1.0, -1.0, 0.0])
    found = task.score(output, sb.Batch(torch.zeros(8, 4), y, {"spurious": g}))
    means = {n: (m.values * m.weights).sum() / m.weights.sum() for n, m in found.items()}
    scores = {name: float(mean) for name, mean in task.aggregate(means).items()}
    assert scores == pytest.approx(
        {
            "accuracy": (1 + 0 + 1 + 1 + 0.5 + 0 + 1 + 0.5) / 8,
            "spurious-accuracy": (1 + 0 + 0 + 1 + 0.5 + 1 + 0 + 0.5) / 8,
            "plus-agrees": 1 / 2,
            "plus-differs": 1.0,
            "minus-agrees": 1.5 / 2,
            "minus-differs": 1.5 / 3,
            "worst-group": 1 / 2,
        }
    )


def test_a_shortcut_has_a_worst_group_of_zero(tmp_path: Path) -> None:
    """Against a loop over a trained network's own answers: the spurious feature of degree 1."""
    task = spurious("n=8 core=4 spurious=1")
    result = sb.evaluate(
        task,
        "mlp width=16 optimizer=adam lr=0.01",
        protocol=sb.Protocol(seeds=2, budget=32 * 40, until="budget", evaluation_samples=256),
        out=tmp_path,
        settings=sb.Settings(sb.TrainerOptions(accelerator="cpu"), keep_weights="all"),
    )
    for replica in range(2):
        row = [r for r in result.trajectories if r["replica"] == replica][-1]
        assert row["accuracy"] == pytest.approx(0.9, abs=0.06)
        assert row["worst-group@decorrelated"] < 0.2 < row["plus-agrees@decorrelated"]
        network, (core, other) = result.network(replica), world_of(task, replica)
        rng = sb.Stream.from_seed(9, sb.Purpose.EVAL)
        x = task.decorrelated((core, other), rng, 4_000).x
        same = (network(x).sign() == x[:, other[0]]).float().mean()
        assert row["spurious-accuracy@decorrelated"] == pytest.approx(float(same), abs=0.1)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(sb.SynthbenchError, match="core \\+ spurious must be at most n=4, got 5"):
        spurious("n=4 core=3 spurious=2")
    with pytest.raises(sb.SynthbenchError, match="agreement"):
        spurious("agreement=1")


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize(
    "fields",
    [
        "n=10",
        pytest.param(
            "n=12 core=4 spurious=2 core_kind=staircase spurious_kind=staircase",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_every_law(fields: str) -> None:
    check_task(spurious(fields))
