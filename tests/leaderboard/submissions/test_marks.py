"""Marks of a submission by itself: models that nobody has, trials that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.leaderboard.submissions.marks import own_marks
from tests.leaderboard.submissions.attacks import (
    MODEL,
    SMALL,
    edit_record,
    make_tuned,
    read,
    refusal,
    set_at,
    trial,
)

FOREIGN = {"name": "foreign", "version": 1, "width": 3, "recipe": {"batch_size": 32}}
PAID = {"samples": 9600, "flops": 300_000}


def marks(folder: Path) -> list[str]:
    found = read(folder, SMALL)
    records = [cell.record for cell in found.cells]
    return [f"{mark.kind}: {mark.text}" for mark in own_marks(found.submission, records)]


def test_the_honest_have_none(small: Path) -> None:
    assert marks(small) == []
    make_tuned(small, [trial(**PAID), trial(model="mlp", samples=50, flops=7)])
    assert marks(small) == []


def test_a_model_that_no_plugin_provides_is_marked(small: Path) -> None:
    edit_record(small, lambda r: r.update(model="foreign", plan=r["plan"] | {"model": FOREIGN}))
    (found,) = marks(small)
    assert found.startswith('model: no plugin installed here provides "foreign"')


def test_an_optimizer_that_no_plugin_provides_is_marked(small: Path) -> None:
    optimizer = {"name": "sorcery", "version": 1}
    edit_record(small, set_at("plan", "model", "recipe", "optimizer", optimizer))
    edit_record(small, set_at("model", "mlp width=16 optimizer=sorcery"))
    (found,) = marks(small)
    assert 'provides "sorcery"' in found


@pytest.mark.parametrize("free", [{"samples": 0}, {"flops": 0}, {"samples": 0, "flops": 0}])
def test_trials_without_costs(free: dict, small: Path) -> None:
    make_tuned(small, [trial(**PAID), trial(model="mlp", **free)])
    assert marks(small) == ["trials: cell 1: 1 of its trials have cost nothing"]
    make_tuned(small, [trial(**{**PAID, **free}), trial(model="mlp")])
    assert f"the trial of the submitted model '{MODEL}' has cost" in refusal(small, SMALL)


def test_a_trial_that_was_cheaper_than_its_record(small: Path) -> None:
    make_tuned(small, [trial(samples=9600, flops=30_000)])
    (found,) = marks(small)
    assert (
        "a sample of the submitted model cost 3.12 FLOPs in its trial, 31.2 in its record" in found
    )


@pytest.mark.parametrize(
    ("own", "other", "said"),
    [
        ((3, 4000.0), (3, 1000.0), "'mlp' took 1k samples, the submitted 'mlp width=16' took 4k"),
        ((1, None), (2, 1000.0), "the submitted 'mlp width=16' did not solve it"),
        ((3, 1000.0), (3, 4000.0), None),
        ((3, 1040.0), (3, 1000.0), None),
        ((3, 4000.0), (0, None), None),
        ((None, None), (3, 1000.0), None),
    ],
)
def test_trials_that_say_another_was_better(own, other, said, small: Path) -> None:
    def outcome(solved: int | None, median: float | None) -> dict:
        known = {} if solved is None else {"solved": solved}
        return known if median is None else {**known, "samples_to_target": median}

    make_tuned(small, [trial(**PAID, **outcome(*own)), trial(model="mlp", **outcome(*other))])
    found = marks(small)
    assert len(found) == (said is not None)
    assert said is None or said in found[0], found
    # On other seeds nothing can be compared.
    other_seeds = trial(model="mlp", first_seed=200, **outcome(*other))
    make_tuned(small, [trial(**PAID, **outcome(*own)), other_seeds])
    assert marks(small) == []
