"""LEGO against following chains in plain Python."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.testing import check_task
from tests.plugins.drawing import drawn


def lego(fields: str = "") -> sb.Task:
    return installed().task(f"lego {fields}")


def value(score: sb.Mean) -> float:
    return float((score.values * score.weights).sum() / score.weights.sum())


def clauses_of(row: list[int]) -> list[tuple[int, ...]]:
    return [tuple(row[at : at + 3]) for at in range(0, len(row), 3)]


@pytest.mark.parametrize("name", ["chain-4", "chain-6"])
def test_labels_by_following_the_chain(name: str) -> None:
    task = lego("variables=4 supervised=3 names=8 longer=[6] hops=[1]")
    batch = drawn(task, name, 200)
    plus, one = 8, 10
    for x, y, truth in zip(
        batch.x.tolist(), batch.y.tolist(), batch.latents["values"].tolist(), strict=True
    ):
        clauses = clauses_of(x)
        # Found by asking who takes up whom, not by the latents.
        taken, sign, at, found = one, 0, [], []
        for _ in clauses:
            (place,) = (p for p, clause in enumerate(clauses) if clause[2] == taken)
            taken, sign = clauses[place][0], sign ^ (clauses[place][1] - plus)
            at.append(place)
            found.append(sign)
        assert truth == found and len({clause[0] for clause in clauses}) == len(clauses)
        expected = [-100] * len(x)
        for place, bit in zip(at[:3], found[:3], strict=True):
            expected[3 * place] = bit
        assert y == expected


def test_orders_names_and_signs_vary() -> None:
    batch = drawn(lego("variables=3 supervised=3 names=5 hops=[1]"), "chain-3", 3000)
    orders = torch.unique(batch.latents["clause"], dim=0, return_counts=True)[1]
    assert len(orders) == 6 and orders.min() > 400
    signs = torch.unique(batch.latents["values"], dim=0, return_counts=True)[1]
    assert len(signs) == 8 and signs.min() > 300


def test_reference_scores_by_variable() -> None:
    task = lego("variables=6 supervised=4 names=9 hops=[1,2,5] longer=[8]")
    curves = {
        "trivial": [0.5] * 6,
        "sign-count": [0.5] * 5 + [1.0],
        "resolves-1": [1.0] + [0.5] * 5,
        "resolves-2": [1.0] * 2 + [0.5] * 4,
        "resolves-5": [1.0] * 5 + [0.5],
        "optimal": [1.0] * 6,
    }
    exact = task.exact_scores()
    for name, on in (("chain-6", ""), ("chain-8", "@chain-8")):
        batch = drawn(task, name, 100)
        longer = batch.x.shape[1] // 3 - 6
        for reference, output in task.references(torch.zeros(0), batch).items():
            scores = task.score(output, batch)
            curve = curves[reference]
            *middle, last = curve
            inner = middle[-1] if reference != "optimal" else 1.0
            curve = curve[:5] + ([curve[5]] if not longer else [0.5 if inner < 1 else 1.0])
            if longer:
                ends = {"sign-count": [0.5, 1.0], "optimal": [1.0, 1.0]}
                curve = middle + ([0.5] if reference != "optimal" else [last])
                curve += ends.get(reference, [0.5, 0.5])
            assert scores["by-variable"].values.mean(dim=0).tolist() == curve
            assert value(scores["accuracy"]) == exact[f"{reference}{on}"] == sum(curve[:4]) / 4
            rest = curve[4:]
            assert value(scores["generalization"]) == sum(rest) / len(rest)


@pytest.mark.parametrize("hops", [1, 3, 6])
def test_mean_accuracy_of_resolving_some_hops(hops: int) -> None:
    exact = lego(f"variables=12 supervised=12 hops=[{hops}]").exact_scores()
    assert exact[f"resolves-{hops}"] == pytest.approx((hops + (12 - hops) / 2) / 12)
    assert exact["sign-count"] == pytest.approx((1 + 11 / 2) / 12)


def test_the_loss_asks_for_the_supervised_variables_alone() -> None:
    task = lego("variables=5 supervised=2 names=6 hops=[1]")
    batch = drawn(task, "chain-5", 50)
    output = torch.randn(50, 15, 2, generator=torch.Generator().manual_seed(0))
    hidden = 3 * batch.latents["clause"][:, 2:]
    changed = output.scatter(1, hidden[..., None].expand(-1, -1, 2), 9.0)
    loss = task.losses()["cross-entropy"]
    assert loss(output, batch) == loss(changed, batch)
    assert "generalization" not in task.score(
        output[:, :6], drawn(lego("variables=2 supervised=2 hops=[1]"), "chain-2", 50)
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("supervised=13", "at most variables=12"),
        ("longer=[12]", "above variables=12"),
        ("names=11", "a name of its own"),
        ("names=12 longer=[13]", "a name of its own"),
        ("hops=[2,1]", "ascending"),
        ("hops=[0]", "ascending"),
    ],
)
def test_what_does_not_fit_is_refused(fields: str, message: str) -> None:
    with pytest.raises((ValidationError, sb.SynthbenchError), match=message):
        lego(fields)


@pytest.mark.slow
def test_every_law() -> None:
    fields = "variables=4 supervised=2 names=6 hops=[1] longer=[5]"
    check_task(lego(fields), constant_world=True)
