"""A law: one property that a plugin's class must have, and how it is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class NotApplicable:
    """A law that says nothing about this subject, and why."""

    reason: str


Outcome = str | NotApplicable | None
"""What was seen where a law is broken; None where it holds."""


@dataclass(frozen=True)
class Law(Generic[T]):
    """One property, stated in a sentence, with advice for whoever breaks it.

    name: lower-case words joined by hyphens; it does not change. judge: looks at a trial of the
    subject and says what breaks the law, if anything does; what it raises breaks it too. needs:
    laws without which this one cannot be judged.
    """

    name: str
    statement: str
    advice: str
    judge: Callable[[T], Outcome]
    needs: tuple[str, ...] = ()


def law(
    name: str, statement: str, advice: str, needs: tuple[str, ...] = ()
) -> Callable[[Callable[[T], Outcome]], Law[T]]:
    """Make a law of the function that judges it; the arguments are those of `Law`."""

    def of(judge: Callable[[T], Outcome]) -> Law[T]:
        return Law(name, statement, advice, judge, needs)

    return of
