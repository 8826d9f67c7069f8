"""Conditions on the rows of a table, as people write them: `n == 20 and lr >= 0.01`.

They are parsed as Python expressions and read here, node by node: nothing of them is run as code.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from synthbench.errors import ConfigurationError, first_line
from synthbench.results.table.expression import ARITHMETIC, ORDERS, WORDS, Expression

Row: TypeAlias = Mapping[str, Any]
"""Column -> value; None where the row has none."""
Read: TypeAlias = Callable[[Row], Any]
"""What an expression is for a row; None where that is not defined."""

GRAMMAR = (
    "write columns, numbers, quoted texts and [lists] with == != < <= > >= in + - * / and or not"
)


def matching(rows: Sequence[Row], condition: str, find: Callable[[str], str]) -> list[bool]:
    """Which rows meet the condition.

    find: the column that a name means; raises for one that there is not. A name that Python would
    not take stands in backticks. `none` equals what a row does not have, which is neither above
    nor below anything. Raises ConfigurationError for what is no condition.
    """
    holds = _Reader(rows, condition, find).condition()
    return [bool(holds(row)) for row in rows]


def columns_of(condition: str) -> list[str]:
    """The columns that a condition names; ConfigurationError for what is no condition."""
    named: list[str] = []

    def find(name: str) -> str:
        named.append(name)
        return name

    matching([], condition, find)
    return list(dict.fromkeys(named))


class _Reader:
    """Turns a condition into a function of a row.

    rows: all there are, by which texts are told from numbers before any is compared.
    """

    def __init__(self, rows: Sequence[Row], text: str, find: Callable[[str], str]) -> None:
        self._rows, self._find = rows, find
        self._expression = Expression(text, "condition")
        self._words, self._mistake = self._expression.words, self._expression.mistake

    def condition(self) -> Read:
        """The whole text as a condition."""
        try:
            return self._condition(self._expression.root)
        except (ValueError, RecursionError) as error:
            if isinstance(error, ConfigurationError):
                raise
            raise self._mistake(first_line(error)) from None

    def _condition(self, node: ast.expr) -> Read:
        if isinstance(node, ast.BoolOp):
            parts = [self._condition(each) for each in node.values]
            every = all if isinstance(node.op, ast.And) else any
            return lambda row: every(part(row) for part in parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            negated = self._condition(node.operand)
            return lambda row: not negated(row)
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        value = self._value(node)
        if any(not isinstance(value(row), bool | None) for row in self._rows):
            raise self._mistake(f'"{self._words(node)}" is no condition; compare it with something')
        return value

    def _comparison(self, node: ast.Compare) -> Read:
        """A chain such as `10 <= n < 40`: all of its links."""
        sides = [node.left, *node.comparators]
        links = [
            self._link(left, sign, right)
            for left, sign, right in zip(sides, node.ops, sides[1:], strict=False)
        ]
        return lambda row: all(link(row) for link in links)

    def _link(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> Read:
        if isinstance(sign, ast.In | ast.NotIn):
            return self._membership(left, right, isinstance(sign, ast.In))
        one, other = self._value(left), self._value(right)
        self._check_alike(f"{self._words(left)} and {self._words(right)}", one, other)
        if isinstance(sign, ast.Eq):
            return lambda row: bool(one(row) == other(row))
        if isinstance(sign, ast.NotEq):
            return lambda row: bool(one(row) != other(row))
        if type(sign) not in ORDERS:
            raise self._mistake(GRAMMAR)
        return _ordered(ORDERS[type(sign)], one, other)

    def _membership(self, left: ast.expr, right: ast.expr, inside: bool) -> Read:
        if not isinstance(right, ast.List | ast.Tuple):
            raise self._mistake("behind `in` stands a list, such as [20, 40]")
        one, others = self._value(left), [self._value(each) for each in right.elts]
        for other, element in zip(others, right.elts, strict=True):
            self._check_alike(f"{self._words(left)} and {self._words(element)}", one, other)
        return lambda row: any(one(row) == other(row) for other in others) is inside

    def _value(self, node: ast.expr) -> Read:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None):
            constant = node.value
            return lambda _: constant
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self._arithmetic(operator.sub, ast.Constant(0), node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            return self._arithmetic(ARITHMETIC[type(node.op)], node.left, node.right)
        name = self._expression.column(node)
        if name is None:
            raise self._mistake(f'"{self._words(node)}" is not allowed; {GRAMMAR}')
        if self._expression.is_word(node):
            word = WORDS[name.lower()]
            return lambda _: word
        column = self._find(name)
        return lambda row: row[column]

    def _arithmetic(self, operate: Callable[[Any, Any], Any], *operands: ast.expr) -> Read:
        one, other = map(self._value, operands)
        for side, node in zip((one, other), operands, strict=True):
            if any(isinstance(side(row), str) for row in self._rows):
                raise self._mistake(f'"{self._words(node)}" is a text, not a number')

        def read(row: Row) -> Any:
            left, right = one(row), other(row)
            undefined = left is None or right is None or (operate is operator.truediv and not right)
            return None if undefined else operate(left, right)

        return read

    def _check_alike(self, words: str, one: Read, other: Read) -> None:
        """Raise where a text stands against a number in every row: a mistake, not a difference."""
        pairs = [(one(row), other(row)) for row in self._rows]
        known = [(a, b) for a, b in pairs if a is not None and b is not None]
        if known and all(isinstance(a, str) != isinstance(b, str) for a, b in known):
            raise self._mistake(f"of {words} one is a text and one a number")


def _ordered(compare: Callable[[Any, Any], bool], one: Read, other: Read) -> Read:
    """Above or below; false where a side is not there, or one is a text and the other a number."""

    def read(row: Row) -> bool:
        left, right = one(row), other(row)
        alike = isinstance(left, str) == isinstance(right, str)
        return alike and left is not None and right is not None and compare(left, right)

    return read
