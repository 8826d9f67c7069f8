"""Protocols some of whose fields take several values."""

from __future__ import annotations

import pytest

from synthbench.errors import ConfigurationError
from synthbench.plan.protocol import Protocol
from synthbench.plan.protocol_grid import COUNTS, protocol_changes, varied_protocol_fields


def named(field: str, text: str) -> str:
    return f"<{field}={text}>"


def test_the_product_of_all_fields_the_last_changing_fastest() -> None:
    texts = {"budget": "[20k, 1.5M]", "seeds": "8", "train_samples": "log(500..16k,3)"}
    assert protocol_changes(texts, named) == [
        {"budget": budget, "seeds": 8, "train_samples": samples}
        for budget in (20_000, 1_500_000)
        for samples in (500, 2830, 16_000)
    ]
    assert varied_protocol_fields(texts) == ["budget", "train_samples"]
    assert protocol_changes({}, named) == [{}]


@pytest.mark.parametrize(
    ("field", "text", "values"),
    [
        ("train_samples", "[none,1k]", [None, 1000]),
        ("until", "[solved,budget]", ["solved", "budget"]),
        ("precision", "[32-true, 64-true]", ["32-true", "64-true"]),
        ("resolution", "[0.05,1]", [0.05, 1.0]),
        ("initializations", "[2,4]", [2, 4]),
        ("evaluation_samples", "linear(128..384,3)", [128, 256, 384]),
        ("score", "accuracy@length-80", ["accuracy@length-80"]),
    ],
)
def test_every_field_takes_what_the_protocol_allows(field, text, values) -> None:
    changes = protocol_changes({field: text}, named)
    assert [each[field] for each in changes] == values
    assert all(getattr(Protocol(**each), field) == each[field] for each in changes)


def test_counts_are_fields_of_the_protocol() -> None:
    assert set(COUNTS) <= set(Protocol.model_fields)


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("seeds", "[8,16]", "one number is expected; the replicas of more seeds are those of"),
        ("first_seed", "[0,8]", "one number is expected; replicas of other seeds belong to"),
        ("seeds", "0", "input should be greater than or equal to 1"),
        ("seeds", "many", "input should be a valid integer"),
        ("budget", "[20k,few]", "'few' is not a number of samples such as"),
        ("budget", "log(500..16k)", "give a count of values, such as log(500..16000,7)"),
        ("budget", "[20k,20000]", "20000 is there twice"),
        ("until", "[solved,never]", "never: input should be 'solved' or 'budget'"),
        ("hold", "[1,0]", "0: input should be greater than or equal to 1"),
        ("budgets", "3", 'a protocol has no such field; did you mean "budget"? (fields: budget,'),
    ],
)
def test_mistakes_name_the_field_as_its_user_does(field, text, message) -> None:
    with pytest.raises(ConfigurationError) as caught:
        protocol_changes({field: text}, named)
    assert str(caught.value).startswith(f"<{field}={text}>: ") and message in str(caught.value)
