"""Tasks with a fault in their name or fields."""

from __future__ import annotations

from typing import ClassVar

from pydantic import field_validator

import synthbench as sb
from tests.testing.tasks.sound import Dictator


class BadName(Dictator):
    """A name that cannot be typed."""

    name: ClassVar[str] = "My Task"


class Undocumented(Dictator):
    name: ClassVar[str] = "undocumented"


class ChangedByItsValidator(Dictator):
    """A validator that changes a field each time it reads it."""

    @field_validator("n")
    @classmethod
    def _one_more(cls, n: int) -> int:
        return n + 1


class SpacedField(Dictator):
    """A text field that a label does not carry."""

    title: str = "plain"

    def label(self) -> str:
        return f"{self.name} title=not there at all"


CONFIGURATION_FAULTS: dict[type[sb.Task], str] = {
    BadName: "name-and-docstring",
    Undocumented: "name-and-docstring",
    ChangedByItsValidator: "config-round-trips",
    SpacedField: "config-round-trips",
}
"""Fault -> the law that must find it."""
