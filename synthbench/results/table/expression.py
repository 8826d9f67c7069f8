"""Expressions over columns, as people write them: parsed as Python, never run as code.

What is common to conditions on rows and to the quantities of claims: how a text becomes a tree,
which names are values, and how a part of it is said in a message.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from typing import Any

from synthbench.errors import ConfigurationError, first_line

ORDERS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
WORDS = {"none": None, "true": True, "false": False, "inf": math.inf}
"""Names that are values, as in references; in Python's spelling too."""
BACKTICKS = re.compile("`([^`]*)`")
PLACEHOLDER = "backticks_"


class Expression:
    """A text and the tree of its parts.

    kind: what it is called in messages, such as `condition`. Raises ConfigurationError for what
    is no expression at all. A name that Python would not take stands in backticks.
    """

    def __init__(self, text: str, kind: str) -> None:
        self.text, self.kind = text, kind
        self._in_backticks: list[str] = BACKTICKS.findall(text)
        numbers = iter(range(len(self._in_backticks)))
        source = BACKTICKS.sub(lambda _: f"{PLACEHOLDER}{next(numbers)}", text)
        try:
            self.root = ast.parse(source.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else first_line(error)
            raise self.mistake(f"{reason}; equality is ==, texts are quoted") from None

    def column(self, node: ast.expr) -> str | None:
        """The name that a part is: `model.width`, or what stood in backticks; else nothing."""
        name = _dotted(node)
        return None if name is None else self._named(name)

    def is_word(self, node: ast.expr) -> bool:
        """Whether a part is a name of `WORDS`; in backticks it would be a column's."""
        return (_dotted(node) or "").lower() in WORDS

    def columns(self, node: ast.AST) -> dict[str, None]:
        """Every name within a part, each once, in their order."""
        if isinstance(node, ast.expr) and (name := self.column(node)) is not None:
            return {} if self.is_word(node) else {name: None}
        within = (self.columns(child) for child in ast.iter_child_nodes(node))
        return {name: None for names in within for name in names}

    def words(self, node: ast.expr) -> str:
        """A part of the expression, as it was written."""
        return re.sub(rf"{PLACEHOLDER}\d+", lambda m: f"`{self._named(m[0])}`", ast.unparse(node))

    def mistake(self, reason: str) -> ConfigurationError:
        """The error that says why it cannot be read."""
        return ConfigurationError(f"cannot read the {self.kind} {self.text!r}: {reason}")

    def _named(self, name: str) -> str:
        number = name.removeprefix(PLACEHOLDER)
        return self._in_backticks[int(number)] if number != name else name


def _dotted(node: ast.expr) -> str | None:
    """`model.width`, of names joined by dots; of anything else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)) is not None:
        return f"{before}.{node.attr}"
    return None
