"""Quantities of claims: `median(samples_to_target, where=n == 40) / median(..., where=n == 20)`.

They are parsed as Python expressions and read here, node by node: nothing of them is run as code.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np

from synthbench.claims import aggregates, pairs, trends
from synthbench.claims.bounds import Bounds
from synthbench.claims.calls import Level, Signature, arguments, called
from synthbench.claims.operations import ELEMENTWISE, elementwise, operation
from synthbench.claims.row_reader import Condition, RowReader
from synthbench.claims.sample import NoReplicaError, Sample
from synthbench.claims.truth import Truth
from synthbench.errors import ConfigurationError, first_line
from synthbench.results.table.expression import Expression

Summary: TypeAlias = Callable[[Sample], Bounds]
"""What a quantity, or a part of it, is under each weight: (B,)."""
STATISTICS: dict[str, Callable[..., Bounds]] = {
    "concordance": pairs.concordance,
    "correlation": pairs.correlation,
}
"""Functions of two columns, their seeds and the weights."""


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
        if (found := operation(node, self.summary)) is not None:
            return found
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
        signature = called(self._expression, node)
        name = signature.name
        if signature.level is not Level.STUDY:
            words = self._expression.words(node)
            raise self._expression.mistake(
                f'"{words}" is of each replica, a claim of all of them: write median({words}), '
                f"mean({words}) or share({words} > ...)"
            )
        given, named = arguments(self._expression, node, signature)
        if name in ELEMENTWISE:
            return elementwise(name, [self.summary(each) for each in given])
        if signature.keywords == ("by",):
            return self._trend(name, given[0], named["by"])
        if name == "superiority":
            return self._superiority(given[0], named)
        return self._aggregate(signature, given, named.get("where"))

    def _aggregate(
        self, signature: Signature, given: list[ast.expr], where: ast.expr | None
    ) -> Summary:
        chosen, name = self._chosen(where), signature.name
        if name in ("share", "before"):
            holds = self._event(name, given)
            return lambda sample: chosen(sample).summarized(
                aggregates.share, holds(sample.replicas)
            )
        if name == "mean":
            return self._mean(given[0], chosen)
        level, given = (self._level(given[0]), given[1:]) if name == "quantile" else (0.5, given)
        columns = [self._rows.numbers(each) for each in given]
        summarize = STATISTICS.get(name, partial(aggregates.quantile, level))
        return lambda sample: chosen(sample).summarized(
            summarize, *(column(sample.replicas) for column in columns)
        )

    def _mean(self, node: ast.expr, chosen: Callable[[Sample], Sample]) -> Summary:
        """That of a condition is a share, whose interval knows that it is one."""
        value, numbers = self._rows.value(node), self._rows.numbers(node)

        def read(sample: Sample) -> Bounds:
            found = value(sample.replicas)
            if isinstance(found, Truth):
                return chosen(sample).summarized(aggregates.share, found)
            return chosen(sample).summarized(aggregates.mean, numbers(sample.replicas))

        return read

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
            numbers = values(sample.replicas)
            sides = [rows(sample).rows(numbers) for rows in chosen]
            one, other = (sample.seeds_of(side) for side in sides)
            if not (len(one) and len(other)):
                return sample.undefined
            first, second = (numbers[side] for side in sides)
            return pairs.superiority(first, second, (one, other), sample.weights)

        return read

    def _trend(self, name: str, node: ast.expr, by: ast.expr) -> Summary:
        summary, column = self.summary(node), self._rows.numbers(by)
        words = self._expression.words(by)

        def read(sample: Sample) -> Bounds:
            places, values, found = column(sample.replicas), [], []
            own = places.least[sample.chosen & places.defined & (places.least == places.most)]
            for value in np.unique(own):
                try:
                    found.append(summary(sample.where(places.least == value)))
                except NoReplicaError:
                    continue
                values.append(value)
            if not values:
                # No value has replicas that are asked for: said of all, with what there is.
                summary(sample)
            if len(values) < 2:
                raise self._expression.mistake(f'"{words}" has not two values that have replicas')
            if name == "exponent" and min(values) <= 0:
                raise self._expression.mistake(f'"{words}" is not above 0 everywhere')
            if name == "monotone":
                return trends.monotone(found)
            fit = trends.exponent if name == "exponent" else trends.slope
            return fit(np.array(values), found)

        return read

    def _chosen(self, where: ast.expr | None) -> Callable[[Sample], Sample]:
        """The replicas of a sample that surely meet a condition."""
        if where is None:
            return lambda sample: sample
        condition, words = self._rows.condition(where), self._expression.words(where)
        columns = list(self._expression.columns(where))

        def read(sample: Sample) -> Sample:
            found = sample.where(condition(sample.replicas).sure)
            if found.chosen.any():
                return found
            raise sample.nobody_meets(words, columns)

        return read


def _number(node: ast.expr) -> float | None:
    """A number as it is written; of anything else nothing."""
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
