"""Tasks whose truth is in the sequence, against plain Python and numpy."""

from __future__ import annotations

import math

import pytest
import torch
from exact import reference_scores, world_of
from synthbench_field.causal_structure import CausalStructure
from synthbench_field.icll import Icll
from synthbench_field.in_context_counts import n_gram

import synthbench as sb


def sampled(task: sb.Task, size: int, seed: int = 0) -> tuple[object, sb.Batch]:
    world = world_of(task, seed)
    return world, task.sample(world, sb.Stream.from_seed(seed, sb.Purpose.TRAIN), size)


# Counting in context


def test_n_grams_by_counting() -> None:
    x = torch.randint(0, 3, (4, 12), generator=torch.Generator().manual_seed(0))
    for order in range(3):
        found = n_gram(x, 3, order).exp()
        for row, chances in zip(x.tolist(), found, strict=True):
            # Before there is a context of full length, it is filled with zeros.
            for t in range(max(order - 1, 0), len(row)):
                context = row[t + 1 - order : t + 1]
                counts = [1, 1, 1]
                for s in range(order, t + 1):
                    if row[s - order : s] == context:
                        counts[row[s]] += 1
                wanted = [count / sum(counts) for count in counts]
                assert chances[t].tolist() == pytest.approx(wanted)


def test_bayes_of_a_causal_structure_by_counting() -> None:
    task = CausalStructure(symbols=3, length=8, alpha=0.4)
    parents, batch = sampled(task, 30, seed=2)
    assert all(0 <= parent <= place for place, parent in enumerate(parents.tolist()))
    assert len({tuple(world_of(task, seed).tolist()) for seed in range(5)}) > 1
    bayes = task.references(parents, batch)["optimal"].exp()
    for x, y, chances in zip(batch.x.tolist(), batch.y.tolist(), bayes, strict=True):
        row, counts = [*x, y[-1]], {}
        assert row[1:] == y
        for t in range(8):
            source = row[parents[t]]
            seen = [counts.get((source, symbol), 0) + 0.4 for symbol in range(3)]
            assert chances[t].tolist() == pytest.approx([n / sum(seen) for n in seen], rel=1e-4)
            counts[(source, row[t + 1])] = counts.get((source, row[t + 1]), 0) + 1


def test_symbols_follow_their_parents() -> None:
    """With rows near unit vectors, a parent's symbol mostly decides, whatever came between."""
    task = CausalStructure(symbols=4, length=12, alpha=0.05)
    world, batch = sampled(task, 4000)
    scores = reference_scores(task, world, batch)
    assert scores["optimal"] < scores["bigram"] < scores["trivial"] == pytest.approx(math.log(4))


def test_strings_of_an_automaton() -> None:
    task = Icll(states=3, alphabet=5, edges=2, stop=0.3, length=200)
    world, batch = sampled(task, 20)
    for x, y, chances in zip(batch.x, batch.y.tolist(), batch.latents["chances"], strict=True):
        assert x[0] == 5 and x[1:].tolist() == y[:-1]
        assert chances.sum(dim=1).tolist() == pytest.approx([1.0] * 200)
        # Every string begins in the same state, and none is empty.
        begins = chances[x == 5]
        assert (begins == begins[0]).all() and float(begins[0, 5]) == 0
        assert all(float(chance[symbol]) > 0 for chance, symbol in zip(chances, y, strict=True))
        assert len({tuple(row) for row in chances[x != 5].tolist()}) <= 3
    oracle = -batch.latents["chances"].gather(2, batch.y[..., None]).log().mean()
    assert float(oracle) == pytest.approx(task.exact_scores()["oracle"], abs=0.03)
    assert reference_scores(task, world, batch)["oracle"] == pytest.approx(float(oracle), abs=1e-5)
