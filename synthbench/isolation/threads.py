"""How many threads of a CPU torch uses: one, unless more were measured to be faster.

Threads of the small products here wait for one another at every operation. On a machine that does
anything else that makes training several times slower than one thread is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def threads(count: int) -> Iterator[int]:
    """So many inside, as many as before outside; gives how many there were before."""
    # Here, so that reading results does not wait for torch.
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield before
    finally:
        torch.set_num_threads(before)
