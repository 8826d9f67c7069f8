"""Stopping trials early never changes which one wins; `pytest -m slow` tries six times as many."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthbench.plan.cell import Cell
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from synthbench.tuning.proposals import Proposal, Proposer
from synthbench.tuning.search import Outcome, Training, best_place, race, search
from synthbench.tuning.trial import Trial
from tests.tuning.simulated import SimulatedModel, measure, simulated_trial, whole

BUDGET = 8 * 1000
NEVER = (math.inf,) * 4


def run(
    training: Training[list[Trial]],
    models: dict[str, SimulatedModel],
    failing: Mapping[str, int] = {},
) -> list[Trial]:
    """What a search returns when the models behave as they are told; by label.

    failing: by label the budget from which on training ends in an error.
    """

    def outcome(cell: Cell) -> Outcome:
        label = cell.model.label()
        if cell.protocol.budget >= failing.get(label, cell.protocol.budget + 1):
            return MemoryError(label)
        return measure(cell, models[label])

    answer = None
    try:
        while True:
            cells = next(training) if answer is None else training.send(answer)
            answer = [outcome(cell) for cell in cells]
    except StopIteration as ended:
        return ended.value


def raced(models: Sequence[SimulatedModel], hold: int = 2) -> list[Trial]:
    trials = [simulated_trial(n, model, BUDGET, hold) for n, model in enumerate(models)]
    named = {t.cell.model.label(): model for t, model in zip(trials, models, strict=True)}
    return run(race(trials), named)


steps = st.one_of(st.just(math.inf), st.integers(1, 1200).map(float))
models = st.lists(
    st.builds(
        SimulatedModel,
        solve=st.tuples(*[steps] * 4),
        diverge=st.tuples(*[st.sampled_from([math.inf, math.inf, math.inf, 3.0, 200.0])] * 4),
        progress=st.sampled_from([0.2, 0.5, 0.5, 0.9]),
        batch_size=st.sampled_from([8, 8, 32, 250]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=50, deadline=None)
@given(models=models, hold=st.sampled_from([1, 2, 3]))
def test_the_winner_is_the_one_that_full_budgets_find(
    models: list[SimulatedModel], hold: int
) -> None:
    check_winner(models, hold)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(models=models, hold=st.sampled_from([1, 2, 3]))
def test_the_winner_is_the_one_that_full_budgets_find_in_more_searches(
    models: list[SimulatedModel], hold: int
) -> None:
    check_winner(models, hold)


def check_winner(models: list[SimulatedModel], hold: int) -> None:
    found = raced(models, hold)
    full = [whole(trial, model) for trial, model in zip(found, models, strict=True)]
    winner = best_place(found)
    assert winner == best_place(full)
    # Its median is known as well as the full budget would tell.
    assert found[winner].known.median == full[winner].known.median
    for short, long in zip(found, full, strict=True):
        assert short.known.best_case <= long.known.best_case
        assert long.known.worst_case <= short.known.worst_case


def test_a_beaten_trial_stops_where_the_best_one_is_known() -> None:
    good = SimulatedModel((40.0, 50.0, 51.0, math.inf), NEVER)
    hopeless = SimulatedModel(NEVER, NEVER)
    found = raced([hopeless, good])
    assert [trial.known.samples for trial in found] == [480, 480]
    assert found[0].known.complete is False
    assert best_place(found) == 1


def test_a_trial_that_half_solved_before_the_best_one_is_not_stopped() -> None:
    # Both medians lie below the first rung: the better one wins, though it was proposed later.
    slower = SimulatedModel((40.0, 50.0, 50.0, 50.0), NEVER)
    faster = SimulatedModel((30.0, 45.0, math.inf, math.inf), NEVER)
    assert best_place(raced([slower, faster])) == 1


def test_equal_medians_are_told_apart_by_what_the_rest_of_the_budget_brings() -> None:
    stuck = SimulatedModel((50.0, 50.0, math.inf, math.inf), NEVER)
    late = SimulatedModel((50.0, 50.0, 900.0, math.inf), NEVER)
    found = raced([stuck, late])
    assert [trial.known.samples for trial in found] == [BUDGET, BUDGET]
    assert best_place(found) == 1


def test_of_equals_the_first_one_wins() -> None:
    same = SimulatedModel((50.0, 50.0, 50.0, math.inf), NEVER)
    assert best_place(raced([same, same])) == 0


def test_where_nothing_solves_it_the_share_solved_decides_and_then_progress() -> None:
    one = SimulatedModel((100.0, math.inf, math.inf, math.inf), NEVER, progress=0.1)
    none = SimulatedModel(NEVER, NEVER, progress=0.9)
    less = SimulatedModel(NEVER, NEVER, progress=0.5)
    assert best_place(raced([less, none, one])) == 2
    assert best_place(raced([less, none])) == 1
    assert all(trial.known.samples == BUDGET for trial in raced([less, none]))


def test_a_trial_whose_replicas_diverged_is_beaten_by_any_that_may_solve_it() -> None:
    diverged = SimulatedModel(NEVER, (3.0, 3.0, 3.0, math.inf))
    late = SimulatedModel((700.0, 700.0, 700.0, 700.0), NEVER)
    found = raced([diverged, late])
    assert best_place(found) == 1
    assert found[1].known.median is not None
    # It cannot have a median any more, and did not go on while the other looked for its own.
    assert found[0].known.samples == 480


def test_the_winner_alone_spends_its_whole_budget() -> None:
    space = installed().space(MODEL, "mlp width=[1,2,3] batch_size=8")
    proposer = Proposer(space, "grid", 0)
    good = SimulatedModel((50.0, 50.0, 50.0, math.inf), NEVER)
    bad = SimulatedModel((500.0, 500.0, 500.0, math.inf), NEVER)
    named = {f"mlp width={width} batch_size=8": bad for width in (1, 3)}
    named["mlp width=2 batch_size=8"] = good

    def make(proposal) -> Cell:
        width = int(proposal.fields["width"])
        return simulated_trial(width - 1, good, BUDGET).cell

    found = run(search(proposer, make, 3), named)
    spent = {trial.proposal.fields["width"]: trial.known.samples for trial in found}
    assert spent == {"1": 480, "2": BUDGET, "3": 480}


@pytest.mark.parametrize("counts", [(4, 12), (6, 12), (11, 12)])
def test_trials_that_are_added_later_are_those_that_would_have_followed(counts) -> None:
    space = installed().space(MODEL, "mlp width=linear(1..200) batch_size=8")

    def model_of(label: str) -> SimulatedModel:
        width = int(label.partition("width=")[2].partition(" ")[0])
        time = 60.0 + abs(width - 120)
        return SimulatedModel((time, time + 3, time + 6, math.inf), NEVER)

    class Models(dict):
        def __missing__(self, label: str) -> SimulatedModel:
            return model_of(label)

    def make(proposal) -> Cell:
        return simulated_trial(int(proposal.fields["width"]) - 1, model_of("width=1"), BUDGET).cell

    tried = {
        count: [t.proposal for t in run(search(Proposer(space, "tpe", 3), make, count), Models())]
        for count in counts
    }
    few, many = counts
    assert len(tried[many]) == many and tried[many][:few] == tried[few]


def made(proposal: Proposal) -> Cell:
    model = SimulatedModel(NEVER, NEVER)
    return simulated_trial(int(proposal.fields["width"]) - 1, model, BUDGET).cell


def label(width: int) -> str:
    return f"mlp width={width} batch_size=8"


@pytest.mark.parametrize(
    ("failing", "best"),
    [
        ({}, 2),
        ({2: 1}, 3),
        # It led, and failed with its whole budget: the one that it had beaten goes on.
        ({2: BUDGET}, 3),
        ({2: BUDGET, 3: 1}, 1),
        ({1: 1, 2: 1, 3: 1}, None),
    ],
)
def test_a_trial_that_fails_is_out_and_the_best_of_the_others_wins(
    failing: dict[int, int], best: int | None
) -> None:
    proposer = Proposer(installed().space(MODEL, label("[1,2,3]")), "grid", 0)
    times = {1: 90.0, 2: 50.0, 3: 60.0}
    named = {label(n): SimulatedModel((t, t, t, math.inf), NEVER) for n, t in times.items()}
    broken = {label(width): budget for width, budget in failing.items()}
    found = run(search(proposer, made, 3), named, broken)
    assert {t.proposal.fields["width"] for t in found if t.error} == set(map(str, failing))
    assert [trial.number for trial in found] == [1, 2, 3]
    place = best_place(found)
    assert (None if place is None else found[place].proposal.fields["width"]) == (
        None if best is None else str(best)
    )
    if place is not None:
        assert found[place].known.samples == BUDGET


def test_tpe_hears_that_a_trial_failed_and_goes_on() -> None:
    space = installed().space(MODEL, label("linear(1..200)"))

    class Models(dict):
        def __missing__(self, key: str) -> SimulatedModel:
            return SimulatedModel((60.0, 60.0, 60.0, math.inf), NEVER)

    first = run(search(Proposer(space, "tpe", 3), made, 8), Models())
    broken = {first[0].cell.model.label(): 1, first[5].cell.model.label(): 1}
    found = run(search(Proposer(space, "tpe", 3), made, 8), Models(), broken)
    assert len(found) == 8 and found[0].error is not None
    assert sum(trial.error is None for trial in found) >= 6
