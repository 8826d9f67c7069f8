"""What may vary from cell to cell in the tuned track, and what may not."""

from __future__ import annotations

import pytest

from synthbench.leaderboard.submissions.architecture import architecture_of
from synthbench.registry.registry import installed


@pytest.mark.parametrize(
    ("reference", "architecture"),
    [
        ("mlp width=50 optimizer=muon", "mlp"),
        ("transformer layers=3 lr=0.01", "transformer"),
        ("transformer mixer=gla mixer.rank=4", "transformer mixer=gla"),
        ("transformer mixer=gla width=32 lr=0.01", "transformer mixer=gla"),
        ("transformer mixer=gru", "transformer mixer=gru"),
    ],
)
def test_classes_are_the_architecture_and_numbers_are_not(reference, architecture) -> None:
    assert architecture_of(installed().model(reference).describe()) == architecture
