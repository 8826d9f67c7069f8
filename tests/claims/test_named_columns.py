"""The columns that a quantity names, and of what they are."""

from __future__ import annotations

import pytest

from synthbench.claims.calls import Level
from synthbench.claims.named_columns import named_columns
from synthbench.errors import ConfigurationError

OF_REPLICAS, OF_EVALUATIONS = Level.REPLICA, Level.EVALUATION


@pytest.mark.parametrize(
    ("quantity", "replicas", "evaluations"),
    [
        ("2 + log(3)", [], []),
        ("share(true)", [], []),
        ("median(time, where=n == 4 and kind == 'n') / mean(time)", ["time", "n", "kind"], []),
        ("exponent(median(time), by=model.width)", ["time", "model.width"], []),
        ("superiority(x, where=a == none, than=b < inf)", ["x", "a", "b"], []),
        ("median(when(`p/l2` > 1))", [], ["p/l2"]),
        ("median(at(onset, loss) - last(`a b`))", ["onset"], ["loss", "a b"]),
        ("median(at(when(loss < 1), n))", [], ["loss", "n"]),
        ("before(when(max(a, log(b)) > first(c)), d)", ["d"], ["a", "b", "c"]),
        ("median(max(x, last(y)))", ["x"], ["y"]),
        ("quantile(0.5, peak(x))", [], ["x"]),
    ],
)
def test_columns_are_of_replicas_or_of_their_evaluations(
    quantity: str, replicas: list[str], evaluations: list[str]
) -> None:
    found = named_columns(quantity)
    assert [name for name, level in found if level is OF_REPLICAS] == replicas
    assert [name for name, level in found if level is OF_EVALUATIONS] == evaluations


def test_what_is_no_quantity_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot read the quantity"):
        named_columns("median(")
