"""The machines and their labels against arithmetic, matrices and quaternions; scores; laws."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

import synthbench as sb
from synthbench.contracts.samples import CALLS_APART
from synthbench.registry.registry import installed
from synthbench.streams import keys_of
from synthbench.testing import check_task
from synthbench_automata.machines import GENERATORS, machine
from synthbench_automata.structure import counted_classes, monoid
from synthbench_automata.task import Automaton
from tests.plugins.drawing import drawn

GROUPS = {"parity": 2, "cyclic-5": 5, "s3": 6, "d4": 8, "quaternion": 8, "a5": 60, "s5": 120}
OF_ORDER_TWO = {"parity": 1, "cyclic-5": 0, "s3": 3, "d4": 5, "quaternion": 1, "a5": 15, "s5": 25}
ABELIANIZED = {"parity": 2, "cyclic-5": 5, "s3": 2, "d4": 4, "quaternion": 4, "a5": 1, "s5": 2}


def multiplication(name: str) -> list[list[int]]:
    """Products of states, from the transitions alone: run the word that leads to the second."""
    table = machine(name, 9, 0.8).table
    words: dict[int, list[int]] = {0: []}
    queue = [0]
    for state in queue:
        for symbol, image in enumerate(table[state]):
            if image not in words:
                words[image] = [*words[state], symbol]
                queue.append(image)

    def run(state: int, word: list[int]) -> int:
        for symbol in word:
            state = table[state][symbol]
        return state

    return [[run(a, words[b]) for b in range(len(table))] for a in range(len(table))]


@pytest.mark.parametrize("name", GROUPS)
def test_the_states_of_a_group_are_a_group(name: str) -> None:
    product = np.array(multiplication(name))
    order, numbers = GROUPS[name], np.arange(len(product))
    assert product.shape == (order, order)
    assert (product[0] == numbers).all() and (product[:, 0] == numbers).all()
    assert (np.sort(product, axis=0) == numbers[:, None]).all()
    assert (np.sort(product, axis=1) == numbers).all()
    # (a b) c = a (b c), for all triples.
    assert (product[product] == product[:, product]).all()
    assert int((np.diag(product)[1:] == 0).sum()) == OF_ORDER_TWO[name]
    assert len(monoid(machine(name, 9, 0.8)).maps) == order


@pytest.mark.parametrize("name", GROUPS)
def test_classes_are_the_cosets_of_the_commutator_subgroup(name: str) -> None:
    product = np.array(multiplication(name))
    inverse = (product == 0).argmax(axis=1)
    subgroup = {0} | {
        int(product[product[a, b], product[inverse[a], inverse[b]]])
        for a, b in itertools.product(range(len(product)), repeat=2)
    }
    while (grown := {int(product[a, b]) for a in subgroup for b in subgroup}) != subgroup:
        subgroup = grown
    classes = counted_classes(machine(name, 9, 0.8))
    assert len(set(classes)) == ABELIANIZED[name] == len(product) // len(subgroup)
    for a, b in itertools.product(range(len(product)), repeat=2):
        assert (classes[a] == classes[b]) == (int(product[inverse[a], b]) in subgroup)


def test_flip_flop_and_the_gridworld_have_nothing_to_count() -> None:
    for name, maps in (("flip-flop", 3), ("gridworld", 213)):
        found = machine(name, 9, 0.8)
        assert set(counted_classes(found)) == {0}
        # Keep, write 0, write 1; of n cells all shifts clamped to an interval, n of them constant.
        assert len(monoid(found).maps) == maps == (3 if name == "flip-flop" else 204 + 9)


def permutation_matrices(name: str) -> Callable[[list[int]], object]:
    def final(word: list[int]) -> object:
        found = np.eye(len(GENERATORS[name][0]), dtype=int)
        for symbol in word:
            found = np.eye(len(found), dtype=int)[list(GENERATORS[name][symbol])] @ found
        return found.tobytes()

    return final


def toggle_and_drive(word: list[int]) -> object:
    toggle, place = 0, 0
    for symbol in word:
        if symbol == 0:
            toggle ^= 1
        else:
            place = (place + (-1 if toggle else 1)) % 4
    return toggle, place


def quaternions(word: list[int]) -> object:
    """Products of Pauli matrices times -i: 1, i, j, k."""
    units = [
        np.eye(2),
        np.array([[1j, 0], [0, -1j]]),
        np.array([[0, 1], [-1, 0]]),
        np.array([[0, 1j], [1j, 0]]),
    ]
    found = np.eye(2, dtype=complex)
    for symbol in word:
        found = found @ units[symbol]
    return tuple((found + 0).flatten().round().tolist())


def between_walls(word: list[int]) -> object:
    cell = 0
    for symbol in word:
        cell = min(max(cell + (1 if symbol else -1), 0), 8)
    return cell


FINAL: dict[str, Callable[[list[int]], object]] = {
    "parity": lambda word: sum(word) % 2,
    "cyclic-5": lambda word: sum(word) % 5,
    "flip-flop": lambda word: ([0] + [symbol - 1 for symbol in word if symbol])[-1],
    "s3": permutation_matrices("s3"),
    "d4": toggle_and_drive,
    "quaternion": quaternions,
    "a5": permutation_matrices("a5"),
    "s5": permutation_matrices("s5"),
    "gridworld": between_walls,
}


@pytest.mark.parametrize("name", FINAL)
def test_labels_are_what_the_word_does(name: str) -> None:
    task = Automaton(machine=name, length=5, longer=(24,))
    batch = drawn(task, "length-24", 40)
    assert batch.x.shape == batch.y.shape == (40, 24)
    assert int(batch.y.max()) < task.automaton.states
    seen: dict[object, int] = {}
    for word, labels in zip(batch.x.tolist(), batch.y.tolist(), strict=True):
        for place, label in enumerate(labels, start=1):
            assert seen.setdefault(FINAL[name](word[:place]), label) == label
    assert len(set(seen.values())) == len(seen) >= min(task.automaton.states, 30)
    if name in ("parity", "cyclic-5", "flip-flop", "gridworld"):
        assert all(state == label for state, label in seen.items())


def test_words_have_the_chances_of_the_machine() -> None:
    for name in ("flip-flop", "quaternion"):
        task = Automaton(machine=name)
        counts = torch.bincount(drawn(task, "length-40", 500).x.flatten()).tolist()
        expected = [20_000 * chance for chance in task.automaton.chances]
        assert stats.chisquare(counts, expected).pvalue > 1e-3
    assert Automaton(machine="flip-flop").automaton.chances == pytest.approx((0.8, 0.1, 0.1))


def test_scores_by_hand() -> None:
    task = Automaton(machine="parity", length=3, longer=())
    batch = sb.Batch(torch.zeros(2, 3).long(), torch.tensor([[0, 1, 1], [0, 0, 1]]))
    # Right, right, wrong; a tie, right, right.
    output = torch.tensor([[[1.0, 0], [0, 1], [1, 0]], [[0, 0], [1, 0], [0, 1]]])
    found = task.score(output, batch)
    assert list(found) == ["accuracy", "last", "word", "by-position"]
    assert found["accuracy"].values.tolist() == [1, 1, 0, 0.5, 1, 1]
    assert found["last"].values.tolist() == [0, 1]
    assert float(found["word"]) == 0.25
    assert found["by-position"].values.tolist() == [[1, 1, 0], [0.5, 1, 1]]


def test_a_trained_network_is_scored_at_every_length(tmp_path: Path) -> None:
    """Its columns are counts over the words that the streams draw for each test set."""
    task = Automaton(machine="s3", length=4, longer=(6,))
    protocol = sb.Protocol(
        seeds=2, budget=16 * 12, until="budget", evaluation_samples=64, evaluation_batch=32
    )
    settings = sb.Settings(
        sb.TrainerOptions(accelerator="cpu"), replicas_per_block=2, keep_weights="all"
    )
    model = "gru layers=1 width=8 mlp=0 lr=0.02 batch_size=16"
    result = sb.evaluate(task, model, protocol=protocol, out=tmp_path, settings=settings)
    for replica in range(2):
        network = result.network(replica)
        row = [row for row in result.trajectories if row["replica"] == replica][-1]
        for place, (name, held_out) in enumerate(task.test_sets().items()):
            hits = []
            for call in range(2):
                rng = sb.Stream(keys_of([replica])[0], sb.Purpose.EVAL, call, place * CALLS_APART)
                x = held_out.sample(torch.zeros(0), rng, 32).x
                for word, guess in zip(x.tolist(), network(x).argmax(-1).tolist(), strict=True):
                    table, state, reached = task.automaton.table, 0, []
                    for symbol in word:
                        state = table[state][symbol]
                        reached.append(state)
                    hits.append([g == s for g, s in zip(guess, reached, strict=True)])
            on = f"@{name}" if place else ""
            curve = [sum(at) / 64 for at in zip(*hits, strict=True)]
            assert row[f"accuracy{on}"] == pytest.approx(sum(curve) / len(curve), abs=1e-6)
            assert row[f"word{on}"] == pytest.approx(sum(map(all, hits)) / 64, abs=1e-6)
            assert row[f"last{on}"] == pytest.approx(curve[-1], abs=1e-6)
            assert row[f"by-position{on}"] == pytest.approx(curve, abs=1e-6)
            assert len(curve) == (4, 6)[place]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("machine=s3 ignores=0.5", "ignores is of machine=flip-flop"),
        ("machine=flip-flop cells=4", "cells is of machine=gridworld"),
        ("length=20 longer=[40,30]", "must ascend from length=20"),
        ("length=20 longer=[20]", "must ascend from length=20"),
        ("windows=[2,2]", "windows must be different"),
        ("windows=[0]", "at least 1"),
        ("machine=s4", "s5"),
    ],
)
def test_what_does_not_fit_is_refused(fields: str, message: str) -> None:
    with pytest.raises(sb.SynthbenchError, match=message):
        installed().task(f"automaton {fields}")


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param("machine=parity length=6 longer=[9] windows=[2]", marks=pytest.mark.slow),
        "machine=flip-flop length=6 longer=[8] windows=[2] ignores=0.6",
        pytest.param("machine=d4 length=6 longer=[8] windows=[]", marks=pytest.mark.slow),
        pytest.param(
            "machine=gridworld cells=4 length=6 longer=[] windows=[2]", marks=pytest.mark.slow
        ),
    ],
)
def test_every_law(fields: str) -> None:
    check_task(installed().task(f"automaton {fields}"), constant_world=True)
