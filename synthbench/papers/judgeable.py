"""Whether the claims of a study can be judged by what its grids will train, before they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from synthbench.claims.named_columns import compared_texts, keyword_texts, named_columns
from synthbench.errors import ConfigurationError, SynthbenchError, did_you_mean
from synthbench.papers.expected_columns import ExpectedColumns
from synthbench.plan.paper_study import PaperStudy, located_in
from synthbench.records.schema import ReplicaRecord

OUTCOMES: tuple[str, ...] = get_args(ReplicaRecord.model_fields["outcome"].annotation)


def check_claims(
    study: PaperStudy, expected: Mapping[str, ExpectedColumns], *, full: bool = False
) -> None:
    """Raise, with the line, for a column in a claim that no replica of its grid will have.

    What `ExpectedColumns` raises, also for a condition that no cell meets and a trend over a field
    that does not vary; ConfigurationError for an outcome that there is not. expected: of the grids
    that are to be trained; claims about others are not looked at. full: these are of the paper's
    sizes, where a claim about a size that is only the study's own is not judged, and keeps nothing
    from being trained.
    """
    for place, claim in enumerate(study.claims):
        for name in study.grids_of(claim):
            if name not in expected:
                continue
            try:
                _check_columns(claim.quantity, expected[name])
                if not full:
                    _check_cells(claim.quantity, expected[name])
            except SynthbenchError as error:
                raise located_in(study, ("claims", place, "quantity"), error) from None


def _check_cells(quantity: str, expected: ExpectedColumns) -> None:
    for condition in keyword_texts(quantity, "where", "than"):
        expected.check_condition(condition)
    for name in keyword_texts(quantity, "by"):
        expected.check_varies(name)


def _check_columns(quantity: str, expected: ExpectedColumns) -> None:
    for column in named_columns(quantity):
        expected.check(column)
    # Of other columns a text may be one that no replica happens to have.
    for ending in compared_texts(quantity, "outcome"):
        if ending not in OUTCOMES:
            raise ConfigurationError(
                f'no replica ends "{ending}"{did_you_mean(ending, OUTCOMES)} '
                f"(outcomes: {', '.join(OUTCOMES)})"
            )
