"""Whether the best configuration lies at the edge of what was searched."""

from __future__ import annotations

import pytest

from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from synthbench.tuning.edges import edges


def found(reference: str, field: str, best: str, tried: list[str]) -> str | None:
    space = installed().space(MODEL, reference)
    return edges(space, {field: best}, [{field: each} for each in tried]).get(field)


@pytest.mark.parametrize(
    ("best", "side"),
    [("0.0015", "lower"), ("0.1", None), ("0.7", "upper"), ("0.003", None), ("0.4", None)],
)
def test_the_outer_tenth_of_a_range_is_its_edge_on_its_own_scale(best: str, side) -> None:
    assert found("mlp lr=log(1e-3..1)", "lr", best, ["0.0011", best, "0.95"]) == side


def test_what_has_nothing_beyond_it_lies_at_the_edge() -> None:
    assert found("mlp lr=log(1e-3..1)", "lr", "0.1", ["0.01", "0.05", "0.1"]) == "upper"
    assert found("mlp lr=log(1e-3..1)", "lr", "0.1", ["0.1", "0.2", "0.3"]) == "lower"
    assert found("mlp momentum=linear(0..0.9)", "momentum", "0.5", ["0.1", "0.5", "0.6"]) is None


@pytest.mark.parametrize(
    ("values", "best", "side"),
    [
        ("[16,32,64]", "64", "upper"),
        ("[64,16,32]", "16", "lower"),
        ("[16,32,64]", "32", None),
        # One end or the other is always the better one of two.
        ("[16,32]", "32", None),
    ],
)
def test_a_list_of_numbers_ends_at_its_smallest_and_its_largest(values, best, side) -> None:
    assert found(f"mlp width={values}", "width", best, ["16", "32"]) == side


def test_words_have_no_edge() -> None:
    reference = "mlp schedule=[constant,linear,cosine] clip=[none,0.5,1]"
    space = installed().space(MODEL, reference)
    best = {"schedule": "constant", "clip": "1"}
    assert edges(space, best, [best]) == {}
