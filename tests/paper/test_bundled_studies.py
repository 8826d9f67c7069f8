"""The bundled paper studies, at the size at which they run by default: every claim holds.

pytest -m slow tests/paper
"""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.evaluation.settings import Settings
from synthbench.papers.judging import judged, standard_judge
from synthbench.papers.kept import kept_study
from synthbench.papers.reading import find_paper_study
from synthbench.papers.running import grid_studies, run_paper_study
from synthbench.registry.kinds import STUDY
from synthbench.registry.registry import installed

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", installed().bundled(STUDY))
def test_every_claim_holds(name: str, tmp_path: Path) -> None:
    study = find_paper_study(name)
    run_paper_study(grid_studies(study, tmp_path), Settings(pictures=False))
    found = judged(kept_study(study, tmp_path), standard_judge)
    verdicts = {each.claim.name: each.judgement.verdict.value for each in found}
    assert verdicts == dict.fromkeys(verdicts, "holds") and len(verdicts) == len(study.claims)
