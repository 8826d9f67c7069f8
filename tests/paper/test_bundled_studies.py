"""The bundled paper studies, at the size at which they run by default, against their verdicts.

pytest -n 0 -m slow tests/paper/test_bundled_studies.py

`verdicts.toml` has what every claim came to when the reports of docs/papers were written. Another
machine rounds otherwise, and what is near a threshold may become undecided, or be decided. It must
not turn into its opposite.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from synthbench.claims import Verdict
from synthbench.evaluation.settings import Settings
from synthbench.papers.evaluating import check_answers
from synthbench.papers.judging import judged, standard_judge
from synthbench.papers.kept import kept_study
from synthbench.papers.reading import find_paper_study
from synthbench.papers.running import Size, grid_studies, run_paper_study
from synthbench.registry.kinds import STUDY
from synthbench.registry.registry import installed

VERDICTS = tomllib.loads((Path(__file__).parent / "verdicts.toml").read_text())
WORDS = {verdict.value for verdict in Verdict}
STUDIES = installed().bundled(STUDY)


def test_every_claim_has_a_verdict() -> None:
    assert list(VERDICTS) == sorted(STUDIES)
    for name, verdicts in VERDICTS.items():
        study = find_paper_study(name)
        claims = {claim.name: sorted(study.grids_of(claim)) for claim in study.claims}
        assert {claim: sorted(grids) for claim, grids in verdicts.items()} == claims, name
        assert {v for grids in verdicts.values() for v in grids.values()} <= WORDS


@pytest.mark.parametrize("name", STUDIES)
def test_figures_and_claims_ask_for_what_grids_will_have(name: str, tmp_path: Path) -> None:
    study = find_paper_study(name)
    for full in (False, True):
        check_answers(study, grid_studies(study, tmp_path, Size(full)), full=full)


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_no_verdict_turns_into_its_opposite(name: str, tmp_path: Path) -> None:
    study = find_paper_study(name)
    run_paper_study(grid_studies(study, tmp_path), Settings(pictures=False))
    for each in judged(kept_study(study, tmp_path), standard_judge):
        assert each.judgement is not None
        before = Verdict(VERDICTS[name][each.claim.name][each.grid])
        now = each.judgement.verdict
        if Verdict.UNDECIDED not in (before, now):
            assert (before == Verdict.HOLDS) == (now == Verdict.HOLDS), each.claim.name
