"""Tasks over sequences against plain Python: automata, chains."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from exact import last_row, reference_scores, value, world_of
from small_network import SmallNetwork
from synthbench_field.automaton import GENERATORS, Automaton, transitions
from synthbench_field.lego import Lego

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


# Chains


def test_chains_by_following_them() -> None:
    task = Lego(chain=4, longer=6, names=8, hops=2)
    world, exact = world_of(task), task.exact_scores()
    for name, on in (("trained", ""), ("chain-6", "@chain-6")):
        batch = drawn(task, name, world, 300)
        for x, y, places in zip(*map(torch.Tensor.tolist, (batch.x, batch.y,
                                batch.latents["clause"])), strict=True):  # fmt: skip
            clauses = [tuple(x[at : at + 3]) for at in range(0, len(x), 3)]
            values: dict[int, int] = {10: 0}
            for place in places:
                variable, sign, source = clauses[place]
                values[variable] = values[source] ^ (sign - 8)
                assert y[3 * place] == values[variable]
                assert y[3 * place + 1 : 3 * place + 3] == [-100, -100]
        scores = reference_scores(task, world, batch)
        for reference, score in scores.items():
            assert score == pytest.approx(exact[f"{reference}{on}"])
        partial = task.score(task.references(world, batch)["resolves-2"], batch)
        curve = partial["by-variable"].values.mean(dim=0).tolist()
        assert curve == [1, 1] + [0.5] * (len(curve) - 2)
        assert value(partial["accuracy"]) == pytest.approx(sum(curve) / len(curve))
