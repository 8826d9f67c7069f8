"""Numbers of samples as people write them."""

from __future__ import annotations

import pytest

from synthbench.errors import ConfigurationError
from synthbench.plan.counts import parse_count


@pytest.mark.parametrize(
    ("text", "count"),
    [("20000", 20_000), ("640k", 640_000), ("1.5M", 1_500_000), ("1_000", 1000), ("2G", 2 * 10**9)],
)
def test_counts(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["", "k", "few", "0", "-1k", "0.5", "1.0005k", "inf", "1e30"])
def test_what_is_no_number_of_samples(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a number of samples such as 20000, 640k"):
        parse_count(text)
