"""Arithmetic of parts, whatever they are read from: rows, or summaries of all of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeVar

from synthbench.claims.bounds import Bounds
from synthbench.results.table.expression import ARITHMETIC

S = TypeVar("S")
ELEMENTWISE = ("log", "min", "max")
"""Functions that stand at every level: of numbers of replicas, and of summaries."""


def operation(
    node: ast.expr, read: Callable[[ast.expr], Callable[[S], Bounds]]
) -> Callable[[S], Bounds] | None:
    """`-A`, `A + B` and their like, whose parts `read` reads; of anything else nothing."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        operand = read(node.operand)
        return lambda given: -operand(given)
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        operate = ARITHMETIC[type(node.op)]
        left, right = read(node.left), read(node.right)
        return lambda given: operate(left(given), right(given))
    return None


def elementwise(name: str, parts: Sequence[Callable[[S], Bounds]]) -> Callable[[S], Bounds]:
    """One of `ELEMENTWISE`, of its parts."""
    if name == "log":
        return lambda given: parts[0](given).log()
    joined = Bounds.minimum if name == "min" else Bounds.maximum
    return lambda given: reduce(joined, (part(given) for part in parts))
