"""Tasks over sequences against plain Python: automata, brackets, recall, chains."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from exact import last_row, reference_scores, world_of
from small_network import SmallNetwork
from synthbench_field.automaton import GENERATORS, Automaton, transitions
from synthbench_field.dyck import Dyck
from synthbench_field.mqar import Mqar

import synthbench as sb
from synthbench.contracts.samples import CALLS_APART
from synthbench.streams import keys_of


def drawn(task: sb.Task, name: str, world: object, size: int) -> sb.Batch:
    rng = sb.Stream.from_seed(3, sb.Purpose.EVAL)
    return task.test_sets()[name].sample(world, rng, size)


# Automata


@pytest.mark.parametrize(
    ("group", "order"), [("parity", 2), ("cyclic-5", 5), ("s3", 6), ("a5", 60), ("s5", 120)]
)
def test_the_groups(group: str, order: int) -> None:
    table = transitions(GENERATORS[group])
    assert len(table) == order
    # A group: every generator moves the elements about, none is reached twice.
    for column in zip(*table, strict=True):
        assert sorted(column) == list(range(order))


@pytest.mark.parametrize("group", ["parity", "s3"])
def test_labels_are_products_of_permutations(group: str) -> None:
    task = Automaton(group=group)
    world, generators = world_of(task), GENERATORS[group]
    batch = drawn(task, "length-40", world, 20)
    seen: dict[tuple[int, ...], int] = {}
    for word, labels in zip(batch.x.tolist(), batch.y.tolist(), strict=True):
        element = tuple(range(len(generators[0])))
        for symbol, label in zip(word, labels, strict=True):
            element = tuple(generators[symbol][point] for point in element)
            assert seen.setdefault(element, label) == label
    assert len(set(seen.values())) == len(seen)


def test_exact_scores_of_an_automaton_at_every_length() -> None:
    task = Automaton(group="s3", length=20, longer=(40, 80), back=4)
    exact, world = task.exact_scores(), world_of(task)
    assert exact["looks-back@length-80"] == pytest.approx((4 + 76 / 6) / 80)
    for name in task.test_sets():
        on = "" if name == "length-20" else f"@{name}"
        for reference, score in reference_scores(task, world, drawn(task, name, world, 8)).items():
            assert score == pytest.approx(exact[f"{reference}{on}"], abs=1e-6)


def test_a_parity_trained_at_20_is_scored_at_20_40_and_80(
    tmp_path: Path, settings: sb.Settings
) -> None:
    task = Automaton(group="parity", length=20, longer=(40, 80))
    protocol = sb.Protocol(
        seeds=2, budget=16 * 30, until="budget", evaluation_samples=64, evaluation_batch=32
    )
    model = sb.as_model(SmallNetwork, sb.Recipe(optimizer="adam", lr=0.02, batch_size=16))
    result = sb.evaluate(task, model, protocol=protocol, out=tmp_path, settings=settings)
    for replica in range(2):
        network, world, row = result.network(replica), world_of(task, replica), last_row(
            result, replica
        )  # fmt: skip
        for place, (name, held_out) in enumerate(task.test_sets().items()):
            hits: list[list[bool]] = []
            for call in range(2):
                rng = sb.Stream(keys_of([replica])[0], sb.Purpose.EVAL, call, place * CALLS_APART)
                x = held_out.sample(world, rng, 32).x
                for word, guess in zip(x, network(x).argmax(-1).tolist(), strict=True):
                    ones = [sum(word.tolist()[: t + 1]) % 2 for t in range(len(word))]
                    hits.append([g == state for g, state in zip(guess, ones, strict=True)])
            on = f"@{name}" if place else ""
            every = [hit for row_hits in hits for hit in row_hits]
            assert row[f"accuracy{on}"] == sum(every) / len(every)
            curve = [sum(at) / len(at) for at in zip(*hits, strict=True)]
            assert row[f"by-position{on}"] == pytest.approx(curve, abs=1e-7)
            assert len(curve) == (20, 40, 80)[place]


# Brackets


def matched(task: Dyck, world: torch.Tensor, symbols: list[int]) -> list[tuple[int, int | None]]:
    """Depth and the right closing bracket before each symbol; asserts that all is well nested."""
    stack: list[int] = []
    before = []
    for symbol in symbols:
        closing = world.tolist().index(stack[-1]) + task.k if stack else None
        before.append((len(stack), closing))
        if symbol < task.k:
            stack.append(symbol)
            assert len(stack) <= task.m
        elif symbol < 2 * task.k:
            assert symbol == closing
            stack.pop()
        else:
            assert not stack
    return before


def test_brackets_are_well_nested_and_as_likely_as_the_definition_says() -> None:
    task = Dyck(k=3, m=2, longer=(64,))
    world = world_of(task)
    batch = drawn(task, "length-64", world, 300)
    counts: dict[tuple[bool, str], int] = {}
    for labels in batch.y.tolist():
        for (depth, _), symbol in zip(matched(task, world, labels), labels, strict=True):
            kind = "open" if symbol < 3 else "close" if symbol < 6 else "end"
            counts[(depth == 0, kind)] = counts.get((depth == 0, kind), 0) + 1
            assert depth < 2 or kind == "close"
    empty = {kind: n for (is_empty, kind), n in counts.items() if is_empty}
    assert set(empty) == {"open", "end"}
    assert empty["open"] / sum(empty.values()) == pytest.approx(0.5, abs=0.03)
    assert (batch.x[:, 1:] == batch.y[:, :-1]).all() and (batch.x[:, 0] == 6).all()


@pytest.mark.parametrize(("k", "m"), [(1, 1), (2, 3), (8, 3)])
def test_the_bayes_and_the_depth_only_reference(k: int, m: int) -> None:
    """Against probabilities from a stack in plain Python, and the stationary chain of depths."""
    task = Dyck(k=k, m=m, length=16, longer=(2000,))
    world, exact = world_of(task), task.exact_scores()
    batch = drawn(task, "length-16", world, 2000)
    total = {"optimal": 0.0, "depth-only": 0.0}
    for labels in batch.y.tolist():
        for (depth, _), symbol in zip(matched(task, world, labels), labels, strict=True):
            rises = 0.5 / k
            falls = 1.0 if depth == m else 0.5
            total["optimal"] -= math.log(rises if symbol < k else falls)
            known = k if k <= symbol < 2 * k else 1
            total["depth-only"] -= math.log(rises if symbol < k else falls / known)
    scores = reference_scores(task, world, batch)
    for name, found in total.items():
        assert scores[name] == pytest.approx(found / batch.y.numel(), rel=1e-5)
        assert exact[name] == pytest.approx(found / batch.y.numel(), abs=0.03)
    # In the long run the stack is full at one symbol in 2 m + 1.
    bayes = 2 * m / (2 * m + 1) * (math.log(2) + math.log(k) / 2)
    assert exact["optimal@length-2000"] == pytest.approx(bayes, abs=2e-3)


def test_closing_accuracy_of_a_trained_network_is_a_count(
    tmp_path: Path, settings: sb.Settings
) -> None:
    task = Dyck(k=2, m=3, length=12, longer=(20,))
    protocol = sb.Protocol(
        seeds=1, budget=16 * 20, until="budget", evaluation_samples=64, evaluation_batch=32
    )
    model = sb.as_model(SmallNetwork, sb.Recipe(optimizer="adam", lr=0.02, batch_size=16))
    result = sb.evaluate(task, model, protocol=protocol, out=tmp_path, settings=settings)
    network, world, right, closing = result.network(0), world_of(task), 0, 0
    for call in range(2):
        batch = task.sample(world, sb.Stream.from_seed(0, sb.Purpose.EVAL, call), 32)
        for output, labels in zip(network(batch.x).tolist(), batch.y.tolist(), strict=True):
            for logits, label in zip(output, labels, strict=True):
                if 2 <= label < 4:
                    closing += 1
                    right += (3 if logits[3] > logits[2] else 2) == label
    assert last_row(result, 0)["closing-accuracy"] == right / closing
    assert 0 < right < closing


# Recall


def test_recall_by_a_dictionary() -> None:
    task = Mqar(pairs=3, symbols=5)
    world = world_of(task)
    batch = task.sample(world, sb.Stream.from_seed(0, sb.Purpose.TRAIN), 500)
    for x, y in zip(batch.x.tolist(), batch.y.tolist(), strict=True):
        answers = {x[2 * pair]: x[2 * pair + 1] - 5 for pair in range(3)}
        assert len(answers) == len(set(answers.values())) == 3
        assert y == [-100] * 6 + [answers[query] for query in x[6:]]
    for name, score in reference_scores(task, world, batch).items():
        assert score == pytest.approx(task.exact_scores()[name])
