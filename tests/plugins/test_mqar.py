"""Multi-query associative recall against dictionaries, loops and numpy's draws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy import stats

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream
from synthbench.testing import check_task
from synthbench_recall.drawing import by_weight, distinct
from synthbench_recall.slots import pair_of_slot, power_law
from tests.plugins.drawing import drawn


def mqar(fields: str) -> sb.Task:
    return installed().task(f"mqar {fields}")


def mean(score: sb.Mean) -> torch.Tensor:
    return (score.values * score.weights).sum(0) / score.weights.sum(0)


@pytest.mark.parametrize("filler", ["blank", "random"])
@pytest.mark.parametrize(("name", "pairs", "length"), [("trained", 3, 20), ("length-26", 3, 26),
                                                       ("pairs-5", 5, 32)])  # fmt: skip
def test_answers_by_a_dictionary(filler: str, name: str, pairs: int, length: int) -> None:
    task = mqar(f"pairs=3 symbols=16 length=20 filler={filler} longer=[26] more_pairs=[5]")
    batch = drawn(task, name, 200)
    assert batch.x.shape == batch.y.shape == (200, length)
    for x, y, gaps in zip(
        batch.x.tolist(), batch.y.tolist(), batch.latents["gap"].tolist(), strict=True
    ):
        context = x[: 2 * pairs]
        keys, values = context[::2], context[1::2]
        assert len(set(keys)) == len(set(values)) == pairs
        assert all(1 <= key < 8 for key in keys) and all(8 <= value < 16 for value in values)
        asked = [place for place in range(length) if y[place] != sb.IGNORED]
        # Every key is asked for once, behind the pairs, in a slot of two tokens.
        assert sorted(x[place] for place in asked) == sorted(keys)
        assert all(place >= 2 * pairs and place % 2 == 0 for place in asked)
        for place in range(length):
            if place in asked:
                pair = keys.index(x[place])
                assert y[place] == values[pair] and gaps[place] == place - 2 * pair
            elif place >= 2 * pairs and filler == "blank":
                assert x[place] == 0
    if filler == "random":
        free = batch.x[:, 2 * pairs + 1 :: 2].flatten()
        assert stats.chisquare(torch.bincount(free, minlength=16).numpy()).pvalue > 1e-3


def test_distinct_integers_are_uniform_over_ordered_choices() -> None:
    found = distinct(Stream.from_seed(0, Purpose.TRAIN), 5, 3, 12_000)
    index = {choice: i for i, choice in enumerate(itertools.permutations(range(5), 3))}
    counts = np.bincount([index[tuple(row)] for row in found.tolist()], minlength=60)
    assert stats.chisquare(counts).pvalue > 1e-3
    everything = distinct(Stream.from_seed(1, Purpose.TRAIN), 4, 4, 50)
    assert all(sorted(row) == [0, 1, 2, 3] for row in everything.tolist())


def test_slots_are_drawn_as_numpy_draws_them() -> None:
    weights = power_law(6, 0.01)
    assert weights[0] / weights[2] == pytest.approx(3**0.99) and sum(weights) == pytest.approx(1)
    ours = by_weight(Stream.from_seed(0, Purpose.TRAIN), weights, 3, 8000)
    generator = np.random.default_rng(0)
    theirs = np.stack(
        [generator.choice(6, 3, replace=False, p=np.array(weights)) for _ in range(8000)]
    )
    index = {order: i for i, order in enumerate(itertools.permutations(range(6), 3))}
    tables = [
        np.bincount([index[tuple(row)] for row in rows.tolist()], minlength=120)
        for rows in (ours, theirs)
    ]
    often = tables[0] + tables[1] >= 20
    assert stats.chi2_contingency([table[often] for table in tables]).pvalue > 1e-3


@pytest.mark.parametrize(("slots", "pairs", "power"), [(5, 3, 0.01), (6, 2, 1.0), (4, 4, 2.5)])
def test_the_pair_of_a_slot_over_all_orders(slots: int, pairs: int, power: float) -> None:
    weights, expected = power_law(slots, power), np.zeros((slots, pairs))
    for order in itertools.permutations(range(slots), pairs):
        chance, left = 1.0, 1.0
        for slot in order:
            chance, left = chance * weights[slot] / left, left - weights[slot]
        for pair, slot in enumerate(order):
            expected[slot, pair] += chance
    assert pair_of_slot(slots, pairs, power) == pytest.approx(expected, abs=1e-9)


def test_a_large_table_is_a_distribution() -> None:
    table = pair_of_slot(96, 8, 0.01)
    assert table.sum(axis=0) == pytest.approx(np.ones(8), abs=1e-9)
    assert table[:, 0] == pytest.approx(power_law(96, 0.01), abs=1e-9)
    assert table.sum(axis=1).max() < 1


def test_references_score_what_is_exact() -> None:
    task = mqar("pairs=4 symbols=20 length=24 longer=[32] more_pairs=[6]")
    exact = task.exact_scores()
    assert exact["trivial"] == 1 / 10 and exact["in-context@pairs-6"] == 1 / 6
    for name, held_out in task.test_sets().items():
        batch = drawn(task, name, 800)
        on = "" if name == "trained" else f"@{name}"
        for reference, output in held_out.references(torch.zeros(0), batch).items():
            assert (
                output.exp().sum(-1).allclose(torch.ones(()), atol=1e-4) or reference == "optimal"
            )
            found = float(mean(task.score(output, batch)["accuracy"]))
            # Ties are shared, so all but one are exact on any sample; 4 standard errors.
            error = 0.03 if reference == "by-position" else 1e-6
            assert found == pytest.approx(exact[f"{reference}{on}"], abs=error)


def test_where_slots_are_uniform_their_place_tells_nothing() -> None:
    exact = mqar("pairs=4 symbols=20 length=24 power=1").exact_scores()
    assert exact["by-position"] == pytest.approx(exact["in-context"])
    assert mqar("pairs=4 symbols=20 length=24").exact_scores()["by-position"] > 0.3


def test_published_losses_of_guessing() -> None:
    """ln 4,096 = 8.3178 for a value at random, ln D for one of the context."""
    task = mqar("")
    batch = task.sample(torch.zeros(0), Stream.from_seed(0, Purpose.EVAL), 4)
    references, loss = task.references(torch.zeros(0), batch), task.losses()["cross-entropy"]
    assert loss(references["trivial"], batch).item() == pytest.approx(8.3178, abs=1e-4)
    assert loss(references["in-context"], batch).item() == pytest.approx(np.log(4), abs=1e-4)
    assert loss(references["by-position"], batch).item() < np.log(4)


def test_accuracy_by_gap_by_counting() -> None:
    task = mqar("pairs=4 symbols=20 length=24")
    batch = drawn(task, "trained", 100)
    output = torch.randn(100, 24, 20, generator=torch.Generator().manual_seed(0))
    output = output + 3 * sb.one_hot(batch.y, 20, torch.float32)
    hits: dict[int, list[bool]] = {}
    for x, y, rows in zip(batch.x.tolist(), batch.y.tolist(), output.tolist(), strict=True):
        for place, answer in enumerate(y):
            if answer != sb.IGNORED:
                gap = place - x.index(x[place])
                hits.setdefault(gap.bit_length() - 1, []).append(
                    rows[place].index(max(rows[place])) == answer
                )
    scores = task.score(output, batch)
    curve = mean(scores["by-gap"]).tolist()
    assert len(curve) == 5 and sorted(hits) == [1, 2, 3, 4]
    for place, found in hits.items():
        assert curve[place] == pytest.approx(sum(found) / len(found))
    every = [hit for found in hits.values() for hit in found]
    assert mean(scores["accuracy"]).item() == pytest.approx(sum(every) / len(every))


def test_the_loss_of_every_token_by_hand() -> None:
    task = mqar("pairs=2 symbols=8 length=8")
    batch = task.sample(torch.zeros(0), Stream.from_seed(0, Purpose.TRAIN), 3)
    output = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(1))
    logs, missed = output.log_softmax(-1), []
    for row, (x, y) in enumerate(zip(batch.x.tolist(), batch.y.tolist(), strict=True)):
        for place in range(8):
            if y[place] != sb.IGNORED or place < 7:
                wanted = y[place] if y[place] != sb.IGNORED else x[place + 1]
                missed.append(-logs[row, place, wanted].item())
    assert task.losses()["every-token"](output, batch).item() == pytest.approx(
        sum(missed) / len(missed)
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("pairs=4 length=14", "length must be at least 4 [*] pairs = 16"),
        ("pairs=7 symbols=14 length=64", "7 pairs need symbols of at least 16"),
        ("longer=[64]", "longer must be above length=64"),
        ("longer=[67]", "longer must be even"),
        ("more_pairs=[4]", "more_pairs must be above pairs=4"),
        ("symbols=15", "multiple of 2"),
    ],
)
def test_what_does_not_fit_is_refused(fields: str, words: str) -> None:
    with pytest.raises(sb.SynthbenchError, match=words):
        mqar(fields)


@pytest.mark.usefixtures("briefly")
def test_every_law() -> None:
    check_task(mqar("pairs=2 symbols=8 length=8"), constant_world=True)
