"""Results as HTML for a notebook: tables and pictures, readable on light and on dark."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from markupsafe import Markup, escape

from synthbench.errors import SynthbenchError
from synthbench.metrics.formatting import format_estimate, format_p_value, format_ratio
from synthbench.results.comparisons import ModelComparison
from synthbench.results.figures import DEFAULT_KIND, draw
from synthbench.results.measured_cell import MeasuredCell, by_task
from synthbench.results.score_table import HEADINGS, has_several_test_sets, score_rows
from synthbench.results.size_table import HEADINGS as SIZE_HEADINGS
from synthbench.results.size_table import differ_in_size, size_rows
from synthbench.results.summary_table import (
    FOOTNOTE,
    TableCell,
    budget_note,
    ceiling_lines,
    headings,
    row,
)

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
    for chosen in by_task(cells):
        records = [cell.record for cell in chosen]
        rows = [row(cell) for cell in chosen]
        parts += [
            TITLE.format(records[0].task, budget_note(records[0])),
            table_html(headings(records), rows),
        ]
        if differ_in_size(chosen):
            sizes = [[TableCell(text) for text in texts] for texts in size_rows(chosen)]
            parts.append(table_html(SIZE_HEADINGS, sizes))
        if has_several_test_sets(chosen):
            scores = [[TableCell(text) for text in texts] for texts in score_rows(chosen)]
            parts.append(table_html(HEADINGS, scores, texts=2))
    lines = [FOOTNOTE, *ceiling_lines([cell.record for cell in cells])]
    return str(Markup("").join([*parts, _learning_curves(cells), *map(NOTE.format, lines)]))


def comparisons_html(comparisons: Sequence[ModelComparison]) -> str:
    """One row per pair of models."""
    if not comparisons:
        return str(NOTE.format("nothing to compare: no two models of the same task"))
    rows = [
        [
            TableCell(one.task),
            TableCell(one.first, f"against {one.second}"),
            TableCell(*format_ratio(one.comparison.ratio_of_medians)),
            TableCell(*format_estimate(one.comparison.superiority)),
            TableCell(format_p_value(one.p_value), "paired seeds" if one.paired else ""),
        ]
        for one in comparisons
    ]
    names = ["task", "model", "ratio of medians", "solves first", "log-rank p (corrected)"]
    count = len(comparisons)
    note = (
        "ratio below 1: the first model needs fewer samples; solves first: probability, ties "
        f"half; p-values by Holm's method over {count} comparison{'s' * (count > 1)}"
    )
    return str(table_html(names, rows, texts=2) + NOTE.format(note))


def table_html(names: Sequence[str], rows: Sequence[Sequence[TableCell]], texts: int = 1) -> Markup:
    """A table whose first `texts` columns are text, the others numbers; everything is escaped."""
    sides = ["left"] * texts + ["right"] * (len(names) - texts)
    head = (HEAD.format(side=side, text=name) for side, name in zip(sides, names, strict=True))
    body = (
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                CELL.format(side=side, wrap=WRAP[side], text=_text(cell))
                for side, cell in zip(sides, cells, strict=True)
            )
        )
        for cells in rows
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
        figure = draw(cells, DEFAULT_KIND)
        data = b64encode(screen_png(figure)).decode()
    except SynthbenchError as error:
        # The table is worth showing even where the trajectories have gone.
        return NOTE.format(f"no picture: {error}")
    alt = "learning curves of " + ", ".join(dict.fromkeys(cell.record.model for cell in cells))
    # As wide as a page at most: a small picture stays sharp, several panels shrink.
    width = int(figure.get_figwidth() * SCREEN_DPI)
    return PICTURE.format(alt=alt, data=data, width=width)
