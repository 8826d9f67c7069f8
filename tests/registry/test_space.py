"""References whose fields take several values, and the grid that they span."""

from __future__ import annotations

from typing import ClassVar

import pytest

from synthbench.errors import ConfigurationError
from synthbench.plan.space import Range, Several, Space
from synthbench.registry.kinds import MODEL, TASK
from synthbench.registry.reference import split_reference
from synthbench.registry.registry import installed
from tests.engine.authored import Plain
from tests.registry.points import third_party


def test_the_product_is_in_written_order_and_the_last_field_is_fastest() -> None:
    space = installed().space(MODEL, "mlp width=[50,100] depth=1 lr=log(0.01..1,3)")
    assert space.varied == ("width", "lr") and space.count == 6
    assert space.points() == [
        "mlp width=50 depth=1 lr=0.01",
        "mlp width=50 depth=1 lr=0.1",
        "mlp width=50 depth=1 lr=1",
        "mlp width=100 depth=1 lr=0.01",
        "mlp width=100 depth=1 lr=0.1",
        "mlp width=100 depth=1 lr=1",
    ]


def test_every_point_is_a_reference() -> None:
    space = installed().space(
        MODEL, "mlp batch_size=[full,32] clip=[none, 0.5] optimizer=muon optimizer.momentum=[0,0.9]"
    )
    models = [installed().model(point) for point in space.points()]
    assert len({model.label() for model in models}) == space.count == 8
    assert {model.recipe.clip for model in models} == {None, 0.5}


def test_whole_numbers_are_those_of_the_field() -> None:
    space = installed().space(TASK, "sparse-parity n=linear(20..30,3) k=3")
    assert space.fields["n"] == Several(("20", "25", "30"))


class AtLengths(Plain):
    """A field that takes a list, one that takes lists of lists, and a word."""

    name: ClassVar[str] = "at-lengths"
    lengths: tuple[int, ...] = (20,)
    pairs: list[tuple[int, int]] | None = None
    title: str = ""


def test_a_field_that_takes_lists_takes_one() -> None:
    registry = third_party(register_models=[AtLengths])
    space = registry.space(MODEL, "at-lengths lengths=[20, 40] pairs=[[1,2],[3,4]]")
    assert space.varied == ()
    model = registry.model(space.points()[0])
    assert model.model_dump(include={"lengths", "pairs"}) == {
        "lengths": (20, 40),
        "pairs": [(1, 2), (3, 4)],
    }
    several = registry.space(MODEL, "at-lengths lengths=[[20, 40],[80]] pairs=[[[1,2]],none]")
    built = [registry.model(point).model_dump() for point in several.points()]
    assert [(each["lengths"], each["pairs"]) for each in built] == [
        ((20, 40), [(1, 2)]),
        ((20, 40), None),
        ((80,), [(1, 2)]),
        ((80,), None),
    ]


def test_words_in_quotes_are_words() -> None:
    registry = third_party(register_models=[AtLengths])
    points = registry.space(
        MODEL, """at-lengths title=["two words", 'none', '7', log(x)]"""
    ).points()
    titles = [registry.model(point).model_dump()["title"] for point in points]
    assert titles == ["two words", "none", "7", "log(x)"]


def test_a_range_is_to_be_searched_and_has_no_points() -> None:
    space = installed().space(MODEL, "mlp lr=log(1e-4..1e-1) width=linear(8..64)")
    assert space.fields["lr"] == Range(1e-4, 1e-1, "log")
    assert space.fields["width"] == Range(8, 64, "linear", whole=True)
    assert space.point({"lr": "0.01", "width": "9"}) == "mlp lr=0.01 width=9"
    message = (
        r'"mlp" lr = log\(0.0001..0.1\): .*, such as log\(0.0001..0.1,7\), or .* synthbench tune'
    )
    with pytest.raises(ConfigurationError, match=message):
        space.points()


def test_where_one_value_is_expected_several_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r'"mlp" width = \[8,16\]: one value is expected'):
        installed().model("mlp width=[8,16]")
    assert installed().model("mlp width=[8]") == installed().model("mlp width=8")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("mlp widht=[1,2]", '"mlp" has no field "widht"; did you mean "width"?'),
        ("mlp width=[1,2", '"[1,2" opens a bracket that is not closed'),
        ("mlp width=log(1..8", '"(1..8" opens a bracket that is not closed'),
        ("mlp width=[1,1]", '"mlp" width = [1,1]: 1 is there twice'),
        ("mlp lr=log(0..1,3)", '"mlp" lr = log(0..1,3): the ends of a log scale'),
    ],
)
def test_mistakes_are_one_line(reference: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        installed().space(MODEL, reference)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_words_with_blanks_and_quotes_come_back() -> None:
    space = Space("name", {"a": Several(('"x y"', "it's")), "b": "p q"})
    assert [split_reference(point).tokens for point in space.points()] == [
        {"a": '"x y"', "b": "p q"},
        {"a": "it's", "b": "p q"},
    ]


def test_lists_are_words_of_a_reference_as_they_stand() -> None:
    reference = """name a=[1, 2] b=["x y", 'z'] c=log(1..2, 3) d='[3, 4]' e="=[ f" g=x[1"""
    assert split_reference(reference).tokens == {
        "a": "[1, 2]",
        "b": """["x y", 'z']""",
        "c": "log(1..2, 3)",
        "d": "[3, 4]",
        "e": "=[ f",
        "g": "x[1",
    }
