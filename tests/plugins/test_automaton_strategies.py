"""What the strategies of `automaton` predict, against all words of a length in plain Python."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Hashable

import pytest
import torch

import synthbench as sb
from synthbench_automata.laws import accuracies
from synthbench_automata.task import Automaton

LENGTHS = (3, 5)
WINDOWS = (1, 2, 4)
MACHINES = {
    "parity": {},
    "cyclic-5": {},
    "flip-flop": {"ignores": 0.7},
    "s3": {},
    "d4": {},
    "quaternion": {},
    "a5": {},
    "s5": {},
    "gridworld": {"cells": 4},
}
Word = tuple[int, ...]
COUNTED: dict[str, Callable[[Word], Hashable]] = {
    # The sign: swaps are symbol 2, and a cycle of 5 or 3 points is even.
    "s3": lambda word: word.count(2) % 2,
    "s5": lambda word: word.count(2) % 2,
    "d4": lambda word: (word.count(0) % 2, word.count(1) % 2),
    # i j = k, so that k counts as both.
    "quaternion": lambda word: (
        (word.count(1) + word.count(3)) % 2,
        (word.count(2) + word.count(3)) % 2,
    ),
}
"""What counting the symbols of a word says about its state, however long the word is."""


class EveryWord:
    """All words of the longest length, how likely each is and which states it passes."""

    def __init__(self, task: Automaton, length: int) -> None:
        found, self.task, self.length = task.automaton, task, length
        self.words = list(itertools.product(range(found.symbols), repeat=length))
        self.chances = [math.prod(found.chances[symbol] for symbol in word) for word in self.words]
        self.passed = []
        for word in self.words:
            state, states = 0, []
            for symbol in word:
                state = found.table[state][symbol]
                states.append(state)
            self.passed.append(states)

    def posterior(self, seen: Callable[[Word], Hashable], t: int) -> dict[Hashable, list[float]]:
        """Joint probabilities of what is seen of the first t symbols and the state after them."""
        joint: dict[Hashable, list[float]] = defaultdict(lambda: [0.0] * self.task.automaton.states)
        for word, chance, states in zip(self.words, self.chances, self.passed, strict=True):
            joint[seen(word[:t])][states[t - 1]] += chance
        return joint

    def accuracy(self, seen: Callable[[Word], Hashable]) -> float:
        """Share of positions at which the likeliest state, given what is seen, is right."""
        places = range(1, self.length + 1)
        best = [sum(map(max, self.posterior(seen, t).values())) for t in places]
        return sum(best) / self.length


def sights(name: str) -> dict[str, Callable[[Word], Hashable]]:
    """What each reference sees of a prefix."""
    seen: dict[str, Callable[[Word], Hashable]] = {"trivial": lambda word: None}
    for window in WINDOWS:
        seen[f"look-back-{window}"] = lambda word, window=window: word[-window:]
    if name in COUNTED:
        seen["abelianization"] = COUNTED[name]
    seen["optimal"] = lambda word: word
    return seen


@pytest.mark.parametrize("name", MACHINES)
def test_exact_scores_and_references_against_every_word(name: str) -> None:
    task = Automaton(
        machine=name, length=LENGTHS[0], longer=LENGTHS[1:], windows=WINDOWS, **MACHINES[name]
    )
    exact, seen = task.exact_scores(), sights(name)
    assert len(exact) == len(LENGTHS) * len(seen)
    for length in LENGTHS:
        every = EveryWord(task, length)
        on = "" if length == task.length else f"@length-{length}"
        batch = sb.Batch(torch.tensor(every.words), torch.tensor(every.passed))
        outputs = task.references(torch.zeros(0), batch)
        assert list(outputs) == list(seen)
        for reference, output in outputs.items():
            wanted = every.accuracy(seen[reference])
            assert exact[f"{reference}{on}"] == pytest.approx(wanted, abs=1e-9)
            hits = task.score(output, batch)["by-position"].values.double()
            scored = torch.tensor(every.chances, dtype=torch.float64) @ hits
            assert float(scored.mean()) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("name", ["flip-flop", "d4", "gridworld"])
def test_references_are_posteriors_over_every_word(name: str) -> None:
    task = Automaton(machine=name, length=5, longer=(), windows=WINDOWS, **MACHINES[name])
    every = EveryWord(task, 5)
    batch = sb.Batch(torch.tensor(every.words), torch.tensor(every.passed))
    outputs = task.references(torch.zeros(0), batch)
    for reference, seen in sights(name).items():
        predicted = outputs[reference].exp()
        for t in range(1, 6):
            joint = every.posterior(seen, t)
            for word, row in zip(every.words, predicted[:, t - 1].tolist(), strict=True):
                law = joint[seen(word[:t])]
                assert row == pytest.approx([part / sum(law) for part in law], abs=1e-6)


def test_the_last_writing_within_a_window() -> None:
    """A flip-flop with a share p of ignores: 1 - p^w / 2 in the long run (see docs/tasks)."""
    task = Automaton(machine="flip-flop", ignores=0.8)
    curves = accuracies(task.automaton, 400, (1, 2, 5, 20))
    published = {1: 0.60, 2: 0.68, 5: 0.836, 20: 0.994}
    for window, value in published.items():
        curve = curves[f"look-back-{window}"]
        assert curve[-1] == pytest.approx(1 - 0.8**window / 2, abs=1e-12)
        assert curve[-1] == pytest.approx(value, abs=5e-4)
        # The machine starts in state 0, which early words still show.
        for t in (window, window + 3, 60):
            assert curve[t - 1] == pytest.approx(1 - (0.8**window - 0.8**t) / 2, abs=1e-12)


def test_a_window_does_not_help_on_a_group() -> None:
    """After the window: as good as the position alone was before it."""
    for name in ("parity", "s3", "quaternion", "a5"):
        curves = accuracies(Automaton(machine=name).automaton, 30, (1, 4))
        for window in (1, 4):
            behind = [1.0, *curves["trivial"]]
            expected = [1.0] * window + behind[1 : 31 - window]
            assert curves[f"look-back-{window}"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("name", "order"), [("parity", 2), ("s3", 6), ("a5", 60), ("s5", 120)])
def test_in_the_long_run_the_position_says_nothing(name: str, order: int) -> None:
    curves = accuracies(Automaton(machine=name).automaton, 400, ())
    assert curves["trivial"][-1] == pytest.approx(1 / order, rel=1e-3)


def test_a_walk_of_even_steps_is_on_even_cells() -> None:
    """d4 has no symbol that does nothing: half of its states are out of reach at any time."""
    curves = accuracies(Automaton(machine="d4").automaton, 60, ())
    assert curves["trivial"][-1] == pytest.approx(1 / 4, abs=1e-6)
    assert curves["counted"][-1] == pytest.approx(1 / 2, abs=1e-6)


def test_exact_scores_of_a_walk_agree_with_large_samples() -> None:
    task = Automaton(machine="gridworld", length=30, longer=(60,))
    exact = task.exact_scores()
    for name, held_out in task.test_sets().items():
        batch = held_out.sample(torch.zeros(0), sb.Stream.from_seed(1, sb.Purpose.EVAL), 2000)
        on = "" if name == "length-30" else f"@{name}"
        for reference, output in task.references(torch.zeros(0), batch).items():
            hits = task.score(output, batch)["by-position"].values.mean(dim=1)
            error = float(hits.std()) / math.sqrt(2000)
            wanted = pytest.approx(exact[f"{reference}{on}"], abs=4 * error + 1e-6)
            assert float(hits.mean()) == wanted
