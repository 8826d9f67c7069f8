"""One value, several, or a range: what the text of a field stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from synthbench.errors import ConfigurationError
from synthbench.plan.field_values import field_type, read_values
from synthbench.plan.space import Range, Several


@pytest.mark.parametrize(
    ("annotation", "lists", "numbers"),
    [
        (int, 0, "whole"),
        (float | None, 0, "real"),
        (Annotated[int, Field(ge=1)] | Literal["full"], 0, "whole"),
        (int | float, 0, "real"),
        (bool, 0, None),
        (str, 0, None),
        (Literal["a", "b"], 0, None),
        (tuple[int, ...], 1, None),
        (list[tuple[int, int]] | None, 2, None),
        (Sequence[str], 1, None),
        (dict[str, int], 0, None),
        (Any, 99, None),
    ],
)
def test_the_type_of_a_field(annotation, lists, numbers) -> None:
    found = field_type(annotation)
    assert (found.lists, found.numbers) == (lists, numbers)


def several(*values: str) -> Several:
    return Several(values)


@pytest.mark.parametrize(
    ("text", "annotation", "expected"),
    [
        ("50", int, "50"),
        ("[50, 100,200]", int, several("50", "100", "200")),
        ("[50]", int, "50"),
        ("[none, 0.5]", float | None, several("none", "0.5")),
        ("[full,32]", int | Literal["full"], several("full", "32")),
        ("""["a, b", 'c]', d]""", str, several('"a, b"', '"c]"', "d")),
        ("log(1..8,4)", int, several("1", "2", "4", "8")),
        ("log(1..8, 4)", int, several("1", "2", "4", "8")),
        ("linear( 0 .. 1 , 3 )", float, several("0", "0.5", "1")),
        ("[0, log(1e-3..1e-1,3)]", float, several("0", "0.001", "0.01", "0.1")),
        ("log(1e-4..1e-1)", float, Range(1e-4, 1e-1, "log")),
        ("linear(1..9)", int, Range(1, 9, "linear", whole=True)),
        # Of a field that takes a list, a list is one value.
        ("[20,40]", tuple[int, ...], "[20,40]"),
        ("[]", tuple[int, ...], "[]"),
        ("[[20,40],[80]]", tuple[int, ...], several("[20,40]", "[80]")),
        ("[none,[80]]", tuple[int, ...] | None, several("none", "[80]")),
        ("[[1,2]]", tuple[tuple[int, int], ...], "[[1,2]]"),
        ("[[[1,2]],[]]", tuple[tuple[int, int], ...], several("[[1,2]]", "[]")),
        ("[1,2]", Any, "[1,2]"),
        # A word is a word where the field takes no numbers.
        ("log(x)", str, "log(x)"),
    ],
)
def test_texts(text, annotation, expected) -> None:
    assert read_values(text, field_type(annotation)) == expected


@pytest.mark.parametrize(
    ("text", "annotation", "message"),
    [
        ("[]", int, "the list is empty; write values such as [50,100]"),
        ("[50,100", int, "opens a bracket that is not closed"),
        ("[50,100]]", int, '"]" stands behind the list'),
        ("[50,[100)]", int, "opens a bracket that is not closed"),
        ("[50,,100]", int, "a value is missing before or after a comma"),
        ("[50,100,]", int, "a value is missing before or after a comma"),
        ("[50,100,50]", int, "50 is there twice"),
        ("[0.1,1e-1]", float, "1e-1 is there twice"),
        ("[1,log(1..100,3)]", float, "1 is there twice"),
        ("log(0..1,3)", float, "the ends of a log scale are above 0; linear(...) may have 0"),
        ("log(1..0.1,3)", float, "the smaller end comes first"),
        ("log(0.1..1,1)", float, '"1" is not a number of values, 2 or more'),
        ("log(0.1..1,x)", float, '"x" is not a number of values'),
        ("log(0.1..1,)", float, '"" is not a number of values'),
        ("log(0.1,1,3)", float, "write both ends, as in log(0.01..1,7)"),
        ("log(a..1,3)", float, '"a" is not a number'),
        ("log(0.1..inf,3)", float, '"inf" is not a number'),
        ("linear(0.5..3,3)", int, '"0.5" is not a whole number'),
        ("linear(1..3,4)", int, "ask for 3, or list them"),
        ("[0,log(0.1..1)]", float, "log(0.1..1) needs a count here, as in log(0.1..1,7)"),
    ],
)
def test_mistakes_say_what_is_wrong(text, annotation, message) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_values(text, field_type(annotation))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_true_is_not_one() -> None:
    assert read_values("[1,true]", field_type(str)) == several("1", "true")
