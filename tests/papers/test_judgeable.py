"""A claim about what no replica will have is refused before anything trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import SynthbenchError
from synthbench.papers.judgeable import check_claims
from synthbench.papers.reading import check_paper_study
from synthbench.papers.running import grid_studies
from tests.papers.conftest import STUDY

QUANTITY = "share(`final_score` > 0.5 and task != 'a | b')"


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("median(samples_to_targt)", 'no column "samples_to_targt"; did you mean "samples_to_tar'),
        ("median(when(acuracy > 0.9))", 'no column "acuracy"; did you mean "accuracy"'),
        ("share(outcome == 'sloved')", 'no replica ends "sloved"; did you mean "solved"'),
        ("median(n, where=outcome in ['solved', 'lost'])", "outcomes: solved, censored, diverged"),
        ("median(accuracy)", "say which: last"),
        ("median(last(`weight-movement/l2`))", "; the grid's probes are none"),
        ("median(plateau, where=model.widht == 3)", 'did you mean "model.width"'),
    ],
)
def test_what_no_replica_has_is_refused_with_its_line(
    quantity: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "plateaus.toml"
    path.write_text(STUDY[: STUDY.index('[[claims]]\nname = "best"')].replace(QUANTITY, quantity))
    study = check_paper_study(path)
    with pytest.raises(SynthbenchError, match=rf"plateaus.toml:44: claims.quantity: .*{message}"):
        check_claims(study, grid_studies(study, tmp_path))
    # Of a grid that is not trained nothing is asked.
    check_claims(study, {})


@pytest.mark.parametrize("quantity", [QUANTITY, "share(outcome != 'diverged' and model == 'x')"])
def test_what_replicas_have_is_not_refused(quantity: str, tmp_path: Path) -> None:
    path = tmp_path / "plateaus.toml"
    path.write_text(STUDY[: STUDY.index('[[claims]]\nname = "best"')].replace(QUANTITY, quantity))
    study = check_paper_study(path)
    check_claims(study, grid_studies(study, tmp_path))
