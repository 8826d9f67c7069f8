"""Calling something once for each replica, where one that raises ends itself alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.utils._pytree import tree_map

from synthbench.engine.axis.memory import is_out_of_memory


class OneByOne:
    """Stacks the results of R calls; a replica without one gets NaN.

    The first call that works says which shapes to expect of the others, for all time.
    """

    failed: list[int]
    """The replicas whose last call has raised."""

    def __init__(self) -> None:
        """Nothing has worked so far."""
        self._template: Any = None

    def __call__(self, calls: Iterable[Callable[[], Any] | None]) -> Any:
        """Results with a leading axis (R, ...). calls: None for a replica that is left out.

        Raises what a call has raised where none has ever worked.
        """
        results: list[Any] = []
        failure: Exception | None = None
        self.failed = []
        for r, call in enumerate(calls):
            try:
                results.append(call() if call is not None else None)
            except Exception as error:
                # A module that raises (on NaN, say) ends its own replica only.
                if is_out_of_memory(error):
                    raise
                failure = error
                self.failed.append(r)
                results.append(None)
        if self._template is None:
            worked = next((result for result in results if result is not None), None)
            self._template = None if worked is None else tree_map(torch.zeros_like, worked)
        if failure is not None and self._template is None:
            raise failure
        if all(result is not None for result in results):
            return tree_map(lambda *leaves: torch.stack(leaves), *results)
        # What counts is an integer, which has no NaN.
        undefined = tree_map(lambda t: torch.full_like(t * 1.0, torch.nan), self._template)
        filled = [undefined if result is None else result for result in results]
        return tree_map(lambda *leaves: torch.stack(leaves), *filled)
