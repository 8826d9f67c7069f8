"""What samplers propose."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from synthbench.errors import ConfigurationError
from synthbench.plan.space import Range
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from synthbench.tuning.proposals import Proposer, read_sampler, size
from synthbench.tuning.rounding import rounded_text

SAMPLERS = ("quasi-random", "random", "tpe")


def space_of(reference: str):
    return installed().space(MODEL, reference)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_proposals_are_a_function_of_the_seed_and_more_of_them_go_on(sampler: str) -> None:
    space = space_of("mlp width=[16,32] lr=log(1e-4..1)")
    first = Proposer(space, sampler, 5).ask(12)
    again = Proposer(space, sampler, 5)
    assert [*again.ask(5), *again.ask(7)] == first
    assert len({proposal.reference for proposal in first}) == 12
    assert Proposer(space, sampler, 6).ask(12) != first


@pytest.mark.parametrize("sampler", (*SAMPLERS, "grid"))
def test_a_finite_space_is_proposed_once_and_whole(sampler: str) -> None:
    space = space_of("mlp width=[16,32,64] lr=[0.1,1] clip=[none,0.5]")
    proposer = Proposer(space, sampler, 0)
    found = proposer.ask(100)
    assert sorted(proposal.reference for proposal in found) == sorted(space.points())
    assert proposer.ask(1) == [] and size(space) == 12


def test_what_is_fixed_is_in_every_reference_and_not_among_the_fields() -> None:
    (proposal,) = Proposer(space_of("mlp depth=2 lr=log(0.01..1)"), "random", 0).ask(1)
    assert set(proposal.fields) == {"lr"}
    assert proposal.reference == f"mlp depth=2 lr={proposal.fields['lr']}"


def test_a_space_without_anything_to_search_has_one_configuration() -> None:
    assert [p.reference for p in Proposer(space_of("mlp"), "quasi-random", 0).ask(9)] == ["mlp"]


def test_quasi_random_points_are_spread_evenly_from_the_first_one_on() -> None:
    space = space_of("mlp lr=log(1e-4..1) momentum=linear(0..0.9)")
    found = Proposer(space, "quasi-random", 3).ask(16)
    places = np.array(
        [
            ((math.log10(float(p.fields["lr"])) + 4) / 4, float(p.fields["momentum"]) / 0.9)
            for p in found
        ]
    )
    # A (0, 4, 2)-net in base 2: one point in every box of a sixteenth, whatever its shape.
    for columns in (1, 2, 4, 8, 16):
        boxes = np.floor(places * [columns, 16 // columns])
        assert len({tuple(box) for box in boxes}) == 16


def test_tpe_learns_where_the_good_ones_are() -> None:
    space = space_of("mlp lr=log(1e-4..1)")

    def late_loss(told: bool) -> float:
        proposer, losses = Proposer(space, "tpe", 0), []
        for _ in range(20):
            for proposal in proposer.ask(proposer.round or 4):
                loss = abs(math.log10(float(proposal.fields["lr"])) + 1)
                losses.append(loss)
                proposer.tell(proposal, loss if told else 1.0)
        return float(np.median(losses[40:]))

    assert late_loss(told=True) < 0.5 * late_loss(told=False)


def test_whole_numbers_stay_whole() -> None:
    found = Proposer(space_of("mlp width=log(8..256)"), "quasi-random", 0).ask(20)
    widths = [int(proposal.fields["width"]) for proposal in found]
    assert all(8 <= width <= 256 for width in widths) and len(set(widths)) == 20


def test_a_grid_needs_values() -> None:
    message = r'"mlp" lr = log\(0.01..1\) has no end of values, which a grid needs; give a count'
    with pytest.raises(ConfigurationError, match=message):
        Proposer(space_of("mlp lr=log(0.01..1)"), "grid", 0)


def test_an_unknown_sampler_is_told_from_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r'"tpee"; did you mean "tpe"\?'):
        read_sampler("tpee")


@pytest.mark.parametrize(
    ("number", "values", "text"),
    [
        (0.0123456, Range(1e-4, 1e-1, "log"), "0.0123"),
        (9.99999e-5, Range(1e-4, 1e-1, "log"), "0.0001"),
        (0.08765, Range(0.0, 0.5, "linear"), "0.0877"),
        (0.123456, Range(0.123, 0.124, "linear"), "0.12346"),
        (1.00234567, Range(1.0, 1.01, "log"), "1.00235"),
        (24, Range(8, 64, "log", True), "24"),
    ],
)
def test_numbers_have_the_digits_that_their_range_needs(number, values, text) -> None:
    assert rounded_text(number, values) == text


def test_a_narrow_range_is_told_apart_everywhere() -> None:
    values = Range(0.9, 0.9001, "linear")
    texts = [rounded_text(float(x), values) for x in np.linspace(values.low, values.high, 50)]
    assert all(float(a) < float(b) for a, b in pairwise(texts))


def test_optuna_is_imported_when_something_is_proposed() -> None:
    # Every start of the command line would wait for it.

    code = (
        "import sys, synthbench.cli.main, synthbench.tuning.record; print('optuna' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
