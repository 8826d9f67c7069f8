"""What `none` stands for depends on the field."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from synthbench.registry.reference import typed_value


class Fields(BaseModel):
    teacher: Literal["none", "final"] = "final"
    clip: float | None = None
    both: Literal["none", "all"] | None = None
    size: Literal["32", "64"] = "32"


def test_a_word_of_the_field_is_that_word() -> None:
    assert typed_value(Fields, "teacher", "none") == "none"
    assert typed_value(Fields, "size", "64") == "64"


def test_otherwise_none_is_nothing_and_numbers_are_numbers() -> None:
    assert typed_value(Fields, "clip", "none") is None
    assert typed_value(Fields, "both", "none") is None
    assert typed_value(Fields, "clip", "2.5") == 2.5
    assert typed_value(Fields, "unknown", "none") is None
