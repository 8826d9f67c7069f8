"""Quantities of claims: `median(samples_to_target, where=n == 40) / median(..., where=n == 20)`.

They are parsed as Python expressions and read here, node by node: nothing of them is run as code.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from synthbench.claims import aggregates, pairs, trends
from synthbench.claims.bounds import Bounds
from synthbench.claims.calls import SIGNATURES, Level, Signature, arguments, unknown_function
from synthbench.claims.replicas import Replicas
from synthbench.claims.resampling import SeedWeights
from synthbench.claims.row_reader import Condition, Numbers, RowReader
from synthbench.claims.truth import Texts, Truth
from synthbench.errors import ConfigurationError, first_line
from synthbench.results.table.expression import ARITHMETIC, Expression

SHOWN = 8
"""Values of a column that a message names."""


class NoReplicaError(ConfigurationError):
    """A summary of no replica at all."""


@dataclass(frozen=True)
class Sample:
    """Replicas under weights.

    chosen: (R,) which of them a summary is of. used: how many seeds each summary had, for who
    asks afterwards.
    """

    replicas: Replicas
    weights: SeedWeights
    chosen: NDArray[np.bool_]
    used: list[int] = field(default_factory=list)

    @classmethod
    def whole(cls, replicas: Replicas, weights: SeedWeights) -> Sample:
        """All replicas."""
        return cls(replicas, weights, np.ones(len(replicas), bool))


Summary: TypeAlias = Callable[[Sample], Bounds]
"""What a quantity, or a part of it, is under each weight: (B,)."""


def check_quantity(text: str) -> None:
    """Raise ConfigurationError for a text that is no quantity, whatever the results.

    Columns are looked up when there are results.
    """
    read_quantity(text)


def read_quantity(text: str) -> Summary:
    """A quantity as a function of a sample; raises what `check_quantity` does."""
    expression = Expression(text, "quantity")
    try:
        return _SummaryReader(expression).summary(expression.root)
    except (ValueError, RecursionError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise expression.mistake(first_line(error)) from None


class _SummaryReader:
    """Reads the parts of a quantity whose value is one for all replicas."""

    def __init__(self, expression: Expression) -> None:
        self._expression = expression
        self._rows = RowReader(expression, Level.REPLICA)

    def summary(self, node: ast.expr) -> Summary:
        """A number, arithmetic, or a function of them."""
        number = _number(node)
        if number is not None:
            return lambda sample: Bounds.exact(np.full(len(sample.weights.seeds), number))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            operand = self.summary(node.operand)
            return lambda sample: -operand(sample)
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            operate = ARITHMETIC[type(node.op)]
            left, right = self.summary(node.left), self.summary(node.right)
            return lambda sample: operate(left(sample), right(sample))
        if isinstance(node, ast.Call):
            return self._call(node)
        raise self._no_summary(node)

    def _no_summary(self, node: ast.expr) -> ConfigurationError:
        words = self._expression.words(node)
        if isinstance(node, ast.Compare | ast.BoolOp):
            return self._expression.mistake(
                f'"{words}" is a condition; write share({words}), and the claimed side in `holds`'
            )
        if self._expression.column(node) is not None:
            return self._expression.mistake(
                f'"{words}" is of each replica, a claim of all of them: write median({words}), '
                f"mean({words}) or share({words} > ...)"
            )
        return self._expression.mistake(
            f'"{words}" is not allowed; write functions, numbers and + - * /'
        )

    def _call(self, node: ast.Call) -> Summary:
        name = self._expression.column(node.func) or self._expression.words(node.func)
        if name not in SIGNATURES:
            raise unknown_function(self._expression, name)
        signature = SIGNATURES[name]
        if signature.level is not Level.STUDY:
            words = self._expression.words(node)
            raise self._expression.mistake(
                f'"{words}" is of each replica, a claim of all of them: write median({words}), '
                f"mean({words}) or share({words} > ...)"
            )
        given, named = arguments(self._expression, node, signature)
        if name in ("log", "min", "max"):
            return self._elementwise(name, given)
        if signature.keywords == ("by",):
            return self._trend(name, given[0], named["by"])
        if name == "superiority":
            return self._superiority(given[0], named)
        return self._aggregate(signature, given, named.get("where"))

    def _elementwise(self, name: str, given: list[ast.expr]) -> Summary:
        parts = [self.summary(each) for each in given]
        if name == "log":
            return lambda sample: parts[0](sample).log()
        joined = Bounds.minimum if name == "min" else Bounds.maximum
        return lambda sample: reduce(joined, (part(sample) for part in parts))

    def _aggregate(
        self, signature: Signature, given: list[ast.expr], where: ast.expr | None
    ) -> Summary:
        rows = self._chosen(where)
        if signature.name in ("share", "before"):
            holds = self._event(signature.name, given)
            return lambda sample: _share(sample, holds, rows(sample))
        if signature.name in ("concordance", "correlation"):
            x, y = (self._rows.numbers(each) for each in given)
            found = pairs.concordance if signature.name == "concordance" else pairs.correlation
            return lambda sample: _of_two(sample, x, y, rows(sample), found)
        values = self._rows.numbers(given[-1])
        if signature.name == "mean":
            return lambda sample: _of_one(sample, values, rows(sample), aggregates.mean)
        level = 0.5 if signature.name == "median" else self._level(given[0])

        def quantile(of: Bounds, seeds: NDArray[np.intp], weights: SeedWeights) -> Bounds:
            return aggregates.quantile(level, of, seeds, weights)

        return lambda sample: _of_one(sample, values, rows(sample), quantile)

    def _event(self, name: str, given: list[ast.expr]) -> Condition:
        """The condition of a share; that of `before` is that X is below Y."""
        if name == "share":
            return self._rows.condition(given[0])
        return self._rows.condition(ast.Compare(given[0], [ast.Lt()], [given[1]]))

    def _level(self, node: ast.expr) -> float:
        level = _number(node)
        if level is not None and 0 < level < 1:
            return level
        words = self._expression.words(node)
        raise self._expression.mistake(f'a quantile is of a number between 0 and 1, not "{words}"')

    def _superiority(self, node: ast.expr, named: dict[str, ast.expr]) -> Summary:
        values = self._rows.numbers(node)
        chosen = [self._chosen(named[side]) for side in ("where", "than")]

        def read(sample: Sample) -> Bounds:
            numbers, sides = values(sample.replicas), []
            for rows in chosen:
                sides.append(np.flatnonzero(rows(sample) & numbers.defined))
            if not all(len(side) for side in sides):
                return _undefined(sample)
            seeds = (sample.replicas.seeds[sides[0]], sample.replicas.seeds[sides[1]])
            sample.used.extend(len(np.unique(each)) for each in seeds)
            one, other = numbers[sides[0]], numbers[sides[1]]
            return pairs.superiority(one, other, seeds, sample.weights)

        return read

    def _trend(self, name: str, node: ast.expr, by: ast.expr) -> Summary:
        summary, column = self.summary(node), self._rows.numbers(by)
        words = self._expression.words(by)

        def read(sample: Sample) -> Bounds:
            places, values, found = column(sample.replicas), [], []
            own = places.least[sample.chosen & places.defined & (places.least == places.most)]
            for value in np.unique(own):
                narrowed = replace(sample, chosen=sample.chosen & (places.least == value))
                try:
                    found.append(summary(narrowed))
                except NoReplicaError:
                    continue
                values.append(value)
            if len(values) < 2:
                raise self._expression.mistake(f'"{words}" has not two values that have replicas')
            if name == "exponent" and min(values) <= 0:
                raise self._expression.mistake(f'"{words}" is not above 0 everywhere')
            if name == "monotone":
                return trends.monotone(found)
            fit = trends.exponent if name == "exponent" else trends.slope
            return fit(np.array(values), found)

        return read

    def _chosen(self, where: ast.expr | None) -> Callable[[Sample], NDArray[np.bool_]]:
        """(R,) the rows of a sample that surely meet a condition."""
        if where is None:
            return lambda sample: sample.chosen
        condition, words = self._rows.condition(where), self._expression.words(where)
        columns = [
            name
            for part in ast.walk(where)
            if isinstance(part, ast.expr)
            and (name := self._expression.column(part)) is not None
            and not self._expression.is_word(part)
        ]

        def read(sample: Sample) -> NDArray[np.bool_]:
            chosen = sample.chosen & condition(sample.replicas).sure
            if chosen.any():
                return chosen
            known = [_values_of(sample, name) for name in dict.fromkeys(columns)]
            raise NoReplicaError(f"no replica meets {words}{_listed(known)}")

        return read


def _number(node: ast.expr) -> float | None:
    """A number as it is written; of anything else nothing."""
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _listed(known: list[str]) -> str:
    told = [each for each in known if each]
    return f" ({'; '.join(told)})" if told else ""


def _values_of(sample: Sample, name: str) -> str:
    """`n is 20, 30, 40`, of the replicas that were chosen before."""
    if name not in sample.replicas.table.columns and name in SIGNATURES:
        return ""
    try:
        value = sample.replicas.column(name)
    except (ConfigurationError, LookupError):
        return ""
    rows = np.flatnonzero(sample.chosen)
    own = value[rows]
    if isinstance(own, Bounds):
        texts = [f"{each:g}" for each in np.unique(own.least[own.defined])]
    else:
        values = own.values if isinstance(own, Texts) else own.sure
        texts = list(dict.fromkeys("none" if v is None else str(v).lower() for v in values))
    more = ", ..." if len(texts) > SHOWN else ""
    return f"{name} is {', '.join(texts[:SHOWN])}{more}" if texts else ""


def _share(sample: Sample, holds: Condition, chosen: NDArray[np.bool_]) -> Bounds:
    rows = np.flatnonzero(chosen)
    seeds = sample.replicas.seeds[rows]
    sample.used.append(len(np.unique(seeds)))
    truth: Truth = holds(sample.replicas)
    return aggregates.share(truth[rows], seeds, sample.weights)


def _of_one(
    sample: Sample,
    values: Numbers,
    chosen: NDArray[np.bool_],
    aggregate: Callable[[Bounds, NDArray[np.intp], SeedWeights], Bounds],
) -> Bounds:
    """An aggregate of the rows that have a value."""
    numbers = values(sample.replicas)
    rows = np.flatnonzero(chosen & numbers.defined)
    if not len(rows):
        return _undefined(sample)
    seeds = sample.replicas.seeds[rows]
    sample.used.append(len(np.unique(seeds)))
    return aggregate(numbers[rows], seeds, sample.weights)


def _of_two(
    sample: Sample,
    x: Numbers,
    y: Numbers,
    chosen: NDArray[np.bool_],
    statistic: Callable[[Bounds, Bounds, NDArray[np.intp], SeedWeights], Bounds],
) -> Bounds:
    """A statistic of the rows that have both values."""
    one, other = x(sample.replicas), y(sample.replicas)
    rows = np.flatnonzero(chosen & one.defined & other.defined)
    if not len(rows):
        return _undefined(sample)
    seeds = sample.replicas.seeds[rows]
    sample.used.append(len(np.unique(seeds)))
    return statistic(one[rows], other[rows], seeds, sample.weights)


def _undefined(sample: Sample) -> Bounds:
    """What is not defined of any of the rows."""
    sample.used.append(0)
    return Bounds.exact(np.full(len(sample.weights.seeds), np.nan))
