"""Cells whose training is made to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from synthbench.engine.training.block import Block
from synthbench.evaluation import jobs
from synthbench.plan.cell import Cell


@contextmanager
def failing_where(bad: Callable[[Cell], bool], error: Callable[[], Exception]) -> Iterator[None]:
    """Blocks with a replica of such a cell raise, in this process."""
    real = jobs.train_block

    def train_block(own: Cell, block: Block, *rest: object) -> object:
        if any(bad(each) for each in (block.cells or (own,))):
            raise error()
        return real(own, block, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "train_block", train_block)
        yield
