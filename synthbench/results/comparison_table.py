"""Comparisons of models as a table of texts."""

from __future__ import annotations

from collections.abc import Sequence

from synthbench.metrics.formatting import format_estimate, format_p_value, format_ratio
from synthbench.results.comparisons import ModelComparison
from synthbench.results.table.text_table import TableCell, TextColumn, TextTable, text_column

NOTHING = "nothing to compare: no two models of the same task"


def comparison_table(comparisons: Sequence[ModelComparison]) -> TextTable:
    """A row for each two models; a task or a second model that is that of all stands above."""
    columns = {
        "model": [one.first for one in comparisons],
        "against": [one.second for one in comparisons],
        "on": [one.task for one in comparisons],
    }
    shared = [
        f"{word} {texts[0]}"
        for word, texts in columns.items()
        if word != "model" and len(set(texts)) == 1
    ]
    paired = " (paired seeds)" if comparisons and all(one.paired for one in comparisons) else ""
    return TextTable(
        tuple(
            text_column(word, texts, number=False)
            for word, texts in columns.items()
            if word == "model" or len(set(texts)) > 1
        ),
        (
            _column("ratio of medians", [_ratio(one) for one in comparisons]),
            _column("solves first", [_superiority(one) for one in comparisons]),
            _column("log-rank p (corrected)", [_p_value(one) for one in comparisons]),
        ),
        title=" ".join(["comparisons", *shared]) + paired,
    )


def comparison_notes(comparisons: Sequence[ModelComparison]) -> list[str]:
    """What the columns mean, and for how many comparisons p-values are corrected."""
    count = len(comparisons)
    return [
        "ratio below 1: the first model needs fewer samples; solves first: probability, ties half",
        f"p-values corrected by Holm's method over {count} comparison{'s' * (count > 1)}",
    ]


def _column(heading: str, cells: Sequence[TableCell]) -> TextColumn:
    return TextColumn(heading, tuple(cells))


def _ratio(one: ModelComparison) -> TableCell:
    return TableCell(*format_ratio(one.comparison.ratio_of_medians))


def _superiority(one: ModelComparison) -> TableCell:
    return TableCell(*format_estimate(one.comparison.superiority))


def _p_value(one: ModelComparison) -> TableCell:
    return TableCell(format_p_value(one.p_value))
