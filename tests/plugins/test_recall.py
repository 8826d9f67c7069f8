"""Noisy and fuzzy recall and selective copying against dictionaries and enumeration."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
import torch

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream
from synthbench.testing import check_task
from synthbench_recall.occupancy import (
    inverse_distinct,
    most_frequent_share,
    queries_by_keys_seen,
)

NOTHING = torch.zeros(0)


def drawn(reference: str, name: str, size: int) -> tuple[sb.Task, sb.Batch]:
    task = installed().task(reference)
    rng = Stream.from_seed(3, Purpose.EVAL)
    return task, task.test_sets()[name].sample(NOTHING, rng, size)


def accuracies(task: sb.Task, batch: sb.Batch) -> dict[str, float]:
    scored = {n: task.score(o, batch) for n, o in task.references(NOTHING, batch).items()}
    return {
        name: float(
            (s["accuracy"].values * s["accuracy"].weights).sum() / s["accuracy"].weights.sum()
        )
        for name, s in scored.items()
    }


# Noisy recall


def test_noisy_recall_by_a_dictionary() -> None:
    task, batch = drawn(
        "noisy-recall symbols=8 noise_symbols=3 noise=0.3 length=40 longer=[60]", "length-60", 300
    )
    noisy = queries = 0
    right: Counter[str] = Counter()
    for x, y, gaps in zip(
        batch.x.tolist(), batch.y.tolist(), batch.latents["gap"].tolist(), strict=True
    ):
        values: dict[int, int] = {}
        seen_at: dict[int, int] = {}
        latest = None
        for place in range(0, 60, 2):
            key, value = x[place : place + 2]
            assert y[place + 1] == sb.IGNORED and gaps[place + 1] == 0
            if key >= 8:
                assert value >= 8 and y[place] == sb.IGNORED
                noisy += 1
                continue
            assert key < 4 <= value < 8
            if key in values:
                assert y[place] == values[key] == value and gaps[place] == place - seen_at[key]
                queries += 1
                right["in-context"] += 1 / len(set(values.values()))
                right["latest"] += latest == value
            else:
                assert y[place] == sb.IGNORED and gaps[place] == 0
            values[key], seen_at[key], latest = value, place, value
    # Four standard errors of the 9,000 places.
    assert noisy / 9000 == pytest.approx(0.3, abs=0.02)
    found, exact = accuracies(task, batch), task.exact_scores()
    assert found["trivial"] == pytest.approx(1 / 4) and found["optimal"] == 1
    for name in ("in-context", "latest"):
        assert found[name] == pytest.approx(right[name] / queries, abs=1e-6)
        assert found[name] == pytest.approx(exact[f"{name}@length-60"], abs=0.03)


@pytest.mark.parametrize("noise", [0.0, 0.25])
def test_exact_scores_of_noisy_recall_over_all_streams(noise: float) -> None:
    """Every stream of 4 places with 2 keys, and all values the keys may have."""
    task = installed().task(f"noisy-recall symbols=4 length=8 noise={noise}")
    totals: Counter[str] = Counter()
    for stream in itertools.product((None, 0, 1), repeat=4):
        chance = np.prod([noise if key is None else (1 - noise) / 2 for key in stream])
        for values in itertools.product((0, 1), repeat=2):
            seen: list[int] = []
            for key in stream:
                if key is None:
                    continue
                if key in seen:
                    totals["asked"] += chance / 4
                    among = {values[k] for k in seen}
                    totals["in-context"] += chance / 4 / len(among)
                    totals["latest"] += chance / 4 * (values[seen[-1]] == values[key])
                seen.append(key)
    exact = task.exact_scores()
    for name in ("in-context", "latest"):
        assert exact[name] == pytest.approx(totals[name] / totals["asked"])


def test_occupancy_over_all_draws() -> None:
    draws = list(itertools.product(range(3), repeat=4))
    expected = [np.mean([1 / len(set(draw[:d])) for draw in draws]) for d in range(1, 5)]
    assert inverse_distinct(4, 3)[1:] == pytest.approx(expected)
    queries = np.zeros(4)
    for draw in draws:
        for place in range(4):
            if draw[place] in draw[:place]:
                queries[len(set(draw[:place]))] += 1 / len(draws)
    assert queries_by_keys_seen(4, 3, 0.0) == pytest.approx(queries)


# Fuzzy recall


def pairs_of(tokens: list[int], half: int) -> list[tuple[int, tuple[int, ...], tuple[int, ...]]]:
    """Start, key and value of every pair; the last may be cut off."""
    runs = [
        (next(iter(run := list(group)))[0], kind, tuple(token for _, token in run))
        for kind, group in itertools.groupby(enumerate(tokens), lambda item: item[1] >= half)
    ]
    values = [run for _, kind, run in runs if kind] + [()]
    keys = [(start, run) for start, kind, run in runs if not kind]
    return [(start, key, value) for (start, key), value in zip(keys, values, strict=False)]


def test_fuzzy_recall_by_a_dictionary() -> None:
    task, batch = drawn("fuzzy-recall symbols=8 length=40 longer=[50]", "length-50", 300)
    sizes: Counter[int] = Counter()
    hits = 0
    for x, y, gaps, key_sizes in zip(batch.x.tolist(), batch.y.tolist(),
            batch.latents["gap"].tolist(), batch.latents["key_size"].tolist(),
            strict=True):  # fmt: skip
        known: dict[tuple[int, ...], tuple[tuple[int, ...], int]] = {}
        wanted = [sb.IGNORED] * 50
        found = pairs_of(x, 4)
        for start, key, value in found[:-1]:
            sizes[len(key)] += 1
            assert len(set(key)) == len(key) <= 3 and len(set(value)) == len(value) <= 3
            if key in known:
                assert value == known[key][0]
                for offset, token in enumerate(value):
                    place = start + len(key) - 1 + offset
                    wanted[place] = token
                    assert gaps[place] == start - known[key][1] and key_sizes[place] == len(key)
            known[key] = value, start
        # The last pair may be cut off, so only what comes before it is compared.
        end = found[-1][0]
        assert y[: end - 1] == wanted[: end - 1]
        hits += sum(answer != sb.IGNORED for answer in wanted)
    assert hits > 500
    counts = np.array([sizes[size] for size in (1, 2, 3)])
    assert counts.min() > 0.9 * counts.max()
    found = accuracies(task, batch)
    assert found["trivial"] == pytest.approx(1 / 4) and found["optimal"] == 1
    assert 1 / 4 < found["in-context"] < found["induction"] < 1


def test_the_induction_reference_by_a_loop() -> None:
    task, batch = drawn("fuzzy-recall symbols=8 length=40", "length-40", 50)
    guesses = task.references(NOTHING, batch)["induction"].softmax(-1).tolist()
    for x, rows in zip(batch.x.tolist(), guesses, strict=True):
        for place in range(40):
            before = [s for s in range(place) if x[s] == x[place] and x[s + 1] >= 4]
            expected = [0.0] * 4 + [0.25] * 4
            if before:
                expected = [float(token == x[before[-1] + 1]) for token in range(8)]
            assert rows[place] == pytest.approx(expected, abs=1e-5)


def test_fuzzy_recall_by_key_size() -> None:
    task, batch = drawn("fuzzy-recall symbols=8 length=40 key=2", "length-40", 100)
    output = task.references(NOTHING, batch)["induction"]
    curve = task.score(output, batch)["by-key-size"]
    asked = batch.y != sb.IGNORED
    for size in (1, 2):
        inside = (batch.latents["key_size"] == size) & asked
        assert curve.weights[:, size - 1].sum() == inside.sum() > 50
        hit = sb.accuracy(output, torch.where(inside, batch.y, sb.IGNORED))
        assert (curve.values * curve.weights).sum(0)[size - 1] == (hit.values * hit.weights).sum()


# Selective copying


def test_selective_copying_by_a_filter() -> None:
    task, batch = drawn(
        "selective-copying tokens=4 symbols=7 length=20 longer=[30]", "length-30", 400
    )
    for x, y, gaps in zip(
        batch.x.tolist(), batch.y.tolist(), batch.latents["gap"].tolist(), strict=True
    ):
        assert x[25] == 6 and x.count(6) == 1 and x[26:] == [5] * 4
        places = [place for place in range(25) if x[place] != 5]
        assert y == [sb.IGNORED] * 26 + [x[place] for place in places] and len(places) == 4
        assert gaps == [0] * 26 + [26 + i - place for i, place in enumerate(places)]
    found, exact = accuracies(task, batch), task.exact_scores()
    assert found["trivial"] == pytest.approx(exact["trivial"]) and found["optimal"] == 1
    # The share of the most frequent symbol is exact on every sequence; 5 standard errors.
    assert found["most-frequent"] == pytest.approx(exact["most-frequent@length-30"], abs=0.03)


@pytest.mark.parametrize(("tokens", "symbols"), [(1, 3), (4, 2), (3, 3), (5, 4)])
def test_the_most_frequent_symbol_over_all_words(tokens: int, symbols: int) -> None:
    words = itertools.product(range(symbols), repeat=tokens)
    shares = [max(Counter(word).values()) / tokens for word in words]
    assert most_frequent_share(tokens, symbols) == pytest.approx(np.mean(shares))


# All of them


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("noisy-recall length=7", "multiple of 2"),
        ("noisy-recall length=8 longer=[11]", "longer must be even"),
        ("fuzzy-recall symbols=4", "at most symbols/2 = 2 different tokens, got key=3 value=3"),
        ("selective-copying tokens=4 length=8", "length must be at least 2 [*] tokens [+] 1 = 9"),
        ("selective-copying longer=[200]", "longer must be above length=256"),
    ],
)
def test_what_does_not_fit_is_refused(reference: str, words: str) -> None:
    with pytest.raises(sb.SynthbenchError, match=words):
        installed().task(reference)


@pytest.mark.usefixtures("briefly")
@pytest.mark.slow
@pytest.mark.parametrize(
    "reference",
    [
        "noisy-recall symbols=8 noise_symbols=4 length=12 longer=[14]",
        "fuzzy-recall symbols=8 length=14",
        "selective-copying tokens=4 symbols=8 length=12",
    ],
)
def test_every_law(reference: str) -> None:
    check_task(installed().task(reference), constant_world=True)
