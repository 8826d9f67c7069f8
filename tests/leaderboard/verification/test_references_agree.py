"""References that are curves, with undefined places, held against those of a rerun."""

from __future__ import annotations

import pytest

from synthbench.leaderboard.verification.agreement import _references_agree


@pytest.mark.parametrize(
    ("found", "agree"),
    [([0.1, None], True), ([0.1 + 1e-8, None], True), ([0.2, None], False), ([0.1, 0.3], False),
     ([0.1], False)],
)  # fmt: skip
def test_curves_of_references_agree_place_by_place(found: list[float | None], agree: bool) -> None:
    claimed = {"trivial": {"accuracy": 0.5, "excess": [0.1, None]}}
    again = {"trivial": {"accuracy": 0.5, "excess": found}}
    assert _references_agree(claimed, again) == agree
