"""Values of TOML and Python, as the texts of references."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synthbench.errors import ConfigurationError
from synthbench.plan.field_values import ANY_DEPTH, FieldType, field_value, read_values
from synthbench.plan.space import Several
from synthbench.plan.study.written_values import entry_text, native_value, value_text
from synthbench.registry.reference import split_reference


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (50, "50"),
        (0.05, "0.05"),
        (True, "true"),
        (None, "none"),
        ("log(0.01..1,7)", "log(0.01..1,7)"),
        ([50, 100], "[50,100]"),
        (["20k", "none", "log(1..8,4)", "two words"], "[20k,none,log(1..8,4),two words]"),
        (["a,b", "7", "x]", ""], '["a,b","7","x]",""]'),
        ([[20, 40], [80]], "[[20,40],[80]]"),
        ((None, 0.5), "[none,0.5]"),
    ],
)
def test_texts(value, text) -> None:
    assert value_text(value) == text


def test_an_entry_is_a_reference_or_a_table() -> None:
    assert entry_text("mlp width=[8, 16]") == "mlp width=[8, 16]"
    table = {
        "name": "mlp",
        "width": [50, 100],
        "lr": "log(0.01..1,7)",
        "optimizer": {"name": "muon", "momentum": [0, 0.9]},
        "title": "it's two words",
    }
    text = entry_text(table)
    assert text.startswith("mlp width=[50,100] lr=log(0.01..1,7) optimizer=muon optimizer.momentum")
    assert split_reference(text) == (
        "mlp",
        None,
        {
            "width": "[50,100]",
            "lr": "log(0.01..1,7)",
            "optimizer": "muon",
            "optimizer.momentum": "[0,0.9]",
            "title": "it's two words",
        },
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"width": 3}, 'a table needs a name, such as name = "mlp"'),
        ({"name": 3}, "a table needs a name"),
        ({"name": "mlp", "wid th": 3}, "'wid th' cannot be the name of a field"),
        ({"name": "mlp", "width": {"low": 3}}, "a table needs a name"),
        ({"name": "mlp", "width": date(2020, 1, 1)}, "is no value of a field; write a number, a"),
        (3, "3 is no reference; write 'mlp width=200', or a table"),
    ],
)
def test_what_is_no_entry(entry, message) -> None:
    with pytest.raises(ConfigurationError) as caught:
        entry_text(entry)
    assert message in str(caught.value)


@given(st.lists(st.text(max_size=12), min_size=2, max_size=6, unique=True))
@settings(max_examples=50)
@example(["", "null"])
def test_words_of_a_list_are_the_same_words_when_they_are_read(words: list[str]) -> None:
    kept = [word for word in words if word.lower() != "none" and not word.startswith("lo")]
    read = read_values(value_text(kept), FieldType())
    texts = read.values if isinstance(read, Several) else [read] * len(kept)
    assert [field_value(text) for text in texts] == kept


SCALARS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
NATIVE = st.one_of(SCALARS, st.lists(SCALARS), st.lists(st.lists(SCALARS)), st.text())


@given(NATIVE)
def test_what_a_file_is_written_with_says_what_it_said(value: object) -> None:
    text = value_text(value)
    assert value_text(native_value(text)) == text
    if not isinstance(value, str):
        assert field_value(read_values(text, FieldType(ANY_DEPTH))) == value
