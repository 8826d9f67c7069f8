"""SGD on sparse parity is not random search, and its spread comes from the initialization.

Barak et al. 2022, section 5; numbers of an independent prototype. pytest -m slow tests/paper
"""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb

pytestmark = pytest.mark.slow


def test_solving_times_are_concentrated(out: Path) -> None:
    """(40, 3), 128 seeds: an exponential law would have CV 1; found about 0.2."""
    result = sb.evaluate(
        "sparse-parity n=40 k=3", "mlp", protocol=sb.Protocol(seeds=128, budget=640_000), out=out
    )
    found = result.metrics.random_search
    print(found)
    assert found.p_value == 1 / 1000 and 0.1 < found.cv < 0.4 and found.random_search_cv > 0.99


def test_the_initialization_decides(out: Path) -> None:
    """(20, 3), width 10, batch 128, 12 x 24: about 0.75 from the initialization."""
    protocol = sb.Protocol(seeds=288, initializations=12, budget=2_560_000)
    result = sb.evaluate(
        "sparse-parity n=20 k=3", "mlp width=10 batch_size=128", protocol=protocol, out=out
    )
    split = result.metrics.variance_split
    print(split)
    assert split.initialization.value == pytest.approx(0.75, abs=0.1)
    assert split.initialization.low < 0.75 < split.initialization.high
    assert split.data.high < 0.1
