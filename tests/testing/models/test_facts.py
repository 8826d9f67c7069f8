"""What is reported of a model and not judged."""

from __future__ import annotations

from synthbench.testing import check_model
from tests.engine.authored import Branching, Normalized


def test_a_model_that_is_looped_or_normalizes_its_batch_says_so() -> None:
    assert check_model(Branching()).facts["replicas"].startswith("looped, slower: ")
    mixes = check_model(Normalized()).facts["in training mode"]
    assert mixes == "the examples of a batch influence one another"
