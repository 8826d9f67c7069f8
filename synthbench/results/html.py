"""Results as HTML for a notebook: tables and pictures, readable on light and on dark."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from markupsafe import Markup, escape

from synthbench.errors import SynthbenchError
from synthbench.results.comparison_table import NOTHING, comparison_notes, comparison_table
from synthbench.results.comparisons import ModelComparison
from synthbench.results.figures import DEFAULT_KIND, draw
from synthbench.results.measured_cell import MeasuredCell, by_table
from synthbench.results.score_table import has_several_test_sets, score_table
from synthbench.results.summary_table import FOOTNOTE, ceiling_lines, summary_table
from synthbench.results.table.text_table import TableCell, TextColumn, TextTable

# Nothing here names a colour of text or ground: both are the notebook's own, light or dark.
# Only style attributes, since front ends drop <style> elements.
TABLE = Markup(
    '<table style="color: inherit; border-collapse: collapse; margin: 0 0 .5em 0">'
    "<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
)
HEAD = Markup(
    '<th style="text-align: {side}; padding: .2em .8em; font-weight: 600; '
    'border-bottom: 1px solid rgba(128, 128, 128, .6)">{text}</th>'
)
CELL = Markup(
    '<td style="text-align: {side}; white-space: {wrap}; padding: .2em .8em; vertical-align: top; '
    'border-bottom: 1px solid rgba(128, 128, 128, .25)">{text}</td>'
)
WRAP = {"left": "normal", "right": "nowrap"}
DETAIL = Markup('<br><small style="opacity: .75">{}</small>')
TITLE = Markup("<div><strong>{}</strong> {}</div>")
NOTE = Markup('<div><small style="opacity: .75">{}</small></div>')
PICTURE = Markup(
    '<img alt="{alt}" src="data:image/png;base64,{data}" width="{width}" '
    'style="max-width: 100%; height: auto; background: #fff; border-radius: 4px">'
)


def results_html(cells: Sequence[MeasuredCell]) -> str:
    """One table per task, then the learning curves of all."""
    if not cells:
        return str(NOTE.format("no cells"))
    parts = []
    for chosen in by_table(cells):
        parts.append(text_table_html(summary_table(chosen)))
        if has_several_test_sets(chosen):
            parts.append(text_table_html(score_table(chosen)))
    lines = [FOOTNOTE, *ceiling_lines([cell.record for cell in cells])]
    return str(Markup("").join([*parts, _learning_curves(cells), *map(NOTE.format, lines)]))


def comparisons_html(comparisons: Sequence[ModelComparison]) -> str:
    """One row per pair of models."""
    if not comparisons:
        return str(NOTE.format(NOTHING))
    notes = map(NOTE.format, comparison_notes(comparisons))
    return str(Markup("").join([text_table_html(comparison_table(comparisons)), *notes]))


def text_table_html(table: TextTable) -> Markup:
    """The table that a terminal shows, whole."""
    title = TITLE.format(table.title, table.note) if table.title or table.note else Markup("")
    return title + _columns_html([*table.labels, *table.numbers])


def table_html(names: Sequence[str], rows: Sequence[Sequence[TableCell]], texts: int = 1) -> Markup:
    """A table whose first `texts` columns are text, the others numbers; everything is escaped."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return _columns_html(
        [
            TextColumn(name, tuple(cells), number=index >= texts)
            for index, (name, cells) in enumerate(zip(names, columns, strict=True))
        ]
    )


def _columns_html(columns: Sequence[TextColumn]) -> Markup:
    sides = ["right" if column.number else "left" for column in columns]
    head = (
        HEAD.format(side=side, text=column.heading)
        for side, column in zip(sides, columns, strict=True)
    )
    body = (
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                CELL.format(side=side, wrap=WRAP[side], text=_text(cell))
                for side, cell in zip(sides, cells, strict=True)
            )
        )
        for cells in zip(*(column.cells for column in columns), strict=True)
    )
    return TABLE.format(head=Markup("").join(head), rows=Markup("").join(body))


def _text(cell: TableCell) -> Markup:
    if not cell.detail:
        return escape(cell.value)
    lines = Markup("<br>").join(escape(line) for line in cell.detail.splitlines())
    return escape(cell.value) + DETAIL.format(lines)


def _learning_curves(cells: Sequence[MeasuredCell]) -> Markup:
    # Here, so that tables in a terminal do not wait for matplotlib.
    from synthbench.results.figures.inline_figure import SCREEN_DPI, screen_png

    try:
        figure = draw(cells, DEFAULT_KIND).figure
        data = b64encode(screen_png(figure)).decode()
    except SynthbenchError as error:
        # The table is worth showing even where the trajectories have gone.
        return NOTE.format(f"no picture: {error}")
    alt = "learning curves of " + ", ".join(dict.fromkeys(cell.record.model for cell in cells))
    # As wide as a page at most: a small picture stays sharp, several panels shrink.
    width = int(figure.get_figwidth() * SCREEN_DPI)
    return PICTURE.format(alt=alt, data=data, width=width)
