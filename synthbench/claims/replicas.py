"""The rows that quantities are read from: replicas, and what each was at its evaluations.

Or rows that were measured once, which have seeds and columns, and no evaluations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from synthbench.claims.bounds import Array, Bounds
from synthbench.claims.truth import Texts, Truth, Value
from synthbench.errors import ConfigurationError
from synthbench.measurements.rows import MeasuredRows
from synthbench.measurements.store import SEED
from synthbench.results.table.selection import TIMES, column_finder
from synthbench.results.varying import varying

if TYPE_CHECKING:
    import pandas as pd

    from synthbench.results.results import Results

T = TypeVar("T", bound=Value)
SEEDS = "seed_"
WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9.]*")
"""A name that stands without backticks."""
PLACE = re.compile(r"(.+)\[(\d+)\]")
"""A place of a curve, counted from 0 as in its picture: `by-subtask[3]`."""


@dataclass(frozen=True)
class Replicas:
    """R replicas of some cells, E evaluations in all.

    table: one row each, as `Results.table(per="replica", fields="all")`. find: the column that a
    name means. evaluations: of all replicas, one after the other; starts: (R,) where each one's
    begin. A replica that stopped because it had solved its task was not watched any longer.
    seeds_in: the columns that tell seeds apart; none: those of a replica's streams.
    """

    table: pd.DataFrame
    find: Callable[[str], str]
    evaluations: pd.DataFrame
    starts: NDArray[np.intp]
    seeds_in: tuple[str, ...] = ()
    _known: dict[Hashable, Value] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, results: Results | MeasuredRows) -> Replicas:
        """Of all cells; of a crossed design the replicas no two of which share a seed.

        Raises ConfigurationError where there is no cell.
        """
        import pandas as pd

        if isinstance(results, MeasuredRows):
            return cls._of_rows(results)
        cells = results.measured
        if not cells:
            raise ConfigurationError("no results to judge claims by; evaluate some cells first")
        table = results.table(per="replica", fields="all")
        find = column_finder(table, varying(cells))
        evaluations = pd.concat([cell.trajectories.to_pandas() for cell in cells])
        numbers, cell_of = evaluations["replica"].to_numpy(), np.arange(len(cells))
        cell_of = np.repeat(cell_of, [len(cell.trajectories.table) for cell in cells])
        begins = np.flatnonzero((np.diff(numbers) != 0) | (np.diff(cell_of) != 0)) + 1
        whole = cls(table, find, evaluations, np.concatenate([[0], begins]))
        kept: list[np.bool_] = []
        for cell in cells:
            count, own = len(cell.record.replicas), cell.context.independent()
            kept.extend(np.isin(np.arange(count), np.arange(count) if own is None else own))
        return whole if all(kept) else whole._only(np.array(kept, np.bool_))

    @classmethod
    def _of_rows(cls, results: MeasuredRows) -> Replicas:
        """Of what was measured, each row with one evaluation, of which nothing is known."""
        if not len(results):
            raise ConfigurationError("no results to judge claims by; measure something first")
        table = results.table()
        places = np.arange(len(table), dtype=np.intp)
        find = column_finder(table, results.varying)
        return cls(table, find, table.loc[:, []], places, (SEED,))

    def _only(self, rows: NDArray[np.bool_]) -> Replicas:
        """Some of the replicas."""
        evaluations = self.evaluations[rows[self.owner]]
        starts = np.concatenate([[0], np.cumsum(self.counts[rows])[:-1]]).astype(np.intp)
        table = self.table[rows].reset_index(drop=True)
        return Replicas(table, self.find, evaluations, starts, self.seeds_in)

    def __len__(self) -> int:
        """R."""
        return len(self.table)

    @property
    def counts(self) -> NDArray[np.intp]:
        """(R,) how many evaluations each has."""
        return np.diff(np.append(self.starts, len(self.evaluations)))

    @cached_property
    def owner(self) -> NDArray[np.intp]:
        """(E,) the replica of each evaluation."""
        return np.repeat(np.arange(len(self.starts), dtype=np.intp), self.counts)

    @cached_property
    def seeds(self) -> NDArray[np.intp]:
        """(R,) the seed of each, from 0: the same where all seeds of two replicas are."""
        streams = [name for name in self.table.columns if name.startswith(SEEDS)]
        names = list(self.seeds_in) or streams
        # By the seeds themselves, in order, so that the order of rows changes nothing.
        return np.asarray(self.table.groupby(names, dropna=False).ngroup(), np.intp)

    @cached_property
    def samples(self) -> Array:
        """(E,) of every evaluation; ConfigurationError for rows that were measured once."""
        if "samples" not in self.evaluations.columns:
            raise ConfigurationError(
                "rows that were measured have no evaluations: name a column without when(...) or "
                "at(...)"
            )
        return self.evaluations["samples"].to_numpy(float)

    @cached_property
    def watched(self) -> Array:
        """(R,) samples at which a replica that has not got somewhere is censored.

        The end of the budget, also for one that diverged; the last evaluation of one that solved
        the task before.
        """
        last = self.samples[self.ends]
        solved = (self.table["outcome"] == "solved").to_numpy()
        return np.where(solved, last, self.table["budget"].to_numpy(float))

    @cached_property
    def ends(self) -> NDArray[np.intp]:
        """(R,) the last evaluation of each."""
        return np.asarray(np.append(self.starts[1:], len(self.evaluations)) - 1, np.intp)

    def column(self, name: str) -> Value:
        """A column of the table of replicas; times that never came are beyond what was watched.

        Raises UnknownNameError, with a hint where every evaluation has that column.
        """
        if name not in self.table.columns and self._is_evaluated(name):
            raise ConfigurationError(of_evaluations(name))
        found = self.find(name)
        value = _value(self.table[found])
        if found not in TIMES or not isinstance(value, Bounds):
            return value
        never = np.isnan(value.least)
        censored = np.where(self.table["censored"], self.table["time"], self.watched)
        return Bounds(
            np.where(never, censored, value.least),
            np.where(never, np.inf, value.most),
        )

    def evaluation_column(self, name: str) -> Value:
        """A column of the evaluations, or one of the replicas, the same at each of theirs.

        Raises UnknownNameError, and ConfigurationError for a curve.
        """
        if not self._is_evaluated(name):
            return self.at_evaluations(self.column(name))
        place = None if name in self.evaluations.columns else PLACE.fullmatch(name)
        column = self.evaluations[place[1] if place else name]
        if isinstance(column.iloc[0], np.ndarray | list):
            return _at_place(column, place, name)
        if place:
            raise ConfigurationError(f'"{place[1]}" is a number, not a curve that has places')
        return _value(column)

    def _is_evaluated(self, name: str) -> bool:
        """Whether evaluations have a column, or a curve of which this is a place."""
        place, known = PLACE.fullmatch(name), self.evaluations.columns
        return name in known or (place is not None and place[1] in known)

    def at_evaluations(self, value: T) -> T:
        """What replicas have, at each of their evaluations."""
        return cast("T", value[self.owner])

    def remembered(self, key: Hashable, find: Callable[[], Value]) -> Value:
        """What was found before under that key; it is asked for again with every resample."""
        if key not in self._known:
            self._known[key] = find()
        return self._known[key]


def as_written(name: str) -> str:
    """A column in an expression: in backticks where its name is not one word."""
    return f"`{name}`" if WORD.fullmatch(name) is None else name


def of_evaluations(name: str) -> str:
    """What is wrong with the name of an evaluations' column where a replica's has to stand."""
    own = as_written(name)
    return (
        f'"{name}" is measured at every evaluation; say which: last({own}), peak({own}), '
        f"first({own}), at(SAMPLES, {own}), or when(CONDITION) for a time"
    )


def _at_place(column: pd.Series[Any], place: re.Match[str] | None, name: str) -> Bounds:
    """One number of every row's curve; what is undefined there is NaN."""
    if place is None:
        raise ConfigurationError(
            f'"{name}" is a curve; a claim needs a number: `{name}[0]` is the first'
        )
    index, shortest = int(place[2]), min(map(len, column))
    if index >= shortest:
        raise ConfigurationError(f'"{place[1]}" has the places 0 to {shortest - 1}, not {place[2]}')
    return Bounds.exact(np.array([row[index] for row in column], float))


def _value(column: pd.Series[Any]) -> Value:
    if column.dtype == bool:
        return Truth(values := column.to_numpy(bool), values)
    if column.dtype.kind in "iuf":
        return Bounds.exact(column.to_numpy(float))
    return Texts(column.astype(object).where(column.notna(), None).to_numpy(object))
