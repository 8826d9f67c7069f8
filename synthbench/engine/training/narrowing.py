"""Which replicas stay in a stack of which some have stopped."""

from __future__ import annotations

from collections.abc import Sequence

from synthbench.engine.training.block import NARROWEST


def narrower(running: Sequence[bool], factor: int = 1) -> list[int] | None:
    """The places in the stack that go on, in their order; None where it stays as it is.

    running: which replicas still train. factor: by how much a stack gets narrower at least. The
    widths are powers of two, so that there are few of them to record, and never below
    `NARROWEST`. They follow from the replicas alone, not from what was measured of time: on a
    GPU the last bits depend on the width. A stack that is wider than the number that still train
    keeps some that have stopped.
    """
    left = sum(running)
    width = max(1 << (left - 1).bit_length(), NARROWEST) if left else 0
    if not left or width == len(running) or width * factor > len(running):
        return None
    stopped = [place for place, runs in enumerate(running) if not runs]
    kept = {place for place, runs in enumerate(running) if runs} | {*stopped[: width - left]}
    return sorted(kept)
