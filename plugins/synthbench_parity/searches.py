"""The searches by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from synthbench_parity.bits import Answer
from synthbench_parity.bkw import bkw
from synthbench_parity.brute_force import brute_force
from synthbench_parity.correlated_pairs import correlation
from synthbench_parity.elimination import elimination
from synthbench_parity.meet_in_the_middle import meet_in_the_middle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Search: TypeAlias = "Callable[[NDArray[np.uint8], NDArray[np.uint8], int], Answer]"
"""From x (m, n), y (m,) and k to an answer."""
ALGORITHMS: Mapping[str, Search] = {
    "brute-force": brute_force,
    "elimination": elimination,
    "meet-in-the-middle": meet_in_the_middle,
    "bkw": bkw,
    "correlation": correlation,
}
