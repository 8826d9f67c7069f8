"""Capturing work on a GPU as CUDA graphs: the same kernels, without the time to launch each one.

A step of a small network is hundreds of kernels of a few microseconds, and launching one takes
longer than that. A graph launches them all at once and computes the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from synthbench.engine.axis.way import Way
from synthbench.errors import first_line

Work = Callable[[], None]
Capture = Callable[[Work], Work]
"""Takes work that reads and writes tensors which stay where they are; returns what repeats it."""


_BROKEN: list[torch.cuda.CUDAGraph] = []
"""Graphs whose capture failed: torch's allocator may go on asking them whether they capture."""
Places = tuple[tuple[int, torch.Size], ...]
"""Of tensors: where each lies, and its size."""


class GraphCapture:
    """Captures work as CUDA graphs that share one pool of memory.

    What is captured leaves its results in tensors that existed before, or they are read before
    other work of the pool runs. Work must have run once, so that nothing is set up while it is
    captured. Where a capture fails, it and all later work is done as it stands.
    """

    def __init__(self) -> None:
        """Nothing captured yet."""
        self._pool: Any = None
        self.captured = 0
        self.failure: str | None = None

    def __call__(self, work: Work) -> Work:
        """What repeats the work: a graph's replay or, where it cannot be captured, itself."""
        if self.failure is not None:
            return work
        stream = torch.cuda.current_stream()
        try:
            replay = self._graph_of(work).replay
        # torch raises many kinds of error here; whatever it is, the work can do without.
        except Exception as error:
            self.failure = _reason(error)
            # A capture that fails to end leaves its own stream in place.
            torch.cuda.set_stream(stream)
            torch.cuda.synchronize()
            return work
        self.captured += 1
        return replay

    def _graph_of(self, work: Work) -> torch.cuda.CUDAGraph:
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        # Threads of loggers may use the GPU meanwhile.
        try:
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                work()
        except BaseException:
            _BROKEN.append(graph)
            raise
        return graph


class GraphUse:
    """Whether the work of a block has been captured, whatever widths its stack has had."""

    def __init__(self) -> None:
        """Nothing captured yet."""
        self._captures: list[GraphCapture] = []

    def begin(self, capture: GraphCapture | None) -> GraphCapture | None:
        """Go on with another capture; returns it."""
        if capture is not None:
            self._captures.append(capture)
        return capture

    @property
    def used(self) -> bool | None:
        """Whether there were graphs; None where nothing was to be captured."""
        return any(each.captured for each in self._captures) if self._captures else None

    @property
    def failure(self) -> str | None:
        """Why something was not captured, if it was not."""
        return next((each.failure for each in self._captures if each.failure is not None), None)


def graph_capture(device: torch.device, way: Way) -> GraphCapture | None:
    """How the work of a block is captured; None where it is not: on CPU, or if not recorded."""
    return GraphCapture() if device.type == "cuda" and way is Way.TRACED else None


def places(tensors: Any) -> Places:
    """Where tensors lie and how large they are: what a graph has been captured with."""
    leaves = [leaf for leaf in tree_leaves(tensors) if isinstance(leaf, Tensor)]
    return tuple((leaf.data_ptr(), leaf.shape) for leaf in leaves)


def _reason(error: Exception) -> str:
    """What went wrong first: that the capture cannot end either is what follows from it."""
    cause = error.__context__
    return first_line(cause if isinstance(cause, Exception) else error)
