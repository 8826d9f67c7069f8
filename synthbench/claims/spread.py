"""Quantities that say how far seeds lie apart: of one seed alone they say nothing."""

from __future__ import annotations

import ast

from synthbench.results.table.expression import Expression

LOCATIONS = ("median", "quantile", "mean")
"""Functions that give of one seed its own number, whatever their level."""
MIDDLE = "0.5"


def is_spread(text: str) -> bool:
    """Whether a quantity sets two `LOCATIONS` of the same replicas against each other.

    As does `quantile(0.9, x) / median(x)`: of one seed the ratio of any two of its quantiles is
    1, their distance 0, whatever the seed. text: a quantity that can be read.
    """
    expression = Expression(text, "quantity")
    found: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    for node in ast.walk(expression.root):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name in LOCATIONS and node.args:
                level = expression.words(node.args[0]) if name == "quantile" else MIDDLE
                kind = "mean" if name == "mean" else "quantile"
                where = (_ordered(expression, each.value) for each in node.keywords)
                rows = (expression.words(node.args[-1]), *where)
                found.setdefault(rows, set()).add((kind, level))
    return any(len(statistics) > 1 for statistics in found.values())


def _ordered(expression: Expression, condition: ast.expr) -> str:
    """A condition, whatever the order of its parts."""
    if not isinstance(condition, ast.BoolOp):
        return expression.words(condition)
    parts = sorted(_ordered(expression, each) for each in condition.values)
    return f"{type(condition.op).__name__}({', '.join(parts)})"
