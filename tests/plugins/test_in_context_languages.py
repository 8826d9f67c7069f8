"""In-context languages against numpy's forward algorithm and counting in plain Python."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import stats
from torch import Tensor

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream
from synthbench.testing import check_probe, check_task
from synthbench_languages.automata import draw_automata, places_in_strings
from synthbench_languages.n_grams import n_grams
from tests.plugins.probing import measure, view_of

SMALL = "states=[2,4] alphabet=[3,5] edges=[1,3] longest=6 length=40"


def languages(fields: str = SMALL) -> sb.Task:
    return installed().task(f"in-context-languages {fields}")


def sampled(task: sb.Task, size: int) -> sb.Batch:
    return task.sample(torch.zeros(0), Stream.from_seed(0, Purpose.TRAIN), size)


def test_the_oracle_is_the_forward_algorithm() -> None:
    """Over all (state, symbols so far), the state unknown but for what the symbols tell."""
    task, size = languages(), 12
    batch = sampled(task, size)
    # `sample` draws the automata first, so another stream of the same seed gives the same.
    rng = Stream.from_seed(0, Purpose.TRAIN)
    automata = draw_automata(rng, size, task.states, task.alphabet, task.edges)
    for b in range(size):
        edges = automata.edges[b].tolist()
        symbols, targets = automata.symbols[b].tolist(), automata.targets[b].tolist()
        belief = {(0, 0): 1.0}
        for t, y in enumerate(batch.y[b].tolist()):
            moves = np.zeros(6)
            after: dict[int, dict[tuple[int, int], float]] = {}
            for (state, length), mass in belief.items():
                stop = 0.0 if length == 0 else 1 / (6 - length + 1)
                moves[5] += mass * stop
                after.setdefault(5, {})[(0, 0)] = 1.0
                for edge in range(edges[state]):
                    symbol, share = symbols[state][edge], mass * (1 - stop) / edges[state]
                    moves[symbol] += share
                    into = after.setdefault(symbol, {})
                    reached = (targets[state][edge], length + 1)
                    into[reached] = into.get(reached, 0.0) + share
            assert batch.latents["chances"][b, t].tolist() == pytest.approx(moves, abs=1e-6)
            assert moves[y] > 0
            total = sum(after[y].values())
            belief = {key: mass / total for key, mass in after[y].items()}


def test_automata() -> None:
    found = draw_automata(Stream.from_seed(1, Purpose.TRAIN), 3000, (3, 5), (4, 6), (2, 3))
    used = []
    for edges, symbols, targets in zip(*(part.tolist() for part in found), strict=True):
        for state in range(3):
            # A state that an automaton may lack has no meaning; three are always there.
            own = symbols[state][: edges[state]]
            assert len(set(own)) == len(own) and all(to != state for to in targets[state])
        used.append(1 + max(max(row) for row in targets[:3]))
    assert {edges for row in found.edges.tolist() for edges in row} == {2, 3}
    assert set(used) <= {2, 3, 4, 5} and used.count(5) > 500
    # All symbols are as likely, whatever the size of the alphabet.
    counts = torch.bincount(found.symbols[:, 0, 0], minlength=6).numpy()
    assert stats.chisquare(counts).pvalue > 1e-3


def test_an_automaton_keeps_to_its_states_and_its_alphabet() -> None:
    found = draw_automata(Stream.from_seed(2, Purpose.TRAIN), 400, (2, 6), (3, 9), (3, 3))
    sizes, letters = set(), set()
    for symbols, targets in zip(found.symbols.tolist(), found.targets.tolist(), strict=True):
        reached, queue = {0}, [0]
        while queue:
            for to in targets[queue.pop()]:
                if to not in reached:
                    reached.add(to)
                    queue.append(to)
        sizes.add(1 + max(reached))
        letters.add(len({symbol for state in reached for symbol in symbols[state]}))
    assert sizes == {2, 3, 4, 5, 6} and max(letters) == 9 and min(letters) == 3


def test_lengths_of_strings() -> None:
    place = places_in_strings(Stream.from_seed(0, Purpose.TRAIN), 2000, 60, 5)
    counts = torch.zeros(6, dtype=torch.int64)
    for row in place.tolist():
        assert row[0] == 0
        lengths, current = [], 0
        for before, at in zip([-1, *row], row, strict=False):
            assert at == before + 1 if at >= 0 else before >= 0
            if at < 0:
                lengths.append(current)
            current = at + 1
        # The first few strings alone: later ones are in view more often where they are short.
        for length in lengths[:8]:
            counts[length] += 1
    assert counts[0] == 0 and stats.chisquare(counts[1:].numpy()).pvalue > 1e-3


def test_n_grams_by_counting() -> None:
    x = torch.randint(0, 3, (4, 12), generator=torch.Generator().manual_seed(0))
    found = n_grams(x, 3, 3)
    for b, row in enumerate(x.tolist()):
        for t in range(12):
            chances = [1 / 3] * 3
            for order in range(3):
                context = row[t + 1 - order : t + 1] if t + 1 >= order else None
                counts = [0, 0, 0]
                for s in range(order, t + 1):
                    if row[s - order : s] == context:
                        counts[row[s]] += 1
                total = sum(counts) + 3
                chances = [(n + 3 * p) / total for n, p in zip(counts, chances, strict=True)]
                assert found[order][b, t].tolist() == pytest.approx(chances, rel=1e-5)


@pytest.mark.parametrize("edges", [1, 2])
def test_exact_losses(edges: int) -> None:
    task = languages(f"states=[3,5] alphabet=[4,6] edges=[{edges},{edges}] longest=7 length=30")
    batch, exact = sampled(task, 4000), task.exact_scores()
    found = {
        name: float(task.score(output, batch)["cross-entropy"])
        for name, output in task.references(torch.zeros(0), batch).items()
    }
    assert found["trivial"] == pytest.approx(exact["trivial"], rel=1e-5)
    true = batch.latents["chances"].double()
    # The entropy of what the oracle says, exact up to where strings end.
    assert -float(true.xlogy(true).sum(2).mean()) == pytest.approx(exact["oracle"], abs=3e-3)
    assert found["oracle"] == pytest.approx(exact["oracle"], abs=0.02)
    assert exact["trivial"] == math.log(7)
    assert "oracle" not in languages().exact_scores()


def test_n_grams_come_in_order_at_the_defaults() -> None:
    task = languages("")
    batch = sampled(task, 60)
    found = [
        float(task.score(output, batch)["cross-entropy"])
        for output in task.references(torch.zeros(0), batch).values()
    ]
    assert found == sorted(found)[::-1] and len(set(found)) == 5


def test_scores_by_hand() -> None:
    task = languages("states=[2,2] alphabet=[2,2] edges=[1,2] longest=3 length=4")
    chances = torch.tensor([[[0.5, 0.5, 0.0], [0.0, 0.6, 0.4], [1.0, 0, 0], [0, 0, 1.0]]])
    y = torch.tensor([[0, 2, 0, 2]])
    batch = sb.Batch(y, y, {"chances": chances})
    output = torch.tensor([[[0.0, 0, 0], [9.0, 0, 0], [0.0, -90, -90], [0.0, 0, -90]]])
    found = task.score(output, batch)
    # Of three equal symbols two are possible; 0 is impossible; right; impossible.
    assert float(found["accuracy"]) == pytest.approx((2 / 3 + 0 + 1 + 0) / 4)
    expected = [1 / 3, 1.0, 0.0, 1.0]
    assert found["by-position"].tolist() == pytest.approx(expected, abs=1e-3)
    assert float(found["distance"]) == pytest.approx(sum(expected) / 4, abs=1e-3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("states=[5,4]", "ascending"),
        ("states=[1,4]", "from 2 on"),
        ("edges=[0,2]", "from 1 on"),
        ("alphabet=[2,9]", "at most alphabet=2"),
    ],
)
def test_what_does_not_fit_is_refused(fields: str, message: str) -> None:
    with pytest.raises((ValidationError, sb.SynthbenchError), match=message):
        languages(fields)


def test_attention_of_n_gram_heads() -> None:
    view = view_of(f"in-context-languages {SMALL}", "transformer", size=20)
    bigram, trigram = (torch.zeros(20, 40, 40) for _ in range(2))
    for b, x in enumerate(view.batch.x.tolist()):
        for weights, order in ((bigram, 1), (trigram, 2)):
            for t in range(20, 40):
                found = [j for j in range(order, t + 1)
                         if x[j - order : j] == x[t + 1 - order : t + 1]]  # fmt: skip
                for j in found:
                    weights[b, t, j] = 1 / len(found)

    def seen(*maps: Tensor) -> dict[str, float]:
        found = sb.Activations(attention=list(maps))
        return measure("ngram-attention", dataclasses.replace(view, record=lambda p, x: found))

    values = seen(torch.stack([0 * bigram, bigram], dim=1), trigram)
    assert values["layer1-bigram"] == pytest.approx(1) == values["layer2-trigram"]
    # What followed two symbols followed the second of them.
    assert values["layer1-trigram"] < 0.9 and values["layer2-bigram"] > 0.8
    with pytest.raises(ValueError, match="sequences of tokens"):
        measure("ngram-attention", view_of("sparse-parity n=8", "transformer"))


@pytest.mark.slow
def test_every_law() -> None:
    task = languages("states=[2,3] alphabet=[3,4] edges=[1,2] longest=6 length=24")
    check_task(task, constant_world=True)
    check_probe(installed().probe("ngram-attention"), task=task)
