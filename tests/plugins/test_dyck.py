"""Brackets against a stack in plain Python, and references against all strings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.testing import check_task
from tests.plugins.drawing import drawn, world_of


def dyck(fields: str) -> sb.Task:
    return installed().task(f"dyck {fields}")


def followed(task: sb.Task, labels: list[int]) -> Iterator[tuple[int, int | None, int | None]]:
    """Depth, right closing bracket and distance to its opening one, before each symbol.

    Asserts that all is well nested.
    """
    opening = world_of(task).tolist()
    stack: list[tuple[int, int]] = []
    for place, symbol in enumerate(labels):
        closing = opening.index(stack[-1][0]) + task.k if stack else None
        yield len(stack), closing, place - stack[-1][1] if stack else None
        if symbol < task.k:
            stack.append((symbol, place))
            assert len(stack) <= task.m
        elif symbol < 2 * task.k:
            assert symbol == closing
            stack.pop()
        else:
            assert not stack


def every_string(task: sb.Task, length: int) -> Iterator[tuple[float, list[int]]]:
    """All beginnings of strings with their probabilities, by the definition of the generator."""

    def grown(chance: float, labels: list[int], stack: list[int]) -> Iterator:
        if len(labels) == length:
            yield chance, labels
            return
        rises = 0.0 if len(stack) == task.m else 0.5
        closing = opening.index(stack[-1]) + task.k if stack else 2 * task.k
        yield from grown(chance * (1 - rises), [*labels, closing], stack[:-1])
        if rises:
            for kind in range(task.k):
                yield from grown(chance * rises / task.k, [*labels, kind], [*stack, kind])

    opening = world_of(task).tolist()
    return grown(1.0, [], [])


def test_brackets_are_well_nested_and_as_likely_as_the_definition_says() -> None:
    task = dyck("k=3 m=2 length=24 longer=[64]")
    batch = drawn(task, "length-64", 300)
    counts: dict[tuple[bool, str], int] = {}
    depths, distances = batch.latents["depth"].tolist(), batch.latents["distance"].tolist()
    for labels, depth_row, distance_row in zip(batch.y.tolist(), depths, distances, strict=True):
        each = zip(followed(task, labels), labels, depth_row, distance_row, strict=True)
        for (depth, _, distance), symbol, found_depth, found_distance in each:
            kind = "open" if symbol < 3 else "close" if symbol < 6 else "end"
            counts[(depth == 0, kind)] = counts.get((depth == 0, kind), 0) + 1
            assert depth < 2 or kind == "close"
            assert found_depth == depth and (distance is None or found_distance == distance)
    empty = {kind: n for (is_empty, kind), n in counts.items() if is_empty}
    assert set(empty) == {"open", "end"}
    # 300 strings of 64 symbols find the stack empty about 5,000 times: 4 standard errors.
    assert empty["open"] / sum(empty.values()) == pytest.approx(0.5, abs=0.03)
    assert (batch.x[:, 1:] == batch.y[:, :-1]).all() and (batch.x[:, 0] == 6).all()


@pytest.mark.parametrize(("k", "m", "length"), [(1, 1, 8), (2, 1, 7), (2, 2, 7), (3, 3, 6)])
def test_exact_scores_over_all_strings(k: int, m: int, length: int) -> None:
    task = dyck(f"k={k} m={m} length={length} longer=[]")
    chances, labels = zip(*every_string(task, length), strict=True)
    assert sum(chances) == pytest.approx(1)
    y = torch.tensor(labels)
    x = torch.cat([torch.full_like(y[:, :1], 2 * k), y[:, :-1]], dim=1)
    references = task.references(world_of(task), sb.Batch(x, y))
    exact = task.exact_scores()
    assert list(references) == list(exact) == ["trivial", "depth-only", "latest-open", "optimal"]
    for name, output in references.items():
        assert output.exp().sum(dim=-1).allclose(torch.ones(()), atol=1e-5)
        missed = -output.log_softmax(dim=-1).gather(2, y[..., None]).squeeze(2).mean(dim=1)
        assert np.dot(chances, missed.double().numpy()) == pytest.approx(exact[name], rel=1e-5)
    # Bayes' rule is the entropy of the strings themselves.
    entropy = -sum(chance * math.log(chance) for chance in chances) / length
    assert exact["optimal"] == pytest.approx(entropy, rel=1e-9)


@pytest.mark.parametrize(
    ("k", "m", "bayes", "depth_only"),
    [(2, 3, 0.890, 1.188), (8, 3, 1.488, 2.376), (8, 5, 1.573, 2.521)],
)
def test_long_strings_have_the_simulated_entropies(
    k: int, m: int, bayes: float, depth_only: float
) -> None:
    """The numbers are from a simulation of whole strings, END counted, to about 0.003."""
    exact = dyck(f"k={k} m={m} length=40000 longer=[]").exact_scores()
    assert exact["optimal"] == pytest.approx(bayes, abs=0.003)
    assert exact["depth-only"] == pytest.approx(depth_only, abs=0.001)
    # A string has 2 m brackets on average, so one symbol in 2 m + 1 finds the stack full.
    share = 2 * m / (2 * m + 1)
    assert exact["optimal"] == pytest.approx(share * (math.log(2) + math.log(k) / 2), abs=1e-3)


def test_references_on_samples_at_two_lengths() -> None:
    task = dyck("k=2 m=3 length=16 longer=[40]")
    exact = task.exact_scores()
    for name, on in (("length-16", ""), ("length-40", "@length-40")):
        batch = drawn(task, name, 1000)
        for reference, output in task.references(world_of(task), batch).items():
            score = task.score(output, batch)["cross-entropy"].item()
            assert score == pytest.approx(exact[f"{reference}{on}"], abs=0.04)


def test_closing_accuracies_by_counting() -> None:
    task = dyck("k=3 m=3 length=20 longer=[]")
    batch = drawn(task, "length-20", 200)
    output = torch.randn(200, 20, 7, generator=torch.Generator().manual_seed(0))
    hits: dict[int, list[bool]] = {}
    for labels, logits in zip(batch.y.tolist(), output[..., 3:6].tolist(), strict=True):
        for (_, _, distance), symbol, row in zip(
            followed(task, labels), labels, logits, strict=True
        ):
            if 3 <= symbol < 6:
                place = int(math.log2(distance))
                hits.setdefault(place, []).append(row.index(max(row)) == symbol - 3)
    scores = task.score(output, batch)
    every = [hit for place in hits.values() for hit in place]
    closing = scores["closing-accuracy"]
    assert (closing.values * closing.weights).sum() / closing.weights.sum() == pytest.approx(
        sum(every) / len(every)
    )
    curve = scores["closing-by-distance"]
    assert curve.weights.shape == (200 * 20, 5)
    means = (curve.values * curve.weights).sum(0) / curve.weights.sum(0)
    for place, found in enumerate(means.tolist()):
        assert found == pytest.approx(sum(hits[place]) / len(hits[place]))


def test_depth_only_and_latest_open_close_as_often_as_they_should() -> None:
    task = dyck("k=4 m=3 length=30 longer=[]")
    batch = drawn(task, "length-30", 500)
    references = task.references(world_of(task), batch)
    closing = {n: task.score(o, batch)["closing-accuracy"] for n, o in references.items()}
    found = {n: float((c.values * c.weights).sum() / c.weights.sum()) for n, c in closing.items()}
    assert found["trivial"] == found["depth-only"] == 0.25 and found["optimal"] == 1
    pairs = [y for labels in batch.y.tolist() for y in itertools.pairwise(labels)]
    closed = sum(4 <= label < 8 for label in batch.y.flatten().tolist())
    at_once = sum(a < 4 <= b < 8 for a, b in pairs)
    assert found["latest-open"] == pytest.approx((at_once + (closed - at_once) / 4) / closed)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(sb.SynthbenchError, match="longer must be above length=20"):
        dyck("length=20 longer=[20]")


@pytest.mark.usefixtures("briefly")
def test_every_law() -> None:
    check_task(dyck("k=2 m=2 length=6 longer=[]"))
