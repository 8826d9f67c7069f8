"""The columns that a quantity names, which can be asked for before there are any results."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from synthbench.claims.calls import Level, called
from synthbench.claims.operations import ELEMENTWISE
from synthbench.claims.quantity import check_quantity
from synthbench.results.table.expression import Expression


class NamedColumn(NamedTuple):
    """A column by the name that a quantity has for it.

    level: whether it is of replicas or of their evaluations.
    """

    name: str
    level: Level


def named_columns(text: str) -> tuple[NamedColumn, ...]:
    """Every column of a quantity, each once, in their order; none of one of numbers alone.

    Raises what `check_quantity` does.
    """
    check_quantity(text)
    expression = Expression(text, "quantity")
    return tuple(dict.fromkeys(_columns(expression, expression.root, Level.REPLICA)))


def keyword_texts(text: str, *keywords: str) -> tuple[str, ...]:
    """What a quantity gives for some keywords, as it is written: `n == 40` for `where`."""
    expression = Expression(text, "quantity")
    named = (
        keyword
        for node in ast.walk(expression.root)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
    )
    found = (expression.words(each.value) for each in named if each.arg in keywords)
    return tuple(dict.fromkeys(found))


def compared_texts(text: str, column: str) -> tuple[str, ...]:
    """The quoted texts that a quantity holds a column against: `share(outcome == 'solved')`."""
    expression = Expression(text, "quantity")
    found: dict[str, None] = {}
    for node in ast.walk(expression.root):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(expression.column(side) == column for side in sides):
                parts = [part for side in sides for part in ast.walk(side)]
                constants = [part.value for part in parts if isinstance(part, ast.Constant)]
                found |= {value: None for value in constants if isinstance(value, str)}
    return tuple(found)


def _columns(expression: Expression, node: ast.AST, level: Level) -> Iterator[NamedColumn]:
    if isinstance(node, ast.Call):
        yield from _of_call(expression, node, level)
    elif isinstance(node, ast.expr) and (name := expression.column(node)) is not None:
        if not expression.is_word(node):
            yield NamedColumn(name, level)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _columns(expression, child, level)


def _of_call(expression: Expression, node: ast.Call, level: Level) -> Iterator[NamedColumn]:
    """Functions of a replica speak of its evaluations; `at` is told when by the replica."""
    signature = called(expression, node)
    if signature.name in ELEMENTWISE:
        levels = [level] * len(node.args)
    elif signature.level is Level.REPLICA:
        levels = [*[Level.REPLICA] * (len(node.args) - 1), Level.EVALUATION]
    else:
        levels = [Level.REPLICA] * len(node.args)
    for given, own in zip(node.args, levels, strict=True):
        yield from _columns(expression, given, own)
    for keyword in node.keywords:
        yield from _columns(expression, keyword.value, Level.REPLICA)
