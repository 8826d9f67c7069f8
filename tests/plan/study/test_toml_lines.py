"""On which line of a file something stands."""

from __future__ import annotations

import pytest

from synthbench.plan.study.toml_lines import line_of

TEXT = """\
# a comment
name = "x"

tasks = [
    "a",
    # another comment, with ]
    "b", "c",
]
pairs = [[1, 2],
  [3, 4]]

[[models]]
name = "mlp"
width = [50, 100]

[[models]]
name = "gpt"
optimizer = { name = "muon", momentum = 0.9 }

[protocol]
budget = "20k"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("name",), 2),
        (("tasks",), 4),
        (("tasks", 0), 5),
        (("tasks", 1), 7),
        (("tasks", 2), 7),
        (("pairs", 1), 10),
        (("pairs", 1, 0), 10),
        (("models", 0), 12),
        (("models", 0, "name"), 13),
        (("models", 0, "width"), 14),
        (("models", 1, "name"), 17),
        (("models", 1, "optimizer", "momentum"), 18),
        (("protocol",), 20),
        (("protocol", "budget"), 21),
        (("nothing", "here"), 1),
    ],
)
def test_lines(path, line) -> None:
    assert line_of(TEXT, path) == line
