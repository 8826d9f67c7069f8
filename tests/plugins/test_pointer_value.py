"""Pointer value retrieval against plain Python, and its exact scores against enumeration."""

from __future__ import annotations

import itertools

import pytest
import torch
from pydantic import ValidationError

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream
from synthbench.testing import check_task
from synthbench_pointers.digits import most_frequent_share


def pvr(fields: str = "") -> sb.Task:
    return installed().task(f"pointer-value-retrieval {fields}")


def drawn(task: sb.Task, size: int, name: str = "trained") -> sb.Batch:
    rng = Stream.from_seed(3, Purpose.EVAL)
    return task.test_sets()[name].sample(torch.zeros(0), rng, size)


def window_of(row: list[int], window: int) -> tuple[int, ...]:
    pointer, *digits = row
    return tuple(digits[(pointer + i) % len(digits)] for i in range(window))


@pytest.mark.parametrize(("places", "complexity"), [(10, 0), (10, 2), (3, 1)])
def test_labels_by_hand(places: int, complexity: int) -> None:
    batch = drawn(pvr(f"places={places} complexity={complexity}"), 400)
    for row, label in zip(batch.x.tolist(), batch.y.tolist(), strict=True):
        assert label == sum(window_of(row, complexity + 1)) % 10
    assert len({row[0] for row in batch.x.tolist()}) == places


@pytest.mark.parametrize(("complexity", "places"), [(0, 2), (0, 3), (1, 3)])
def test_exact_scores_over_all_inputs(complexity: int, places: int) -> None:
    task = pvr(f"places={places} complexity={complexity}")
    rows = itertools.product(range(places), *[range(10)] * places)
    x = torch.tensor(list(rows))
    y = torch.tensor([sum(window_of(row, complexity + 1)) % 10 for row in x.tolist()])
    batch, exact = sb.Batch(x, y), task.exact_scores()
    found = {
        name: float(task.score(output, batch)["accuracy"].values.double().mean())
        for name, output in task.references(torch.zeros(0), batch).items()
    }
    for name, score in exact.items():
        assert found[name] == pytest.approx(score, abs=1e-6)
    assert ("most-frequent" in exact) == (complexity == 0)
    assert found["trivial"] <= found["most-frequent"] <= found["optimal"]


def test_published_levels() -> None:
    """science.md: a fixed place 0.19, the most frequent digit 0.275."""
    exact = pvr().exact_scores()
    assert exact["trivial"] == 0.1 and exact["first-place"] == pytest.approx(0.19)
    assert exact["most-frequent"] == pytest.approx(0.275, abs=5e-4)


def test_most_frequent_digits_by_enumeration() -> None:
    for places, base in ((4, 2), (5, 3), (3, 10)):
        words = list(itertools.product(range(base), repeat=places))
        total = sum(max(word.count(digit) for digit in word) for word in words)
        assert most_frequent_share(places, base) == pytest.approx(total / len(words) / places)


def test_held_out_permutations() -> None:
    task = pvr("complexity=2 held_out=4")
    held = set(itertools.islice(itertools.permutations(range(3)), 4))
    trained, unseen = drawn(task, 20_000), drawn(task, 2000, "held-out")
    assert not held & {window_of(row, 3) for row in trained.x.tolist()}
    counts = [window_of(row, 3) for row in unseen.x.tolist()]
    assert set(counts) == held
    assert min(counts.count(each) for each in held) > 400
    for row, label in zip(unseen.x.tolist(), unseen.y.tolist(), strict=True):
        assert label == sum(window_of(row, 3)) % 10
    # Without it they occur.
    free = {window_of(row, 3) for row in drawn(pvr("complexity=2"), 20_000).x.tolist()}
    assert held <= free
    assert list(pvr("complexity=2").test_sets()) == ["trained"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("complexity=9", "below 9"),
        ("places=3 complexity=2", "below 2"),
        ("held_out=1", "0 permutations"),
        ("complexity=1 held_out=3", "2 permutations"),
    ],
)
def test_what_does_not_fit_is_refused(fields: str, message: str) -> None:
    with pytest.raises((ValidationError, sb.SynthbenchError), match=message):
        pvr(fields)


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize(
    "fields",
    [pytest.param("", marks=pytest.mark.slow), "places=5 complexity=1 held_out=1"],
)
def test_every_law(fields: str) -> None:
    check_task(pvr(fields), constant_world=True)
