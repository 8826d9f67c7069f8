"""Tables in terminals of any width: nothing broken, nothing left out, every row told apart."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from synthbench.results.table.layout import print_tables, rendered
from synthbench.results.table.text_table import TableCell, TextColumn, TextTable, text_column


def grid(rows: int, values: int = 4, name: str = "transformer layers=2 heads=4") -> TextTable:
    """Tables with cells that name their own place."""
    labels = (
        text_column("model", [name] * rows, number=False),
        text_column("train_samples", [f"t{row}" for row in range(rows)]),
    )
    numbers = tuple(
        TextColumn(
            f"value {column}",
            tuple(TableCell(f"v{column}.{row}", f"[l{column}.{row}, h{column}.{row}]")
                  for row in range(rows)),
        )
        for column in range(values)
    )  # fmt: skip
    return TextTable(labels, numbers, title="task n=20", note="8 replicas")


def words_of(table: TextTable) -> set[str]:
    texts = [text for column in (*table.labels, *table.numbers) for cell in column.cells
             for text in cell]  # fmt: skip
    return {word for text in texts for word in text.split()}


@pytest.mark.parametrize("rows", [1, 2, 8, 36])
@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_every_word_is_whole_and_no_line_is_too_long(rows: int, width: int) -> None:
    table = grid(rows, values=9)
    lines = rendered([table], width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert words_of(table) <= {word for line in lines for word in line.split()}


@given(
    st.integers(1, 12),
    st.lists(st.text("abc .=,[]", min_size=1, max_size=30), min_size=1, max_size=4),
    st.integers(20, 130),
)
def test_words_stay_whole_whatever_they_are(rows: int, names: list[str], width: int) -> None:
    labels = tuple(text_column(name, [name] * rows, number=False) for name in names)
    table = TextTable(labels, grid(rows).numbers)
    lines = rendered([table], width).splitlines()
    assert words_of(table) <= {word for line in lines for word in line.split()}
    assert max(map(cell_len, lines)) <= max(width, 40)


def test_a_terminal_narrower_than_a_word_still_has_it_whole() -> None:
    name = "a-model-with-a-name-of-more-than-thirty-letters"
    printed = rendered([TextTable((text_column("model", [name]),), ())], width=20)
    assert name in printed


def test_blocks_repeat_what_tells_rows_apart() -> None:
    printed = rendered([grid(3, values=9)], width=80)
    blocks = printed.split("\n\n")
    assert len(blocks) > 1
    for block in blocks:
        assert all(f" t{row} " in block for row in range(3))


def test_few_rows_have_their_intervals_below_where_that_saves_a_block() -> None:
    few, many = (rendered([grid(rows)], width=80) for rows in (2, 20))
    assert "v0.0 [l0.0, h0.0]" not in few and "[l0.0, h0.0]" in few
    assert "v0.0 [l0.0, h0.0]" in many
    assert "v0.0 [l0.0, h0.0]" in rendered([grid(2)], width=200)


def test_values_stand_below_values() -> None:
    cells = (TableCell("1.28k", "[1.2k, 1.3k]"), TableCell("> 640k"), TableCell("3k", "[2k, 4k]"))
    table = TextTable((text_column("n", ["1", "2", "3"]),), (TextColumn("median", cells),))
    assert rendered([table]).splitlines()[2:] == [
        "1   1.28k [1.2k, 1.3k]",
        "2  > 640k",
        "3      3k [2k, 4k]",
    ]


def test_rows_are_numbered_where_labels_leave_no_room() -> None:
    labels = tuple(
        text_column(f"field_{number}", [f"v{number}r{row}" for row in range(3)])
        for number in range(8)
    )
    table = TextTable(labels, grid(3).numbers, title="first")
    other = TextTable(labels, grid(3).numbers[:1], title="second")
    printed = rendered([table, other], width=60)
    first, second = printed.split("second")
    assert first.count("v7r2") == 1 and "#  field_0" in first
    # The rows have been told; their numbers are enough.
    assert "v7r2" not in second and "\n3 " in second and "v0.2" in second


def test_markup_is_text() -> None:
    table = TextTable((text_column("[bold]n", ["[red]x[/]"]),), (), title="[bold]t")
    for text in ("[bold]n", "[red]x[/]", "[bold]t"):
        assert text in rendered([table])


def test_colours_are_for_terminals_alone() -> None:
    stream = StringIO()
    print_tables(Console(file=stream, force_terminal=True, width=80), [grid(2)])
    assert "\x1b[1m" in stream.getvalue() and "\x1b" not in rendered([grid(2)])
