"""Expressions of one replica, or of one evaluation of it, as functions of all of them at once."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import reduce
from operator import and_, or_
from typing import TypeAlias

import numpy as np

from synthbench.claims import evaluations
from synthbench.claims.bounds import Bounds
from synthbench.claims.calls import Level, arguments, called
from synthbench.claims.operations import ELEMENTWISE, elementwise, operation
from synthbench.claims.replicas import Replicas
from synthbench.claims.truth import Texts, Truth, Value, equal, is_text, ordered
from synthbench.results.table.expression import ORDERS, WORDS, Expression

Rows: TypeAlias = Callable[[Replicas], Value]
Numbers: TypeAlias = Callable[[Replicas], Bounds]
Condition: TypeAlias = Callable[[Replicas], Truth]


class RowReader:
    """Reads parts of an expression whose values are one for each replica, or each evaluation.

    Names of columns are looked up when there are results; all else is checked when it is read.
    """

    def __init__(self, expression: Expression, level: Level) -> None:
        self._expression, self._level = expression, level

    def value(self, node: ast.expr) -> Rows:
        """Any part, found once for all results that it is asked of."""
        found, key = self._part(node), (self._level, self._expression.words(node))
        return lambda replicas: replicas.remembered(key, lambda: found(replicas))

    def condition(self, node: ast.expr) -> Condition:
        """Something that is true or false."""
        value, words = self.value(node), self._expression.words(node)

        def read(replicas: Replicas) -> Truth:
            found = value(replicas)
            if not isinstance(found, Truth):
                raise self._expression.mistake(
                    f'"{words}" is no condition; compare it with something'
                )
            return found

        return read

    def numbers(self, node: ast.expr) -> Numbers:
        """Something that is a number; of a condition 1 where it holds and 0 where not."""
        value, words = self.value(node), self._expression.words(node)

        def read(replicas: Replicas) -> Bounds:
            found = value(replicas)
            if isinstance(found, Truth):
                return Bounds(found.sure.astype(float), found.possible.astype(float))
            numbers = found.numbers if isinstance(found, Texts) else found
            if numbers is None:
                raise self._expression.mistake(f'"{words}" is a text, not a number')
            return numbers

        return read

    def _part(self, node: ast.expr) -> Rows:
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.BoolOp):
            parts = [self.condition(each) for each in node.values]
            joined = and_ if isinstance(node.op, ast.And) else or_
            return lambda replicas: reduce(joined, (part(replicas) for part in parts))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            negated = self.condition(node.operand)
            return lambda replicas: ~negated(replicas)
        if (found := operation(node, self.numbers)) is not None:
            return found
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        return self._leaf(node)

    def _leaf(self, node: ast.expr) -> Rows:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None):
            constant = node.value
            return lambda replicas: _constant(constant, self._count(replicas))
        name = self._expression.column(node)
        if name is None:
            words = self._expression.words(node)
            raise self._expression.mistake(f'"{words}" is not allowed here')
        if self._expression.is_word(node):
            word = WORDS[name.lower()]
            return lambda replicas: _constant(word, self._count(replicas))
        if self._level is Level.EVALUATION:
            return lambda replicas: replicas.evaluation_column(name)
        return lambda replicas: replicas.column(name)

    def _count(self, replicas: Replicas) -> int:
        at_evaluations = self._level is Level.EVALUATION
        return len(replicas.evaluations) if at_evaluations else len(replicas)

    def _comparison(self, node: ast.Compare) -> Rows:
        """A chain such as `10 <= n < 40`: all of its links."""
        sides = [node.left, *node.comparators]
        links = [self._link(*link) for link in zip(sides, node.ops, sides[1:], strict=False)]
        return lambda replicas: reduce(and_, (link(replicas) for link in links))

    def _link(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> Condition:
        if isinstance(sign, ast.In | ast.NotIn):
            return self._membership(left, right, isinstance(sign, ast.In))
        if isinstance(sign, ast.Eq | ast.NotEq):
            alike = self._equality(left, right)
            return alike if isinstance(sign, ast.Eq) else lambda replicas: ~alike(replicas)
        if type(sign) not in ORDERS:
            raise self._expression.mistake("compare with == != < <= > >= or in")
        low, high = self.numbers(left), self.numbers(right)
        return lambda replicas: ordered(sign, low(replicas), high(replicas))

    def _membership(self, left: ast.expr, right: ast.expr, inside: bool) -> Condition:
        if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
            raise self._expression.mistake("behind `in` stands a list, such as [20, 40]")
        links = [self._equality(left, each) for each in right.elts]

        def read(replicas: Replicas) -> Truth:
            found = reduce(or_, (link(replicas) for link in links))
            return found if inside else ~found

        return read

    def _equality(self, left: ast.expr, right: ast.expr) -> Condition:
        one, other = self.value(left), self.value(right)
        words = f"{self._expression.words(left)} and {self._expression.words(right)}"

        def read(replicas: Replicas) -> Truth:
            sides = one(replicas), other(replicas)
            if any(is_text(a) and not isinstance(b, Texts) for a, b in (sides, sides[::-1])):
                raise self._expression.mistake(f"of {words} one is a text and one a number")
            return equal(*sides)

        return read

    def _call(self, node: ast.Call) -> Rows:
        signature = called(self._expression, node)
        name = signature.name
        if name in ELEMENTWISE:
            given, _ = arguments(self._expression, node, signature)
            return elementwise(name, [self.numbers(each) for each in given])
        if signature.level is Level.STUDY:
            raise self._expression.mistake(
                f"{name}(...) is of all replicas, but here stands what a single one has"
            )
        given, _ = arguments(self._expression, node, signature)
        own = self._of_replicas(name, given)
        if self._level is Level.REPLICA:
            return own
        return lambda replicas: replicas.at_evaluations(own(replicas))

    def _of_replicas(self, name: str, given: list[ast.expr]) -> Rows:
        """What a replica has, from its evaluations."""
        at, within = (RowReader(self._expression, level) for level in Level.below_study())
        if name == "when":
            condition = within.condition(given[0])
            return lambda replicas: evaluations.when(replicas, condition(replicas))
        values = within.numbers(given[-1])
        if name == "at":
            moment = at.numbers(given[0])
            return lambda replicas: evaluations.at(replicas, moment(replicas), values(replicas))
        found = {
            "first": evaluations.first,
            "last": evaluations.last,
            "peak": evaluations.peak,
        }[name]
        return lambda replicas: found(replicas, values(replicas))


def _constant(value: float | str | bool | None, count: int) -> Value:
    if isinstance(value, bool):
        return Truth(holds := np.full(count, value), holds)
    if isinstance(value, int | float):
        return Bounds.exact(np.full(count, float(value)))
    return Texts(np.full(count, value, object))
