"""Conditions: what they choose, and what they refuse."""

from __future__ import annotations

import pytest

from synthbench.errors import ConfigurationError
from synthbench.results.table.condition import matching

ROWS = [
    {"n": 20, "model.width": 50, "lr": 0.1, "name": "mlp", "size": "full", "heads": None},
    {"n": 40, "model.width": 100, "lr": 0.01, "name": "mlp", "size": 32, "heads": None},
    {"n": 20, "model.width": 200, "lr": None, "name": "gru", "size": 64, "heads": 4},
]
for row, flag in zip(ROWS, (True, False, True), strict=True):
    row |= {"censored": flag, "probe/x@far": row["n"] / 10}


def chosen(condition: str) -> list[int]:
    def find(name: str) -> str:
        if name not in ROWS[0]:
            raise ConfigurationError(f'no column "{name}"')
        return name

    return [index for index, kept in enumerate(matching(ROWS, condition, find)) if kept]


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("n == 20", [0, 2]),
        ("n != 20", [1]),
        ("model.width>=100 and n==20", [2]),
        ("model.width < 100 or n == 40", [0, 1]),
        ("not n == 20", [1]),
        ("10 < n <= 20", [0, 2]),
        ("100 <= model.width < 200", [1]),
        ("n in [40, 60]", [1]),
        ("n not in (40, 60)", [0, 2]),
        ("name == 'gru'", [2]),
        ('name in ["gru", "lstm"]', [2]),
        ("name < 'h'", [2]),
        ("model.width / n == 2.5", [0, 1]),
        ("-n + 2*model.width - 10 > 100", [1, 2]),
        ("n == 20 or n == 40 and lr < 0.05", [0, 1, 2]),
        ("(n == 20 or n == 40) and lr < 0.05", [1]),
        ("censored", [0, 2]),
        ("not censored and n > 1", [1]),
        ("censored == true", [0, 2]),
        ("`probe/x@far` > 3", [1]),
        ("`probe/x@far` + `model.width` > 100", [1, 2]),
        ("n < inf", [0, 1, 2]),
        # What a row does not have.
        ("heads == none", [0, 1]),
        ("heads != None", [2]),
        ("heads in [none, 8]", [0, 1]),
        ("heads > 1", [2]),
        ("lr < 1 or lr >= 1", [0, 1]),
        ("heads / 0 > 1", []),
        ("heads + 1 == 5", [2]),
        # A column of texts and numbers.
        ("size > 40", [2]),
        ("size == 'full'", [0]),
        ("size != 32", [0, 2]),
    ],
)  # fmt: skip
def test_a_condition_chooses_rows(condition: str, rows: list[int]) -> None:
    assert chosen(condition) == rows


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("n = 20", "equality is =="),
        ("", "cannot read the condition ''"),
        ("n ==", "cannot read"),
        ("n == 640k", "cannot read"),
        ("widht > 3", 'no column "widht"'),
        ("name == gru", 'no column "gru"'),
        ("name == 3", "of name and 3 one is a text"),
        ("lr < '0.1'", "one is a text and one a number"),
        ("n in [20, '40']", "of n and '40' one is a text"),
        ("n in 20", "stands a list"),
        ("n", '"n" is no condition; compare it'),
        ("n + 1", '"n + 1" is no condition'),
        ("`probe/x@far`", '"`probe/x@far`" is no condition'),
        ("name + 1 == 2", '"name" is a text, not a number'),
        ("n is 20", "write columns"),
        # Nothing of this is run.
        ("__import__('os').system('true')", "is not allowed"),
        ("n.__class__", 'no column "n.__class__"'),
        ("abs(n) > 3", '"abs(n)" is not allowed'),
        ("n ** 9 > 3", '"n ** 9" is not allowed'),
        ("[n for n in [1]] == 1", "is not allowed"),
        ("(lambda: 1) == 1", "is not allowed"),
        ("f'{n}' == '1'", "is not allowed"),
        ("n[0] > 1", "is not allowed"),
        ("(n := 3) > 1", "is not allowed"),
        ("@n > 3", "cannot read"),
        ("b'x' == 3", "is not allowed"),
        ("(" * 500 + "n" + ")" * 500, "cannot read"),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_in_one_line(condition: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        chosen(condition)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_condition_is_read_before_there_are_rows() -> None:
    with pytest.raises(ConfigurationError, match="no column"):
        matching([], "x > 1", lambda name: chosen(name) and name)
