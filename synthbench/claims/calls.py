"""The functions of quantities: what they take, and of what they speak."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum

from synthbench.errors import did_you_mean
from synthbench.results.table.expression import Expression


class Level(Enum):
    """What a part of an expression has a value for: each evaluation, each replica, or all."""

    EVALUATION = "evaluation"
    REPLICA = "replica"
    STUDY = "study"

    @staticmethod
    def below_study() -> tuple[Level, Level]:
        """Replicas, and their evaluations."""
        return Level.REPLICA, Level.EVALUATION


@dataclass(frozen=True)
class Signature:
    """How a function is called.

    takes: its arguments in order. keywords: those that are named; required: which of them must be
    there. many: whether the last argument may be repeated.
    """

    name: str
    level: Level
    takes: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    many: bool = False

    def __str__(self) -> str:
        """`median(X, where=CONDITION)`."""
        named = [f"{word}={MEANINGS[word]}" for word in self.keywords]
        return f"{self.name}({', '.join([*self.takes, *(['...'] if self.many else []), *named])})"


MEANINGS = {"where": "CONDITION", "than": "CONDITION", "by": "COLUMN"}
_REPLICA, _STUDY = Level.REPLICA, Level.STUDY
_WHERE = ("where",)
_BY = ("by",)
SIGNATURES: dict[str, Signature] = {
    each.name: each
    for each in (
        Signature("when", _REPLICA, ("CONDITION",)),
        Signature("first", _REPLICA, ("X",)),
        Signature("last", _REPLICA, ("X",)),
        Signature("peak", _REPLICA, ("X",)),
        Signature("at", _REPLICA, ("SAMPLES", "X")),
        Signature("median", _STUDY, ("X",), _WHERE),
        Signature("mean", _STUDY, ("X",), _WHERE),
        Signature("share", _STUDY, ("CONDITION",), _WHERE),
        Signature("quantile", _STUDY, ("Q", "X"), _WHERE),
        Signature("concordance", _STUDY, ("X", "Y"), _WHERE),
        Signature("correlation", _STUDY, ("X", "Y"), _WHERE),
        Signature("before", _STUDY, ("X", "Y"), _WHERE),
        Signature("superiority", _STUDY, ("X",), ("where", "than"), ("where", "than")),
        Signature("exponent", _STUDY, ("SUMMARY",), _BY, _BY),
        Signature("slope", _STUDY, ("SUMMARY",), _BY, _BY),
        Signature("monotone", _STUDY, ("SUMMARY",), _BY, _BY),
        Signature("log", _STUDY, ("X",)),
        Signature("min", _STUDY, ("X", "Y"), many=True),
        Signature("max", _STUDY, ("X", "Y"), many=True),
    )
}


def arguments(
    expression: Expression, node: ast.Call, signature: Signature
) -> tuple[list[ast.expr], dict[str, ast.expr]]:
    """What a call gives, in order and by name; ConfigurationError for another number or name."""
    named = {each.arg: each.value for each in node.keywords if each.arg is not None}
    whole = len(named) == len(node.keywords) and set(named) <= set(signature.keywords)
    count, wanted = len(node.args), len(signature.takes)
    enough = count >= wanted if signature.many else count == wanted
    starred = any(isinstance(each, ast.Starred) for each in node.args)
    if not whole or not enough or starred or not set(signature.required) <= set(named):
        words = expression.words(node)
        raise expression.mistake(f'"{words}" is not how to call it; write {signature}')
    return list(node.args), named


def called(expression: Expression, node: ast.Call) -> Signature:
    """The function of a call; ConfigurationError for one that there is not."""
    name = expression.column(node.func) or expression.words(node.func)
    if name not in SIGNATURES:
        raise expression.mistake(
            f'no function "{name}"{did_you_mean(name, SIGNATURES)} '
            f"(functions: {', '.join(SIGNATURES)})"
        )
    return SIGNATURES[name]
